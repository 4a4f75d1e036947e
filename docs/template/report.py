"""The report of `NAME`: figures, tables, and the text beside this file."""

from __future__ import annotations

from experiments.NAME.train import Settings

from experiments.reporting import classifiers
from experiments.runner.record import Record


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    return classifiers.fill(__file__, record, hidden="-".join(map(str, record.settings.hidden)))
