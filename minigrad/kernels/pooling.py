"""Pooling on arrays: the largest element, or the sum, of each window of an image (…, H, W).

A pooling computes with *taps*: tap (u, v) is the strided slice of the image that holds element (u, v) of every
window. The largest element is the maximum of the taps. Gradients go back tap by tap, to the first one that equals it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine import Array
from minigrad.kernels.im2col import Pair
from minigrad.kernels.memory import axes, masked, ordered


class Window(NamedTuple):
    """The geometry of a pooling's windows; each pair is (rows, columns)."""

    kernel: Pair
    stride: Pair
    dilation: Pair
    before: Pair  #: padding above and on the left
    size: Pair  #: how many windows there are

    def taps(self, image: Array) -> Iterator[tuple[Array, tuple[Any, ...]]]:
        """For each element of the kernel the slice of `image` (…, H, W) under it, and the windows that contain it."""
        for offsets in np.ndindex(self.kernel):
            source: list[Any] = [...]
            target: list[Any] = [...]
            for i, offset in enumerate(offsets):
                s, n = self.stride[i], image.shape[i - 2]
                start = offset * self.dilation[i] - self.before[i]
                low = max(-(start // s), 0)
                high = max(min((n - 1 - start) // s + 1, self.size[i]), low)
                source.append(slice(start + low * s, max(start + high * s, 0), s))
                target.append(slice(low, high))
            yield image[tuple(source)], tuple(target)

    def plain(self) -> bool:
        """Whether windows have no gaps and lie inside the image."""
        return self.dilation == (1, 1) and self.before == (0, 0)

    def alone(self) -> bool:
        """Whether there is one plain window: many taps, but a single block."""
        return self.size == (1, 1) and self.plain()

    def block(self, image: Array) -> Array:
        """The elements of the only window."""
        return image[..., : self.kernel[0], : self.kernel[1]]


def winners(x: Array, largest: Array, window: Window) -> list[Array]:
    """For each tap, where it is the first that equals the largest: kh·kw masks of bool (N, C, oh, ow)."""
    masks: list[Array] = []
    free = np.ones_like(largest, bool)
    for tap, at in window.taps(x):
        mask = np.zeros_like(largest, bool)
        np.equal(tap, largest[at], out=mask[at])
        mask &= free
        free ^= mask
        masks.append(mask)
    if not np.isfinite(np.add.reduce(largest, None)):  # of several nans the last one counts, as in torch
        free = np.isnan(largest)
        for (tap, at), mask in zip(reversed([*window.taps(x)]), reversed(masks), strict=True):
            np.logical_and(np.isnan(tap), free[at], out=mask[at], where=free[at])
            free &= ~mask
    return masks


def pool_sum(input: Array, window: Window, masks: Any = None) -> Array:
    """The sum of each window; with `masks` only of the taps that they select."""
    if masks is None and window.alone():
        total: Array = np.add.reduce(window.block(input), (-2, -1), keepdims=True)
        return total
    out = np.zeros_like(input, shape=(*input.shape[:-2], *window.size))
    for i, (tap, at) in enumerate(window.taps(input)):
        out[at] += tap if masks is None else masked(tap, masks[i][at])
    return out


def unpool(input: Array, shape: tuple[int, ...], window: Window, masks: Any = None) -> Array:
    """Each window's number added to its elements; with `masks` only to the taps that they select."""
    if masks is not None and axes(input) != axes(masks[0]):
        given, input = input, np.empty_like(masks[0], input.dtype)
        input[...] = given
    if masks is None and window.size == (1, 1) and len(shape) == 4:  # its strides do not tell the layout
        out = ordered(shape, (0, 2, 3, 1), input.dtype)
    else:
        out = np.empty_like(input, shape=shape)
    if masks is None and window.alone():
        if window.kernel != shape[-2:]:
            out[...] = 0
        window.block(out)[...] = input
        return out
    apart = window.plain() and window.kernel == window.stride  # no element lies in two windows
    for i in (0, 1):  # zeros where windows overlap, or none covers
        rest = slice(window.kernel[i] * window.size[i] if apart else 0, None)
        out[(..., rest, slice(None)) if i == 0 else (..., rest)] = 0
    for i, (tap, at) in enumerate(window.taps(out)):
        if masks is None and apart:
            tap[...] = input[at]
        elif masks is None:
            tap += input[at]
        elif apart:
            masked(input[at], masks[i][at], out=tap)
        else:
            tap += masked(input[at], masks[i][at])
    return out


def max_pool(input: Array, window: Window) -> Array:
    """The largest element of each window."""
    lowest = -np.inf if input.dtype.kind == "f" else np.iinfo(input.dtype).min
    out = np.full_like(input, lowest, shape=(*input.shape[:-2], *window.size))
    for tap, at in window.taps(input):
        np.maximum(out[at], tap, out=out[at])
    return out


def max_pool_indices(input: Array, window: Window) -> Array:
    """The place of each window's largest element in its image, row · W + column, int64."""
    largest = max_pool(input, window)
    found = np.zeros(largest.shape, np.int64)
    rows, columns = (np.arange(window.size[i]) * window.stride[i] - window.before[i] for i in (0, 1))
    for (u, v), mask in zip(np.ndindex(window.kernel), winners(input, largest, window), strict=True):
        at = (rows[:, None] + u * window.dilation[0]) * input.shape[-1] + columns + v * window.dilation[1]
        found += mask * at
    return found


def weigh(x: Array, weights: Array) -> Array:
    """Weighted sums of the last dimension, (…, n) by (n, m). inf and nan reach only sums that they are in."""
    finite = np.isfinite(x)
    if finite.all():
        return x @ weights
    result: Array = np.where(finite, x, 0) @ weights
    for i, row in enumerate(weights):
        used = (row != 0) | np.signbit(row)  # -0.0 marks an element that belongs to the sum with weight 0
        result[..., used] += np.where(finite[..., i], 0, x[..., i])[..., None] * row[used]
    return result


def means(n: int, m: int) -> Array:
    """The matrix (m, n) whose rows average `m` parts of `n` elements; part i is ⌊i·n/m⌋ to ⌈(i + 1)·n/m⌉."""
    i, old = np.arange(m)[:, None], np.arange(n)
    start, stop = i * n // m, -(-(i + 1) * n // m)
    matrix: Array = ((old >= start) & (old < stop)) / (stop - start)
    return matrix
