"""Accuracies of independent seeds in both frameworks, and whether they are equivalent."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from experiments.cli import positive
from experiments.reporting.pages import RESULTS
from experiments.runner.errors import UsageError
from experiments.runner.options import Options
from parity.judge import tolerances
from parity.judge.equivalence import Trainings
from parity.measure.networks import FRAMEWORKS
from parity.measure.training import Task, networks, seeds_of, trained
from parity.show.table import Table

HELP = "accuracies of independent seeds, and whether they are equivalent"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many trainings, how long, and where they are kept."""
    parser.add_argument("--seeds", type=positive, default=5, metavar="N", help="a side (default 5)")
    parser.add_argument("--epochs", type=positive, help="instead of the experiments' own, for a trial")
    parser.add_argument("--stages", nargs="+", metavar="STAGE", help="only the networks of these names, e.g. final")
    parser.add_argument("--jobs", type=positive, default=1, help="trainings at a time, one thread each (default 1)")
    keep = "where trainings are kept; those there aren't repeated"
    parser.add_argument("--keep", type=Path, default=RESULTS / "parity" / "accuracy", metavar="DIR", help=keep)


def run(names: Sequence[str], options: Options, arguments: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Trains, and prints a row for each network.

    Returns:
        Whether all that have a margin are equivalent; and all numbers.
    """
    if arguments.seeds < 2:
        raise UsageError("--seeds 1: one accuracy has no spread; two a side are the least")
    table, everything = Table(["experiment", "network", "minigrad", "torch", *TESTED, "verdict"]), []
    for experiment, stage, data in list(networks(names, options, arguments.stages)):
        tasks = [
            Task(experiment, stage, framework, seed, arguments.epochs, options.data, options.data_dir, options.limit)
            for seeds in zip(*(seeds_of(f, arguments.seeds, options.seed + 1) for f in FRAMEWORKS), strict=True)
            for framework, seed in zip(FRAMEWORKS, seeds, strict=True)
        ]
        with ThreadPoolExecutor(arguments.jobs) as pool:
            trainings = list(pool.map(lambda task: trained(task, arguments.keep), tasks))
        sides = {f: [t for t in trainings if t["task"]["framework"] == f] for f in FRAMEWORKS}
        found = Trainings(experiment, stage, data, sides)
        everything.append(found)
        table.row([experiment, stage, *_cells(found)])
    table.print()
    print(
        f"\nMean ± standard deviation of {arguments.seeds} seeds a side, in percent. Equivalent: two one-sided tests "
        f"(Welch) reject, at {tolerances.SIGNIFICANCE:.0%}, that the means are the margin or more apart."
    )
    passed = all(found.equivalence.equivalent for found in everything if found.equivalence is not None)
    return passed, {"margins": tolerances.MARGINS, "networks": [found.as_json() for found in everything]}


TESTED = ["difference", "90 % interval", "margin", "p"]


def _cells(found: Trainings) -> list[str]:
    ours, theirs = (found.percents(framework) for framework in FRAMEWORKS)
    cells = [f"{statistics.fmean(p):.2f} ± {statistics.stdev(p):.2f}" for p in (ours, theirs)]
    test = found.equivalence
    if test is None:
        return [*cells, f"{statistics.fmean(ours) - statistics.fmean(theirs):+.2f}", "", "–", "", "no margin set"]
    cells += [f"{test.difference:+.2f}", f"[{test.low:+.2f}, {test.high:+.2f}]", f"{test.margin:g}", f"{test.p:.2g}"]
    return [*cells, "equivalent" if test.equivalent else "NOT SHOWN"]
