"""How arrays lie in memory; freed memory stays with the process."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

import minigrad
from minigrad.kernels import memory


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (3, 1, 0, 2)])
def test_the_order_of_the_axes_in_memory(order):
    x = memory.ordered((2, 3, 4, 5), order, np.float32)
    assert x.shape == (2, 3, 4, 5)
    assert memory.axes(x) == order
    assert memory.dense(x)
    assert not memory.dense(x[..., ::2])
    assert memory.axes(np.empty_like(x, bool, shape=(4, 3, 2, 2))) == order  # kernels rely on it


PROGRAM = """
import resource, sys
import numpy as np
if sys.argv[1] != "without": import minigrad
if sys.argv[1] == "with a tensor": minigrad.ones(1)
for i in range(40):
    if i == 20: before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(300_000, np.float32) for _ in range(4)]
    del arrays
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")
def test_freed_arrays_are_used_again():
    def faults(word, keep=""):
        environment = {**os.environ, "MINIGRAD_KEEP_FREED": keep}
        program = [sys.executable, "-c", PROGRAM, word]
        return int(subprocess.run(program, capture_output=True, check=True, env=environment).stdout)

    others = faults("imported only"), faults("without"), faults("with a tensor", keep="0")
    assert faults("with a tensor") < 200 < 5_000 < min(others)


def test_a_dropout_mask_lies_in_memory_as_its_input_does():
    x = minigrad.ones(3, 5, 6, 4).permute(0, 3, 1, 2).requires_grad_()
    minigrad.manual_seed(0)
    y = minigrad.nn.functional.dropout(x, 0.5)
    minigrad.manual_seed(0)
    other = minigrad.nn.functional.dropout(minigrad.ones(3, 5, 6, 4), 0.5)
    assert (y == other.permute(0, 3, 1, 2)).all()  # drawn in the order of the memory, as in torch
    assert memory.axes(y.array) == memory.axes(x.array) == (0, 2, 3, 1)
