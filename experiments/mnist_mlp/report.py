"""The report of `mnist_mlp`: figures, tables, and the text beside this file."""

from __future__ import annotations

from itertools import pairwise

from experiments.mnist_mlp.train import Settings
from experiments.reporting import report, shared
from experiments.runner.record import Record
from experiments.training.classification import FINAL, rate_name


def write(record: Record[Settings]) -> str:
    """The text, every number and figure of it from the run's own files."""
    settings, metrics = record.settings, record.metrics
    widths = [784, *settings.hidden, 10]
    parts = {"training": "train", "test": "test"}
    losses = {label: record.curve(FINAL, f"{part}_loss") for label, part in parts.items()}
    accuracies = {label: record.curve(FINAL, f"{part}_accuracy") for label, part in parts.items()}
    rate = next(rate for rate in settings.learning_rates if rate_name(rate) == metrics["chosen"])
    total = metrics["training_samples"] + metrics["validation_samples"]
    hyper: list[list[object]] = [
        ["layers", "-".join(map(str, widths))],
        ["activation", "ReLU after each hidden layer"],
        ["parameters", f"{sum((n + 1) * m for n, m in pairwise(widths)):,}"],
        ["initialisation", "PyTorch's own: uniform within ±1/√fan_in, weights and biases"],
        ["loss", "cross entropy of the softmax (the network ends with a linear layer)"],
        ["optimizer", f"SGD with momentum {settings.momentum:g}"],
        ["learning rate", f"{rate:g} at first, falling to zero along a cosine, a step an epoch"],
        ["batch size", settings.batch_size],
        ["updates an epoch", -(-total // settings.batch_size)],
        ["epochs", settings.epochs],
        ["weight decay, dropout", "none"],
        ["input", "pixels as numbers from 0 to 1, not preprocessed further"],
        ["seed", record.config["seed"]],
    ]
    return shared.fill(
        __file__,
        settings=settings,
        metrics=metrics,
        total=total,
        accuracy=report.percent(metrics["test_accuracy"]),
        hyper=report.table(["hyper-parameter", "value"], hyper),
        search=shared.search_table(record),
        epochs=shared.epoch_table(record, FINAL),
        loss=shared.loss_figure(record, "loss", "Average loss after each epoch", losses),
        accuracy_figure=shared.accuracy_figure(record, "accuracy", "Accuracy after each epoch", accuracies),
        confusion=report.image(shared.heat_map(record, "Classification rates on the test set (%)"), "confusion matrix"),
        pair=shared.pair(record),
    )
