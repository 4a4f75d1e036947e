"""How arrays lie in memory, and how it is used again.

By default glibc hands every large block straight back to the system and asks anew for the next one, so that each
training step touches its arrays' pages for the first time: a thousand page faults a step in a small LSTM, nearly half
of its time. Once a block of the largest size that it adapts to has been freed, it keeps blocks up to that size
(https://man7.org/linux/man-pages/man3/mallopt.3.html, M_MMAP_THRESHOLD). The block's own pages are never touched, and
cost nothing. Elsewhere `keep_freed` does nothing.

Operations make their large arrays by `empty`. Within `Rooms` they get those of the call before again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from threading import get_ident
from typing import Any

import numpy as np

from minigrad.engine import Array

LARGEST = 31 * 2**20  #: bytes; from 32 MiB on glibc does not adapt


def keep_freed() -> None:
    """Let the allocator keep freed blocks up to `LARGEST` bytes."""
    np.empty(LARGEST, dtype=np.uint8)


class Rooms:
    """A function whose calls to `empty` are answered with the same arrays whenever it is called.

    What it returned before is lost by then. Threads that it starts with its context have arrays of their own.

    >>> double = Rooms(lambda x: np.add(x, x, out=empty(x.shape, x.dtype)))
    >>> double(np.ones(2)) is double(np.zeros(2))
    True
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__name__ = getattr(function, "__name__", "c")
        self._arrays: dict[int, list[Array]] = {}  # of each thread
        self._given: dict[int, int] = {}  # how many of them in this call

    def __call__(self, *args: Any) -> Any:
        """``function(*args)``."""
        before = _rooms.set(self)
        self._given.clear()
        try:
            return self.function(*args)
        finally:
            _rooms.reset(before)

    def empty(self, shape: Sequence[int], dtype: Any) -> Array:
        """The next array."""
        thread = get_ident()
        arrays = self._arrays.setdefault(thread, [])
        i = self._given.get(thread, 0)
        self._given[thread] = i + 1
        if i == len(arrays):
            arrays.append(np.empty(shape, dtype))
        elif arrays[i].shape != tuple(shape) or arrays[i].dtype != dtype:
            arrays[i] = np.empty(shape, dtype)
        return arrays[i]


_rooms: ContextVar[Rooms | None] = ContextVar("rooms", default=None)


def empty(shape: Sequence[int], dtype: Any) -> Array:
    """An array of any content."""
    rooms = _rooms.get()
    return np.empty(shape, dtype) if rooms is None else rooms.empty(shape, dtype)


def axes(x: Array) -> tuple[int, ...]:
    """The axes of `x` from the one with the longest steps in memory to the one with the shortest."""
    return tuple(sorted(range(x.ndim), key=lambda i: -abs(x.strides[i])))


def dense(x: Array) -> bool:
    """Whether the elements of `x` lie in memory without gaps, whatever the order of the axes."""
    return x.transpose(axes(x)).flags.c_contiguous


def ordered(shape: tuple[int, ...], order: tuple[int, ...], dtype: Any) -> Array:
    """An array whose axes lie in memory in that order, the one with the longest steps first."""
    return empty([shape[i] for i in order], dtype).transpose([order.index(i) for i in range(len(order))])


def empty_like(x: Array, dtype: Any = None, shape: tuple[int, ...] | None = None) -> Array:
    """An array whose axes lie in memory in the order of those of `x`; of another `shape` if given."""
    return ordered(x.shape if shape is None else shape, axes(x), dtype or x.dtype)


def laid_out_as(x: Array, y: Array) -> Array:
    """`y`, with its axes in memory in the order of those of `x`."""
    if axes(x) == axes(y):
        return y
    out = empty_like(x, y.dtype, y.shape)
    out[...] = y
    return out
