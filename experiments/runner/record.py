"""The files of a finished run, read for its report and figures."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from experiments.runner import files
from experiments.runner.errors import UsageError
from experiments.runner.files import Row

if TYPE_CHECKING:
    from experiments.registry import Experiment

S = TypeVar("S")

CONFIG, HISTORY, TIMINGS, METRICS = "config.json", "history.csv", "timings.csv", "metrics.json"
ARRAYS = "arrays.npz"


@dataclass(frozen=True)
class Record(Generic[S]):
    """A finished run."""

    folder: Path
    config: dict[str, Any]
    settings: S
    history: list[Row]
    timings: list[Row]
    metrics: dict[str, Any]

    @classmethod
    def read(cls, folder: Path, experiment: Experiment[S]) -> Record[S]:
        """Reads a run's folder.

        Raises:
            UsageError: if a file is missing or damaged.
        """
        try:
            config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
            metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
            history, timings = files.read_csv(folder / HISTORY), files.read_csv(folder / TIMINGS)
            settings = restore(experiment.settings, config["settings"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{folder} holds no complete run of {experiment.name}: {error}") from error
        return cls(folder, config, settings, history, timings, metrics)

    @property
    def stages(self) -> list[str]:
        """The trainings of the run, in order."""
        return list(dict.fromkeys(row["stage"] for row in self.history))

    def curve(self, stage: str, column: str) -> list[float]:
        """A column of the history, one value per epoch."""
        return [row[column] for row in self.history if row["stage"] == stage]

    def table(self, name: str) -> list[Row]:
        """A table that the run kept."""
        return files.read_csv(self.folder / f"{name}.csv")

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that the run kept, by name."""
        return files.read_npz(self.folder / ARRAYS)

    @property
    def seconds(self) -> float:
        """The time that training and evaluation took together."""
        return float(sum(row["train_seconds"] + row["evaluation_seconds"] for row in self.timings))

    @property
    def warning(self) -> str:
        """The warning beside all numbers if the data isn't the assignment's; else empty."""
        if not self.config["data"]["stands_in"]:
            return ""
        return f"Not the data of the assignment: {self.config['data']['description']}"


def restore(settings: type[S], values: dict[str, Any]) -> S:
    """Settings from JSON, which has lists in place of tuples."""
    known = {field.name for field in fields(settings)}  # type: ignore[arg-type]
    if unknown := set(values) - known:
        raise ValueError(f"settings that {settings.__qualname__} doesn't know: {', '.join(sorted(unknown))}")
    return settings(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
