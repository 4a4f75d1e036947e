"""The training loop, for both frameworks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from experiments.runner.errors import NonFinite

EVALUATION_BATCH = 1_000  # fits into the caches; has no influence on results

OnBatch = Callable[[float], None]


@dataclass
class Trainer:
    """A model with all that trains it.

    `objective(model, *batch)` is the loss to minimise, averaged over the batch; `scheduler` steps once an
    epoch, or after every batch where `each_batch` says so.
    """

    model: Any
    optimizer: Any
    loader: Any
    objective: Callable[..., Any]
    scheduler: Any = None
    each_batch: bool = False
    gradients: Callable[..., Any] = field(init=False)  #: `differentiate`, or its compiled version
    answering: Any = field(init=False)  #: the model, or its compiled version: for evaluation

    def __post_init__(self) -> None:
        self.gradients, self.answering = self.differentiate, self.model

    def compile(self, compiler: Callable[[Callable[..., Any]], Any]) -> None:
        """Compiles, with `compiler` (``fw.compile``), the model and the part of a step before the update."""
        self.gradients, self.answering = compiler(self.differentiate), compiler(self.model)

    def differentiate(self, *batch: Any) -> Any:
        """The loss of a batch; stores its gradients in the parameters."""
        loss = self.objective(self.model, *batch)
        self.optimizer.zero_grad()
        loss.backward()
        return loss

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step (of the first parameter group)."""
        return float(self.optimizer.param_groups[0]["lr"])

    def epoch(self, on_batch: OnBatch = lambda loss: None) -> float:
        """Trains for one epoch; returns the mean of the batches' losses.

        Raises:
            NonFinite: if a loss is not finite, before the update, or if a parameter is not after the last step.
        """
        self.model.train()
        total, step = 0.0, 0
        for step, batch in enumerate(self.loader, start=1):
            value = self.gradients(*batch).item()
            if not math.isfinite(value):
                raise NonFinite(f"loss ({value})", step)
            self.optimizer.step()
            if self.each_batch:
                self.scheduler.step()
            total += value
            on_batch(value)
        for name, parameter in self.model.named_parameters():  # the losses don't show the last update
            if not math.isfinite(parameter.sum().item()):
                raise NonFinite(f"parameter {name}", step)
        if self.scheduler is not None and not self.each_batch:
            self.scheduler.step()
        return total / step


def batches(fw: Any, *tensors: Any, size: int, shuffle: bool = False) -> Any:
    """A loader for batches of the samples in these tensors."""
    return fw.utils.data.DataLoader(fw.utils.data.TensorDataset(*tensors), batch_size=size, shuffle=shuffle)


def logits(fw: Any, model: Any, inputs: Any) -> Any:
    """The model's outputs in evaluation mode, without a graph, in large batches."""
    model.eval()
    with fw.no_grad():
        return fw.cat([model(batch) for (batch,) in batches(fw, inputs, size=EVALUATION_BATCH)])


def accuracy(fw: Any, model: Any, inputs: Any, labels: Any) -> float:
    """The share of samples that the model classifies correctly."""
    correct = (logits(fw, model, inputs).argmax(1) == labels).sum().item()
    return float(correct / len(labels))
