"""The command line: one sub-command a module."""

from __future__ import annotations

import argparse
import importlib
import platform
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments import registry
from experiments.cli import Parser, natural, positive
from experiments.registry import nearest
from experiments.runner import files, frameworks
from experiments.runner.errors import UsageError
from experiments.runner.options import Options

COMMANDS = {
    "gradients": "parity.gradients",
    "trajectory": "parity.trajectory",
    "accuracy": "parity.accuracy",
    "report": "parity.report",
    "conformance": "parity.conformance",
}
"""The module of each command. It has `HELP`; `add_arguments(parser)` for what the command takes beside the common
options; and `run(names, options, told)`, which prints its findings and returns whether all is within the
tolerances, and what to keep as JSON."""


class Table:
    """Rows as they come, printed in columns: words to the left, numbers to the right."""

    def __init__(self, header: Sequence[str]) -> None:
        self.lines = [list(header)]

    def row(self, cells: Sequence[str]) -> None:
        """Adds a row; says on a terminal that there is progress."""
        self.lines.append(list(cells))
        if sys.stderr.isatty():
            print(f"\r{len(self.lines) - 1} done: {cells[0]} {cells[1]}\x1b[K", end="", file=sys.stderr, flush=True)

    def print(self) -> None:
        """Prints all of it."""
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        columns = list(zip(*self.lines, strict=True))
        widths = [max(map(len, column)) for column in columns]
        right = [all(cell[:1].isdigit() or cell in ("–", "inf", "") for cell in column[1:]) for column in columns]
        for line in self.lines:
            cells = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True))
            print("  ".join(cells).rstrip())


def parser() -> Parser:
    """All commands and their options."""
    usual = Options()
    top = Parser(
        prog="python -m parity", description="minigrad and PyTorch, the same program side by side.", allow_abbrev=False
    )
    commands = top.add_subparsers(dest="command", parser_class=Parser, metavar="{" + ",".join(COMMANDS) + "}")
    for name, module in COMMANDS.items():
        code = importlib.import_module(module)
        command = commands.add_parser(name, help=code.HELP, description=code.__doc__, allow_abbrev=False)
        command.add_argument("names", nargs="*", metavar="EXPERIMENT", help="which ones (default: all)")
        command.add_argument("--seed", type=natural, default=usual.seed, help="of all random numbers (default 0)")
        command.add_argument("--limit", type=positive, metavar="N", help="only the first N samples")
        command.add_argument("--data", metavar="NAME", help="a data set instead of the experiments' own, e.g. digits")
        command.add_argument("--data-dir", metavar="DIR", help="where the data files are")
        command.add_argument("--json", type=Path, metavar="FILE", help="also write all numbers there")
        code.add_arguments(command)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Does as told; returns the exit status: 0 all the same, 1 something differs, 2 can't be done."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _command(arguments)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _command(arguments: Sequence[str]) -> int:
    if arguments and not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
        raise UsageError(f"no command is called {arguments[0]!r}{nearest(arguments[0], COMMANDS)}")
    top = parser()
    told = top.parse_args(arguments)
    if told.command is None:
        top.print_help()
        return 2
    for name in told.names:
        registry.find(name)
    torch = frameworks.load("torch")
    options = Options(seed=told.seed, limit=told.limit, data=told.data, data_dir=told.data_dir)
    started = time.perf_counter()
    passed, found = importlib.import_module(COMMANDS[told.command]).run(told.names, options, told)
    seconds = time.perf_counter() - started
    print(f"\n{'All within tolerance' if passed else 'NOT all within tolerance'}, in {seconds:.1f} s.")
    if told.json:
        files.write_json(
            told.json, {**_circumstances(told, arguments, torch), "seconds": seconds, "passed": passed, **found}
        )
    return 0 if passed else 1


def _circumstances(told: argparse.Namespace, arguments: Sequence[str], torch: Any) -> dict[str, Any]:
    return {
        "command": told.command,
        "line": shlex.join(["python", "-m", "parity", *arguments]),
        "seed": told.seed,
        "limit": told.limit,
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "torch": str(torch.__version__)},
    }
