"""The floor: a training step of an MLP fused by hand in NumPy, for one network and one batch size.

Everything is written into buffers that exist before the first step: no graph, no dispatch, no allocation. What a
framework takes beyond this is its own cost.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.networks import Network


def step(network: Network) -> Callable[[], Any]:
    """The step on the network's own batch; returns the loss."""
    rng = np.random.default_rng(0)
    inputs, targets = network.arrays()
    n, widths, keep = network.batch, network.widths, np.float32(1 - network.dropout)
    sizes = [size for a, b in pairwise(widths) for size in (a * b, b)]
    flat, grads = np.zeros(sum(sizes), np.float32), np.zeros(sum(sizes), np.float32)
    ends = np.cumsum(sizes)[:-1]
    shapes = [shape for a, b in pairwise(widths) for shape in ((b, a), (b,))]
    parts = [part.reshape(s) for part, s in zip(np.split(flat, ends), shapes, strict=True)]
    grad_parts = [part.reshape(s) for part, s in zip(np.split(grads, ends), shapes, strict=True)]
    weights, biases, weight_grads, bias_grads = parts[::2], parts[1::2], grad_parts[::2], grad_parts[1::2]
    for weight in weights:
        weight[...] = rng.uniform(-1, 1, weight.shape) / np.sqrt(weight.shape[1])
    last = len(weights) - 1
    outputs = [np.empty((n, width), np.float32) for width in widths[1:]]
    gradients = [np.empty((n, width), np.float32) for width in widths[1:]]
    masks = [np.empty((n, width), np.float32) for width in widths[1:-1]]
    zeros = [np.zeros((n, width), np.float32) for width in widths[1:-1]]
    ones, rows = np.ones(n, np.float32), np.arange(n)
    update = optimizer(network, flat, grads)

    def backward_of_loss(scores: Any, g: Any) -> Any:
        if network.loss == "mse":
            np.subtract(scores, targets, out=g)
            loss = np.vdot(g, g) / g.size
            np.multiply(g, np.float32(2 / g.size), out=g)
            return loss
        if network.loss == "bce":
            p = 1 / (1 + np.exp(-scores))
            np.subtract(p, targets, out=g)
            np.multiply(g, np.float32(1 / n), out=g)
            return -np.log(np.where(targets == 1, p, 1 - p)).mean()
        np.subtract(scores, scores.max(1, keepdims=True), out=g)
        np.exp(g, out=g)
        np.divide(g, g.sum(1, keepdims=True), out=g)
        loss = -np.log(g[rows, targets]).mean()
        g[rows, targets] -= 1
        np.multiply(g, np.float32(1 / n), out=g)
        return loss

    def once() -> Any:
        x = inputs
        for i, (weight, bias, y) in enumerate(zip(weights, biases, outputs, strict=True)):
            np.matmul(x, weight.T, out=y)
            np.add(y, bias, out=y)
            if i < last:
                np.maximum(y, zeros[i], out=y)
                if network.dropout:
                    np.multiply(rng.random((n, widths[i + 1]), np.float32) < keep, 1 / keep, out=masks[i])
                    np.multiply(y, masks[i], out=y)
            x = y
        loss = backward_of_loss(outputs[last], gradients[last])
        for i in range(last, -1, -1):
            g = gradients[i]
            np.matmul(g.T, outputs[i - 1] if i else inputs, out=weight_grads[i])
            np.matmul(ones, g, out=bias_grads[i])
            if i:
                below = gradients[i - 1]
                np.matmul(g, weights[i], out=below)
                np.multiply(below, outputs[i - 1] > 0, out=below)
                if network.dropout:
                    np.multiply(below, masks[i - 1], out=below)
        update()
        return loss

    return once


def products(network: Network) -> Callable[[], None]:
    """The step's matrix products alone."""
    rng = np.random.default_rng(0)
    widths, n = network.widths, network.batch
    xs = [rng.standard_normal((n, width), np.float32) for width in widths]
    gs = [rng.standard_normal((n, width), np.float32) for width in widths]
    weights = [rng.standard_normal((m, k), np.float32) for k, m in pairwise(widths)]
    weight_grads = [np.empty_like(weight) for weight in weights]

    def once() -> None:
        for i, weight in enumerate(weights):
            np.matmul(xs[i], weight.T, out=xs[i + 1])
        for i in range(len(weights) - 1, -1, -1):
            np.matmul(gs[i + 1].T, xs[i], out=weight_grads[i])
            if i:
                np.matmul(gs[i + 1], weights[i], out=gs[i])
        for x in xs[1:]:
            x.fill(1)  # else they grow without bound

    return once


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
