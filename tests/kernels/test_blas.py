"""Settings of OpenBLAS are read and set; nothing outside minigrad changes."""

import os
import subprocess
import sys
import threading

import pytest

import minigrad
from minigrad.kernels import blas, threads

needs_openblas = pytest.mark.skipif(blas.library() is None, reason="NumPy does not compute with OpenBLAS")

PROGRAM = """
from threadpoolctl import threadpool_info
import numpy as np
import minigrad

def blas_threads():
    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")

assert blas_threads() == 2
"""


def run(program: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", PROGRAM + program], check=True, timeout=60, env=environment)


@needs_openblas
def test_openblas_has_its_threads_after_all_that_minigrad_does():
    run(
        """
from minigrad import nn
from minigrad.kernels import im2col
from minigrad.kernels.threads import parallel

body = (nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
model = nn.Sequential(*body, nn.Linear(1352, 2))
assert blas_threads() == 2  # tensors are made
inside = []
shared = im2col.parallel
im2col.parallel = lambda work, items: inside.append(blas_threads()) or shared(work, items)
model(minigrad.rand(200, 1, 28, 28)).sum().backward()
assert inside and set(inside) == {1}
assert blas_threads() == 2  # after a shared convolution
nn.LSTM(3, 4)(minigrad.rand(5, 2, 3))[0].sum().backward()
assert blas_threads() == 2

def fail(items):
    assert blas_threads() == 1
    raise ValueError("in shared work")

try:
    parallel(fail, range(2))
except ValueError:
    assert blas_threads() == 2
else:
    raise AssertionError
"""
    )


@needs_openblas
def test_the_user_sets_the_threads_of_openblas_too():
    run(
        """
minigrad.set_num_threads(1)
assert blas_threads() == 1
minigrad.set_num_threads(2)
assert blas_threads() == 2
assert minigrad.get_num_threads() == 2
"""
    )


@pytest.fixture
def library(monkeypatch):
    """A library that notes its number of threads."""
    numbers = [4]
    found = blas.Library(lambda: numbers[-1], numbers.append, copies_all=True)
    monkeypatch.setattr(blas, "library", lambda: found)
    return numbers


def test_the_last_one_inside_puts_the_threads_back(library):
    with blas.one_thread:
        with blas.one_thread:
            assert library == [4, 1]
        assert library == [4, 1]
    assert library == [4, 1, 4]


def test_threads_that_are_set_meanwhile_hold_afterwards(library):
    with blas.one_thread:
        blas.one_thread.set_num_threads(3)
        assert library == [4, 1]
    assert library == [4, 1, 3]


def test_several_threads_inside_at_once(library):
    ready, go = threading.Barrier(3), threading.Event()

    def user():
        with blas.one_thread:
            ready.wait()
            go.wait()

    users = [threading.Thread(target=user) for _ in range(2)]
    for thread in users:
        thread.start()
    ready.wait()
    assert library == [4, 1]
    go.set()
    for thread in users:
        thread.join()
    assert library == [4, 1, 4]


def test_another_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(blas, "library", lambda: None)
    monkeypatch.setattr(threads._state, "count", None)
    minigrad.set_num_threads(2)
    seen = []
    threads.parallel(seen.append, range(4))  # all by this thread
    assert seen == [range(4)]
