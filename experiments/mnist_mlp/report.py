"""The report of `mnist_mlp`: figures, tables, and the text beside this file."""

from __future__ import annotations

from itertools import pairwise

from experiments.mnist_mlp.train import Settings
from experiments.reporting import classifiers
from experiments.runner.record import Record
from experiments.training.classification import rate_name


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    settings, metrics = record.settings, record.metrics
    widths = [784, *settings.hidden, 10]
    total = metrics["training_samples"] + metrics["validation_samples"]
    return classifiers.fill(
        __file__,
        record,
        test_curves=True,
        loss="Average loss",
        layers="-".join(map(str, widths)),
        parameters=sum((n + 1) * m for n, m in pairwise(widths)),
        rate=next(rate for rate in settings.learning_rates if rate_name(rate) == metrics["chosen"]),
        updates=-(-total // settings.batch_size),
        seed=record.config["seed"],
    )
