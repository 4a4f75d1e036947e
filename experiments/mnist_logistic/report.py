"""The report of `mnist_logistic`: figures, tables, and the text beside this file."""

from __future__ import annotations

from experiments.mnist_logistic.train import Settings, stage_name
from experiments.reporting import report, shared
from experiments.runner.record import Record
from experiments.training.classification import FINAL, SEARCH


def write(record: Record[Settings]) -> str:
    """The text, every number and figure of it from the run's own files."""
    settings, metrics = record.settings, record.metrics
    parts = {"training": "train", "test": "test"}
    losses = {label: record.curve(FINAL, f"{part}_loss") for label, part in parts.items()}
    accuracies = {label: record.curve(FINAL, f"{part}_accuracy") for label, part in parts.items()}
    found = {row["candidate"]: row for row in record.table(SEARCH)}
    strongest = max(settings.learning_rates)
    gaps = [
        f"{penalty}: {row['validation_loss'] - row['train_loss']:.3f}"
        for penalty in settings.penalties
        for row in [found[stage_name(penalty, strongest)]]
    ]
    best = 1 + losses["test"].index(min(losses["test"]))
    accuracy = report.percent(metrics["test_accuracy"])
    return shared.fill(
        __file__,
        datasets=report.module_link("minigrad.vision.datasets", record.folder),
        settings=settings,
        metrics=metrics,
        total=metrics["training_samples"] + metrics["validation_samples"],
        updates=-(-(metrics["training_samples"] + metrics["validation_samples"]) // settings.batch_size),
        rates=", ".join(f"{rate:g}" for rate in settings.learning_rates),
        penalties=", ".join(settings.penalties),
        search=shared.search_table(record),
        strongest=f"{strongest:g}",
        gaps="; ".join(gaps),
        validation=report.percent(metrics["validation_accuracy"]),
        error=report.percent(shared.standard_error(metrics["validation_accuracy"], metrics["validation_samples"])),
        accuracy=accuracy,
        epochs=shared.epoch_table(record, FINAL),
        lowest=f"{min(losses['test']):.4f} after epoch {best}",
        loss=shared.loss_figure(record, "loss", "Log-loss after each epoch", losses),
        accuracy_figure=shared.accuracy_figure(record, "accuracy", "Accuracy after each epoch", accuracies),
        confusion=report.image(
            shared.heat_map(record, f"Classification rates on the test set (%): {accuracy} right"), "confusion matrix"
        ),
        confused=shared.confusion_list(record),
        pair=shared.pair(record),
    )
