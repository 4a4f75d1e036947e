"""How arrays lie in memory, and that freed memory stays with the process for the next arrays.

By default glibc hands every large block straight back to the system and asks anew for the next one, so that each
training step touches its arrays' pages for the first time: a thousand page faults a step in a small LSTM, nearly half
of its time. Once a block of the largest size that it adapts to has been freed, it keeps blocks up to that size
(https://man7.org/linux/man-pages/man3/mallopt.3.html, M_MMAP_THRESHOLD). The block's own pages are never touched, and
cost nothing. Elsewhere `keep_freed` does nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Array

LARGEST = 31 * 2**20  #: bytes; from 32 MiB on glibc does not adapt


def keep_freed() -> None:
    """Let the allocator keep freed blocks up to `LARGEST` bytes."""
    np.empty(LARGEST, dtype=np.uint8)


def axes(x: Array) -> tuple[int, ...]:
    """The axes of `x` from the one with the longest steps in memory to the one with the shortest."""
    return tuple(sorted(range(x.ndim), key=lambda i: -abs(x.strides[i])))


def dense(x: Array) -> bool:
    """Whether the elements of `x` lie in memory without gaps, whatever the order of the axes."""
    return x.transpose(axes(x)).flags.c_contiguous


def ordered(shape: tuple[int, ...], order: tuple[int, ...], dtype: Any) -> Array:
    """An array whose axes lie in memory in that order, the one with the longest steps first."""
    return np.empty([shape[i] for i in order], dtype).transpose([order.index(i) for i in range(len(order))])


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
