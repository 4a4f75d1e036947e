"""Outputs, loss and gradients of one network: from its seed, for one batch with a little noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.testing.compare import as_array, flat, norm
from parity.measure import networks
from parity.measure.networks import Network

NOISE = 0.1  #: standard deviation of what is added to the inputs


@dataclass(frozen=True)
class View:
    """One way to compute a network's gradients.

    Attributes:
        dtype: float64 or float32.
        training: in training mode, with dropout and batch statistics; else in evaluation mode.
        probabilities: with random probabilities in place of the targets.
        second: second order: the gradient of the gradient's norm.
    """

    dtype: str
    training: bool = True
    probabilities: bool = False
    second: bool = False

    @property
    def name(self) -> str:
        """For a column of the table.

        >>> View("float64", training=False).name
        'float64 eval'
        """
        what = "2nd order" if self.second else "prob. targets" if self.probabilities else ""
        return f"{self.dtype} {what or ('train' if self.training else 'eval')}"

    @property
    def gradient(self) -> str:
        """How the names of the parameters' gradients begin."""
        return "2nd order of " if self.second else "gradient of "


VIEWS = (
    View("float64"),
    View("float64", training=False),
    View("float64", probabilities=True),
    View("float64", second=True),
    View("float32"),
    View("float32", training=False),
    View("float32", probabilities=True),
)


class NotApplicable(Exception):  # noqa: N818 - no error
    """The reason why a view does not apply to a network."""


def compute(network: Network, view: View) -> dict[str, Array | None]:
    """Everything that a view compares, by name, in one framework.

    Raises:
        NotApplicable: where the view needs probabilities as targets, and the objective takes none.
    """
    trainer, fw = network.start(view.dtype), network.fw
    model, batch = trainer.model, _untied(fw, next(iter(trainer.loader)), network.seed)
    if view.dtype == "float64":
        batch = [networks.widened(tensor) for tensor in batch]
    if view.probabilities:
        batch = [*batch[:-1], _probabilities(fw, model, batch, network.seed)]
    batch = [t.detach().requires_grad_() if t.is_floating_point() else t for t in batch]
    if not view.training:
        with fw.no_grad():
            trainer.objective(model.train(), *batch)  # running statistics that differ from their start
    model.train(view.training)
    outputs: list[Any] = []
    hook = model.register_forward_hook(lambda module, args, result: outputs.extend(flat(result)))
    try:
        loss = trainer.objective(model, *batch)
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        if view.probabilities:
            raise NotApplicable(f"the objective takes no probabilities: {str(error).splitlines()[0]}") from error
        raise
    finally:
        hook.remove()

    inputs = {f"input {i}" if i else "input": t for i, t in enumerate(batch) if t.is_floating_point()}
    if view.probabilities:
        inputs["targets"] = inputs.pop(f"input {len(batch) - 1}")
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    leaves = [*parameters.values(), *inputs.values()]
    gradients = fw.autograd.grad(loss, leaves, create_graph=view.second, allow_unused=True)
    if view.probabilities and gradients[-1] is None:
        raise NotApplicable("the objective uses no targets")
    values: dict[str, Any] = {"loss": loss}
    if view.second:
        values = {"norm of the gradient": norm(gradients)}
        gradients = fw.autograd.grad(values["norm of the gradient"], leaves, allow_unused=True)
    else:
        values |= {f"output {i}" if i else "output": tensor for i, tensor in enumerate(outputs)}
        values |= {f"buffer {name}": tensor for name, tensor in model.named_buffers()}
    names = [view.gradient + name for name in parameters] + [f"{view.gradient[:-4]} w.r.t. {name}" for name in inputs]
    return {name: as_array(tensor) for name, tensor in {**values, **dict(zip(names, gradients, strict=True))}.items()}


def _untied(fw: Any, batch: Sequence[Any], seed: int) -> Sequence[Any]:
    """The batch, with a little noise on inputs that are floats.

    Where an image is constant, all values in a pooling window are equal but for rounding, and rounding alone would
    decide which of them gets the gradient.
    """
    inputs = batch[0]
    if not inputs.is_floating_point():
        return batch
    noise = np.random.default_rng(seed).normal(0.0, NOISE, tuple(inputs.shape))
    return [inputs + fw.from_numpy(noise.astype(np.float32)), *batch[1:]]


def _probabilities(fw: Any, model: Any, batch: Sequence[Any], seed: int) -> Any:
    """Random distributions over the classes in place of labels, numbers in (0, 1) in place of other targets."""
    if len(batch) < 2:
        raise NotApplicable("the objective has no targets")
    rng, inputs, targets = np.random.default_rng(seed), batch[0], batch[-1]
    shape = tuple(targets.shape)
    if not targets.is_floating_point():
        with fw.random.fork_rng(), fw.no_grad():
            outputs = flat(model(inputs))[0]
        if tuple(outputs.shape)[:1] != shape or outputs.ndim != 2:
            raise NotApplicable(f"targets {list(shape)} for outputs {list(outputs.shape)} are no labels")
        values = rng.dirichlet(np.ones(outputs.shape[1]), size=len(outputs))
    else:
        values = rng.uniform(0.05, 0.95, shape)
    return fw.from_numpy(values.astype(np.float64 if inputs.dtype == fw.float64 else np.float32))
