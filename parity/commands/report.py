"""One page that shows how minigrad and PyTorch compare, made of what the other commands found.

They write their findings to results/parity/NAME.json, or to several files whose names begin so;
``python -m parity report --run`` calls those first that are missing there. Time and memory of whole runs come from
results/runs.json, which ``python -m benchmarks runs --file results/runs.json`` writes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.reporting import pages
from experiments.reporting.report import RUNS
from experiments.runner import files
from experiments.runner.errors import UsageError
from experiments.runner.options import Options
from parity.judge.findings import PARTS, read, subjects
from parity.show import page, summary

HELP = "one HTML page made of what the other commands found"
FOLDER = pages.RESULTS / "parity"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the findings are, and whether to make what is missing."""
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR", help="default: results/parity")
    parser.add_argument("--run", action="store_true", help="first run the commands whose findings are missing")


def missing(arguments: argparse.Namespace) -> list[list[str]]:
    """The command lines that have to be run first, if `--run` asks for it.

    Raises:
        UsageError: for the name of an experiment.
    """
    if arguments.names:
        raise UsageError(f"the report shows all that was measured: leave out {' '.join(arguments.names)}")
    common = ["--seed", str(arguments.seed)]
    for option in ("limit", "data", "data_dir"):
        if (value := getattr(arguments, option)) is not None:
            common += [f"--{option.replace('_', '-')}", str(value)]
    names = [name for name in PARTS if arguments.run and not list(arguments.folder.glob(f"{name}*.json"))]
    return [[name, *common, "--json", str(arguments.folder / f"{name}.json")] for name in names]


def run(names: Sequence[str], options: Options, arguments: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Writes the page and its summary; returns whether all that was measured is within tolerance.

    Raises:
        UsageError: where there are no findings.
    """
    folder = arguments.folder
    parts = read(folder)
    if not parts:
        wanted = "; ".join(f"python -m parity {name} --json {folder / name}.json" for name in PARTS)
        raise UsageError(f"{folder} holds no findings yet; first: {wanted}")
    found = subjects(parts)
    runs = json.loads(path.read_text(encoding="utf-8")) if (path := folder.parent / RUNS).exists() else None
    files.write_text(folder / "report.html", page.html(found, parts, runs))
    text = summary.markdown(found, parts, runs)
    files.write_text(folder / "summary.md", text)
    pages.fill(folder, FOLDER, "parity", text)
    print(text)
    print(folder / "report.html")
    return all(subject.verdict == "same" for subject in found), {"networks": [s.name for s in found]}
