"""How arrays lie in memory, and the allocator that they come from."""

from __future__ import annotations

import functools
import os
from typing import Any

import numpy as np

from minigrad.engine import Array

LARGEST = 31 * 2**20  #: bytes; glibc does not adapt to blocks of 32 MiB or more


@functools.cache
def keep_freed() -> None:
    """Let the C library keep freed blocks of up to `LARGEST` bytes for the process.

    By default glibc returns every large block to the system at once and requests the next one anew, so that each
    training step causes page faults for all its arrays: a thousand a step in a small LSTM, nearly half of its time.
    Once a large block has been freed, glibc keeps blocks up to that size
    (https://man7.org/linux/man-pages/man3/mallopt.3.html, M_MMAP_THRESHOLD). So one is allocated and freed here; its
    pages are never touched, so it costs nothing. Other C libraries are not affected.

    Called when the first tensor is made, not on import. It applies to the whole process;
    ``MINIGRAD_KEEP_FREED=0`` in the environment turns it off.
    """
    if os.environ.get("MINIGRAD_KEEP_FREED") != "0":
        np.empty(LARGEST, dtype=np.uint8)


def owner(x: Any) -> Any:
    """The object that owns an array's memory."""
    while getattr(x, "base", None) is not None:
        x = x.base
    return x


def axes(x: Array) -> tuple[int, ...]:
    """The axes of `x` by decreasing stride; one whose stride is 0 stays where it is."""
    if 0 not in x.strides:
        return tuple(sorted(range(x.ndim), key=lambda i: -abs(x.strides[i])))
    order = list(range(x.ndim))  # sorted by insertion from the last axis on, as in PyTorch's TensorIterator
    for last in reversed(range(x.ndim)):
        at = last
        for i in range(last + 1, x.ndim):
            stride, other = x.strides[order[at]], x.strides[order[i]]
            if stride and other and stride < other:
                order[at], order[i], at = order[i], order[at], i
            elif stride and other and stride > other:
                break
    return tuple(order)


def copied(x: Array, dtype: Any = None) -> Array:
    """A copy of `x`, or `x` in another dtype, with its axes in the same order."""
    return in_order_of(x, x, dtype) if 0 in x.strides else np.array(x, dtype)


def dense(x: Array) -> bool:
    """Whether the elements of `x` lie in memory without gaps, in any order of the axes."""
    return x.transpose(axes(x)).flags.c_contiguous


def channels_last(x: Array) -> bool:
    """Whether `x` is channels-last in memory, as results of convolutions are (but not torch's)."""
    known = [i for i in axes(x) if x.shape[i] > 1]
    return x.ndim > 2 and known == sorted(known, key=lambda i: (i == 1, i))


def in_order_of(x: Array, like: Array, dtype: Any = None) -> Array:
    """A copy of `x`, or `x` in another dtype, whose axes have the order of those of `like`."""
    out = ordered(x.shape, axes(like), dtype or x.dtype)
    out[...] = x
    return out


def ordered(shape: tuple[int, ...], order: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array whose axes lie in memory in that order, the one with the largest stride first."""
    return np.empty([shape[i] for i in order], dtype).transpose([order.index(i) for i in range(len(order))])


def in_runs(x: Array) -> Array:
    """`x` with its contiguous last axes merged into single items, which are copied faster.

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


BITS = {np.dtype(f"f{n}"): np.dtype(f"i{n}") for n in (2, 4, 8)}


def masked(x: Array, mask: Array, out: Array | None = None) -> Array:
    """`x` where the mask holds, else 0, even for inf and nan: its bits times 1 or 0, 20 times as fast as `np.where`."""
    bits = BITS.get(x.dtype)
    if bits is None:
        return np.where(mask, x, x.dtype.type(0))
    result: Array = np.multiply(x.view(bits), mask, out=None if out is None else out.view(bits))
    return result.view(x.dtype)
