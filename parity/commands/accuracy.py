"""Results of independent seeds in both frameworks, and whether they are equivalent."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from experiments import registry
from experiments.cli import positive
from experiments.registry import nearest
from experiments.reporting import both
from experiments.runner.errors import UsageError
from experiments.runner.options import Options
from parity.commands.trajectory import add_trainings, kept
from parity.judge import tolerances
from parity.judge.account import Account
from parity.measure.networks import FRAMEWORKS
from parity.measure.training import Task
from parity.show.table import Table

HELP = "results of independent seeds, and whether they are equivalent"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many trainings, how long, and where they are kept."""
    parser.add_argument("--seeds", type=positive, default=12, metavar="N", help="a side (default 12)")
    add_trainings(parser)


def run(names: Sequence[str], options: Options, arguments: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Trains, and prints a row for each network that an experiment is judged by.

    Returns:
        Whether all are equivalent; and nothing that isn't kept.
    """
    if arguments.seeds < 2:
        raise UsageError("--seeds 1: one accuracy has no spread; two a side are the least")
    table, passed, known = Table(["experiment", "network", *SIDES, *TESTED, "verdict"]), True, set[str]()
    stores = [kept(name, options, arguments) for name in names or registry.names()]
    known = {stage for store, _ in stores for stage in store.recipes}
    for stage in set(arguments.stages or ()) - known:
        raise UsageError(f"--stages: no network is called {stage!r}{nearest(stage, known)}")
    for store, wanted in stores:
        stages = [pair.stage for pair in wanted if pair.final]
        seeds = [(f, seed) for f in FRAMEWORKS for seed in both.seeds_of(f, arguments.seeds)]
        done = store.add([Task(stage, f, seed) for f, seed in seeds for stage in stages], arguments.jobs)
        account = Account(store.name, stages, [], [], [t for task, t in done.items() if task.stage in stages])
        for stage, test in account.equivalences.items():
            sides = [both.results_of(account.trainings, stage, framework) for framework in FRAMEWORKS]
            cells = [both.shown(side, account.unit(stage)) for side in sides]
            if test is not None:
                cells += [f"{test.difference:+.2f}", f"[{test.low:+.2f}, {test.high:+.2f}]"]
                cells += [f"{test.margin:.2f}", f"{test.p:.2g}", f"{test.p_difference:.2g}"]
                passed &= test.equivalent
                table.row([store.name, stage, *cells, "equivalent" if test.equivalent else "NOT SHOWN"])
    table.print()
    print(
        "\nMean ± standard deviation over seeds of their own (number). Equivalent: two one-sided tests (Welch) reject, "
        f"at {tolerances.SIGNIFICANCE:.0%},\nthat the means are the margin or more apart. Differences in points, of a "
        "loss in percent; p = 0: of the hypothesis that there is none."
    )
    return passed, {}


SIDES = ["minigrad", "PyTorch"]
TESTED = ["difference", "90 % interval", "margin", "p", "p = 0"]
