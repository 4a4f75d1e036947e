"""The report of `mnist_small_mlp`: figures, tables, and the text beside this file."""

from __future__ import annotations

import math

from experiments.mnist_small_mlp.train import Settings
from experiments.reporting import report, shared
from experiments.runner.record import Record


def write(record: Record[Settings]) -> str:
    """The text, every number and figure of it from the run's own files."""
    metrics, chosen = record.metrics, record.metrics["chosen"]
    example = record.table("example")
    columns = ("untrained", "untrained_softmax", "trained", "trained_softmax")
    rows = [[str(row["class"]), *(f"{row[column]:.4f}" for column in columns)] for row in example]
    label = metrics["example_label"]
    rows[label] = [f"**{cell}**" for cell in rows[label]]
    rows.append(["sum", *(f"{sum(row[column] for row in example):.4f}" for column in columns)])
    losses = {name: -math.log(max(example[label][f"{name}_softmax"], 1e-38)) for name in ("untrained", "trained")}
    return shared.fill(
        __file__,
        settings=record.settings,
        metrics=metrics,
        total=metrics["training_samples"] + metrics["validation_samples"],
        accuracy=report.percent(metrics["test_accuracy"]),
        untrained=report.percent(metrics["untrained_test_accuracy"]),
        chance=math.log(10),
        search=shared.search_table(record),
        example=report.table(["class", "untrained score", "its softmax", "trained score", "its softmax"], rows),
        losses=losses,
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
        confusion=report.image(shared.heat_map(record, "Classification rates on the test set (%)"), "confusion matrix"),
        pair=shared.pair(record),
    )
