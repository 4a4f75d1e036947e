"""Both frameworks in lockstep: a batch in one, the same batch in the other, and how far that leaves them apart."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from experiments.runner.files import Row
from experiments.training.trainer import Trainer
from parity.measure.networks import Pair

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
    reached: dict[str, int | None] = field(default_factory=lambda: {f"{size:g}": None for size in DRIFTS})
    _next_sample: int = 1

    @property
    def complete(self) -> bool:
        """Whether each size was reached."""
        return None not in self.reached.values()

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


class Together:
    """Both trainers of a pair in float32, from their seed, and the drift of their parameters."""

    def __init__(self, pair: Pair) -> None:
        self.ours, self.theirs = (network.start() for network in (pair.ours, pair.theirs))
        self.drift = Drift()
        self._parameters = list(zip(self.ours.model.parameters(), self.theirs.model.parameters(), strict=True))

    def epoch(self, until_reached: bool = False) -> tuple[float, float]:
        """Trains both for an epoch; returns their mean losses.

        Raises:
            Stopped: once each size of drift is reached, if asked for.
        """

        def after_step() -> None:
            self.drift.after_step(self._parameters)
            if until_reached and self.drift.complete:
                raise Stopped

        return side_by_side(self.ours, self.theirs, after_step)


def follow(pair: Pair, epochs: int) -> Drift:
    """Trains both in float32 until each size of drift is reached, or for so many epochs."""
    both = Together(pair)
    with suppress(Stopped):
        for _ in range(min(epochs, pair.ours.epochs)):
            both.epoch(until_reached=True)
    return both.drift


def train(
    pair: Pair, epochs: int | None = None, say: Callable[[str], None] = lambda text: None
) -> tuple[list[Row], list[Row], Drift]:
    """Trains both in float32 for as long as the experiment does, or for so many epochs.

    Returns:
        What the experiment records after each epoch, and the `loss`: ours and theirs; and the drift.
    """
    both, total = Together(pair), epochs or pair.ours.epochs
    histories: tuple[list[Row], list[Row]] = ([], [])
    for epoch in range(1, total + 1):
        rate = both.ours.learning_rate
        sides = zip(histories, both.epoch(), (pair.ours, pair.theirs), (both.ours, both.theirs), strict=True)
        for rows, loss, network, trainer in sides:
            rows.append({"epoch": epoch, "learning_rate": rate, "loss": loss, **network.measure(trainer.model)})
        say(f"{pair.name}, epoch {epoch}/{total}")
    return *histories, both.drift
