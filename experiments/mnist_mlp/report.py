"""The report of `mnist_mlp`: figures, tables, and the text beside this file."""

from __future__ import annotations

from itertools import pairwise

from experiments.mnist_mlp.train import Settings
from experiments.reporting import classifiers, report
from experiments.runner.record import Record
from experiments.training.classification import FINAL, rate_name


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    settings, metrics = record.settings, record.metrics
    widths = [784, *settings.hidden, 10]
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
    return classifiers.fill(
        __file__,
        record,
        test_curves=True,
        loss="Average loss",
        hyper=report.table(["hyper-parameter", "value"], hyper),
        epochs=classifiers.epoch_table(record, FINAL),
    )
