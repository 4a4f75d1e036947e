"""The same training step in JAX, MyGrad and autograd, each as its own documentation would write it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks import hand_fused
from benchmarks.networks import Network


def jax_step(network: Network) -> Callable[[], Any]:
    """JAX: loss, gradient and update in one jitted function that donates its state."""
    import jax
    import jax.numpy as jnp
    from jax.example_libraries import optimizers, stax

    inputs, targets = map(jnp.asarray, network.arrays())
    if not network.widths:
        inputs = inputs.transpose(0, 2, 3, 1)
    initialize, apply = stax.serial(*_jax_layers(network))
    optimizer = optimizers.adam if network.adam else partial(optimizers.momentum, mass=network.momentum)
    start, move, read = optimizer(network.rate)

    def objective(parameters: Any, key: Any, inputs: Any, targets: Any) -> Any:
        scores = apply(parameters, inputs, rng=key)
        if network.loss == "mse_loss":
            return jnp.mean((scores - targets) ** 2)
        if network.loss == "binary_cross_entropy":
            return jnp.mean(jnp.logaddexp(0.0, scores) - targets * scores)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(scores), targets[:, None], 1))

    @partial(jax.jit, donate_argnums=0)
    def update(state: Any, inputs: Any, targets: Any) -> Any:
        moving, taken, key = state
        key, drawn = jax.random.split(key)
        parameters = read(moving)
        loss, grads = jax.value_and_grad(objective)(parameters, drawn, inputs, targets)
        if network.weight_decay:
            grads = jax.tree.map(lambda g, p: g + network.weight_decay * p, grads, parameters)
        return (move(taken, grads, moving), taken + 1, key), loss

    key = jax.random.key(0)
    state = (start(initialize(key, inputs.shape)[1]), jnp.zeros((), jnp.int32), key)

    def once() -> Any:
        nonlocal state
        state, loss = update(state, inputs, targets)
        return jax.block_until_ready(loss)

    return once


def _jax_layers(network: Network) -> list[Any]:
    from jax.example_libraries.stax import BatchNorm, Conv, Dense, Dropout, Flatten, Identity, MaxPool, Relu

    if network.widths:
        dropout = [Dropout(1 - network.dropout)] if network.dropout else []  # its argument is the share that is kept
        hidden = [layer for width in network.widths[1:-1] for layer in (Dense(width), Relu, *dropout)]
        return [*hidden, Dense(network.widths[-1])]
    normalized, image, vector = "batch norm" in network.name, (0, 1, 2), (0,)
    norm = BatchNorm if normalized else lambda axes: Identity
    convolutions = [Conv(20, (4, 4)), Relu, norm(image), Conv(20, (4, 4), (2, 2)), Relu, norm(image)]
    return [*convolutions, MaxPool((2, 2), (2, 2)), Flatten, Dense(250), Relu, norm(vector), Dense(10)]


def _initial(network: Network) -> list[np.ndarray]:
    """Weights (in, out) and biases of an MLP, in turn."""
    return [value.T.copy() for value, _ in hand_fused.mlp(network).parameters]


def _scores(x: Any, parameters: Any, relu: Callable[[Any], Any]) -> Any:
    for i in range(0, len(parameters) - 2, 2):
        x = relu(x @ parameters[i] + parameters[i + 1])
    return x @ parameters[-2] + parameters[-1]


def mygrad_step(network: Network) -> Callable[[], Any]:
    """MyGrad's tape, with plain SGD on arrays."""
    import mygrad
    from mygrad.nnet.activations import relu
    from mygrad.nnet.losses import softmax_crossentropy

    inputs, targets = network.arrays()
    parameters = [mygrad.tensor(p) for p in _initial(network)]
    updates = [hand_fused.optimizer(network, p.data) for p in parameters]

    def once() -> Any:
        loss = softmax_crossentropy(_scores(inputs, parameters, relu), targets)
        loss.backward()
        for update, p in zip(updates, parameters, strict=True):
            update(p.grad)
        return loss.item()

    return once


def autograd_step(network: Network) -> Callable[[], Any]:
    """HIPS autograd: a function of the parameters, and its gradient."""
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.special import logsumexp

    inputs, targets = network.arrays()
    parameters = _initial(network)
    updates, rows = [hand_fused.optimizer(network, p) for p in parameters], np.arange(network.batch)

    def objective(parameters: Any) -> Any:
        scores = _scores(inputs, parameters, lambda x: anp.maximum(x, 0))
        return anp.mean(logsumexp(scores, axis=1) - scores[rows, targets])

    gradient = value_and_grad(objective)

    def once() -> Any:
        loss, grads = gradient(parameters)
        for update, grad in zip(updates, grads, strict=True):
            update(grad)
        return loss

    return once
