"""The loop itself, in the words that both frameworks share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from experiments.runner.errors import NonFinite

EVALUATION_BATCH = 1_000  # as large as the caches like; it changes no result

OnBatch = Callable[[float], None]


@dataclass
class Trainer:
    """All that learns, and all that it learns from.

    `objective(model, *batch)` is the loss to minimise, averaged over the batch; `scheduler` steps once an
    epoch, or after every batch where `each_batch` says so.
    """

    model: Any
    optimizer: Any
    loader: Any
    objective: Callable[..., Any]
    scheduler: Any = None
    each_batch: bool = False
    gradients: Callable[..., Any] = field(init=False)  #: `differentiate`, or what it was compiled to
    answering: Any = field(init=False)  #: the model, or what it was compiled to: for measuring

    def __post_init__(self) -> None:
        self.gradients, self.answering = self.differentiate, self.model

    def compile(self, compiler: Callable[[Callable[..., Any]], Any]) -> None:
        """Lets `compiler` (``fw.compile``) make faster functions of what a step does before the parameters move, and
        of the model.
        """
        self.gradients, self.answering = compiler(self.differentiate), compiler(self.model)

    def differentiate(self, *batch: Any) -> Any:
        """The loss of a batch; its gradients are left with the parameters."""
        loss = self.objective(self.model, *batch)
        self.optimizer.zero_grad()
        loss.backward()
        return loss

    @property
    def learning_rate(self) -> float:
        """The rate that the next step takes (of the first parameter group)."""
        return float(self.optimizer.param_groups[0]["lr"])

    def epoch(self, on_batch: OnBatch = lambda loss: None) -> float:
        """Trains once through the loader; returns the mean of the batches' losses.

        Raises:
            NonFinite: before the step that would spoil the parameters, or after the last step if it did.
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
        for name, parameter in self.model.named_parameters():  # what the last step did, no loss has seen yet
            if not math.isfinite(parameter.sum().item()):
                raise NonFinite(f"parameter {name}", step)
        if self.scheduler is not None and not self.each_batch:
            self.scheduler.step()
        return total / step


def batches(fw: Any, *tensors: Any, size: int, shuffle: bool = False) -> Any:
    """A loader over tensors, a batch of samples at a time."""
    return fw.utils.data.DataLoader(fw.utils.data.TensorDataset(*tensors), batch_size=size, shuffle=shuffle)


def logits(fw: Any, model: Any, inputs: Any) -> Any:
    """The model's answers in evaluation mode, a large batch at a time, without a graph."""
    model.eval()
    with fw.no_grad():
        return fw.cat([model(batch) for (batch,) in batches(fw, inputs, size=EVALUATION_BATCH)])


def accuracy(fw: Any, model: Any, inputs: Any, labels: Any) -> float:
    """The share of samples that the model classifies correctly."""
    correct = (logits(fw, model, inputs).argmax(1) == labels).sum().item()
    return float(correct / len(labels))
