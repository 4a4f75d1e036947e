"""Outputs, loss and gradients of every network: both frameworks, one seed, the same batch with a little noise."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from experiments.runner.options import Options
from parity.judge import tolerances
from parity.judge.gradients import examine
from parity.measure import networks
from parity.measure.gradients import VIEWS
from parity.show.table import Table

HELP = "outputs, loss and all gradients of every network, in float64 and float32"
SHOWN = 6  #: networks of the same layers and objective, by name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own: see `parity.cli`."""


def run(names: Sequence[str], options: Options, arguments: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Prints a row for each network; returns whether all passed, and all numbers."""
    views = [view.name.replace("float", "f") for view in VIEWS]
    table, reports = Table(["experiment", "network", "parameters", *views, "verdict"]), []
    for pair in networks.merged(networks.pairs(names, options), networks.objective_of):
        report = examine(pair)
        reports.append(report)
        errors = ["–" if result.skipped else f"{result.error:.1e}" for result in report.results]
        verdict = "same" if report.passed else "DIFFERENT"
        table.row([pair.experiment, pair.label, f"{report.parameters:,}", *errors, verdict])
    table.print()
    print(
        "\nThe largest error of outputs, loss and each gradient, relative to the norm of PyTorch's (in float32, of the "
        "gradient\nof all parameters together). Allowed: "
        + ", ".join(f"{tolerance:g} in {dtype}" for dtype, tolerance in tolerances.GRADIENT.items())
        + ".\n2nd order is the gradient of the gradient's norm. (+n): so many more of the same layers and "
        "objective, which differ in optimizer, learning rate or seed."
    )
    for report in reports:
        if report.pair.alike:
            print(f"{report.pair.name} stands also for {_listed(report.pair.alike)}.")
    results = [(report.pair.name, result) for report in reports for result in report.results]
    for reason in sorted({f"{name}, {r.view.name}: {r.skipped}" for name, r in results if r.skipped}):
        print(f"– {reason}")
    for name, result in results:
        wrong = sorted((c for c in result.comparisons if not c.passed), key=lambda c: -c.error)
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            print(f"DIFFERENT {name}, {result.view.name}: {wrong[0]}{more}")
    found = {"tolerances": tolerances.GRADIENT, "networks": [report.as_json() for report in reports]}
    return all(report.passed for report in reports), found


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more (all of them in the JSON)" if more > 0 else "")
