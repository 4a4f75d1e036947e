"""Convolution and its two gradients on images (N, C, H, W), as products with the windows of `im2col`.

All arguments are checked by the caller; `stride`, `padding` and `dilation` are pairs (rows, columns).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minigrad.engine import Array
from minigrad.kernels.blas import one_thread
from minigrad.kernels.im2col import PARTS, SUMS, Pair, Windows, channels_last, multiply
from minigrad.kernels.products import SMALL


@one_thread
def conv2d(
    input: Array, weight: Array, bias: Array | None, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """The convolution of `input` (N, C, H, W) with `weight` (O, C/groups, kh, kw)."""
    out, c, kh, kw = weight.shape
    windows = Windows(input, ((padding[0], padding[0]), (padding[1], padding[1])), (kh, kw), stride, dilation, groups)
    matrix = weight.reshape(groups, out // groups, c, kh, kw).transpose(0, 3, 4, 2, 1)
    matrix = matrix.reshape(groups, kh * kw * c, out // groups)
    positions = math.prod(windows.size)
    result = np.empty((len(input), *windows.size, out), input.dtype)
    grouped = result.reshape(len(input), positions, groups, out // groups).transpose(0, 2, 1, 3)
    long_bias = None if bias is None else np.tile(bias, positions)  # NumPy adds long rows faster than short ones

    def work(chunks: Sequence[slice]) -> None:
        for images, rows in windows(chunks):
            multiply(rows, matrix, grouped[images])
            if long_bias is not None:
                flat = result[images].reshape(len(rows), positions * out)
                flat += long_bias

    windows.parallel(work, windows.chunks)
    return result.transpose(0, 3, 1, 2)


@one_thread
def conv2d_input(
    g: Array, weight: Array, size: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """The gradient of the input of `conv2d`, which has this `size`, if `g` is that of the result.

    Each of the stride² interleaved parts of the gradient is a correlation of stride 1. All of them read the same
    windows; the parts of a row are computed as output channels of one correlation, so nothing is accumulated in place.
    """
    if not np.isfinite(np.add.reduce(g, None) + np.add.reduce(weight, None)):
        return _conv2d_input_by_taps(g, weight, size, stride, padding, dilation, groups)
    out, c, kh, kw = weight.shape
    taps, phases, offsets, first, frame, step = [], [], [], [], [], []
    for s, p, d, k, n, have in zip(stride, padding, dilation, (kh, kw), size, g.shape[2:], strict=True):
        tap = d * np.arange(k)  # element i of the padded input gets g[m] · weight[tap], where i = s·m + tap
        phases.append(tap % s)
        offsets.append(tap // s if s > 1 else np.arange(k))
        taps.append(int(offsets[-1][-1]) + 1)
        step.append(1 if s > 1 else d)
        first.append(p // s)
        frame.append((step[-1] * (taps[-1] - 1) - first[-1], (p + n - 1) // s - (have - 1)))
    spread = np.zeros((*stride, *taps, groups, c, out // groups), dtype=weight.dtype)
    rows, columns = np.ix_(range(kh), range(kw))
    spread[phases[0][rows], phases[1][columns], taps[0] - 1 - offsets[0][rows], taps[1] - 1 - offsets[1][columns]] = (
        weight.reshape(groups, out // groups, c, kh, kw).transpose(3, 4, 0, 2, 1)
    )
    windows = Windows(g, frame, (taps[0], taps[1]), (1, 1), (step[0], step[1]), groups)
    matrices = spread.transpose(0, 4, 2, 3, 6, 1, 5).reshape(stride[0], groups, windows.length, stride[1] * c)
    n, (h, w) = len(g), windows.size
    result = np.empty((n, *size, groups, c), g.dtype)
    left = padding[1] % stride[1]  # how many columns of the first windows lie outside

    def gather(images: slice, rows: Array, product: Array) -> None:
        """Copy the products of these images to their places, phase by phase."""
        for phase, matrix in enumerate(matrices):
            multiply(rows, matrix, product)
            top = (phase - padding[0]) % stride[0]
            region = result[images, top :: stride[0]]
            start = (top + padding[0] - phase) // stride[0] - first[0]
            seen = product.reshape(len(rows), groups, h, w * stride[1], c)
            seen = seen[:, :, start : start + region.shape[1], left : left + size[1]]
            region[...] = seen.transpose(0, 2, 3, 1, 4)

    def work(chunks: Sequence[slice]) -> None:
        if stride == (1, 1):
            for images, rows in windows(chunks):
                multiply(rows, matrices[0], result[images].reshape(len(rows), h * w, groups, c).transpose(0, 2, 1, 3))
            return
        most = max(chunk.stop - chunk.start for chunk in chunks) if chunks else 0
        product = np.empty((most, groups, h * w, stride[1] * c), g.dtype)
        for images, rows in windows(chunks):
            gather(images, rows, product[: len(rows)])

    windows.parallel(work, windows.chunks)
    return result.reshape(n, *size, groups * c).transpose(0, 3, 1, 2)


def _conv2d_input_by_taps(
    g: Array, weight: Array, size: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """The same, tap by tap, so that inf and nan reach only the elements that they contribute to."""
    (n, _, *seen), (_, c, *kernel) = g.shape, weight.shape
    ends = [[s * (m - 1) + 1 for s, m in zip(stride, seen, strict=True)], dilation, padding, size]
    reach = [max(end + d * (k - 1), p + m) for end, d, p, m, k in zip(*ends, kernel, strict=True)]
    result = np.zeros((n, groups, c, *reach), g.dtype)
    grouped, weights = g.reshape(n, groups, -1, *seen), weight.reshape(groups, -1, c, *kernel)
    for tap in np.ndindex(*kernel):
        rows, columns = (
            slice(d * t, d * t + end, s) for d, t, end, s in zip(dilation, tap, ends[0], stride, strict=True)
        )
        result[..., rows, columns] += np.einsum("ngohw,goc->ngchw", grouped, weights[(..., *tap)])
    (top, left), (h, w) = padding, size
    return result.reshape(n, groups * c, *reach)[:, :, top : top + h, left : left + w]


@one_thread
def conv2d_weight(
    g: Array, input: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """The gradient of the weight of `conv2d`, of this `kernel` size, if `g` is that of the result."""
    n, out, oh, ow = g.shape
    used = [stride[i] * (g.shape[2 + i] - 1) + dilation[i] * (kernel[i] - 1) + 1 for i in (0, 1)]
    frame = [(padding[i], used[i] - padding[i] - input.shape[2 + i]) for i in (0, 1)]
    windows = Windows(input, frame, kernel, stride, dilation, groups)
    rows = channels_last(g).reshape(n, oh * ow, groups, out // groups).transpose(0, 2, 1, 3)
    total = _sum_of_products(windows, rows).reshape(out, *kernel, input.shape[1] // groups)
    return np.ascontiguousarray(total.transpose(0, 3, 1, 2))


def _sum_of_products(windows: Windows, g: Array) -> Array:
    """The windows times `g` (N, groups, oh·ow, o), summed over images and positions: (groups, o, kh·kw·c)."""
    groups, positions, o = g.shape[1:]
    each = groups > 1 or not windows.by_channel or positions * windows.length * o <= SMALL  # a product for each image
    shape = (groups, windows.length, o) if each else (groups, o, windows.length)
    n, most = len(windows.chunks), SUMS // max(math.prod(shape) * g.itemsize, 1)
    parts = np.array_split(range(n), max(min(n, PARTS, most), 1))
    totals = np.zeros((len(parts), *shape), g.dtype)  # one for each part, not for each thread

    def work(numbers: Sequence[int]) -> None:
        for i in numbers:
            for images, rows in windows([windows.chunks[j] for j in parts[i]]):
                if each:
                    totals[i] += np.matmul(rows.swapaxes(2, 3), g[images]).sum(0)
                else:
                    left = g[images].reshape(len(rows) * positions, o)
                    totals[i] += left.T @ rows.reshape(len(rows) * positions, windows.length)

    windows.parallel(work, range(len(parts)))
    total: Array = totals.sum(0)
    return total.swapaxes(1, 2) if each else total


@one_thread
def sum_of_channels(g: Array) -> Array:
    """The sum of each channel (N, C, H, W) → (C,), as a product with ones: faster than `numpy.sum`."""
    rows = channels_last(g)
    total: Array = np.ones(len(rows), g.dtype) @ rows
    return total
