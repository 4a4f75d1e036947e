"""The report of `mnist_logistic`: figures, tables, and the text beside this file."""

from __future__ import annotations

from experiments.mnist_logistic.train import Settings, stage_name
from experiments.reporting import classifiers, report
from experiments.runner.record import Record
from experiments.training.classification import FINAL, SEARCH
from experiments.training.metrics import standard_error


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    settings, metrics = record.settings, record.metrics
    losses = record.curve(FINAL, "test_loss")
    found = {row["candidate"]: row for row in record.table(SEARCH)}
    strongest = max(settings.learning_rates)
    gaps = [
        f"{penalty}: {row['validation_loss'] - row['train_loss']:.3f}"
        for penalty in settings.penalties
        for row in [found[stage_name(penalty, strongest)]]
    ]
    return classifiers.fill(
        __file__,
        record,
        test_curves=True,
        datasets=report.module_link("minigrad.vision.datasets", record.folder),
        updates=-(-(metrics["training_samples"] + metrics["validation_samples"]) // settings.batch_size),
        rates=", ".join(f"{rate:g}" for rate in settings.learning_rates),
        penalties=", ".join(settings.penalties),
        strongest=f"{strongest:g}",
        gaps="; ".join(gaps),
        validation=report.percent(metrics["validation_accuracy"]),
        error=report.percent(standard_error(metrics["validation_accuracy"], metrics["validation_samples"])),
        sparsity=classifiers.sparsity(record, "validation data"),
        sparse=classifiers.sparsity_sentence(record),
        lowest=f"{min(losses):.4f} after epoch {1 + losses.index(min(losses))}",
    )
