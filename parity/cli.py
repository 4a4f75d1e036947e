"""The command line of `python -m parity`."""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments import registry
from experiments.cli import Parser, natural, positive
from experiments.registry import nearest
from experiments.runner import code, files, frameworks
from experiments.runner.errors import UsageError
from experiments.runner.options import Options
from parity.commands import accuracy, conformance, gradients, report, trajectory

COMMANDS: dict[str, Any] = {
    module.__name__.rpartition(".")[2]: module for module in (gradients, trajectory, accuracy, report, conformance)
}


def parser() -> Parser:
    """All commands and their options."""
    usual = Options()
    top = Parser(
        prog="python -m parity", description="minigrad and PyTorch, the same program side by side.", allow_abbrev=False
    )
    commands = top.add_subparsers(dest="command", parser_class=Parser, metavar="{" + ",".join(COMMANDS) + "}")
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__, allow_abbrev=False)
        command.add_argument("names", nargs="*", metavar="EXPERIMENT", help="which ones (default: all)")
        command.add_argument("--seed", type=natural, default=usual.seed, help="of all random numbers (default 0)")
        command.add_argument("--limit", type=positive, metavar="N", help="only the first N samples")
        command.add_argument("--data", metavar="NAME", help="a data set instead of the experiments' own, e.g. digits")
        command.add_argument("--data-dir", metavar="DIR", help="where the data files are")
        command.add_argument("--json", type=Path, metavar="FILE", help="also write all numbers there")
        module.add_arguments(command)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status: 0 all the same, 1 something differs, 2 can't be done."""
    try:
        return _command(list(sys.argv[1:] if arguments is None else arguments))
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _command(line: Sequence[str]) -> int:
    if line and not line[0].startswith("-") and line[0] not in COMMANDS:
        raise UsageError(f"no command is called {line[0]!r}{nearest(line[0], COMMANDS)}")
    top = parser()
    arguments = top.parse_args(line)
    if arguments.command is None:
        top.print_help()
        return 2
    for name in arguments.names:
        registry.find(name)
    torch = frameworks.load("torch")
    torch.set_num_threads(1)  # sums are added in the same order on every machine; small networks are faster so
    if arguments.json:
        files.writable_folder(arguments.json.parent, "--json")
    options = Options(**{name: getattr(arguments, name) for name in ("seed", "limit", "data", "data_dir")})
    started = time.perf_counter()
    passed, found = COMMANDS[arguments.command].run(arguments.names, options, arguments)
    seconds = time.perf_counter() - started
    print(f"\n{'All within tolerance' if passed else 'NOT all within tolerance'}, in {seconds:.1f} s.")
    if arguments.json:
        about = {name: getattr(arguments, name) for name in ("command", "seed", "limit")}
        versions = {"python": platform.python_version(), "numpy": np.__version__, "torch": str(torch.__version__)}
        about |= {"versions": versions, "commit": code.version()["commit"], "seconds": round(seconds, 1)}
        write(arguments.json, joined(arguments.json, {**about, **found}))
    return 0 if passed else 1


def write(path: Path, found: dict[str, Any]) -> None:
    """Writes findings as JSON: a line for each entry of a list."""

    def text(value: Any) -> str:
        if isinstance(value, list):
            return "[" + ",".join("\n" + json.dumps(entry, ensure_ascii=False) for entry in value) + "]"
        return json.dumps(value, ensure_ascii=False)

    lines = ",\n".join(f"{json.dumps(key)}: {text(value)}" for key, value in found.items())
    files.write_text(path, "{" + lines + "}\n")


def joined(path: Path, new: dict[str, Any]) -> dict[str, Any]:
    """The new findings, and of other experiments those that the file holds already."""
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return new
    names = registry.names()
    for key in ("networks", "epochs"):
        mine = {entry["experiment"] for entry in new.get(key, ())}
        entries = [entry for entry in old.get(key, ()) if entry["experiment"] not in mine] + new.get(key, [])
        if entries:
            new[key] = sorted(entries, key=lambda entry: names.index(entry["experiment"]))
    return new
