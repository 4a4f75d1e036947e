"""Training steps fused by hand in NumPy, each for one network and one batch size: what a compiled step is held against.

A step is two lists of calls on arrays that exist before the first step: no graph, no dispatch, no allocation of large
arrays. The time that a framework takes beyond this is its own cost. Here is the MLP; `hand_fused_cnn` has the CNN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, pairwise
from typing import Any, TypeAlias

import numpy as np

from benchmarks.networks import Network

Call: TypeAlias = tuple[Any, ...]
"""A function and its arguments."""


def zeros(*shape: int) -> Any:
    """A buffer of float32."""
    return np.zeros(shape, np.float32)


class Step:
    """A training step on a network's own batch; a call returns the loss.

    All parameters lie in one array, and their gradients in another. `parameters` holds a view of either for each
    parameter, in the order and the shapes of the module's. Kernels (O, C, kh, kw) lie in memory as (kh, kw, C, O).
    """

    def __init__(self, network: Network, *shapes: tuple[int, ...]) -> None:
        rng = np.random.default_rng(0)
        self.inputs, self.targets = network.arrays()
        self.starts = [0, *accumulate(map(math.prod, shapes))]
        self.flat, self.grads = zeros(2, self.starts[-1])
        self.parameters: list[tuple[Any, Any]] = []
        for (start, end), shape in zip(pairwise(self.starts), shapes, strict=True):
            value, grad = (self._view(whole[start:end], *shape) for whole in (self.flat, self.grads))
            if len(shape) > 1:
                value[...] = rng.uniform(-1, 1, shape) / math.prod(shape[1:]) ** 0.5
            self.parameters.append((value, grad))
        self.forward: list[Callable[[], object]] = []
        self.backward: list[Callable[[], object]] = []
        self.products: list[Callable[[], object]] = []  #: the matrix products among both
        self.loss: Callable[[], Any] = lambda: 0.0
        self.update = optimizer(network, self.flat)

    def _view(self, part: Any, *shape: int) -> Any:
        if len(shape) < 4:
            return part.reshape(shape)
        o, c, *kernel = shape
        return part.reshape(*kernel, c, o).transpose(3, 2, 0, 1)

    def add(self, forward: Sequence[Call], backward: Sequence[Call] = ()) -> None:
        """The calls of a layer; on the way back the last layer comes first."""
        self.forward += [partial(function, *arguments) for function, *arguments in forward]
        self.backward[:0] = [partial(function, *arguments) for function, *arguments in backward]

    def gradients(self) -> Any:
        """Fill `grads`; returns the loss."""
        for call in self.forward:
            call()
        loss = self.loss()
        for call in self.backward:
            call()
        return loss

    def __call__(self) -> Any:
        """Forward, backward, update."""
        loss = self.gradients()
        self.update(self.grads)
        return loss


def linear(step: Step, index: int, x: Any, below: Any = None) -> tuple[Any, Any]:
    """``y = x Wᵀ + b``, with the parameters from `index` on, and from `g`, the gradient of y, to `below`, that of x."""
    (weight, weight_grad), (bias, bias_grad) = step.parameters[index : index + 2]
    y, g = zeros(2, len(x), len(weight))
    outer = np.multiply if len(x) == 1 else np.matmul  # NumPy's matmul is slow for sums of length 1
    products: list[Call] = [(np.matmul, x, weight.T, y), (outer, g.T, x, weight_grad)]
    if below is not None:
        products.append((np.matmul, g, weight, below))
    ones = np.ones(len(x), np.float32)
    step.add([products[0], (np.add, y, bias, y)], [*products[1:], (np.matmul, ones, g, bias_grad)])
    step.products += [partial(function, *arguments) for function, *arguments in products]
    return y, g


class Relu:
    """ReLU in place, for arrays of one shape."""

    def __init__(self, step: Step, shape: tuple[int, ...]) -> None:
        self.step, self.zeros, self.positive = step, zeros(*shape), np.empty(shape, bool)

    def __call__(self, y: Any, g: Any) -> None:
        """The gradient `g` of the result `y` becomes that of the input."""
        forward = (partial(np.maximum, out=y), y, self.zeros)  # with a number instead of the zeros NumPy is slower
        self.step.add([forward], [(np.greater, y, 0, self.positive), (np.multiply, g, self.positive, g)])


def dropout(step: Step, y: Any, g: Any, probability: float) -> None:
    """Dropout in place."""
    keep = np.float32(1 - probability)
    draws, kept, mask = np.empty_like(y), np.empty(y.shape, bool), np.empty_like(y)
    draw = partial(np.random.default_rng(0).random, dtype=np.float32, out=draws)
    scale = (np.multiply, kept, 1 / keep, mask)
    step.add([(draw,), (np.less, draws, keep, kept), scale, (np.multiply, y, mask, y)], [(np.multiply, g, mask, g)])


def mlp(network: Network) -> Step:
    """Linear layers with ReLU between them, and dropout if the network has it."""
    step = Step(network, *(shape for n, m in pairwise(network.widths) for shape in ((m, n), (m,))))
    y, g = linear(step, 0, step.inputs)
    for index in range(2, len(step.parameters), 2):
        Relu(step, y.shape)(y, g)
        if network.dropout:
            dropout(step, y, g, network.dropout)
        y, g = linear(step, index, y, g)
    step.loss = objective(network, step.targets, y, g)
    return step


def objective(network: Network, targets: Any, scores: Any, g: Any) -> Callable[[], Any]:
    """A function that writes the gradient of the `scores` (N, classes) into `g` and returns the loss."""
    n, rows = len(targets), np.arange(len(targets))

    def mse() -> Any:
        np.subtract(scores, targets, out=g)
        loss = np.vdot(g, g) / g.size
        np.multiply(g, np.float32(2 / g.size), out=g)
        return loss

    def bce() -> Any:
        p = 1 / (1 + np.exp(-scores))
        np.multiply(p - targets, np.float32(1 / n), out=g)
        return -np.log(np.where(targets == 1, p, 1 - p)).mean()

    def cross_entropy() -> Any:
        np.subtract(scores, scores.max(1, keepdims=True), out=g)
        np.exp(g, out=g)
        np.divide(g, g.sum(1, keepdims=True), out=g)
        loss = -np.log(g[rows, targets]).mean()
        g[rows, targets] -= 1
        np.multiply(g, np.float32(1 / n), out=g)
        return loss

    return {"mse_loss": mse, "binary_cross_entropy": bce, "cross_entropy": cross_entropy}[network.loss]


def optimizer(network: Network, flat: Any) -> Callable[[Any], None]:
    """The update of an array of parameters, by an array of gradients in which it may write."""
    rate, decay, momentum = map(np.float32, (network.rate, network.weight_decay, network.momentum))
    scratch, velocity, squares = np.empty_like(flat), np.zeros_like(flat), np.zeros_like(flat)
    taken = 0

    def sgd(grads: Any) -> None:
        if decay:
            np.add(grads, np.multiply(flat, decay, out=scratch), out=grads)
        if momentum:
            np.add(np.multiply(velocity, momentum, out=velocity), grads, out=velocity)
        np.subtract(flat, np.multiply(velocity if momentum else grads, rate, out=scratch), out=flat)

    def adam(grads: Any) -> None:
        nonlocal taken
        taken += 1
        np.multiply(velocity, np.float32(0.9), out=velocity)
        np.add(velocity, np.multiply(grads, np.float32(0.1), out=scratch), out=velocity)
        np.multiply(np.multiply(grads, grads, out=grads), np.float32(0.001), out=grads)
        np.add(np.multiply(squares, np.float32(0.999), out=squares), grads, out=squares)
        np.multiply(np.sqrt(squares, out=scratch), np.float32((1 - 0.999**taken) ** -0.5), out=scratch)
        np.divide(velocity, np.add(scratch, np.float32(1e-8), out=scratch), out=scratch)
        np.multiply(scratch, np.float32(network.rate / (1 - 0.9**taken)), out=scratch)
        np.subtract(flat, scratch, out=flat)

    return adam if network.adam else sgd


def products(network: Network) -> Callable[[], object]:
    """The matrix products of an MLP's step alone."""
    calls = mlp(network).products
    return lambda: [call() for call in calls]
