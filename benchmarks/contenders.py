"""Who is timed: minigrad and its peers, each with its own way to take one training step."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks import hand_fused, hand_fused_cnn, peers
from benchmarks.networks import Network

Once = Callable[[], Any]
Change = Callable[[Any, Any], Any]


def unchanged(fw: Any, subject: Any) -> Any:
    """The model, or the step, as it was made."""
    return subject


def training_step(network: Network, fw: Any, prepare: Change = unchanged) -> Callable[[Any, Any], Any]:
    """Forward, loss, backward and optimizer, as users write them; a function of inputs and targets.

    Args:
        network: what is trained.
        fw: the framework's module.
        prepare: makes of framework and model the model that is trained.
    """
    fw.manual_seed(0)
    model = prepare(fw, network.build(fw))
    objective = network.objective(fw)
    optimizer = network.optimizer(fw, model.parameters())

    def step(inputs: Any, targets: Any) -> Any:
        loss = objective(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def eager(network: Network, framework: str, prepare: Change = unchanged, wrap: Change = unchanged) -> Once:
    """The step on the network's own batch; `wrap` makes of framework and step the step that is taken."""
    fw = importlib.import_module(framework)
    step = wrap(fw, training_step(network, fw, prepare))
    inputs, targets = map(fw.from_numpy, network.arrays())
    return lambda: step(inputs, targets)


def torch_keeping(network: Network) -> Once:
    """PyTorch where the C library keeps freed memory, as `minigrad` asks it to: by freeing a block of 31 MiB."""
    np.empty(31 * 2**20, np.uint8)
    return eager(network, "torch")


class Contender(NamedTuple):
    """A way to train, the package that it needs, its colour in the figures, and the networks that it knows."""

    name: str
    package: str
    color: str
    prepare: Callable[[Network], Once]
    knows: Callable[[Network], object] = lambda network: True


def images(network: Network) -> bool:
    """Whether its samples are images (C, H, W)."""
    return len(network.shape) == 3


def known(network: Network) -> bool:
    """Whether it is an MLP or a network of images: what XLA and torch.compile get, and what is fused by hand."""
    return bool(network.widths) or images(network)


def plain(network: Network) -> bool:
    """Whether it is an MLP with cross entropy and SGD, without dropout: what every tape engine can do."""
    return bool(network.widths) and network.loss == "cross_entropy" and not network.dropout and not network.adam


def hand_fused_step(network: Network) -> Once:
    """The step that is fused by hand for the network."""
    return hand_fused.mlp(network) if network.widths else hand_fused_cnn.cnn(network)


COMPILED, KEEPING, HAND_FUSED = "minigrad compiled", "torch, memory kept", "hand-fused reference"
_minigrad, _torch = (partial(eager, framework=name) for name in ("minigrad", "torch"))
_channels_last = partial(_torch, prepare=lambda fw, model: model.to(memory_format=fw.channels_last))
_torch_compiled = partial(_torch, prepare=lambda fw, model: fw.compile(model))
CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("minigrad", "minigrad", "tab:blue", _minigrad),
        Contender(COMPILED, "minigrad", "navy", partial(_minigrad, wrap=lambda fw, step: fw.compile(step))),
        Contender("torch", "torch", "tab:red", _torch),
        Contender(KEEPING, "torch", "", torch_keeping),
        Contender("torch channels_last", "torch", "salmon", _channels_last, images),
        Contender("torch.compile", "torch", "darkred", _torch_compiled, known),
        Contender("JAX jit", "jax", "tab:green", peers.jax_step, known),
        Contender("MyGrad", "mygrad", "tab:purple", peers.mygrad_step, plain),
        Contender("autograd", "autograd", "tab:brown", peers.autograd_step, plain),
        Contender(HAND_FUSED, "numpy", "0.6", hand_fused_step, known),
        Contender("products", "numpy", "", hand_fused.products, lambda network: network.widths),
    )
}
"""In the order of the table. The reference is a step fused by hand; products are the matrix products of a step."""

GROWING = ("minigrad", COMPILED, "torch", "products")  #: what the scaling figure shows
