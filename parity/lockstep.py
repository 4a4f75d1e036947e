"""Both frameworks in lockstep: a batch here, the same batch there, and how far that leaves their parameters apart."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from experiments.training.trainer import Trainer
from parity import tolerances
from parity.compare import as_array
from parity.networks import Pair

SAMPLES_A_DECADE = 30  #: of the curve of the drift: so many steps between the first and the tenth, the tenth …


def side_by_side(ours: Trainer, theirs: Trainer, after_step: Callable[[], None]) -> tuple[float, float]:
    """Trains both for an epoch, in turn a batch each; returns their mean losses.

    `Trainer.epoch` runs as it is on either side, theirs in a thread that waits for its turn.

    Raises:
        AssertionError: if one has more batches than the other.
    """
    turn, news = queue.Queue[bool](), queue.Queue[Any]()

    def wait(_: float = 0.0) -> None:
        if not turn.get():
            raise Stopped

    def tell(loss: float) -> None:
        news.put(None)
        wait()

    def run() -> None:
        try:
            wait()
            news.put(theirs.epoch(tell))
        except Stopped:
            pass
        except BaseException as error:
            news.put(error)

    def step(loss: float) -> None:
        turn.put(True)
        answer = news.get()
        if isinstance(answer, BaseException):
            raise answer
        assert answer is None, "PyTorch's epoch has fewer batches"
        after_step()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        our_loss = ours.epoch(step)
        turn.put(True)
        their_loss = news.get()
        if isinstance(their_loss, BaseException):
            raise their_loss
        assert their_loss is not None, "PyTorch's epoch has more batches"
        return our_loss, their_loss
    finally:
        turn.put(False)
        thread.join()


class Stopped(Exception):  # noqa: N818 - no error
    """Ends a training before its time."""


def apart(ours: Any, theirs: Any) -> dict[str, float]:
    """The largest difference in each parameter and buffer of two models, by name; nan counts as infinitely far."""
    there = theirs.state_dict()
    found = {}
    for name, tensor in ours.state_dict().items():
        a, b = as_array(tensor), as_array(there[name])
        assert a is not None
        assert b is not None
        difference = np.abs(a.astype(np.float64) - b).max(initial=0.0)
        found[name] = float("inf") if np.isnan(difference) else float(difference)
    return found


@dataclass
class Drift:
    """How the parameters of two models part, step by step.

    Attributes:
        steps: how many were followed.
        last: the largest difference of any parameter when it was measured last; until each size is reached, after
            the last step.
        curve: pairs of a step (from 1) and the largest difference of any parameter after it.
        reached: the first step after which that difference is at least so large, by it as text; None: never.
    """

    steps: int = 0
    last: float = 0.0
    curve: list[tuple[int, float]] = field(default_factory=list)
    reached: dict[str, int | None] = field(default_factory=lambda: {f"{size:g}": None for size in tolerances.DRIFTS})
    _next_sample: int = 1

    @property
    def complete(self) -> bool:
        """Whether each size was reached."""
        return None not in self.reached.values()

    def after_step(self, parameters: Iterable[tuple[Any, Any]]) -> None:
        """Measures pairs of parameters after one more step, where there is something to learn from it."""
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


def follow(pair: Pair, epochs: int) -> Drift:
    """Trains both in float32 until each size of drift is reached, or for so many epochs."""
    ours, theirs = (network.start() for network in (pair.ours, pair.theirs))
    parameters = list(zip(ours.model.parameters(), theirs.model.parameters(), strict=True))
    drift = Drift()

    def after_step() -> None:
        drift.after_step(parameters)
        if drift.complete:
            raise Stopped

    try:
        for _ in range(min(epochs, pair.ours.epochs)):
            side_by_side(ours, theirs, after_step)
    except Stopped:
        pass
    return drift
