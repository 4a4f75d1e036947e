"""im2col: the windows of images as the rows of a matrix, so that a convolution is a matrix product.

Logical shapes are (N, C, H, W) throughout. In memory results are (N, H, W, C), a layout that elementwise operations
keep. The windows are copied for a few images at a time, so that the matrix stays in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minigrad.engine import Array
from minigrad.kernels.memory import in_runs, ordered
from minigrad.kernels.products import product
from minigrad.kernels.threads import parallel

T = TypeVar("T")
Pair: TypeAlias = tuple[int, int]

BUFFER = 1 << 20  # bytes of windows at a time: they stay in the cache, and threads rarely wait for each other
SUMS = 1 << 22  # bytes of sums computed at a time
FEW = 2  # if the windows fill this many buffers or fewer, one thread is as fast as several
PARTS = 4  # the least number of parts of images whose windows do not fit into one buffer


def positions(size: int, kernel: int, stride: int, dilation: int) -> int:
    """How many windows fit into `size` elements."""
    return (size - dilation * (kernel - 1) - 1) // stride + 1


def padded(x: Array, rows: Pair, columns: Pair, channels_last: bool) -> Array:
    """`x` (N, C, H, W) with zeros around it, in the given memory layout; negative widths crop.

    Cropping copies nothing if the last two axes of that layout stay contiguous.
    """
    (top, bottom), (left, right) = rows, columns
    x = x[:, :, max(-top, 0) : x.shape[2] + min(bottom, 0), max(-left, 0) : x.shape[3] + min(right, 0)]
    top, bottom, left, right = (max(n, 0) for n in (top, bottom, left, right))
    order = (0, 2, 3, 1) if channels_last else (0, 1, 2, 3)
    n, c, h, w = x.shape
    if not (top or bottom or left or right) and x[:1].transpose(order)[:, :1].flags.c_contiguous:
        return x
    out = ordered((n, c, h + top + bottom, w + left + right), order, x.dtype)
    for edge in (np.s_[:top, :], np.s_[top + h :, :], np.s_[:, :left], np.s_[:, left + w :]):
        out[:, :, *edge] = 0
    out[:, :, top : top + h, left : left + w] = x
    return out


def channels_last(x: Array) -> Array:
    """The channels of each position of `x` (N, C, H, W) as rows (N·H·W, C)."""
    rows = padded(x, (0, 0), (0, 0), channels_last=True)
    return rows.transpose(0, 2, 3, 1).reshape(x.size // max(x.shape[1], 1), x.shape[1])


class Windows:
    """The windows of images as matrices: for each image and group a row for each window.

    In memory either the channels of a kernel row or the positions of an image row are contiguous, whichever gives the
    longer runs.

    Args:
        x: (N, groups·c, H, W).
        padding: zeros around it, ((top, bottom), (left, right)).
        kernel: the size of a window, (rows, columns), like the next two.
        stride: steps between windows.
        dilation: steps between the elements of a window.
        groups: how many groups of channels there are.
    """

    def __init__(
        self, x: Array, padding: Sequence[Pair], kernel: Pair, stride: Pair, dilation: Pair, groups: int
    ) -> None:
        (kh, kw), c = kernel, x.shape[1] // groups
        width = positions(x.shape[3] + sum(padding[1]), kw, stride[1], dilation[1])
        self.by_channel = stride[1] > 1 or kw * c > width
        x = padded(x, padding[0], padding[1], channels_last=self.by_channel)
        oh, ow = self.size = tuple(positions(x.shape[2 + i], kernel[i], stride[i], dilation[i]) for i in (0, 1))
        sn, sc, sh, sw = x.strides
        windows = as_strided(  # no index leaves its own axis of x: safe for any strides
            x,
            (len(x), groups, oh, ow, kh, kw, c),
            (sn, sc * c, sh * stride[0], sw * stride[1], sh * dilation[0], sw * dilation[1], sc),
            writeable=False,
        )
        self.length = kh * kw * c
        self.source = in_runs(windows if self.by_channel else windows.transpose(0, 1, 4, 5, 6, 2, 3))
        self.matrix = (groups, oh * ow, self.length) if self.by_channel else (groups, self.length, oh * ow)
        self.dtype = x.dtype
        n, size = len(x), math.prod(self.matrix) * x.itemsize
        step = max(BUFFER // max(size, 1), 1)
        self.many = n > FEW * step
        if n > step:
            step = min(step, -(-n // PARTS))
        self.chunks = [slice(i, min(i + step, n)) for i in range(0, n, step)]

    def __call__(self, chunks: Sequence[slice]) -> Iterator[tuple[slice, Array]]:
        """Some of the images at a time, and their windows (n, groups, oh·ow, kh·kw·c)."""
        buffer = np.empty(0)
        for images in chunks:
            source = self.source[images]
            if len(buffer) < len(source):
                buffer = np.empty((len(source), *self.matrix), self.dtype)
            rows = buffer[: len(source)]
            np.copyto(rows.reshape(-1).view(source.dtype).reshape(source.shape), source)
            yield images, rows if self.by_channel else rows.swapaxes(2, 3)

    def parallel(self, work: Callable[[Sequence[T]], object], items: Sequence[T]) -> None:
        """``work(items)``, by several threads if there are many windows."""
        if self.many:
            parallel(work, items)
        else:
            work(items)


def multiply(rows: Array, weight: Array, out: Array) -> None:
    """Windows (n, groups, oh·ow, kh·kw·c) times `weight` (groups, kh·kw·c, o), into `out` (n, groups, oh·ow, o)."""
    n, groups, positions, length = rows.shape
    if groups == 1 and rows.flags.c_contiguous and out.flags.c_contiguous:  # one large product
        product(rows.reshape(n * positions, length), weight[0], out.reshape(n * positions, -1))
    else:
        np.matmul(rows, weight, out=out)
