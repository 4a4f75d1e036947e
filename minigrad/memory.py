"""Large arrays whose memory is used again.

A training step makes arrays of the same sizes over and over. The C library gives the memory of a large array
back to the system, which must clear every page of the next one: for the images inside a convolutional network
that costs more than computing with them. So large results are made here: when nothing refers to such an array
any more, its memory waits for the next one of that size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.engine import Array

SMALLEST = 1 << 17  # bytes; smaller arrays stay in the process anyway
LARGEST = 1 << 27  # bytes that may lie idle in all
LINE = 64  # bytes of a cache line


class Block(np.ndarray[Any, Any]):
    """Bytes that outlive the array that they are lent to."""


idle: dict[int, list[Block]] = {}  # by number of bytes


class Loan(np.ndarray[Any, Any]):
    """A block on loan: the base of one array and its views. With the last of them it goes, and the block is idle."""

    def __del__(self, idle: dict[int, list[Block]] = idle) -> None:
        block = self.base
        if isinstance(block, Block):
            idle.setdefault(block.nbytes, []).append(block)
            if sum(size * len(blocks) for size, blocks in list(idle.items())) > LARGEST:
                idle.clear()


def _block(size: int) -> Block:
    """A new block that starts with a line of the cache."""
    spare = Block(size + LINE, np.uint8)
    start = -spare.__array_interface__["data"][0] % LINE
    return spare[start : start + size].view(Block)


def empty(shape: tuple[int, ...], dtype: Any) -> Array:
    """``np.empty(shape, dtype)``, in memory that was used before if it is large."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size < SMALLEST or dtype.hasobject:
        return np.empty(shape, dtype)
    try:
        block = idle[size].pop()
    except (KeyError, IndexError):
        block = _block(size)
    return np.ndarray(shape, dtype, buffer=block.view(Loan))


def axes(x: Array) -> list[int]:
    """The axes of `x` from the one with the longest steps in memory to the one with the shortest."""
    return sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))


def dense(x: Array) -> bool:
    """Whether the elements of `x` lie in memory without gaps, whatever the order of the axes."""
    return x.transpose(axes(x)).flags.c_contiguous


def empty_like(x: Array, dtype: Any = None, shape: tuple[int, ...] | None = None) -> Array:
    """An array whose axes lie in memory in the order of those of `x`; of another `shape` if given."""
    shape, order = x.shape if shape is None else shape, axes(x)
    back = [order.index(i) for i in range(x.ndim)]
    return empty(tuple(shape[i] for i in order), dtype or x.dtype).transpose(back)


def laid_out_as(x: Array, y: Array) -> Array:
    """`y`, with its axes in memory in the order of those of `x`."""
    if axes(x) == axes(y):
        return y
    out = empty_like(x, y.dtype, y.shape)
    out[...] = y
    return out
