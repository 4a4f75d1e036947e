"""Who is timed: minigrad and its peers, each with its own way to take one training step."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import floor, peers
from benchmarks.networks import Network
from minigrad.kernels.memory import keep_freed

Once = Callable[[], Any]


def eager(network: Network, framework: str, prepare: Callable[[Any, Any], Any] = lambda fw, model: model) -> Once:
    """Forward, loss, backward and optimizer, as users write them."""
    fw = importlib.import_module(framework)
    fw.manual_seed(0)
    model = prepare(fw, network.build(fw))
    objective = network.objective(fw)
    optimizer = network.optimizer(fw, model.parameters())
    inputs, targets = map(fw.from_numpy, network.arrays())

    def step() -> Any:
        loss = objective(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def minigrad_compiled(network: Network) -> Once:
    """The same step, recorded once and replayed."""
    fw: Any = importlib.import_module("minigrad")
    fw.manual_seed(0)
    model = network.build(fw)
    objective = network.objective(fw)
    optimizer = network.optimizer(fw, model.parameters())

    def step(inputs: Any, targets: Any) -> Any:
        loss = objective(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    compiled = fw.compile(step)
    batch = tuple(map(fw.from_numpy, network.arrays()))
    return lambda: compiled(*batch)


def channels_last(fw: Any, model: Any) -> Any:
    """PyTorch's other memory layout for images; the inputs follow the first layer's weights."""
    return model.to(memory_format=fw.channels_last)


def torch_keeping(network: Network) -> Once:
    """PyTorch where the C library keeps freed memory, as `minigrad` asks it to."""
    keep_freed()
    return eager(network, "torch")


@dataclass(frozen=True)
class Contender:
    """A way to train, the package that it needs, and the networks that it knows."""

    name: str
    package: str
    prepare: Callable[[Network], Once]
    knows: Callable[[Network], bool] = lambda network: True

    @property
    def installed(self) -> bool:
        """Whether its package is there."""
        return importlib.util.find_spec(self.package) is not None


def plain(network: Network) -> bool:
    """An MLP with cross entropy and SGD, no dropout: what every tape engine can do."""
    return bool(network.widths) and network.loss == "cross_entropy" and not network.dropout and not network.adam


KEEPING = "torch, memory kept"
CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("minigrad", "minigrad", lambda network: eager(network, "minigrad")),
        Contender("minigrad compiled", "minigrad", minigrad_compiled),
        Contender("torch", "torch", lambda network: eager(network, "torch")),
        Contender(KEEPING, "torch", torch_keeping),
        Contender(
            "torch channels_last",
            "torch",
            lambda network: eager(network, "torch", channels_last),
            lambda network: len(network.shape) == 3,
        ),
        Contender(
            "torch.compile",
            "torch",
            lambda network: eager(network, "torch", lambda fw, model: fw.compile(model)),
            lambda network: bool(network.widths) or len(network.shape) == 3,
        ),
        Contender(
            "JAX jit", "jax", peers.jax_step, lambda network: bool(network.widths) or network.experiment == "mnist_cnn"
        ),
        Contender("MyGrad", "mygrad", peers.mygrad_step, plain),
        Contender("autograd", "autograd", peers.autograd_step, plain),
        Contender("floor", "numpy", floor.step),
        Contender("products", "numpy", floor.products, lambda network: bool(network.widths)),
    )
}
"""In the order of the table. The floor is a step fused by hand for one network; products are its matrix products."""

GROWING = ("minigrad", "minigrad compiled", "torch", "products")  #: what the scaling figure shows
