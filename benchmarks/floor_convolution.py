"""Convolution by hand, a few images (N, H, W, C) at a time: as many as stay in the cache.

The windows are copied into the rows of a matrix, which has a column of ones for the biases. Parameters are the
module's, (O, C, kh, kw); `pack` and `unpack` change their layout once a step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from benchmarks.floor_parts import Arrays

CACHE = 1 << 20  #: bytes of windows at a time


def portions(n: int, size: int) -> list[slice]:
    """Slices of `n` images, equally many in each, whose windows stay in the cache if each takes `size` bytes."""
    each = max(d for d in range(1, n + 1) if n % d == 0 and (d == 1 or d * size <= CACHE))
    return [slice(i, i + each) for i in range(0, n, each)]


def windows(source: Any, kernel: tuple[int, int], stride: int) -> Any:
    """Those of (N, H, W, C), without a copy: (N, oh, ow, kh, kw, C)."""
    n, *size, c = source.shape
    sn, sh, sw, sc = source.strides
    oh, ow = ((have - k) // stride + 1 for have, k in zip(size, kernel, strict=True))
    strides = (sn, sh * stride, sw * stride, sh, sw, sc)
    return as_strided(source, (n, oh, ow, *kernel, c), strides, writeable=False)


class Convolution:
    """The result and the weight's gradient, a portion of the images in `source` (N, H, W, C) at a time."""

    def __init__(self, arrays: Arrays, source: Any, stride: int, portion: int) -> None:
        self.weight, self.bias, self.weight_grad, self.bias_grad = arrays
        o, c, kh, kw = self.weight.shape
        self.windows = windows(source, (kh, kw), stride)
        oh, ow = self.windows.shape[1:3]
        rows, length = portion * oh * ow, kh * kw * c
        if kw * c > ow:  # the longer runs are copied faster
            self.rows = np.ones((rows, length + 1), np.float32)
            self.room = self.rows[:, :-1].reshape(portion, oh, ow, kh, kw, c)
        else:
            self.rows = np.ones((length + 1, rows), np.float32).T
            self.room = self.rows.T[:-1].reshape(kh, kw, c, portion, oh, ow).transpose(3, 4, 5, 0, 1, 2)
        self.matrix, self.total, self.share = (np.zeros((length + 1, o), np.float32) for _ in range(3))
        self.order, self.back, self.shape = (2, 3, 1, 0), (3, 2, 0, 1), (kh, kw, c, o)
        self.held = slice(0)

    def pack(self) -> None:
        """Before a step."""
        self.matrix[:-1].reshape(self.shape)[...] = self.weight.transpose(self.order)
        self.matrix[-1] = self.bias
        self.total.fill(0)
        self.held = slice(0)

    def gather(self, images: slice) -> None:
        """The windows of these images; the last of the way forward is the first of the way back."""
        if images != self.held:
            np.copyto(self.room, self.windows[images])
            self.held = images

    def forward(self, images: slice, out: Any) -> None:
        """Fill `out` (portion, oh, ow, O)."""
        self.gather(images)
        np.matmul(self.rows, self.matrix, out=out.reshape(len(self.rows), -1))

    def backward(self, images: slice, g: Any) -> None:
        """Add what these images contribute, if `g` is the gradient of their results."""
        self.gather(images)
        np.matmul(self.rows.T, g.reshape(len(self.rows), -1), out=self.share)
        np.add(self.total, self.share, out=self.total)

    def unpack(self) -> None:
        """After a step."""
        self.weight_grad[...] = self.total[:-1].reshape(self.shape).transpose(self.back)
        self.bias_grad[...] = self.total[-1]


class InputGradient:
    """The gradient of a convolution's input, for a portion of the images.

    Of stride s, the s² interleaved parts of it are convolutions of stride 1, all of the same windows. The parts of a
    row are computed as so many channels. Stride divides kernel and padding.
    """

    def __init__(self, weight: Any, g: Any, below: Any, stride: int, padding: tuple[int, int] = (0, 0)) -> None:
        o, c, kh, kw = weight.shape
        portion, oh, ow, _ = g.shape
        th, tw = kh // stride, kw // stride
        h, w = (-(-size // stride) for size in below.shape[1:3])
        framed = np.zeros((portion, h + th - 1, w + tw - 1, o), np.float32)
        top, left = th - 1 - padding[0] // stride, tw - 1 - padding[1] // stride
        self.inside = framed[:, top : top + oh, left : left + ow]
        self.windows = windows(framed, (th, tw), 1)
        self.rows = np.empty((portion * h * w, th * tw * o), np.float32)
        self.room = self.rows.reshape(self.windows.shape)
        split = weight.reshape(o, c, th, stride, tw, stride)[:, :, ::-1, :, ::-1]
        self.source = split.transpose(3, 2, 4, 0, 5, 1)
        self.matrices = np.empty((stride, th * tw * o, stride * c), np.float32)
        self.product = np.empty((portion * h * w, stride * c), np.float32)
        self.seen = self.product.reshape(portion, h, w * stride, c)[:, :, : below.shape[2]]
        self.stride = stride

    def pack(self) -> None:
        """Before a step."""
        self.matrices.reshape(self.source.shape)[...] = self.source

    def __call__(self, g: Any, below: Any) -> None:
        """Fill `below`, from the gradient `g` of the results."""
        self.inside[...] = g
        np.copyto(self.room, self.windows)
        if self.stride == 1:
            np.matmul(self.rows, self.matrices[0], out=below.reshape(self.product.shape))
            return
        for phase, matrix in enumerate(self.matrices):
            np.matmul(self.rows, matrix, out=self.product)
            region = below[:, phase :: self.stride]
            np.copyto(region, self.seen[:, : region.shape[1]])
