"""Trainings in both frameworks, judged: an epoch in float64, and whole trajectories in float32, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from experiments.runner.files import Row
from parity.judge import tolerances
from parity.measure import lockstep, networks
from parity.measure.finished import Paired
from parity.measure.lockstep import Drift
from parity.measure.networks import Pair

MANY = 30  #: networks of an experiment; where there are more, those of a kind share a row


@dataclass(frozen=True)
class Epoch:
    """One epoch in float64.

    Attributes:
        pair: the network.
        optimizer: what trains it.
        steps: how many.
        apart: how far each parameter and buffer is from PyTorch's in the end, at most: by name, absolute.
        losses: the epoch's mean loss, ours and theirs.
    """

    pair: Pair
    optimizer: str
    steps: int
    apart: dict[str, float]
    losses: tuple[float, float]

    @property
    def worst(self) -> tuple[str, float]:
        """The parameter that is furthest apart."""
        return max(self.apart.items(), key=lambda item: item[1])

    @property
    def passed(self) -> bool:
        """Whether all are within the tolerance."""
        return self.worst[1] <= tolerances.TRAJECTORY

    def as_json(self, itself: float | None) -> dict[str, Any]:
        """The epoch as JSON holds it; `itself`: how far PyTorch is from itself, where that was measured."""
        measured = {name: getattr(self, name) for name in ("optimizer", "steps", "apart", "losses", "passed")}
        return {**self.pair.as_json(), **measured, "furthest": self.worst[1], "itself": itself}


def one_epoch(pair: Pair) -> Epoch:
    """Trains an epoch in float64, and compares all that was trained."""
    ours, theirs = (network.start("float64") for network in (pair.ours, pair.theirs))
    losses = lockstep.side_by_side(ours, theirs, lambda: None)
    apart = lockstep.apart(ours.model, theirs.model)
    return Epoch(pair, type(ours.optimizer).__name__, len(ours.loader), apart, losses)


@dataclass(frozen=True)
class Trajectory:
    """A whole training in float32.

    Attributes:
        pair: the network.
        ours: what the experiment records after each epoch, and the `loss`.
        theirs: the same in PyTorch.
    """

    pair: Pair
    ours: list[Row]
    theirs: list[Row]

    @property
    def accuracies(self) -> list[str]:
        """The columns that are compared."""
        return [column for column in self.ours[0] if column.endswith("accuracy")]

    @property
    def allowed(self) -> float:
        """Percentage points."""
        return tolerances.points(self.pair.data)

    @property
    def points(self) -> float:
        """The largest difference of an accuracy after the same epoch, in percentage points."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return max((100 * abs(a[c] - b[c]) for a, b in pairs for c in self.accuracies), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether the accuracies are within the tolerance."""
        return round(self.points, 9) <= self.allowed  # 100 times a decimal difference is not exactly decimal


@dataclass(frozen=True)
class Group:
    """The trajectories of one network, or of several of a kind.

    Attributes:
        pair: the network that was followed step by step.
        trajectories: all of them.
        drift: how its parameters drift apart.
        itself: how far PyTorch is from itself after as many steps, where that was measured.
    """

    pair: Pair
    trajectories: tuple[Trajectory, ...]
    drift: Drift
    itself: float | None = None

    @property
    def worst(self) -> Trajectory:
        """The trajectory with the largest difference of accuracies."""
        return max(self.trajectories, key=lambda trajectory: trajectory.points)

    @property
    def outside(self) -> list[str]:
        """The stages that are outside the tolerance."""
        return [trajectory.pair.stage for trajectory in self.trajectories if not trajectory.passed]

    def as_json(self) -> dict[str, Any]:
        """The group as JSON holds it; the curves are those of the worst trajectory."""
        trainer, worst, drift = self.pair.ours.start(), self.worst, self.drift
        stages = [trajectory.pair.stage for trajectory in self.trajectories]
        trained_by = {"optimizer": type(trainer.optimizer).__name__, "steps": len(trainer.loader)}
        parted = {"drift": drift.curve, "reached": drift.reached, "followed": drift.steps, "drifted": drift.last}
        return {
            **self.pair.as_json(),
            **trained_by,
            **parted,
            **{name: getattr(worst, name) for name in ("ours", "theirs", "accuracies", "allowed", "points")},
            **{name: getattr(self, name) for name in ("outside", "itself")},
            "alike": [stage for stage in stages if stage != self.pair.stage],
            "shown": worst.pair.stage,
            "passed": not self.outside,
            "points_of": {t.pair.stage: t.points for t in self.trajectories if t.accuracies},
        }


def whole_trajectory(pair: Pair, epochs: int | None = None, say: Callable[[str], None] = lambda text: None) -> Group:
    """Trains in float32 for as long as the experiment does, or for so many epochs, both side by side."""
    ours, theirs, drift = lockstep.train(pair, epochs, say)
    return Group(pair, (Trajectory(pair, ours, theirs),), drift)


def of_runs(run: Paired, epochs: int = 1, say: Callable[[str], None] = lambda text: None) -> Iterator[Group]:
    """The trajectories of two runs. Their first epochs are trained again, in lockstep, to follow the drift.

    Of experiments with many networks, those of a kind make one group, and one of them is followed. Where accuracies
    are outside the tolerance, PyTorch is compared with itself after as many steps.
    """
    trajectories = {pair.stage: Trajectory(pair, *run.curves[pair.stage]) for pair in run.pairs}
    kinds: Sequence[Pair] = run.pairs
    if len(kinds) >= MANY:
        kinds = networks.merged(kinds, networks.training_of)
    for pair in kinds:
        say(f"{pair.name}, step by step")
        members = tuple(trajectories[stage] for stage in (pair.stage, *pair.alike))
        group = Group(pair, members, lockstep.follow(pair, epochs))
        if group.outside:
            group = replace(group, itself=lockstep.from_itself(pair.theirs, "float32", group.drift.steps))
        yield group


def reached(step: int | None, followed: int) -> str:
    """When a drift was reached, in words.

    >>> reached(1200, 3000), reached(None, 3000)
    ('step 1,200', 'never within 3,000 steps')
    """
    return f"never within {followed:,} steps" if step is None else f"step {step:,}"
