"""A training step of an MLP, fused by hand, and its matrix products alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.floor_parts import Linear, Parameters, Relu, Step, objective
from benchmarks.networks import Network


def mlp(network: Network) -> Step:
    """Linear layers with ReLU between them, and dropout if the network has it."""
    rng = np.random.default_rng(0)
    inputs, targets = network.arrays()
    n, widths, keep = network.batch, network.widths, np.float32(1 - network.dropout)
    parameters = Parameters(*(shape for a, b in pairwise(widths) for shape in ((b, a), (b,))))
    outputs, gradients = ([np.empty((n, width), np.float32) for width in widths[1:]] for _ in range(2))
    around = zip([inputs, *outputs[:-1]], outputs, gradients, [None, *gradients[:-1]], strict=True)
    layers = [Linear(arrays, *four) for arrays, four in zip(parameters.pairs, around, strict=True)]
    hidden = list(zip(outputs[:-1], gradients[:-1], [Relu((n, width)) for width in widths[1:-1]], strict=True))
    masks = [np.empty((n, width), np.float32) for width in widths[1:-1]]
    loss_of = objective(network, targets)

    def fill() -> Any:
        for layer, (y, _, relu), mask in zip(layers[:-1], hidden, masks, strict=True):
            layer.forward()
            relu.forward(y, y)
            if network.dropout:
                np.multiply(rng.random(y.shape, np.float32) < keep, 1 / keep, out=mask)
                np.multiply(y, mask, out=y)
        layers[-1].forward()
        loss = loss_of(outputs[-1], gradients[-1])
        for i in range(len(layers) - 1, -1, -1):
            layers[i].backward()
            if i:
                y, g, relu = hidden[i - 1]
                relu.backward(y, g)
                if network.dropout:
                    np.multiply(g, masks[i - 1], out=g)
        return loss

    return parameters.step(network, fill)


def products(network: Network) -> Callable[[], None]:
    """The step's matrix products alone."""
    rng = np.random.default_rng(0)
    widths, n = network.widths, network.batch
    xs = [rng.standard_normal((n, width), np.float32) for width in widths]
    gs = [rng.standard_normal((n, width), np.float32) for width in widths]
    weights = [rng.standard_normal((m, k), np.float32) for k, m in pairwise(widths)]
    weight_grads = [np.empty_like(weight) for weight in weights]
    outer: np.ufunc = np.multiply if n == 1 else np.matmul  # NumPy leaves products of length 1 to a slow loop

    def once() -> None:
        for i, weight in enumerate(weights):
            np.matmul(xs[i], weight.T, out=xs[i + 1])
        for i in range(len(weights) - 1, -1, -1):
            outer(gs[i + 1].T, xs[i], out=weight_grads[i])
            if i:
                np.matmul(gs[i + 1], weights[i], out=gs[i])
        for x in xs[1:]:
            x.fill(1)  # else they grow without bound

    return once
