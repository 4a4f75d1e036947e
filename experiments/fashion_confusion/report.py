"""The report of `fashion_confusion`: figures, tables, and the text beside this file."""

from __future__ import annotations

from experiments.fashion_confusion.train import Settings
from experiments.reporting import classifiers
from experiments.runner.record import Record


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    hidden = record.settings.hidden
    return classifiers.fill(__file__, record, parameters=785 * hidden + (hidden + 1) * 10)
