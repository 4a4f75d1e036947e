"""What a run keeps, and the files that its report is made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from experiments.runner import files
from experiments.runner.files import Row
from experiments.runner.record import ARRAYS, CONFIG, HISTORY, METRICS, TIMINGS


class Results:
    """Numbers, tables and arrays."""

    def __init__(self) -> None:
        self.metrics: dict[str, Any] = {}
        self.tables: dict[str, list[Row]] = {}
        self.arrays: dict[str, np.ndarray] = {}

    def keep(self, **metrics: Any) -> None:
        """Adds to the headline numbers, under plain names; rates as fractions."""
        self.metrics.update(metrics)

    def keep_table(self, name: str, rows: list[Row]) -> list[Row]:
        """Keeps a table for the report, as NAME.csv, and returns it; a choice between candidates reads what it returns.

        In a run these are the rows that were passed. A run that trains nothing returns those of an earlier run.
        """
        self.tables[name] = rows
        return rows

    def keep_arrays(self, **arrays: np.ndarray) -> None:
        """Keeps arrays for the report, such as images; they are committed, so they should be small."""
        self.arrays.update(arrays)

    def write(self, folder: Path, config: dict[str, Any], history: list[Row], timings: list[Row]) -> None:
        """Writes the files."""
        files.write_json(folder / CONFIG, config)
        files.write_csv(folder / HISTORY, history)
        files.write_csv(folder / TIMINGS, timings)
        for name, rows in self.tables.items():
            files.write_csv(folder / f"{name}.csv", rows)
        if self.arrays:
            files.write_npz(folder / ARRAYS, self.arrays)
        files.write_json(folder / METRICS, self.metrics)
