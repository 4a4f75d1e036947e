"""The same training step in JAX, MyGrad and autograd, each as its own documentation would write it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.networks import Network


def initial(network: Network) -> list[np.ndarray]:
    """Weights (in, out) and biases of an MLP, in turn."""
    rng = np.random.default_rng(0)
    parameters: list[np.ndarray] = []
    for n, m in pairwise(network.widths):
        parameters += [rng.uniform(-1, 1, (n, m)).astype(np.float32) / np.float32(n**0.5), np.zeros(m, np.float32)]
    return parameters


def jax_step(network: Network) -> Callable[[], Any]:
    """JAX: loss, gradient and update in one jitted function that donates its state."""
    import jax
    import jax.numpy as jnp

    inputs, targets = map(jnp.asarray, network.arrays())
    parameters, forward = _jax_cnn(network) if not network.widths else (initial(network), _jax_mlp(network))

    def objective(parameters: Any, key: Any, inputs: Any, targets: Any) -> Any:
        scores = forward(parameters, key, inputs)
        if network.loss == "mse":
            return jnp.mean((scores - targets) ** 2)
        if network.loss == "bce":
            return jnp.mean(jnp.logaddexp(0.0, scores) - targets * scores)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(scores), targets[:, None], 1))

    def update(state: Any, inputs: Any, targets: Any) -> Any:
        parameters, first, second, key, taken = state
        key, drawn = jax.random.split(key)
        loss, grads = jax.value_and_grad(objective)(parameters, drawn, inputs, targets)
        grads = [g + network.weight_decay * p for g, p in zip(grads, parameters, strict=True)]
        if network.adam:
            taken = taken + 1
            first = [0.9 * m + 0.1 * g for m, g in zip(first, grads, strict=True)]
            second = [0.999 * v + 0.001 * g * g for v, g in zip(second, grads, strict=True)]
            moves = [
                (m / (1 - 0.9**taken)) / (jnp.sqrt(v / (1 - 0.999**taken)) + 1e-8)
                for m, v in zip(first, second, strict=True)
            ]
        else:
            moves = first = [network.momentum * m + g for m, g in zip(first, grads, strict=True)]
        parameters = [p - network.rate * move for p, move in zip(parameters, moves, strict=True)]
        return (parameters, first, second, key, taken), loss

    jitted = jax.jit(update, donate_argnums=0)

    def zeros() -> list[Any]:
        return [jnp.zeros(p.shape, jnp.float32) for p in parameters]

    state = ([jnp.asarray(p) for p in parameters], zeros(), zeros(), jax.random.key(0), jnp.zeros((), jnp.float32))

    def once() -> Any:
        nonlocal state
        state, loss = jitted(state, inputs, targets)
        return jax.block_until_ready(loss)

    return once


def _jax_mlp(network: Network) -> Callable[[Any, Any, Any], Any]:
    import jax
    import jax.numpy as jnp

    def forward(parameters: Any, key: Any, x: Any) -> Any:
        for i in range(0, len(parameters), 2):
            x = x @ parameters[i] + parameters[i + 1]
            if i < len(parameters) - 2:
                x = jnp.maximum(x, 0)
                if network.dropout:
                    key, drawn = jax.random.split(key)
                    kept = jax.random.bernoulli(drawn, 1 - network.dropout, x.shape)
                    x = jnp.where(kept, x / (1 - network.dropout), 0)
        return x

    return forward


def _jax_cnn(network: Network) -> tuple[list[np.ndarray], Callable[[Any, Any, Any], Any]]:
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    normalized = "batch norm" in network.name

    def uniform(*shape: int) -> np.ndarray:
        return rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(np.prod(shape[:-1]) ** 0.5)

    layers = [(4, 4, 1, 20), (4, 4, 20, 20), (500, 250), (250, 10)]
    parameters = [p for shape in layers for p in (uniform(*shape), np.zeros(shape[-1], np.float32))]
    if normalized:
        parameters += [p for c in (20, 20, 250) for p in (np.ones(c, np.float32), np.zeros(c, np.float32))]

    def convolve(x: Any, weight: Any, bias: Any, stride: int) -> Any:
        layout = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, weight, (stride, stride), "VALID", dimension_numbers=layout) + bias

    def normalize(x: Any, parameters: Any, i: int) -> Any:
        if not normalized:
            return x
        axes = tuple(range(x.ndim - 1))
        mean, var = x.mean(axes), x.var(axes)
        return (x - mean) / jnp.sqrt(var + 1e-5) * parameters[8 + 2 * i] + parameters[9 + 2 * i]

    def forward(p: Any, key: Any, x: Any) -> Any:
        x = normalize(jnp.maximum(convolve(x.transpose(0, 2, 3, 1), p[0], p[1], 1), 0), p, 0)
        x = normalize(jnp.maximum(convolve(x, p[2], p[3], 2), 0), p, 1)
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        x = normalize(jnp.maximum(x.reshape(len(x), -1) @ p[4] + p[5], 0), p, 2)
        return x @ p[6] + p[7]

    return parameters, forward


def mygrad_step(network: Network) -> Callable[[], Any]:
    """MyGrad's tape, with plain SGD on arrays."""
    import mygrad as mg
    from mygrad.nnet.activations import relu
    from mygrad.nnet.losses import softmax_crossentropy

    inputs, targets = network.arrays()
    parameters = [mg.tensor(p) for p in initial(network)]
    velocities = [np.zeros_like(p.data) for p in parameters]

    def once() -> Any:
        x = inputs
        for i in range(0, len(parameters), 2):
            x = mg.matmul(x, parameters[i]) + parameters[i + 1]
            x = relu(x) if i < len(parameters) - 2 else x
        loss = softmax_crossentropy(x, targets)
        loss.backward()
        for p, v in zip(parameters, velocities, strict=True):
            _descend(network, p.data, p.grad, v)
        return loss.item()

    return once


def autograd_step(network: Network) -> Callable[[], Any]:
    """HIPS autograd: a function of the parameters, and its gradient."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    inputs, targets = network.arrays()
    parameters = initial(network)
    velocities = [np.zeros_like(p) for p in parameters]
    rows = np.arange(network.batch)

    def objective(parameters: Any) -> Any:
        x = inputs
        for i in range(0, len(parameters), 2):
            x = anp.dot(x, parameters[i]) + parameters[i + 1]
            x = anp.maximum(x, 0) if i < len(parameters) - 2 else x
        x = x - anp.max(x, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(x), axis=1)) - x[rows, targets])

    gradient = value_and_grad(objective)

    def once() -> Any:
        loss, grads = gradient(parameters)
        for p, g, v in zip(parameters, grads, velocities, strict=True):
            _descend(network, p, g, v)
        return loss

    return once


def _descend(network: Network, p: Any, g: Any, v: Any) -> None:
    if network.weight_decay:
        g = g + np.float32(network.weight_decay) * p
    if network.momentum:
        v *= np.float32(network.momentum)
        v += g
        g = v
    p -= np.float32(network.rate) * g
