"""A training step of the CNN fused by hand, with and without batch norm.

Convolutions, ReLU and pooling go on together, on so few images (N, H, W, C) at a time that these stay in the cache.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.hand_fused import Call, Relu, Step, linear, objective, zeros
from benchmarks.networks import Network

CACHE = 1 << 20  #: bytes of windows at a time


def portions(n: int, size: int) -> list[slice]:
    """Slices of `n` images, equally many in each, whose windows stay in the cache if each takes `size` bytes."""
    each = max(d for d in range(1, n + 1) if n % d == 0 and (d == 1 or d * size <= CACHE))
    return [slice(i, i + each) for i in range(0, n, each)]


def windows(source: Any, kernel: tuple[int, int], stride: int) -> Any:
    """Those of (N, H, W, C), without a copy: (N, oh, ow, kh, kw, C)."""
    return sliding_window_view(source, kernel, (1, 2))[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)


class Convolution:
    """Of `source`, with the parameters from `index` on, for `k` images at a time.

    The windows are copied into the rows of a matrix (im2col), which has a column of ones for the biases.
    """

    def __init__(self, step: Step, index: int, source: Any, stride: int, k: int) -> None:
        o, c, kh, kw = step.parameters[index][0].shape
        both = slice(step.starts[index], step.starts[index + 2])
        self.matrix, self.total = step.flat[both].reshape(-1, o), step.grads[both].reshape(-1, o)
        self.step, self.share, self.windows = step, np.empty_like(self.total), windows(source, (kh, kw), stride)
        shape = (k, *self.windows.shape[1:])
        rows, length = k * shape[1] * shape[2], len(self.matrix)
        if kw * c > shape[2]:  # the longer runs are copied faster
            self.rows = np.ones((rows, length), np.float32)
            self.patches = self.rows[:, :-1].reshape(shape)
        else:
            self.rows = np.ones((length, rows), np.float32).T
            self.patches = self.rows.T[:-1].reshape(*shape[3:], *shape[:3]).transpose(3, 4, 5, 0, 1, 2)
        step.add([(self.total.fill, 0)])

    def __call__(self, images: slice, y: Any, g: Any) -> None:
        """Fill `y`; going back, add to the parameters' gradients, from `g`, the gradient of y."""
        y, g = (array.reshape(len(self.rows), -1) for array in (y, g))
        copy = (np.copyto, self.patches, self.windows[images])
        backward = [(np.matmul, self.rows.T, g, self.share), (np.add, self.total, self.share, self.total)]
        self.step.add([copy, (np.matmul, self.rows, self.matrix, y)], [copy, *backward])


class InputGradient:
    """The gradient of a convolution's input, for some images, if its stride divides the kernel.

    Of stride s, the s² interleaved parts of it are convolutions of stride 1, all of the same windows. The parts of a
    row are computed as so many channels.
    """

    def __init__(self, step: Step, weight: Any, shape: tuple[int, ...], stride: int) -> None:
        o, c, kh, kw = weight.shape
        k, height, width, _ = shape
        th, tw, h, w = kh // stride, kw // stride, -(-height // stride), -(-width // stride)
        oh, ow = (height - kh) // stride + 1, (width - kw) // stride + 1
        framed = zeros(k, h + th - 1, w + tw - 1, o)
        self.step, self.stride, self.inside = step, stride, framed[:, th - 1 : th - 1 + oh, tw - 1 : tw - 1 + ow]
        self.windows = windows(framed, (th, tw), 1)
        self.rows, self.product = zeros(k * h * w, th * tw * o), zeros(k * h * w, stride * c)
        self.parts = self.product.reshape(k, h, w * stride, c)[:, :, :width]
        source = weight.reshape(o, c, th, stride, tw, stride)[:, :, ::-1, :, ::-1].transpose(3, 2, 4, 0, 5, 1)
        self.matrices = zeros(stride, th * tw * o, stride * c)
        step.add([(np.copyto, self.matrices.reshape(source.shape), source)])

    def __call__(self, g: Any, below: Any) -> None:
        """Fill `below`, from the gradient `g` of the result."""
        patches = self.rows.reshape(self.windows.shape)
        calls: list[Call] = [(np.copyto, self.inside, g), (np.copyto, patches, self.windows)]
        for i, matrix in enumerate(self.matrices):
            part = below[:, i :: self.stride]
            calls.append((np.matmul, self.rows, matrix, self.product))
            calls.append((np.copyto, part, self.parts[:, : part.shape[1]]))
        self.step.add([], calls)


class MaxPool:
    """The largest of 2 × 2, from `x` (N, H, W, C) to `y` (N, C, h, w), and from `g`, the gradient of y, to `below`.

    The gradient goes to the first that is largest.
    """

    def __init__(self, step: Step, x: Any, y: Any, g: Any, k: int) -> None:
        self.step, self.x, self.y, self.g = step, x, y.transpose(0, 2, 3, 1), g.transpose(0, 2, 3, 1)
        _, h, w, c = self.y.shape
        self.best, self.gradient = zeros(len(x), h, w, c), zeros(k, h, w, c)
        self.free, self.mask = np.empty((2, k, h, w, c), bool)

    def __call__(self, images: slice, below: Any) -> None:
        """Fill `y` for these images; going back, fill `below`."""
        best, (h, w) = self.best[images], self.y.shape[1:3]
        taps, gradients = (
            [array[:, i : 2 * h : 2, j : 2 * w : 2] for i, j in np.ndindex(2, 2)] for array in (self.x[images], below)
        )
        forward: list[Call] = [(partial(np.maximum, out=best), *taps[:2])]
        forward += [(partial(np.maximum, out=best), best, tap) for tap in taps[2:]]
        backward: list[Call] = [(np.copyto, self.gradient, self.g[images]), (self.free.fill, True)]
        for tap, gradient in zip(taps, gradients, strict=True):
            backward += [
                (np.equal, tap, best, self.mask),
                (np.logical_and, self.mask, self.free, self.mask),
                (np.logical_xor, self.free, self.mask, self.free),
                (np.multiply, self.gradient, self.mask, gradient),
            ]
        self.step.add([*forward, (np.copyto, self.y[images], best)], backward)


class BatchNorm:
    """From `x` (N, ..., C) to `y`, with the statistics of the batch, and from `g`, the gradient of y, to that of x.

    Every portion of the images goes through `statistics`, and then every portion through `normalize`. Vectors of
    channels are repeated for every position: NumPy is fast with long rows.
    """

    def __init__(self, step: Step, index: int, x: Any, y: Any, g: Any, k: int) -> None:
        (self.weight, self.weight_grad), (self.bias, self.bias_grad) = step.parameters[index : index + 2]
        self.weight.fill(1)
        self.step, (self.x, self.y, self.g) = step, (array.reshape(len(array), -1) for array in (x, y, g))
        self.c, self.count = x.shape[-1], x.size // x.shape[-1]
        self.ones, self.scratch = np.ones(k, np.float32), zeros(k, self.x.shape[1])
        self.sums = zeros(2, len(x) // k, self.x.shape[1])
        self.factor, self.slope, self.shift = zeros(3, self.x.shape[1])
        self.mean, self.scale = zeros(2, self.c)
        self.running_mean, self.running_var = zeros(self.c), np.ones(self.c, np.float32)

    def statistics(self, images: slice, below: Any) -> None:
        """Going back: fill `below`, the gradient of the input of these images."""
        below, x, scratch = below.reshape(len(below), -1), self.x[images], self.scratch
        backward = [
            (np.multiply, x, self.slope, scratch),
            (np.add, scratch, self.shift, scratch),
            (np.multiply, self.g[images], self.factor, below),
            (np.add, below, scratch, below),
        ]
        self.step.add(self._sums(images, x, x), backward)
        if images.stop == len(self.x):
            self.step.add([(self._finish,)], [(self._finish_gradient,)])

    def normalize(self, images: slice) -> None:
        """Fill `y` for these images."""
        x, y, g = (array[images] for array in (self.x, self.y, self.g))
        self.step.add([(np.multiply, x, self.factor, y), (np.add, y, self.shift, y)], self._sums(images, g, x))

    def _sums(self, images: slice, a: Any, b: Any) -> list[Call]:
        """The sums of a and those of a·b."""
        sums, dots = self.sums[:, images.start // len(self.ones)]
        return [(np.matmul, self.ones, a, sums), (partial(np.einsum, out=dots), "ai,ai->i", a, b)]

    def _totals(self) -> Any:
        """For each channel, in float64: there are many terms."""
        return self.sums.sum(1).reshape(2, -1, self.c).sum(1, dtype=np.float64)

    def _fill(self, **vectors: Any) -> None:
        for name, value in vectors.items():
            getattr(self, name).reshape(-1, self.c)[...] = value

    def _finish(self) -> None:
        mean, variance = self._totals() / self.count
        variance -= mean * mean
        self.mean[...], self.scale[...] = mean, 1 / np.sqrt(variance + 1e-5)
        self.running_mean += np.float32(0.1) * (self.mean - self.running_mean)
        unbiased = (variance * (self.count / (self.count - 1))).astype(np.float32)
        self.running_var += np.float32(0.1) * (unbiased - self.running_var)
        factor = self.scale * self.weight
        self._fill(factor=factor, shift=self.bias - self.mean * factor)

    def _finish_gradient(self) -> None:
        total, dots = self._totals()
        along = dots - self.mean * total
        self.weight_grad[...], self.bias_grad[...] = along * self.scale, total
        factor = self.scale * self.weight / self.count
        slope = -factor * self.scale**2 * along
        self._fill(slope=slope, shift=-factor * total - self.mean * slope)


class NoNorm:
    """In the place of `BatchNorm`: nothing is done, y is x."""

    def __init__(self, *arguments: Any) -> None: ...
    def _nothing(self, *arguments: Any) -> None: ...

    statistics = normalize = _nothing


def cnn(network: Network) -> Step:
    """Convolutions to 20 channels, pooling, linear layers 500-250-10; batch norm after every ReLU, or none."""
    normalized, n = "batch norm" in network.name, network.batch
    each = 4 if normalized else 2  # parameters of a layer and its norm
    shapes = [(20, 1, 4, 4), (20, 20, 4, 4), (250, 500), (10, 250)]
    vectors = [[shape[:1]] * (each - 1) for shape in shapes[:3]] + [[(10,)]]
    step = Step(network, *(part for shape, rest in zip(shapes, vectors, strict=True) for part in (shape, *rest)))
    parts = portions(n, 4 * 11 * 11 * (4 * 4 * 20 + 1))
    k = parts[0].stop

    y1, y2, (features, by_features) = zeros(n, 25, 25, 20), zeros(n, 11, 11, 20), zeros(2, n, 20, 5, 5)
    d1, d2 = zeros(k, 25, 25, 20), zeros(k, 11, 11, 20)  # gradients of y1 and y2, for a portion of the images
    z1, z2, g1, g2 = (np.zeros_like(y) for y in (y1, y2, y1, y2)) if normalized else (y1, y2, d1, d2)
    norm = BatchNorm if normalized else NoNorm
    norm1, norm2 = norm(step, 2, y1, z1, g1, k), norm(step, 6, y2, z2, g2, k)
    first, second = Convolution(step, 0, step.inputs.transpose(0, 2, 3, 1), 1, k), Convolution(step, each, z1, 2, k)
    input_gradient = InputGradient(step, step.parameters[each][0], d1.shape, 2)
    relu1, relu2, pool = Relu(step, d1.shape), Relu(step, d2.shape), MaxPool(step, z2, features, by_features, k)

    def convolve1(images: slice) -> None:
        first(images, y1[images], d1)
        relu1(y1[images], d1)
        norm1.statistics(images, d1)

    def convolve2(images: slice) -> None:
        norm1.normalize(images)
        input_gradient(d2, g1[images] if normalized else d1)
        second(images, y2[images], d2)
        relu2(y2[images], d2)
        norm2.statistics(images, d2)

    def reduce(images: slice) -> None:
        norm2.normalize(images)
        pool(images, g2[images] if normalized else d2)

    layers = (convolve1, convolve2, reduce)
    for loop in [[layer] for layer in layers] if normalized else [layers]:  # statistics are those of the whole batch
        for images in parts:
            for layer in loop:
                layer(images)
    y3, g3 = linear(step, 2 * each, features.reshape(n, 500), by_features.reshape(n, 500))
    Relu(step, y3.shape)(y3, g3)
    z3 = np.empty_like(y3) if normalized else y3
    norm3 = norm(step, 10, y3, z3, g3, n)
    norm3.statistics(slice(0, n), g3)
    norm3.normalize(slice(0, n))
    step.loss = objective(network, step.targets, *linear(step, 3 * each, z3, g3))
    return step
