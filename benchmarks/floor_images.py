"""Training steps of the convolutional networks, fused by hand: each layer follows on a portion that is in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.floor_convolution import Convolution, InputGradient, portions
from benchmarks.floor_parts import Arrays, Linear, Parameters, Relu, Step, objective
from benchmarks.networks import Network

WHOLE = slice(None)


def room(*shape: int) -> Any:
    """A buffer. Of zeros, for the edge that no window of the pooling sees."""
    return np.zeros(shape, np.float32)


class MaxPool:
    """The largest of 2 × 2, from `x` (N, H, W, C) to `y` (N, C, h, w), and back from `g`, the gradient of y."""

    def __init__(self, x: Any, y: Any, g: Any, portion: int) -> None:
        n, _, width, c = x.shape
        h, w = y.shape[2:]
        self.x, self.h, self.w = x, h, w
        self.y, self.g = (array.transpose(0, 2, 3, 1) for array in (y, g))
        self.rows, self.best, self.given = room(portion, h, width, c), room(n, h, w, c), room(portion, h, w, c)
        self.free, self.mask = (np.empty((portion, h, w, c), bool) for _ in range(2))
        self.relu = Relu(self.given.shape)

    def forward(self, images: slice) -> None:
        """Fill `y` for these images."""
        x, best = self.x[images], self.best[images]
        np.maximum(x[:, 0 : 2 * self.h : 2], x[:, 1 : 2 * self.h : 2], out=self.rows)
        np.maximum(self.rows[:, :, 0 : 2 * self.w : 2], self.rows[:, :, 1 : 2 * self.w : 2], out=best)
        self.y[images] = best

    def forward_relu(self, images: slice) -> None:
        """The same, then ReLU: they commute, and there is less left to be rectified."""
        self.forward(images)
        self.relu.forward(self.best[images], self.given)
        self.y[images] = self.given

    def backward(self, images: slice, out: Any, rectified: bool = False) -> None:
        """The gradient goes to the first that is largest."""
        x, best = self.x[images], self.best[images]
        self.given[...] = self.g[images]
        if rectified:
            self.relu.backward(best, self.given)
        self.free.fill(True)
        for i in (0, 1):
            for j in (0, 1):
                tap = (WHOLE, slice(i, 2 * self.h, 2), slice(j, 2 * self.w, 2))
                np.equal(x[tap], best, out=self.mask)
                np.logical_and(self.mask, self.free, out=self.mask)
                np.logical_xor(self.free, self.mask, out=self.free)
                np.multiply(self.given, self.mask, out=out[tap])


class BatchNorm:
    """From `x` (N, ..., C) to `y`, with the statistics of the batch, and back from `g`; sums are made by portions.

    Vectors of channels are repeated for every position: NumPy likes long rows.
    """

    def __init__(self, arrays: Arrays, x: Any, y: Any, g: Any, portion: int) -> None:
        self.weight, self.bias, self.weight_grad, self.bias_grad = arrays
        self.weight.fill(1)
        self.x, self.y, self.g = (array.reshape(len(array), -1) for array in (x, y, g))
        self.c, self.count = x.shape[-1], x.size // x.shape[-1]
        self.ones, self.scratch = np.ones(portion, np.float32), room(portion, self.x.shape[1])
        self.sums, self.dots, self.share, self.by, self.by_x, self.plus = room(6, self.x.shape[1])
        self.mean, self.scale = room(2, self.c)
        self.running_mean, self.running_var = np.zeros(self.c, np.float32), np.ones(self.c, np.float32)

    def begin(self) -> None:
        """Before sums are made."""
        self.sums.fill(0)
        self.dots.fill(0)

    def add(self, a: Any, b: Any) -> None:
        """To the sums of a and those of a·b."""
        np.matmul(self.ones, a, out=self.share)
        np.add(self.sums, self.share, out=self.sums)
        np.einsum("ai,ai->i", a, b, out=self.share)
        np.add(self.dots, self.share, out=self.dots)

    def totals(self) -> tuple[Any, Any]:
        """Of the sums, for each channel, in float64: there are many terms."""
        sums, dots = (v.reshape(-1, self.c).sum(0, dtype=np.float64) for v in (self.sums, self.dots))
        return sums, dots

    def spread(self, v: Any, out: Any) -> None:
        """A number for each channel, to every position."""
        out.reshape(-1, self.c)[...] = v

    def see(self, images: slice) -> None:
        """Count these images in."""
        self.add(self.x[images], self.x[images])

    def settle(self) -> None:
        """From the sums to factor and shift."""
        sums, squares = self.totals()
        self.mean[...] = mean = sums / self.count
        variance = squares / self.count - mean * mean
        self.scale[...] = 1 / np.sqrt(variance + 1e-5)
        self.running_mean += np.float32(0.1) * (self.mean - self.running_mean)
        unbiased = (variance * (self.count / (self.count - 1))).astype(np.float32)
        self.running_var += np.float32(0.1) * (unbiased - self.running_var)
        factor = self.scale * self.weight
        self.spread(factor, self.by)
        self.spread(self.bias - self.mean * factor, self.plus)

    def forward(self, images: slice) -> None:
        """Fill `y` for these images."""
        y = self.y[images]
        np.multiply(self.x[images], self.by, out=y)
        np.add(y, self.plus, out=y)

    def see_gradient(self, images: slice) -> None:
        """Count the gradient of these images in."""
        self.add(self.g[images], self.x[images])

    def settle_gradient(self) -> None:
        """From the sums to the parameters' gradients, and the factors of the input's."""
        total, dots = self.totals()
        along = dots - self.mean * total
        self.weight_grad[...] = along * self.scale
        self.bias_grad[...] = total
        factor = self.scale * self.weight
        slope = -factor * self.scale**2 * along / self.count
        self.spread(slope, self.by_x)
        self.spread(-factor * total / self.count - self.mean * slope, self.plus)

    def backward(self, images: slice, out: Any) -> None:
        """Fill `out` with the gradient of the input of these images; it may be that of the result."""
        out = out.reshape(len(out), -1)
        np.multiply(self.x[images], self.by_x, out=self.scratch)
        np.add(self.scratch, self.plus, out=self.scratch)
        np.multiply(self.g[images], self.by, out=out)
        np.add(out, self.scratch, out=out)


class _Cnn:
    """The layers of both CNNs, and what they have in common."""

    def __init__(self, network: Network, normalized: bool) -> None:
        inputs, targets = network.arrays()
        n = network.batch
        shapes: list[tuple[int, ...]] = []
        for shape in ((20, 1, 4, 4), (20, 20, 4, 4), (250, 500), (10, 250)):
            shapes += [shape, shape[:1], *([shape[:1]] * 2 if normalized and shape[0] != 10 else ())]
        self.parameters = Parameters(*shapes)
        pairs = self.parameters.pairs
        first, second, third, last = pairs[:: 1 + normalized]
        self.portions = portions(n, 4 * 11 * 11 * (4 * 4 * 20 + 1))
        k = self.portions[0].stop
        held = n if normalized else k  # else the gradients are used while they are in the cache

        self.y1, self.y2 = room(n, 25, 25, 20), room(n, 11, 11, 20)
        self.z1, self.z2 = (np.empty_like(y) if normalized else y for y in (self.y1, self.y2))
        self.g1, self.g2 = room(held, 25, 25, 20), room(held, 11, 11, 20)
        self.first = Convolution(first, inputs.transpose(0, 2, 3, 1), 1, k)
        self.second = Convolution(second, self.z1, 2, k)
        self.below = InputGradient(second[0], self.g2[:k], self.g1[:k], 2)
        self.relu1, self.relu2, self.relu3 = Relu((k, 25, 25, 20)), Relu((k, 11, 11, 20)), Relu((n, 250))
        features, by_features = room(n, 20, 5, 5), room(n, 20, 5, 5)
        self.pool = MaxPool(self.z2, features, by_features, k)

        self.y3, self.g3 = room(n, 250), room(n, 250)
        z3 = np.empty_like(self.y3) if normalized else self.y3
        self.scores, self.by_scores = room(n, 10), room(n, 10)
        self.third = Linear(third, features.reshape(n, 500), self.y3, self.g3, by_features.reshape(n, 500))
        self.last = Linear(last, z3, self.scores, self.by_scores, self.g3)
        self.loss_of = objective(network, targets)
        if normalized:
            self.norm1 = BatchNorm(pairs[1], self.y1, self.z1, self.g1, k)
            self.norm2 = BatchNorm(pairs[3], self.y2, self.z2, self.g2, k)
            self.norm3 = BatchNorm(pairs[5], self.y3, z3, self.g3, n)

    def pack(self) -> None:
        """Before a step."""
        for convolution in (self.first, self.second, self.below):
            convolution.pack()

    def unpack(self) -> None:
        """After a step."""
        self.first.unpack()
        self.second.unpack()


def cnn(network: Network) -> Step:
    """Convolutions to 20 channels, pooling, linear layers 500-250-10."""
    net = _Cnn(network, normalized=False)

    def fill() -> Any:
        net.pack()
        for images in net.portions:
            y1 = net.y1[images]
            net.first.forward(images, y1)
            net.relu1.forward(y1, y1)
            net.second.forward(images, net.y2[images])
            net.pool.forward_relu(images)
        net.third.forward()
        net.relu3.forward(net.y3, net.y3)
        net.last.forward()
        loss = net.loss_of(net.scores, net.by_scores)
        net.last.backward()
        net.relu3.backward(net.y3, net.g3)
        net.third.backward()
        for images in reversed(net.portions):
            net.pool.backward(images, net.g2, rectified=True)
            net.second.backward(images, net.g2)
            net.below(net.g2, net.g1)
            net.relu1.backward(net.y1[images], net.g1)
            net.first.backward(images, net.g1)
        net.unpack()
        return loss

    return net.parameters.step(network, fill)


def normalized_cnn(network: Network) -> Step:
    """The same with batch norm after every ReLU, which parts the loops: its sums take the whole batch."""
    net = _Cnn(network, normalized=True)
    norm1, norm2, norm3 = net.norm1, net.norm2, net.norm3
    k = net.portions[0].stop
    by_x1, by_x2 = room(k, 25, 25, 20), room(k, 11, 11, 20)

    def forward() -> None:
        net.pack()
        for norm in (norm1, norm2, norm3):
            norm.begin()
        for images in net.portions:
            y1 = net.y1[images]
            net.first.forward(images, y1)
            net.relu1.forward(y1, y1)
            norm1.see(images)
        norm1.settle()
        for images in net.portions:
            y2 = net.y2[images]
            norm1.forward(images)
            net.second.forward(images, y2)
            net.relu2.forward(y2, y2)
            norm2.see(images)
        norm2.settle()
        for images in net.portions:
            norm2.forward(images)
            net.pool.forward(images)
        net.third.forward()
        net.relu3.forward(net.y3, net.y3)
        norm3.see(WHOLE)
        norm3.settle()
        norm3.forward(WHOLE)
        net.last.forward()

    def backward() -> None:
        for norm in (norm1, norm2, norm3):
            norm.begin()
        net.last.backward()
        norm3.see_gradient(WHOLE)
        norm3.settle_gradient()
        norm3.backward(WHOLE, net.g3)
        net.relu3.backward(net.y3, net.g3)
        net.third.backward()
        for images in net.portions:
            net.pool.backward(images, net.g2[images])
            norm2.see_gradient(images)
        norm2.settle_gradient()
        for images in reversed(net.portions):
            norm2.backward(images, by_x2)
            net.relu2.backward(net.y2[images], by_x2)
            net.second.backward(images, by_x2)
            net.below(by_x2, net.g1[images])
            norm1.see_gradient(images)
        norm1.settle_gradient()
        for images in reversed(net.portions):
            norm1.backward(images, by_x1)
            net.relu1.backward(net.y1[images], by_x1)
            net.first.backward(images, by_x1)
        net.unpack()

    def fill() -> Any:
        forward()
        loss = net.loss_of(net.scores, net.by_scores)
        backward()
        return loss

    return net.parameters.step(network, fill)


def conv1d(network: Network) -> Step:
    """Two convolutions of sequences (N, C, L), as images of one row; mean over time, linear layer."""
    inputs, targets = network.arrays()
    n, length = network.batch, network.shape[1]
    parameters = Parameters((32, 8, 5), (32,), (32, 32, 5), (32,), (2, 32), (2,))
    images_of_one_row: list[Arrays] = [(w[:, :, None], b, wg[:, :, None], bg) for w, b, wg, bg in parameters.pairs[:2]]
    parts = portions(n, 4 * length * (5 * 32 + 1))
    k = parts[0].stop
    framed0, framed1 = room(n, 1, length + 4, 8), room(n, 1, length + 4, 32)
    x0, x1 = framed0[:, :, 2:-2], framed1[:, :, 2:-2]
    y1, y2, g2, g1 = room(k, 1, length, 32), room(n, 1, length, 32), room(k, 1, length, 32), room(k, 1, length, 32)
    first, second = (
        Convolution(arrays, framed, 1, k) for arrays, framed in zip(images_of_one_row, (framed0, framed1), strict=True)
    )
    below = InputGradient(images_of_one_row[1][0], g2, g1, 1, (0, 2))
    relu = Relu(y1.shape)
    means, by_means, scores, by_scores = room(n, 32), room(n, 32), room(n, 2), room(n, 2)
    head = Linear(parameters.pairs[2], means, scores, by_scores, by_means)
    share = np.full(length, 1 / length, np.float32)
    loss_of = objective(network, targets)

    def fill() -> Any:
        for part in (first, second, below):
            part.pack()
        np.copyto(x0[:, 0], inputs.swapaxes(1, 2))
        for some in parts:
            y = y2[some]
            first.forward(some, y1)
            relu.forward(y1, x1[some])
            second.forward(some, y)
            relu.forward(y, y)
            np.matmul(share, y[:, 0], out=means[some])
        head.forward()
        loss = loss_of(scores, by_scores)
        head.backward()
        np.multiply(by_means, share[0], out=by_means)
        for some in reversed(parts):
            np.greater(y2[some], 0, out=relu.positive)
            np.multiply(relu.positive, by_means[some, None, None], out=g2)
            second.backward(some, g2)
            below(g2, g1)
            relu.backward(x1[some], g1)
            first.backward(some, g1)
        first.unpack()
        second.unpack()
        return loss

    return parameters.step(network, fill)
