"""Large arrays take over the memory of those that nothing refers to any more, and of no others."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad import memory


@pytest.fixture(autouse=True)
def nothing_idle(monkeypatch):
    memory.idle.clear()
    yield
    memory.idle.clear()


def address(x):
    return x.__array_interface__["data"][0]


def test_memory_is_used_again_once_the_last_view_is_gone():
    x = memory.empty((100, 1000), np.float32)
    where, part = address(x), x[3:].T
    del x
    other = memory.empty((1000, 100), np.int32)
    assert address(other) != where  # `part` still reads it
    del part
    assert address(memory.empty((50_000,), np.float64)) == where


def test_arrays_in_use_never_share_memory():
    arrays = [memory.empty((1 << 15,), np.float64) for _ in range(8)]
    for i, x in enumerate(arrays):
        x[:] = i
    assert [x.mean() for x in arrays] == list(range(8))
    assert all(address(x) % memory.LINE == 0 for x in arrays)


def test_idle_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(memory, "LARGEST", 3 << 20)
    arrays = [memory.empty((1 << 20,), np.uint8) for _ in range(8)]
    while arrays:
        arrays.pop()
        assert sum(size * len(blocks) for size, blocks in memory.idle.items()) <= 3 << 20


def test_small_arrays_and_objects_are_numpys_own():
    assert memory.empty((10,), np.float32).base is None
    assert memory.empty((1 << 20,), object).base is None


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (3, 1, 0, 2)])
def test_empty_like_keeps_the_order_of_the_axes(order):
    x = np.empty((8, 16, 32, 64), np.float32).transpose(order)
    y = memory.empty_like(x)
    assert (y.shape, y.strides, y.dtype) == (x.shape, x.strides, x.dtype)
    mask = memory.empty_like(x, bool, (2, 3, 4, 5))
    assert mask.shape == (2, 3, 4, 5)
    assert memory.dense(mask)
    assert memory.axes(mask) == memory.axes(x)
    assert not memory.dense(x[..., ::2])
