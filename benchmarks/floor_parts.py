"""What every step that is fused by hand shares: flat parameters, linear layers, losses and the update."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from benchmarks.networks import Network

Arrays: TypeAlias = tuple[Any, Any, Any, Any]
"""Weight and bias, and the gradients of both."""


@dataclass(frozen=True)
class Step:
    """A training step; a call returns the loss.

    `flat` and `grads` hold all parameters and their gradients, in the order and the layout of the module's.
    """

    flat: Any
    grads: Any
    gradients: Callable[[], Any]  #: fills `grads`; returns the loss
    update: Callable[[], None]

    def __call__(self) -> Any:
        """Forward, back, update."""
        loss = self.gradients()
        self.update()
        return loss


class Parameters:
    """Parameters in one array and their gradients in another, and views of both, in pairs of `Arrays`."""

    def __init__(self, *shapes: tuple[int, ...]) -> None:
        rng = np.random.default_rng(0)
        sizes = [math.prod(shape) for shape in shapes]
        ends = np.cumsum(sizes)[:-1]
        self.flat, self.grads = np.zeros(sum(sizes), np.float32), np.zeros(sum(sizes), np.float32)
        parts, grads = (
            [part.reshape(shape) for part, shape in zip(np.split(whole, ends), shapes, strict=True)]
            for whole in (self.flat, self.grads)
        )
        for part in parts:
            if part.ndim > 1:
                part[...] = rng.uniform(-1, 1, part.shape) / np.sqrt(part[0].size)
        self.pairs: list[Arrays] = list(zip(parts[::2], parts[1::2], grads[::2], grads[1::2], strict=True))

    def step(self, network: Network, gradients: Callable[[], Any]) -> Step:
        """The step that updates these by their `gradients`."""
        return Step(self.flat, self.grads, gradients, optimizer(network, self.flat, self.grads))


class Linear:
    """``y = x Wᵀ + b``, and back from `g`, the gradient of y, to `below`, that of x, if it is wanted."""

    def __init__(self, arrays: Arrays, x: Any, y: Any, g: Any, below: Any = None) -> None:
        self.weight, self.bias, self.weight_grad, self.bias_grad = arrays
        self.x, self.y, self.g, self.below = x, y, g, below
        self.ones = np.ones(len(x), np.float32)

    def forward(self) -> None:
        """Fill `y`."""
        np.matmul(self.x, self.weight.T, out=self.y)
        np.add(self.y, self.bias, out=self.y)

    def backward(self) -> None:
        """Fill the gradients."""
        np.matmul(self.g.T, self.x, out=self.weight_grad)
        np.matmul(self.ones, self.g, out=self.bias_grad)
        if self.below is not None:
            np.matmul(self.g, self.weight, out=self.below)


class Relu:
    """ReLU of arrays of one shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.zeros, self.positive = np.zeros(shape, np.float32), np.empty(shape, bool)

    def forward(self, x: Any, out: Any) -> None:
        """An array of zeros: NumPy's maximum with a number is slower."""
        np.maximum(x, self.zeros, out=out)

    def backward(self, y: Any, g: Any) -> None:
        """The gradient `g` of the result `y` becomes that of the input."""
        np.greater(y, 0, out=self.positive)
        np.multiply(g, self.positive, out=g)


def objective(network: Network, targets: Any) -> Callable[[Any, Any], Any]:
    """A function that writes the gradient of the scores (N, classes) into its second argument; returns the loss."""
    n = len(targets)
    rows = np.arange(n)

    def squares(scores: Any, g: Any) -> Any:
        np.subtract(scores, targets, out=g)
        loss = np.vdot(g, g) / g.size
        np.multiply(g, np.float32(2 / g.size), out=g)
        return loss

    def binary(scores: Any, g: Any) -> Any:
        p = 1 / (1 + np.exp(-scores))
        np.subtract(p, targets, out=g)
        np.multiply(g, np.float32(1 / n), out=g)
        return -np.log(np.where(targets == 1, p, 1 - p)).mean()

    def cross_entropy(scores: Any, g: Any) -> Any:
        np.subtract(scores, scores.max(1, keepdims=True), out=g)
        np.exp(g, out=g)
        np.divide(g, g.sum(1, keepdims=True), out=g)
        loss = -np.log(g[rows, targets]).mean()
        g[rows, targets] -= 1
        np.multiply(g, np.float32(1 / n), out=g)
        return loss

    return {"mse": squares, "bce": binary, "cross_entropy": cross_entropy}[network.loss]


def optimizer(network: Network, flat: Any, grads: Any) -> Callable[[], None]:
    """One update of all parameters at once."""
    rate, decay = np.float32(network.rate), np.float32(network.weight_decay)
    scratch, velocity, squares = np.empty_like(flat), np.zeros_like(flat), np.zeros_like(flat)
    taken = 0

    def descend() -> None:
        if decay:
            np.multiply(flat, decay, out=scratch)
            np.add(grads, scratch, out=grads)
        direction = grads
        if network.momentum:
            np.multiply(velocity, np.float32(network.momentum), out=velocity)
            np.add(velocity, grads, out=velocity)
            direction = velocity
        np.multiply(direction, rate, out=scratch)
        np.subtract(flat, scratch, out=flat)

    def adam() -> None:
        nonlocal taken
        taken += 1
        np.multiply(velocity, np.float32(0.9), out=velocity)
        np.multiply(grads, np.float32(0.1), out=scratch)
        np.add(velocity, scratch, out=velocity)
        np.multiply(grads, grads, out=grads)
        np.multiply(grads, np.float32(0.001), out=grads)
        np.multiply(squares, np.float32(0.999), out=squares)
        np.add(squares, grads, out=squares)
        np.sqrt(squares, out=scratch)
        np.multiply(scratch, np.float32((1 - 0.999**taken) ** -0.5), out=scratch)
        np.add(scratch, np.float32(1e-8), out=scratch)
        np.divide(velocity, scratch, out=scratch)
        np.multiply(scratch, np.float32(network.rate / (1 - 0.9**taken)), out=scratch)
        np.subtract(flat, scratch, out=flat)

    return adam if network.adam else descend
