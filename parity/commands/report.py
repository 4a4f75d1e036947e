"""One page that shows how minigrad and PyTorch compare, made of what the other commands found.

They write their findings to results/parity/NAME.json, and trainings to results/parity/runs. Time and memory of whole
runs come from results/runs.json, which ``python -m benchmarks runs --file results/runs.json`` writes.
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
from parity.judge.account import PARTS, SAME, accounts, read
from parity.show import page, summary

HELP = "one HTML page made of what the other commands found"
FOLDER = pages.RESULTS / "parity"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the findings are."""
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR", help="default: results/parity")


def run(names: Sequence[str], options: Options, arguments: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Writes the page and its summary; returns whether all that was asked is answered by "same".

    Raises:
        UsageError: where there are no findings, the folder can't be written, or an experiment is named.
    """
    if names:
        raise UsageError(f"the report shows all that was measured: leave out {' '.join(names)}")
    folder = files.writable_folder(arguments.folder, "--folder")
    parts, trainings = read(folder)
    if not parts and not trainings:
        wanted = "; ".join(f"python -m parity {name} --json {folder / name}.json" for name in PARTS)
        raise UsageError(f"{folder} holds no findings yet; first: {wanted}")
    found = accounts(parts, trainings)
    runs = json.loads(path.read_text(encoding="utf-8")) if (path := folder.parent / RUNS).exists() else None
    files.write_text(folder / "report.html", page.html(found, parts, runs))
    text = summary.markdown(found, parts, runs)
    files.write_text(folder / "summary.md", text)
    pages.fill(folder, FOLDER, "parity", text)
    pages.fill(folder, FOLDER, "same", summary.in_readme(found))
    print(text)
    print(folder / "report.html")
    return all(account.verdict == SAME for account in found), {}
