"""Memory that a step has freed serves the next step."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
if sys.argv[1] == "with": import minigrad
for i in range(40):
    if i == 20: before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(300_000, np.float32) for _ in range(4)]
    del arrays
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")
def test_freed_arrays_are_used_again():
    faults = {
        word: int(subprocess.run([sys.executable, "-c", PROGRAM, word], capture_output=True, check=True).stdout)
        for word in ("with", "without")
    }
    assert faults["with"] < 200 < 5_000 < faults["without"]
