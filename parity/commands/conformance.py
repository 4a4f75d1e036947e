"""PyTorch's own tests of its operators, modules and optimizers, run on minigrad.

The installed torch brings the tests that its operators, modules and optimizers must pass: samples of arguments with
edge cases, bad inputs with the exception they must raise, losses with reference functions, a checker of derivatives.
minigrad gets the same questions, and each answer is compared with torch's: value, dtype, shape, and the product of a
random cotangent with the Jacobian (the cotangent of a sum, all ones, hides errors).
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import sys
import textwrap
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

from experiments.runner.errors import UsageError
from experiments.runner.options import Options
from parity.show.table import Table

HELP = "the exams of torch's own wheel: operators, modules, optimizers, losses, derivatives"
NOT_ASKED = "not asked"  #: the verdict on what `parity.measure.exams.scope` excludes
FAMILIES = ("operators", "modules", "optimizers", "criterions", "gradcheck")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which families."""
    parser.add_argument("--only", choices=FAMILIES, action="append", help="this family's exams only (repeatable)")


def run(names: Sequence[str], options: Options, arguments: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Runs the exams and prints the tables.

    Returns:
        Whether all that was asked is passed; and all outcomes.

    Raises:
        UsageError: for the name of an experiment.
    """
    if names:
        raise UsageError(f"conformance examines minigrad itself, no experiment: leave out {' '.join(names)}")
    outcomes: list[Any] = []
    left_out: dict[str, dict[str, str]] = {}
    started, scope = time.perf_counter(), load("scope")
    for name in arguments.only or FAMILIES:
        family = load(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, about old ways of calling it
            outcomes += [
                dataclasses.replace(outcome, verdict=NOT_ASKED) if scope.excluded(outcome) else outcome
                for outcome in family.outcomes()
            ]
        left_out[name] = getattr(family, "left_out", dict)() | scope.listed(name)
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    rows = table(outcomes)
    print(text(rows, outcomes, left_out))
    wrong = [dataclasses.asdict(outcome) for outcome in outcomes if outcome.verdict not in ("passed", NOT_ASKED)]
    passed = all(row["met"] for row in rows)
    return passed, {"passed": passed, "rows": rows, "left_out": left_out, "outcomes": wrong}


def load(name: str) -> Any:
    """The module of a family of exams.

    Raises:
        UsageError: if torch, or what its tests import, is missing.
    """
    try:
        return importlib.import_module(f"parity.measure.exams.{name}")
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed: pip install -e '.[parity]'") from error


def table(outcomes: Sequence[Any]) -> list[dict[str, Any]]:
    """One row for each exam of each family."""
    counts = Counter((outcome.family, outcome.exam, outcome.verdict) for outcome in outcomes)
    rows = []
    for family, exam in dict.fromkeys((outcome.family, outcome.exam) for outcome in outcomes):
        by_verdict = {verdict: counts[family, exam, verdict] for verdict in ("passed", "failed", "not supported")}
        row = {"family": family, "exam": exam, "asked": sum(by_verdict.values()), **by_verdict}
        rows.append({**row, NOT_ASKED: counts[family, exam, NOT_ASKED], "met": row["passed"] == row["asked"]})
    return rows


def text(rows: list[dict[str, Any]], outcomes: Sequence[Any], left_out: dict[str, dict[str, str]]) -> str:
    """The tables as the terminal shows them."""
    counted = ["family", "exam", "asked", "passed", "failed", "not supported", NOT_ASKED]
    shown = Table([*counted, "met"])
    for row in rows:
        shown.row([*(str(row[column]) for column in counted), "yes" if row["met"] else "NO"])
    lines = [str(shown)]
    if bad := [row for row in rows if row["exam"] == "errors"]:
        passed, asked, others = (sum(row[column] for row in bad) for column in ("passed", "asked", NOT_ASKED))
        lines += ["", f"error inputs: {passed} of {asked} are refused as in torch; {others} are not asked"]
    remarks = Counter((o.family, o.exam, o.why) for o in outcomes if o.verdict == "passed" and o.why)
    lines += ["", "passed, with a remark"]
    lines += [f"  {family}, {exam}: {number}, {remark}" for (family, exam, remark), number in remarks.items()]
    for verdict in ("failed", "not supported"):
        named = [o for o in outcomes if o.verdict == verdict]
        lines += ["", f"{verdict}: {len(named)}"]
        lines += [f"  {o.family}, {o.exam}: {o.subject}, {o.case}\n      {o.why}" for o in named]
    lines += ["", "left out"]
    for family, notes in left_out.items():
        for what, why in notes.items():
            lines += textwrap.wrap(f"{family}: {what}: {why}", 112, initial_indent="  ", subsequent_indent="      ")
    return "\n".join(lines)
