"""How arrays lie in memory, and how it is used again.

By default glibc hands every large block straight back to the system and asks anew for the next one, so that each
training step touches its arrays' pages for the first time: a thousand page faults a step in a small LSTM, nearly half
of its time. Once a block of the largest size that it adapts to has been freed, it keeps blocks up to that size
(https://man7.org/linux/man-pages/man3/mallopt.3.html, M_MMAP_THRESHOLD). The block's own pages are never touched, and
cost nothing. Elsewhere `keep_freed` does nothing.

Operations make their large arrays by `empty`; a `Lender` has them share a few blocks.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from contextvars import ContextVar, Token
from sys import getrefcount
from threading import Lock
from typing import Any

import numpy as np

from minigrad.engine import Array

LARGEST = 31 * 2**20  #: bytes; from 32 MiB on glibc does not adapt


@functools.cache
def keep_freed() -> None:
    """Let the allocator keep freed blocks up to `LARGEST` bytes.

    Called when the first tensor is made, not at the import: who only reads data here and computes with another library
    keeps the allocator as it was.
    """
    np.empty(LARGEST, dtype=np.uint8)


class Lender:
    """Within ``with lender:`` operations get the same memory again for their large arrays, and allocate none.

    A block is lent anew as soon as nobody holds an array in it any more. The one given back last comes first: it is
    still in the cache.

    >>> with Lender() as lender:
    ...     address = empty((2, 3), np.float32).ctypes.data
    ...     same = empty((3, 2), np.float32).ctypes.data == address
    >>> same
    True
    """

    def __init__(self) -> None:
        self._blocks: dict[int, list[Array]] = {}  # by size
        self._lock = Lock()
        self._tokens: list[Token[Lender | None]] = []

    def __enter__(self) -> Lender:
        self._tokens.append(_lender.set(self))
        return self

    def __exit__(self, *_: object) -> None:
        _lender.reset(self._tokens.pop())

    def empty(self, shape: Sequence[int], dtype: Any) -> Array:
        """An array of any content."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        with self._lock:
            blocks = self._blocks.setdefault(size, [])
            for i in range(len(blocks) - 1, -1, -1):
                if getrefcount(blocks[i]) == UNUSED:
                    blocks.append(blocks.pop(i))
                    break
            else:
                blocks.append(np.empty(size, np.uint8))
            return np.ndarray(shape, dtype, blocks[-1])


_lender: ContextVar[Lender | None] = ContextVar("lender", default=None)
_listed = [np.empty(0)]
UNUSED = getrefcount(_listed[0])  #: references to a block that nobody holds but its list


def empty(shape: Sequence[int], dtype: Any) -> Array:
    """An array of any content."""
    lender = _lender.get()
    return np.empty(shape, dtype) if lender is None else lender.empty(shape, dtype)


def filled(value: Any, shape: Sequence[int], dtype: Any) -> Array:
    """An array of a number, or of what is broadcast from another array."""
    out = empty(shape, dtype)
    out[...] = value
    return out


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


def in_runs(x: Array) -> Array:
    """`x` with the last axes that lie together in memory as one item each: items are copied faster.

    >>> in_runs(np.zeros((2, 3, 4))[:, :2]).shape
    (2,)
    """
    axes, size = x.ndim, x.itemsize
    while axes > 1 and x.shape[axes - 1] and x.strides[axes - 1] == size:
        axes -= 1
        size *= x.shape[axes]
    if axes == x.ndim or not x.size:
        return x
    return x.reshape(*x.shape[:axes], -1).view(f"V{size}")[..., 0]
