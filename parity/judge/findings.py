"""The findings of the commands, read from their files: all that is known about each network, and its verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.runner.errors import UsageError

PARTS = ("gradients", "trajectory", "accuracy", "conformance")
ACCURACY = "accuracy"


@dataclass
class Subject:
    """What is known about one network; a part is None until it has been measured."""

    experiment: str
    stage: str
    data: str
    gradients: dict[str, Any] | None = None
    epoch: dict[str, Any] | None = None  #: one in float64
    trajectory: dict[str, Any] | None = None  #: a whole training in float32, or those of several networks of a kind
    accuracy: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """Experiment and stage."""
        return f"{self.experiment}: {self.stage}"

    @property
    def anchor(self) -> str:
        """The name with dashes, for a link."""
        return "".join(c if c.isalnum() else "-" for c in self.name)

    def gradient_error(self, dtype: str) -> float | None:
        """The largest of all views in that dtype; None where it wasn't measured."""
        views = self.gradients["views"] if self.gradients else []
        return max((v["error"] for v in views if v["dtype"] == dtype and not v["skipped"]), default=None)

    def side(self, framework: str, quantity: str) -> list[float]:
        """That quantity of each training with a seed of its own."""
        return [t[quantity] for t in self.accuracy["trainings"][framework]] if self.accuracy else []

    @property
    def verdicts(self) -> dict[str, bool]:
        """What was measured, and whether it is within its tolerance."""
        parts = {"gradients": self.gradients, "an epoch in float64": self.epoch, "a run in float32": self.trajectory}
        found = {what: bool(part["passed"]) for what, part in parts.items() if part}
        test = self.accuracy and self.accuracy["equivalence"]
        return found | ({ACCURACY: bool(test["equivalent"])} if test else {})

    @property
    def verdict(self) -> str:
        """The verdict in a word."""
        failed = [what for what, passed in self.verdicts.items() if not passed]
        differs = ", ".join(what for what in failed if what != ACCURACY)
        words = [f"differs: {differs}"] if differs else []
        words += ["equivalence not shown"] if ACCURACY in failed else []  # which is no proof of a difference
        return "; ".join(words) or "same"


def subjects(parts: dict[str, dict[str, Any]]) -> list[Subject]:
    """All networks that any part knows, in the order of the experiments."""
    found: dict[tuple[str, str], Subject] = {}
    for part, entries, attribute in (
        ("gradients", "networks", "gradients"),
        ("trajectory", "float64", "epoch"),
        ("trajectory", "float32", "trajectory"),
        ("accuracy", "networks", "accuracy"),
    ):
        for entry in parts.get(part, {}).get(entries, ()):
            key = (entry["experiment"], entry["stage"])
            setattr(found.setdefault(key, Subject(*key, entry["data"])), attribute, entry)
    order = list(dict.fromkeys(subject.experiment for subject in found.values()))
    return sorted(found.values(), key=lambda s: (order.index(s.experiment), s.accuracy is None, s.trajectory is None))


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """What the commands found, by their names.

    Raises:
        UsageError: for a file that isn't what such a command wrote.
    """
    parts: dict[str, dict[str, Any]] = {}
    for name in PARTS:
        for path in sorted(folder.glob(f"{name}*.json")):
            writer = f"`python -m parity {name} --json {path}`"
            try:
                part = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise UsageError(f"{path}: no JSON ({error}); {writer} writes it") from None
            if not isinstance(part, dict) or part.get("command") != name:
                raise UsageError(f"{path} isn't what {writer} writes")
            part["lines"] = [part["line"]]
            parts[name] = joined(parts[name], part) if name in parts else part
    return parts


def joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """What the same command found in two runs, of other networks or other kinds."""
    lists = {key: [*first.get(key, []), *value] for key, value in second.items() if isinstance(value, list)}
    return {**first, **lists, "seconds": first["seconds"] + second["seconds"]}
