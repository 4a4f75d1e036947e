"""Trainings in float32, epoch by epoch: the accuracies of both frameworks, and how their parameters drift apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.runner.files import Row
from parity import control, networks, tolerances
from parity.lockstep import Drift, follow, side_by_side
from parity.networks import Pair
from parity.runs import Paired

MANY = 30  #: networks of an experiment, from which on those of a kind share a row


@dataclass(frozen=True)
class Course:
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
        return round(self.points, 9) <= self.allowed  # 100 × a difference of decimals is no decimal


@dataclass(frozen=True)
class Group:
    """The courses of one network, or of several of a kind.

    Attributes:
        pair: the network that was followed step by step.
        courses: all of them.
        drift: how its parameters part.
        itself: how far PyTorch is from itself after as many steps, where that was tried.
    """

    pair: Pair
    courses: tuple[Course, ...]
    drift: Drift
    itself: float | None = None

    @property
    def worst(self) -> Course:
        """The course with the largest difference of accuracies."""
        return max(self.courses, key=lambda course: course.points)

    @property
    def outside(self) -> list[str]:
        """The stages that are outside the tolerance."""
        return [course.pair.stage for course in self.courses if not course.passed]

    def as_json(self) -> dict[str, Any]:
        """For the page; the curves are those of the worst course."""
        trainer = self.pair.ours.start()
        worst, drift = self.worst, self.drift
        about = {name: getattr(self.pair, name) for name in ("experiment", "stage", "data", "final")}
        return {
            **about,
            "alike": [course.pair.stage for course in self.courses if course.pair.stage != self.pair.stage],
            "optimizer": type(trainer.optimizer).__name__,
            "steps": len(trainer.loader),
            "shown": worst.pair.stage,
            "ours": worst.ours,
            "theirs": worst.theirs,
            "accuracies": worst.accuracies,
            "allowed": worst.allowed,
            "points": worst.points,
            "passed": not self.outside,
            "outside": self.outside,
            "points_of": {course.pair.stage: course.points for course in self.courses if course.accuracies},
            "drift": drift.curve,
            "reached": drift.reached,
            "followed": drift.steps,
            "drifted": drift.last,
            "itself": self.itself,
        }


def whole_course(pair: Pair, epochs: int | None = None, say: Callable[[str], None] = lambda text: None) -> Group:
    """Trains in float32 for as long as the experiment does, or for so many epochs, both side by side."""
    ours, theirs = (network.start() for network in (pair.ours, pair.theirs))
    parameters = list(zip(ours.model.parameters(), theirs.model.parameters(), strict=True))
    drift, course = Drift(), Course(pair, [], [])
    total = epochs or pair.ours.epochs
    for epoch in range(1, total + 1):
        rate = ours.learning_rate
        our_loss, their_loss = side_by_side(ours, theirs, lambda: drift.after_step(parameters))
        for rows, loss, network, trainer in (
            (course.ours, our_loss, pair.ours, ours),
            (course.theirs, their_loss, pair.theirs, theirs),
        ):
            rows.append({"epoch": epoch, "learning_rate": rate, "loss": loss, **network.measure(trainer.model)})
        say(f"{pair.name}, epoch {epoch}/{total}")
    return Group(pair, (course,), drift)


def of_runs(run: Paired, epochs: int = 1, say: Callable[[str], None] = lambda text: None) -> list[Group]:
    """The courses of two runs; their first epochs again, in lockstep, for the steps at which the parameters part.

    Of experiments with many networks, those of a kind make one group, and one of them is followed. Where accuracies
    are outside the tolerance, PyTorch is held against itself after as many steps.
    """
    courses = {pair.stage: Course(pair, *run.curves[pair.stage]) for pair in run.pairs}
    kinds: Sequence[Pair] = run.pairs
    if len(kinds) >= MANY:
        kinds = networks.merged(kinds, networks.training_of)
    groups = []
    for pair in kinds:
        say(f"{pair.name}, step by step")
        members = tuple(courses[stage] for stage in (pair.stage, *pair.alike))
        group = Group(pair, members, follow(pair, epochs))
        if group.outside:
            group = Group(pair, members, group.drift, control.from_itself(pair.theirs, "float32", group.drift.steps))
        groups.append(group)
    return groups


def draw(group: Group, folder: Path) -> Path:
    """Both curves on one plot, their difference, and how the parameters drift apart; returns the PNG's path."""
    from experiments.reporting import figures
    from experiments.runner import files

    figures.check_installed()
    course = group.worst
    figure, (curves, difference, drift) = figures.canvas(1, 3, size=(14.0, 4.2))
    columns = course.accuracies or [c for c in course.ours[0] if c not in ("epoch", "learning_rate")]
    scale, unit = (100, "accuracy (%)") if course.accuracies else (1, "loss")
    epochs = [row["epoch"] for row in course.ours]
    for column, colour in zip(columns, (figures.TRAINING, figures.VALIDATION, figures.TEST), strict=False):
        ours, theirs = ([scale * row[column] for row in rows] for rows in (course.ours, course.theirs))
        label = column.replace("_", " ")
        curves.plot(epochs, theirs, color=colour, linewidth=4, alpha=0.35, label=f"{label}, PyTorch")
        curves.plot(epochs, ours, color=colour, linewidth=1.2, marker="o", markersize=3, label=f"{label}, minigrad")
        apart = [a - b for a, b in zip(ours, theirs, strict=True)]
        difference.plot(epochs, apart, color=colour, marker="o", markersize=3, label=label)
    curves.set(title="Both frameworks, same seed", xlabel="epoch", ylabel=unit)
    curves.legend(fontsize=8)
    if course.accuracies:
        for sign in (-1, 1):
            difference.axhline(sign * course.allowed, color=figures.MARK, linestyle="--", linewidth=1)
        difference.annotate(f"allowed: ±{course.allowed:g}", (epochs[0], course.allowed), va="bottom", fontsize=8)
        unit = "percentage points"
    difference.set(title="minigrad − PyTorch", xlabel="epoch", ylabel=unit)
    for axes in (curves, difference):
        figures.whole_numbers(axes)
    steps, sizes = zip(*group.drift.curve, strict=True)
    drift.loglog(steps, [max(size, 1e-10) for size in sizes], color=figures.TRAINING)
    for size, step in group.drift.reached.items():
        drift.axhline(float(size), color=figures.MARK, linestyle="--", linewidth=1)
        drift.annotate(f"{size}: {reached(step, group.drift.steps)}", (1, float(size)), va="bottom", fontsize=8)
    drift.set(title="Rounding drives the parameters apart", xlabel="step", ylabel="largest difference of any parameter")
    figure.suptitle(f"{course.pair.name} (float32)")
    path = folder / f"{group.pair.experiment}-{group.pair.stage.replace(' ', '-')}.png"
    with files.replacing(path) as file:
        figure.savefig(file, format="png", metadata={"Software": None})
    return path


def reached(step: int | None, followed: int) -> str:
    """When a drift was reached, in words.

    >>> reached(1200, 3000), reached(None, 3000)
    ('step 1,200', 'never within 3,000 steps')
    """
    return f"never within {followed:,} steps" if step is None else f"step {step:,}"
