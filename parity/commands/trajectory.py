"""Whole epochs from the same seed, both frameworks: shuffling, dropout, batch norm, optimizer and schedule included."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from experiments.cli import positive
from experiments.runner.errors import UsageError
from experiments.runner.options import Options
from parity.judge import tolerances, trajectories
from parity.judge.trajectories import Group
from parity.measure import finished, lockstep, networks
from parity.measure.networks import Pair
from parity.show import figures
from parity.show.table import Table

HELP = "an epoch of every network in float64; full-length runs in float32, side by side"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long, which dtype, and whether to read the curves of finished runs."""
    epochs = "of the float32 runs, instead of the experiment's own; with --runs: step by step (default 1)"
    parser.add_argument("--epochs", type=positive, metavar="N", help=epochs)
    parser.add_argument("--dtype", choices=("float64", "float32"), help="only one of the two parts")
    runs = "float32: take the curves of runs that are done from these two folders of results"
    parser.add_argument("--runs", nargs=2, type=Path, metavar=("MINIGRAD", "TORCH"), help=runs)
    parser.add_argument("--figures", type=Path, metavar="DIR", help="draw both curves and the drift there")


def run(names: Sequence[str], options: Options, arguments: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Prints a row for each network; returns whether all passed, and all numbers."""
    if arguments.runs and arguments.dtype != "float32":
        raise UsageError("--runs: finished runs are in float32; add --dtype float32")
    found: dict[str, Any] = {"tolerance": tolerances.TRAJECTORY, "float64": [], "float32": [], "unpaired": []}
    say = partial(print, file=sys.stderr, flush=True)
    if arguments.runs:
        runs = finished.read(names, arguments.runs, options)
        groups = (group for run in runs for group in trajectories.of_runs(run, arguments.epochs or 1, say))
        passed = _print_trajectories(groups, found["float32"], arguments.figures)
        return passed & _print_unpaired(runs, found["unpaired"]), found
    passed, pairs = True, networks.merged(networks.pairs(names, options), networks.training_of)
    if arguments.dtype != "float32":
        passed &= _print_epochs(pairs, found["float64"])
    if arguments.dtype is None:
        print()
    if arguments.dtype != "float64":
        trained = (trajectories.whole_trajectory(pair, arguments.epochs, say) for pair in pairs if pair.final)
        passed &= _print_trajectories(trained, found["float32"], arguments.figures)
    return passed, found


def _print_epochs(pairs: Sequence[Pair], found: list[dict[str, Any]]) -> bool:
    header = ["experiment", "network", "optimizer", "steps", "furthest apart", "which", "verdict"]
    table, passed = Table([*header, "PyTorch from itself"]), True
    for pair in pairs:
        epoch = trajectories.one_epoch(pair)
        passed &= epoch.passed
        name, distance = epoch.worst
        itself = None if epoch.passed else lockstep.from_itself(pair.theirs)
        cells = [pair.experiment, pair.label, epoch.optimizer, f"{epoch.steps:,}", f"{distance:.1e}", name]
        table.row([*cells, _verdict(epoch.passed), "" if itself is None else f"{itself:.1e}"])
        found.append(epoch.as_json(itself))
    print("One epoch in float64: the largest difference of any parameter or buffer in the end.")
    print(f"Allowed: {tolerances.TRAJECTORY:g}. Where it is larger: how far PyTorch is from itself after the same")
    print("epoch, when its arrays lie otherwise in memory and sums therefore round otherwise.\n")
    table.print()
    return passed


def _verdict(passed: bool) -> str:
    return "same" if passed else "DIFFERENT"


def _print_trajectories(groups: Iterable[Group], found: list[dict[str, Any]], folder: Path | None) -> bool:
    steps = [f"{size:g} apart after" for size in lockstep.DRIFTS]
    judged = ["accuracy", "PyTorch's", "points", "allowed", "outside", "verdict"]
    table, chaos = Table(["experiment", "network", "epochs", *steps, "the worst", *judged]), []
    for group in groups:
        trajectory, drift = group.worst, group.drift
        last = [rows[-1][(trajectory.accuracies or ["loss"])[-1]] for rows in (trajectory.ours, trajectory.theirs)]
        cells = [group.pair.experiment, group.pair.label, str(len(trajectory.ours))]
        cells += [trajectories.reached(step, drift.steps) for step in drift.reached.values()]
        cells.append(trajectory.pair.stage if len(group.trajectories) > 1 else "")
        if trajectory.accuracies:
            cells += [*(f"{100 * x:.2f} %" for x in last), f"{trajectory.points:.2f}", f"{trajectory.allowed:g}"]
            cells += [f"{len(group.outside)} of {len(group.trajectories)}", _verdict(not group.outside)]
        else:
            cells += [*(f"loss {x:.5f}" for x in last), "–", "–", "", "shown only"]
        table.row(cells)
        if group.itself is not None:
            chaos.append(
                f"{group.pair.name}: after {drift.steps:,} steps some parameter is {drift.last:.1e} from "
                f"PyTorch's; PyTorch's own, with arrays that lie otherwise in memory, is {group.itself:.1e} from it"
            )
        found.append(group.as_json())
        if folder is not None:
            figures.draw(found[-1], folder)
    print("Whole runs in float32. The first step after which some parameter of the network is so far apart; the last")
    print("accuracy, and the largest difference of any accuracy after the same epoch, in percentage points; how many")
    print("networks are outside what is allowed. A row for several networks (+N) follows the parameters of the one")
    print("that it names, and shows the accuracies of the worst.\n")
    table.print()
    for line in chaos:
        print(line)
    return all(entry["passed"] for entry in found)


def _print_unpaired(runs: Sequence[finished.Paired], found: list[dict[str, Any]]) -> bool:
    for run in runs:
        found += [{"experiment": run.experiment, "stage": stage, "why": why} for stage, why in run.unpaired.items()]
    if found:
        print(f"\n{len(found)} networks have no counterpart to be compared with:")
    for entry in found:
        print(f"  {entry['experiment']}: {entry['stage']}: {entry['why']}")
    return not found
