"""Whole epochs from the same seed, both frameworks: shuffling, dropout, batch norm, optimizer and schedule included."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from experiments.cli import positive
from experiments.runner.errors import UsageError
from experiments.runner.options import Options
from parity import control, courses, networks, runs, tolerances
from parity.courses import Group
from parity.lockstep import apart, side_by_side
from parity.networks import Pair

HELP = "an epoch of every network in float64; full-length runs in float32, side by side"
DTYPES = ("float64", "float32")


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
        """For the page; `itself`: how far PyTorch is from itself, where that was tried."""
        about = {name: getattr(self.pair, name) for name in ("experiment", "stage", "data", "final")}
        measured = {name: getattr(self, name) for name in ("optimizer", "steps", "apart", "losses", "passed")}
        return {**about, "alike": list(self.pair.alike), **measured, "furthest": self.worst[1], "itself": itself}


def one_epoch(pair: Pair) -> Epoch:
    """Trains an epoch in float64, and compares all that was trained."""
    ours, theirs = (network.start("float64") for network in (pair.ours, pair.theirs))
    losses = side_by_side(ours, theirs, lambda: None)
    return Epoch(pair, type(ours.optimizer).__name__, len(ours.loader), apart(ours.model, theirs.model), losses)


# ---- the command -----------------------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this command takes beside the common options."""
    parser.add_argument(
        "--epochs",
        type=positive,
        metavar="N",
        help="of the float32 runs, instead of the experiment's own; with --runs: step by step (default 1)",
    )
    parser.add_argument("--dtype", choices=DTYPES, help="only one of the two parts")
    parser.add_argument(
        "--runs",
        nargs=2,
        type=Path,
        metavar=("MINIGRAD", "TORCH"),
        help="float32: take the curves of runs that are done from these two folders of results",
    )
    parser.add_argument("--figures", type=Path, metavar="DIR", help="draw both curves and the drift there")


def run(names: Sequence[str], options: Options, told: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Prints a row a network; whether all passed, and all numbers for the report."""
    if told.runs and told.dtype != "float32":
        raise UsageError("--runs: finished runs are in float32; add --dtype float32")
    found: dict[str, Any] = {"tolerance": tolerances.TRAJECTORY, "float64": [], "float32": [], "unpaired": []}
    passed = True
    chosen = [] if told.runs else networks.merged(networks.pairs(names, options), networks.training_of)
    if told.dtype != "float32":
        passed &= _print_epochs(chosen, found["float64"])
    if told.dtype is None:
        print()
    say = partial(print, file=sys.stderr, flush=True)
    if told.runs:
        finished = runs.read(names, told.runs, options)
        groups = (group for run in finished for group in courses.of_runs(run, told.epochs or 1, say))
        passed &= _print_courses(groups, found["float32"], told.figures)
        passed &= _print_unpaired(finished, found["unpaired"])
    elif told.dtype != "float64":
        trained = (courses.whole_course(pair, told.epochs, say) for pair in chosen if pair.final)
        passed &= _print_courses(trained, found["float32"], told.figures)
    return passed, found


def _print_epochs(pairs: Sequence[Pair], found: list[dict[str, Any]]) -> bool:
    from parity.cli import Table

    table = Table(
        ["experiment", "network", "optimizer", "steps", "furthest apart", "which", "verdict", "PyTorch from itself"]
    )
    passed = True
    for pair in pairs:
        epoch = one_epoch(pair)
        passed &= epoch.passed
        name, distance = epoch.worst
        itself = None if epoch.passed else control.from_itself(pair.theirs)
        verdict = "same" if epoch.passed else "DIFFERENT"
        cells = [pair.experiment, _named(pair), epoch.optimizer, f"{epoch.steps:,}", f"{distance:.1e}", name]
        table.row([*cells, verdict, "" if itself is None else f"{itself:.1e}"])
        found.append(epoch.as_json(itself))
    print("One epoch in float64: the largest difference of any parameter or buffer in the end.")
    print(f"Allowed: {tolerances.TRAJECTORY:g}. Where it is larger: how far PyTorch is from itself after the same")
    print("epoch, when its arrays lie otherwise in memory and sums therefore round otherwise.\n")
    table.print()
    return passed


def _named(pair: Pair) -> str:
    return pair.stage + (f" (+{len(pair.alike)})" if pair.alike else "")


def _print_courses(groups: Iterator[Group], found: list[dict[str, Any]], figures: Path | None) -> bool:
    from parity.cli import Table

    steps = [f"{size:g} apart after" for size in tolerances.DRIFTS]
    judged = ["accuracy", "PyTorch's", "points", "allowed", "outside", "verdict"]
    table = Table(["experiment", "network", "epochs", *steps, "the worst", *judged])
    passed, chaos = True, []
    for group in groups:
        course = group.worst
        passed &= not group.outside
        column = (course.accuracies or ["loss"])[-1]
        last = [rows[-1][column] for rows in (course.ours, course.theirs)]
        shown = [f"{100 * x:.2f} %" if course.accuracies else f"loss {x:.5f}" for x in last]
        numbers = [f"{course.points:.2f}", f"{course.allowed:g}", f"{len(group.outside)} of {len(group.courses)}"]
        verdict = "DIFFERENT" if group.outside else "same"
        if not course.accuracies:
            numbers, verdict = ["–", "–", ""], "shown only"
        reached = [courses.reached(step, group.drift.steps) for step in group.drift.reached.values()]
        worst = course.pair.stage if len(group.courses) > 1 else ""
        cells = [group.pair.experiment, _named(group.pair), str(len(course.ours)), *reached, worst]
        table.row([*cells, *shown, *numbers, verdict])
        if group.itself is not None:
            chaos.append(
                f"{group.pair.name}: after {group.drift.steps:,} steps some parameter is {group.drift.last:.1e} from "
                f"PyTorch's; PyTorch's own, with arrays that lie otherwise in memory, is {group.itself:.1e} from it"
            )
        found.append(group.as_json())
        if figures is not None:
            courses.draw(group, figures)
    print("Whole runs in float32. The first step after which some parameter of the network is so far apart; the last")
    print("accuracy, and the largest difference of any accuracy after the same epoch, in percentage points; how many")
    print("networks are outside what is allowed. A row for several networks (+N) follows the parameters of the one")
    print("that it names, and shows the accuracies of the worst.\n")
    table.print()
    for line in chaos:
        print(line)
    return passed


def _print_unpaired(finished: Sequence[runs.Paired], found: list[dict[str, Any]]) -> bool:
    for run in finished:
        for stage, why in run.unpaired.items():
            found.append({"experiment": run.experiment, "stage": stage, "why": why})
    if found:
        print(f"\n{len(found)} networks have no counterpart to be compared with:")
    for entry in found:
        print(f"  {entry['experiment']}: {entry['stage']}: {entry['why']}")
    return not found
