"""One page that shows how minigrad and PyTorch compare, made of what the other commands found.

They write their findings to results/parity/NAME.json, or to several files whose names begin so;
``python -m parity report --run`` calls those first that are missing there. Time and memory of whole runs come from
results/runs.json, which ``python -m benchmarks runs --file results/runs.json`` writes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.reporting import pages
from experiments.reporting.report import RUNS
from experiments.runner import files
from experiments.runner.errors import UsageError
from experiments.runner.options import Options
from parity import tolerances

HELP = "one HTML page made of what the other commands found"
FOLDER = pages.RESULTS / "parity"
PARTS = ("gradients", "trajectory", "accuracy", "conformance")
ACCURACY = "accuracy"
PAGE, SUMMARY = "report.html", "summary.md"


@dataclass
class Subject:
    """What is known about one network; a part is None until it has been measured."""

    experiment: str
    stage: str
    data: str
    gradients: dict[str, Any] | None = None
    epoch: dict[str, Any] | None = None  #: one in float64
    course: dict[str, Any] | None = None  #: a whole training in float32, or those of several networks of a kind
    accuracy: dict[str, Any] | None = None
    figures: dict[str, str] = field(default_factory=dict)  #: by title, as data URIs

    @property
    def name(self) -> str:
        """Experiment and stage."""
        return f"{self.experiment}: {self.stage}"

    @property
    def anchor(self) -> str:
        """A name for a link."""
        return "".join(c if c.isalnum() else "-" for c in self.name)

    @property
    def layers(self) -> str:
        """The model as torch prints it."""
        return str((self.gradients or {}).get("model", ""))

    def gradient_error(self, dtype: str) -> float | None:
        """The largest of all views in that dtype; None where it wasn't measured."""
        if self.gradients is None:
            return None
        errors = [v["error"] for v in self.gradients["views"] if v["dtype"] == dtype and not v["skipped"]]
        return max(errors, default=None)

    def side(self, framework: str, quantity: str) -> list[float]:
        """That quantity of each training with a seed of its own."""
        return [t[quantity] for t in self.accuracy["trainings"][framework]] if self.accuracy else []

    @property
    def verdicts(self) -> dict[str, bool]:
        """What was measured, and whether it is within its tolerance."""
        found = {
            "gradients": self.gradients and self.gradients["passed"],
            "an epoch in float64": self.epoch and self.epoch["passed"],
            "a run in float32": self.course and self.course["passed"],
            ACCURACY: self.accuracy and (test := self.accuracy["equivalence"]) and test["equivalent"],
        }
        return {what: bool(verdict) for what, verdict in found.items() if verdict is not None}

    @property
    def verdict(self) -> str:
        """In a word."""
        failed = [what for what, passed in self.verdicts.items() if not passed]
        differs = [what for what in failed if what != ACCURACY]
        words = ["differs: " + ", ".join(differs)] if differs else []
        words += ["equivalence not shown"] if ACCURACY in failed else []  # which is no proof of a difference
        return "; ".join(words) or "same"


def subjects(parts: dict[str, dict[str, Any]]) -> list[Subject]:
    """All networks that any part knows, in the order of the experiments."""
    found: dict[tuple[str, str], Subject] = {}

    def of(entry: dict[str, Any]) -> Subject:
        key = (entry["experiment"], entry["stage"])
        return found.setdefault(key, Subject(*key, entry["data"]))

    for entry in parts.get("gradients", {}).get("networks", ()):
        of(entry).gradients = entry
    for entry in parts.get("trajectory", {}).get("float64", ()):
        of(entry).epoch = entry
    for entry in parts.get("trajectory", {}).get("float32", ()):
        of(entry).course = entry
    for entry in parts.get("accuracy", {}).get("networks", ()):
        of(entry).accuracy = entry
    order = list(dict.fromkeys(subject.experiment for subject in found.values()))
    return sorted(found.values(), key=lambda s: (order.index(s.experiment), s.accuracy is None, s.course is None))


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """What the commands found, by name.

    Raises:
        UsageError: for a file that isn't what such a command wrote.
    """
    parts: dict[str, dict[str, Any]] = {}
    for name in PARTS:
        for path in sorted(folder.glob(f"{name}*.json")):
            try:
                part = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                wanted = f"`python -m parity {name} --json {path}` writes it"
                raise UsageError(f"{path}: no JSON ({error}); {wanted}") from None
            if not isinstance(part, dict) or part.get("command") != name:
                raise UsageError(f"{path} isn't what `python -m parity {name} --json {path}` writes")
            parts[name] = joined(parts[name], part) if name in parts else {**part, "lines": [part["line"]]}
    return parts


def joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """What the same command found in two runs, of other networks or other kinds."""
    both = {**first, "lines": [*first["lines"], second["line"]], "seconds": first["seconds"] + second["seconds"]}
    for key, value in second.items():
        if isinstance(value, list):
            both[key] = [*first.get(key, []), *value]
    return both


# ---- the command -----------------------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the findings are, and whether to make what is missing."""
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR", help="default: results/parity")
    parser.add_argument("--run", action="store_true", help="first run the commands whose findings are missing")


def run(names: Sequence[str], options: Options, told: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Writes the page and its summary; whether all that was measured is within tolerance."""
    from parity import page, summary

    if names:
        raise UsageError(f"the report shows all that was measured: leave out {' '.join(names)}")
    if told.run:
        _measure(told)
    parts = read(told.folder)
    if not parts:
        wanted = "; ".join(f"python -m parity {name} --json {told.folder / name}.json" for name in PARTS)
        raise UsageError(f"{told.folder} holds no findings yet; first: {wanted}")
    found = subjects(parts)
    runs = json.loads(path.read_text(encoding="utf-8")) if (path := told.folder.parent / RUNS).exists() else None
    files.write_text(told.folder / PAGE, page.html(found, parts, runs))
    text = summary.markdown(found, parts, runs)
    files.write_text(told.folder / SUMMARY, text)
    pages.fill(told.folder, FOLDER, "parity", text)
    print(text)
    print(told.folder / PAGE)
    return all(subject.verdict == "same" for subject in found), {"networks": [s.name for s in found]}


def _measure(told: argparse.Namespace) -> None:
    from parity.cli import main

    common = ["--seed", str(told.seed)]
    for option in ("limit", "data", "data_dir"):
        if (value := getattr(told, option)) is not None:
            common += [f"--{option.replace('_', '-')}", str(value)]
    for name in PARTS:
        path = told.folder / f"{name}.json"
        if not list(told.folder.glob(f"{name}*.json")):
            print(f"python -m parity {name}", flush=True)
            main([name, *common, "--json", str(path)])


LIMITS = {
    "gradients": ", ".join(f"{tolerances.GRADIENT[dtype]:g} in {dtype}" for dtype in tolerances.GRADIENT),
    "epoch": f"{tolerances.TRAJECTORY:g}",
}
"""The tolerances in words, for the page."""
