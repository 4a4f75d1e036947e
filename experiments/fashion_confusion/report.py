"""The report of `fashion_confusion`: figures, tables, and the text beside this file."""

from __future__ import annotations

from experiments.fashion_confusion.train import Settings
from experiments.reporting import report, shared
from experiments.runner.record import Record
from experiments.training.classification import FINAL


def write(record: Record[Settings]) -> str:
    """The text, every number and figure of it from the run's own files."""
    settings, metrics = record.settings, record.metrics
    accuracy = report.percent(metrics["test_accuracy"])
    chosen = metrics["chosen"]
    return shared.fill(
        __file__,
        settings=settings,
        metrics=metrics,
        total=metrics["training_samples"] + metrics["validation_samples"],
        parameters=785 * settings.hidden + (settings.hidden + 1) * 10,
        accuracy=accuracy,
        search=shared.search_table(record),
        final_training=report.percent(record.curve(FINAL, "train_accuracy")[-1]),
        accuracy_figure=shared.accuracy_figure(
            record,
            "accuracy",
            f"Accuracy after each epoch, {chosen}",
            shared.split_curves(record, chosen, "accuracy"),
        ),
        loss=shared.loss_figure(
            record,
            "loss",
            f"Log-loss after each epoch, {chosen}",
            shared.split_curves(record, chosen, "loss"),
        ),
        confusion=report.image(
            shared.heat_map(record, f"Classification rates on the test set (%): {accuracy} right"), "confusion matrix"
        ),
        confused=shared.confusion_list(record),
        pair=shared.pair(record),
    )
