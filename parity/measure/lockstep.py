"""Both frameworks in lockstep: a batch in one, the same batch in the other, and how far that leaves them apart."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from experiments.runner.files import Row
from experiments.training.trainer import Trainer
from parity.measure.networks import Network, Pair

DRIFTS = (1e-4, 1e-2)  #: differences of parameters in float32; the step that reaches each is reported
SAMPLES_A_DECADE = 30  #: of the curve of the drift: so many steps between the first and the tenth, the tenth …


class Stopped(Exception):  # noqa: N818 - no error
    """Ends a training early."""


def side_by_side(ours: Trainer, theirs: Trainer, after_step: Callable[[], None]) -> tuple[float, float]:
    """Trains both for an epoch, one batch each in turn; returns their mean losses.

    Both run the same `Trainer.epoch`, theirs in a thread that waits for its turn.

    Raises:
        AssertionError: if one has more batches than the other.
    """
    turn, results = queue.Queue[bool](), queue.Queue[Any]()

    def wait() -> None:
        if not turn.get():
            raise Stopped

    def after_batch(loss: float) -> None:
        results.put(None)
        wait()

    def run() -> None:
        try:
            wait()
            results.put(theirs.epoch(after_batch))
        except Stopped:
            pass
        except BaseException as error:
            results.put(error)

    def next_result() -> Any:
        turn.put(True)
        result = results.get()
        if isinstance(result, BaseException):
            raise result
        return result

    def step(loss: float) -> None:
        assert next_result() is None, "PyTorch's epoch has fewer batches"
        after_step()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        our_loss, their_loss = ours.epoch(step), next_result()
        assert their_loss is not None, "PyTorch's epoch has more batches"
        return our_loss, their_loss
    finally:
        turn.put(False)
        thread.join()


def apart(ours: Any, theirs: Any) -> dict[str, float]:
    """The largest difference in each parameter and buffer of two models, by name; infinite where there is a nan."""
    there, found = theirs.state_dict(), {}
    for name, tensor in ours.state_dict().items():
        a, b = (np.asarray(t.detach().numpy()) for t in (tensor, there[name]))
        difference = float(np.abs(a.astype(np.float64) - b).max(initial=0.0))
        found[name] = float("inf") if np.isnan(difference) else difference
    return found


@dataclass
class Drift:
    """How the parameters of two models drift apart, step by step.

    Attributes:
        steps: how many were followed.
        last: the largest difference of any parameter when it was last measured: after the last step, until each size
            is reached.
        curve: pairs of a step (from 1) and the largest difference of any parameter after it.
        reached: for each size of `DRIFTS`, as text, the first step after which the difference is at least that
            large; None: never.
    """

    steps: int = 0
    last: float = 0.0
    curve: list[tuple[int, float]] = field(default_factory=list)
    reached: dict[str, int | None] = field(default_factory=lambda: {f"{size:g}": None for size in DRIFTS})
    _next_sample: int = 1

    def after_step(self, parameters: Iterable[tuple[Any, Any]]) -> None:
        """Counts one more step; measures the pairs of parameters where a size may be reached or a sample is due."""
        self.steps += 1
        wanted = [limit for limit, step in self.reached.items() if step is None]
        if not wanted and self.steps < self._next_sample:
            return
        self.last = max(float(np.abs(p.detach().numpy() - q.detach().numpy()).max(initial=0.0)) for p, q in parameters)
        for limit in wanted:
            if self.last >= float(limit):
                self.reached[limit] = self.steps
        if self.steps >= self._next_sample:
            self.curve.append((self.steps, self.last))
            self._next_sample = max(self.steps + 1, round(self.steps * 10 ** (1 / SAMPLES_A_DECADE)))


def train(
    pair: Pair, epochs: int | None = None, say: Callable[[str], None] = lambda text: None, only_drift: bool = False
) -> tuple[list[Row], list[Row], Drift]:
    """Trains both in float32 for as long as the experiment does, or for so many epochs.

    Args:
        pair: the network.
        epochs: None: as many as the experiment takes.
        say: called with a line of progress after each epoch.
        only_drift: measures nothing but the drift, and ends when each size is reached.

    Returns:
        What the experiment records after each epoch, and the `loss`: ours and theirs; and the drift.
    """
    ours, theirs = (network.start() for network in (pair.ours, pair.theirs))
    parameters = list(zip(ours.model.parameters(), theirs.model.parameters(), strict=True))
    drift, total = Drift(), epochs or pair.ours.epochs
    histories: tuple[list[Row], list[Row]] = ([], [])

    def after_step() -> None:
        drift.after_step(parameters)
        if only_drift and None not in drift.reached.values():
            raise Stopped

    with suppress(Stopped):
        for epoch in range(1, total + 1):
            rate, losses = ours.learning_rate, side_by_side(ours, theirs, after_step)
            if not only_drift:
                sides = zip(histories, losses, (pair.ours, pair.theirs), (ours, theirs), strict=True)
                for rows, loss, network, trainer in sides:
                    recorded = network.measure(trainer.model)
                    rows.append({"epoch": epoch, "learning_rate": rate, "loss": loss, **recorded})
                say(f"{pair.name}, epoch {epoch}/{total}")
    return *histories, drift


def follow(pair: Pair, epochs: int) -> Drift:
    """The drift of both in float32, until each size is reached, or for so many epochs."""
    return train(pair, min(epochs, pair.ours.epochs), only_drift=True)[2]


# ---- PyTorch compared with itself ------------------------------------------------------------------------------


def from_itself(network: Network, dtype: str = "float64", steps: int | None = None) -> float:
    """The largest difference in any parameter or buffer between two trainings of PyTorch's network.

    The arrays of the second have another layout in memory, so that its sums are added in another order. Training
    amplifies rounding: where PyTorch is as far from itself as minigrad is from PyTorch, rounding explains the
    difference. After some steps, parameters alone are compared, as `Drift` does.

    Args:
        network: in PyTorch.
        dtype: of all that is computed.
        steps: how many to train; None: an epoch.
    """
    usual, other = (trained(network.start(dtype), steps, relaid) for relaid in (False, True))
    names = dict(usual.state_dict() if steps is None else usual.named_parameters())
    return max(distance for name, distance in apart(usual, other).items() if name in names)


def trained(trainer: Trainer, steps: int | None, relaid: bool) -> Any:
    """The model after so many steps, or an epoch; `relaid`: with another memory layout of parameters and batches."""
    if relaid:
        for parameter in trainer.model.parameters():
            parameter.data = other_layout(parameter.data)
        objective = trainer.objective
        trainer = replace(trainer, objective=lambda model, *batch: objective(model, *map(other_layout, batch)))
    count = itertools.count(1)

    def after_batch(loss: float) -> None:
        if next(count) == steps:
            raise Stopped

    with suppress(Stopped):
        trainer.epoch(after_batch)
        while steps:
            trainer.epoch(after_batch)
    return trainer.model


def other_layout(tensor: Any) -> Any:
    """The same numbers in another memory layout: images channels-last, matrices column by column.

    >>> import torch
    >>> other_layout(torch.zeros(2, 3, 4, 5)).stride(), other_layout(torch.zeros(2, 3)).stride()
    ((60, 1, 15, 3), (1, 2))
    """
    if tensor.ndim < 2:
        return tensor
    dim = 1 if tensor.ndim > 2 else 0
    return tensor.movedim(dim, -1).contiguous().movedim(-1, dim)
