"""Whole epochs from the same seed, both frameworks: shuffling, dropout, batch norm, optimizer and schedule included."""

from __future__ import annotations

import argparse
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from experiments.cli import positive
from experiments.files import Row
from experiments.options import Options
from experiments.training import Trainer
from parity import networks, tolerances
from parity.compare import as_array
from parity.networks import Pair

HELP = "an epoch of every network in float64; full-length runs in float32, side by side"
DTYPES = ("float64", "float32")
SAMPLES_A_DECADE = 30  #: of the curve of the drift: so many steps between the first and the tenth, the tenth …


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


@dataclass(frozen=True)
class Course:
    """A whole training in float32.

    Attributes:
        pair: the network.
        optimizer: what trains it.
        steps: of one epoch.
        ours: what the experiment records after each epoch, and the `loss`.
        theirs: the same in PyTorch.
        drift: pairs of a step (from 1) and the largest difference of any parameter after it.
        reached: the first step after which that difference is at least so large, by it as text; None: never.
    """

    pair: Pair
    optimizer: str
    steps: int
    ours: list[Row]
    theirs: list[Row]
    drift: list[tuple[int, float]] = field(default_factory=list)
    reached: dict[str, int | None] = field(default_factory=dict)

    @property
    def allowed(self) -> float:
        """Percentage points."""
        return tolerances.points(self.pair.data)

    @property
    def accuracies(self) -> list[str]:
        """The columns that are compared."""
        return [column for column in self.ours[0] if column.endswith("accuracy")]

    @property
    def points(self) -> float:
        """The largest difference of an accuracy after the same epoch, in percentage points."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return max((100 * abs(a[c] - b[c]) for a, b in pairs for c in self.accuracies), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether the accuracies are within the tolerance."""
        return round(self.points, 9) <= self.allowed  # 100 × a difference of decimals is no decimal


def side_by_side(ours: Trainer, theirs: Trainer, after_step: Callable[[], None]) -> tuple[float, float]:
    """Trains both for an epoch, in turn a batch each; returns their mean losses.

    `Trainer.epoch` runs as it is on either side, theirs in a thread that waits for its turn.

    Raises:
        AssertionError: if one has more batches than the other.
    """
    turn, news = queue.Queue[bool](), queue.Queue[Any]()

    def wait(_: float = 0.0) -> None:
        if not turn.get():
            raise _Stopped

    def tell(loss: float) -> None:
        news.put(None)
        wait()

    def run() -> None:
        try:
            wait()
            news.put(theirs.epoch(tell))
        except _Stopped:
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


class _Stopped(Exception):  # noqa: N818 - no error
    """Ends the thread where the other side has stopped."""


def one_epoch(pair: Pair) -> Epoch:
    """Trains an epoch in float64, and compares all that was trained."""
    ours, theirs = (network.start("float64") for network in (pair.ours, pair.theirs))
    losses = side_by_side(ours, theirs, lambda: None)
    return Epoch(pair, type(ours.optimizer).__name__, len(ours.loader), apart(ours.model, theirs.model), losses)


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


def whole_course(pair: Pair, epochs: int | None = None, say: Callable[[str], None] = lambda text: None) -> Course:
    """Trains in float32 for as long as the experiment does, or for so many epochs, both side by side."""
    ours, theirs = (network.start() for network in (pair.ours, pair.theirs))
    parameters = list(zip(ours.model.parameters(), theirs.model.parameters(), strict=True))
    course = Course(pair, type(ours.optimizer).__name__, len(ours.loader), [], [])
    course.reached.update({f"{size:g}": None for size in tolerances.DRIFTS})
    step, next_sample = 0, 1

    def after_step() -> None:
        nonlocal step, next_sample
        step += 1
        wanted = [size for size in course.reached if course.reached[size] is None]
        if not wanted and step < next_sample:
            return
        drift = max(float(np.abs(p.detach().numpy() - q.detach().numpy()).max(initial=0.0)) for p, q in parameters)
        for size in wanted:
            if drift >= float(size):
                course.reached[size] = step
        if step >= next_sample:
            course.drift.append((step, drift))
            next_sample = max(step + 1, round(step * 10 ** (1 / SAMPLES_A_DECADE)))

    total = epochs or pair.ours.epochs
    for epoch in range(1, total + 1):
        rate = ours.learning_rate
        our_loss, their_loss = side_by_side(ours, theirs, after_step)
        for rows, loss, network, trainer in (
            (course.ours, our_loss, pair.ours, ours),
            (course.theirs, their_loss, pair.theirs, theirs),
        ):
            rows.append({"epoch": epoch, "learning_rate": rate, "loss": loss, **network.measure(trainer.model)})
        say(f"{pair.name}, epoch {epoch}/{total}")
    return course


# ---- the command -----------------------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this command takes beside the common options."""
    parser.add_argument(
        "--epochs", type=positive, metavar="N", help="of the float32 runs, instead of the experiment's own"
    )
    parser.add_argument("--dtype", choices=DTYPES, help="only one of the two parts")
    parser.add_argument("--figures", type=Path, metavar="DIR", help="draw both curves and the drift there")


def run(names: Sequence[str], options: Options, told: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Prints a row a network; whether all passed, and all numbers for the report."""
    found: dict[str, Any] = {"tolerance": tolerances.TRAJECTORY, "float64": [], "float32": []}
    passed = True
    chosen = networks.merged(networks.pairs(names, options), networks.training_of)
    if told.dtype != "float32":
        passed &= _print_epochs(chosen, found["float64"])
    if told.dtype is None:
        print()
    if told.dtype != "float64":
        finals = [pair for pair in chosen if pair.final]
        passed &= _print_courses(finals, told.epochs, found["float32"], told.figures)
    return passed, found


def _print_epochs(pairs: Sequence[Pair], found: list[dict[str, Any]]) -> bool:
    from parity.cli import Table

    table = Table(["experiment", "network", "optimizer", "steps", "furthest apart", "which", "verdict"])
    passed = True
    for pair in pairs:
        epoch = one_epoch(pair)
        passed &= epoch.passed
        name, distance = epoch.worst
        alike = f" (+{len(pair.alike)})" if pair.alike else ""
        verdict = "same" if epoch.passed else "DIFFERENT"
        cells = [pair.experiment, pair.stage + alike, epoch.optimizer, f"{epoch.steps:,}", f"{distance:.1e}", name]
        table.row([*cells, verdict])
        found.append({**_about(pair), **_without_pair(epoch), "furthest": distance, "passed": epoch.passed})
    print("One epoch in float64: the largest difference of any parameter or buffer in the end.")
    print(f"Allowed: {tolerances.TRAJECTORY:g}.\n")
    table.print()
    return passed


def _print_courses(
    pairs: Sequence[Pair], epochs: int | None, found: list[dict[str, Any]], figures: Path | None
) -> bool:
    from parity.cli import Table

    steps = [f"{size:g} apart" for size in tolerances.DRIFTS]
    table = Table(
        ["experiment", "network", "epochs", "steps", *steps, "accuracy", "PyTorch's", "points", "allowed", "verdict"]
    )
    passed = True
    for pair in pairs:
        course = whole_course(pair, epochs, partial(print, file=sys.stderr, flush=True))
        passed &= course.passed
        column = (course.accuracies or ["loss"])[-1]
        last = [rows[-1][column] for rows in (course.ours, course.theirs)]
        shown = [f"{100 * x:.2f} %" if course.accuracies else f"loss {x:.5f}" for x in last]
        reached = ["never" if step is None else f"{step:,}" for step in course.reached.values()]
        judged = [f"{course.points:.2f}", f"{course.allowed:g}", "same" if course.passed else "DIFFERENT"]
        if not course.accuracies:
            judged = ["–", "–", "shown only"]
        cells = [pair.experiment, pair.stage, str(len(course.ours)), f"{course.steps * len(course.ours):,}"]
        table.row([*cells, *reached, *shown, *judged])
        found.append(
            {
                **_about(pair),
                **_without_pair(course),
                "points": course.points,
                "allowed": course.allowed,
                "accuracies": course.accuracies,
                "passed": course.passed,
            }
        )
        if figures is not None:
            draw(course, figures)
    print("Whole runs in float32. The first step after which some parameter is so far apart, the last accuracy, and")
    print("the largest difference of any accuracy after the same epoch, in percentage points.\n")
    table.print()
    return passed


def _about(pair: Pair) -> dict[str, Any]:
    told = {name: getattr(pair, name) for name in ("experiment", "stage", "data", "final")}
    return {**told, "alike": list(pair.alike)}


def _without_pair(result: Any) -> dict[str, Any]:
    return {f.name: getattr(result, f.name) for f in fields(result) if f.name != "pair"}


def draw(course: Course, folder: Path) -> Path:
    """Both curves on one plot, their difference, and how the parameters drift apart; returns the PNG's path."""
    from experiments import figures, files

    figures.check_installed()
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
        axes.xaxis.get_major_locator().set_params(integer=True)
    steps, sizes = zip(*course.drift, strict=True)
    drift.loglog(steps, [max(size, 1e-10) for size in sizes], color=figures.TRAINING)
    for size, step in course.reached.items():
        drift.axhline(float(size), color=figures.MARK, linestyle="--", linewidth=1)
        drift.annotate(
            f"{size}: {'never' if step is None else f'step {step:,}'}", (1, float(size)), va="bottom", fontsize=8
        )
    drift.set(title="Rounding drives the parameters apart", xlabel="step", ylabel="largest difference of any parameter")
    figure.suptitle(f"{course.pair.name} ({course.optimizer}, float32)")
    path = folder / f"{course.pair.experiment}-{course.pair.stage.replace(' ', '-')}.png"
    with files.replacing(path) as file:
        figure.savefig(file, format="png", metadata={"Software": None})
    return path
