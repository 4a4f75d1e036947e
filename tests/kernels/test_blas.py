"""What OpenBLAS can be asked, and told."""

import os
import subprocess
import sys

import numpy as np
import pytest

from minigrad.kernels import blas


@pytest.mark.parametrize("first", ["minigrad.ones(1)", "share(lambda items: None, range(2))"])
def test_openblas_keeps_to_one_thread_from_the_first_tensor_or_shared_work_on(first):
    program = f"""
from threadpoolctl import threadpool_info
import numpy as np
import minigrad
from minigrad.kernels.threads import share

def threads():
    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")

assert threads() == 2
{first}
assert threads() == 1
assert minigrad.get_num_threads() == 2
"""
    if blas.library() is None:
        pytest.skip("NumPy does not compute with OpenBLAS")
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, env=environment)


def test_another_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(blas, "library", lambda: None)
    blas.products_on_one_thread.__wrapped__()
    assert not blas.small(1, np.dtype(np.float32))


def test_small_products_of_single_precision_are_made_without_copies(monkeypatch):
    monkeypatch.setattr(blas, "library", lambda: blas.Library(lambda n: None, copies_all=False))
    single, double = np.dtype(np.float32), np.dtype(np.float64)
    assert blas.small(blas.SMALL, single)
    assert not blas.small(blas.SMALL + 1, single)
    assert not blas.small(1, double)
