"""PyTorch's own tests of its operators, modules and optimizers, run on minigrad.

The installed torch brings the tests that its operators, modules and optimizers must pass: samples of arguments with
edge cases, bad inputs with the exception they must raise, losses with reference functions, a checker of derivatives.
minigrad gets the same questions, and each answer is compared with torch's: value, dtype, shape, and the product of a
random cotangent with the Jacobian (the cotangent of a sum, all ones, hides errors).
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib
import sys
import textwrap
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from experiments.runner.errors import UsageError
from experiments.runner.options import Options
from parity.show.table import Table

HELP = "the exams of torch's own wheel: operators, modules, optimizers, losses, derivatives"
FAMILIES = ("operators", "modules", "optimizers", "criterions", "gradcheck")

#: The share that has to be passed, by family and exam; 1 where nothing is said.
GOALS = {("operators", "errors"): 0.9, ("modules", "errors"): 0.9, ("optimizers", "errors"): 0.9}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--only", choices=FAMILIES, action="append", help="this family's exams only (repeatable)")


def run(names: Sequence[str], options: Options, arguments: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Runs the exams and prints the tables.

    Returns:
        Whether every goal is met; and all outcomes.

    Raises:
        UsageError: for the name of an experiment, which has no part in this.
    """
    if names:
        raise UsageError(f"conformance examines minigrad itself, no experiment: leave out {' '.join(names)}")
    outcomes: list[Any] = []
    left_out: dict[str, dict[str, str]] = {}
    started, scope = time.perf_counter(), load("scope")
    for name in arguments.only or FAMILIES:
        family = load(name)
        with warnings.catch_warnings(), one_thread():
            warnings.simplefilter("ignore")  # torch's, about old ways of calling it
            outcomes += [outcome for outcome in family.sit() if not scope.excluded(outcome)]
        left_out[name] = family.left_out()
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    rows = table(outcomes)
    print(text(rows, outcomes, left_out))
    found = {"rows": rows, "left_out": left_out, "outcomes": [dataclasses.asdict(outcome) for outcome in outcomes]}
    return all(row["met"] for row in rows), found


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """A block in which torch computes with one thread; more are slower for samples as small as these."""
    torch = importlib.import_module("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def load(name: str) -> Any:
    """The module of a family of exams.

    Raises:
        UsageError: if torch, or what its tests import, is missing.
    """
    try:
        return importlib.import_module(f"parity.measure.exams.{name}")
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed: pip install 'minigrad[parity]'") from error


def table(outcomes: Sequence[Any]) -> list[dict[str, Any]]:
    """One row for each exam of each family."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for outcome in outcomes:
        key = (outcome.family, outcome.exam)
        start = {"family": key[0], "exam": key[1], "asked": 0, "passed": 0, "failed": 0, "not supported": 0}
        row = rows.setdefault(key, start)
        row["asked"] += 1
        row[outcome.verdict] += 1
    for key, row in rows.items():
        row["goal"] = GOALS.get(key, 1.0)
        row["met"] = row["passed"] >= row["goal"] * row["asked"]
    return list(rows.values())


def text(rows: list[dict[str, Any]], outcomes: Sequence[Any], left_out: dict[str, dict[str, str]]) -> str:
    """The tables as the terminal shows them."""
    counted = ["family", "exam", "asked", "passed", "failed", "not supported"]
    shown = Table([*counted, "goal", "met"])
    for row in rows:
        shown.row([*(str(row[column]) for column in counted), f"{row['goal']:.0%}", "yes" if row["met"] else "NO"])
    lines = [str(shown)]
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
