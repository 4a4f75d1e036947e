"""Figures and tables that the reports of several classifiers show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.reporting import figures, report
from experiments.runner.record import Record
from experiments.training import metrics
from experiments.training.classification import CONFUSION, SEARCH


def fill(module: str, **values: Any) -> str:
    """The text beside a report's module, its fields filled in."""
    return Path(module).with_suffix(".md").read_text(encoding="utf-8").format(**values)


def counts_of(record: Record[Any]) -> tuple[list[str], list[list[int]]]:
    """The classes, and how often each (row) was taken for each (column) in the test."""
    rows = record.table(CONFUSION)
    classes = [str(row["true"]) for row in rows]
    return classes, [[row[name] for name in classes] for row in rows]


def heat_map(record: Record[Any], title: str) -> Path:
    """The rates of decisions, conditioned on the true class."""
    classes, counts = counts_of(record)
    figure, axes = figures.canvas(size=(8.2, 7.2))
    figures.confusion_rates(axes, metrics.rates(counts), classes)
    axes.set(title=title)
    return figures.save(figure, record, "confusion")


def confusion_list(record: Record[Any]) -> str:
    """For each class what it is most often taken for, and what is most often taken for it."""
    classes, counts = counts_of(record)
    rates, n = metrics.rates(counts), len(classes)
    taken, mistaken = metrics.most_confused(counts), metrics.most_mistaken(counts)
    rows = []
    for i in range(n):
        first, second = taken[i], mistaken[i]
        rows.append(
            [
                classes[i] if classes[i].isdecimal() else f"{i} {classes[i]}",
                report.percent(rates[i][i], 1),
                f"**{classes[first.decided]}** ({report.percent(first.rate, 1)})" if first else "nothing",
                f"{classes[second.true]} ({report.percent(second.rate, 1)} of them)" if second else "nothing",
            ]
        )
    return report.table(["class m", "decided right", "m is most often taken for", "most often taken for m"], rows)


def pair(record: Record[Any]) -> str:
    """The pair confused most overall, in both directions together and in one, in a sentence or two."""
    classes, counts = counts_of(record)
    both, directed = metrics.most_confused_classes(counts), metrics.most_confused_pair(counts)
    if both is None or directed is None:
        return "No class was ever confused with another."
    rates = metrics.rates(counts)
    i, j = both.true, both.decided
    return (
        f"**{classes[i]} and {classes[j]}**: {report.percent(rates[i][j], 1)} of class {classes[i]} are taken for"
        f" {classes[j]} and {report.percent(rates[j][i], 1)} of class {classes[j]} for {classes[i]}, the highest sum of"
        f" both directions ({report.percent(both.rate, 1)}). In one direction alone the most frequent confusion is"
        f" {classes[directed.true]} taken for {classes[directed.decided]} ({report.percent(directed.rate, 1)})."
    )


def standard_error(accuracy: float, samples: int) -> float:
    """The standard error of a share measured on so many samples, √(p (1 − p) / n).

    >>> standard_error(0.5, 2_500)
    0.01
    """
    return math.sqrt(accuracy * (1 - accuracy) / samples)


def split_curves(record: Record[Any], stage: str, what: str) -> dict[str, list[float]]:
    """Loss or accuracy of a training on both sides of the split, an entry an epoch."""
    parts = {"training": "train", "validation": "validation"}
    return {label: record.curve(stage, f"{part}_{what}") for label, part in parts.items()}


def accuracy_figure(record: Record[Any], name: str, title: str, curves: Mapping[str, list[float]]) -> str:
    """Accuracies over the epochs, as a link to the figure."""
    figure, axes = figures.canvas()
    figures.accuracy_curves(axes, curves)
    lowest, _ = figures.percent_range(list(curves.values()))
    highest = 100 * max(map(max, curves.values()))
    axes.set(title=title, ylim=(lowest, highest + max(0.05 * (highest - lowest), 0.1)))
    figures.legend(figure, axes)
    return report.image(figures.save(figure, record, name), title)


def loss_figure(record: Record[Any], name: str, title: str, curves: Mapping[str, list[float]]) -> str:
    """Log-losses over the epochs, as a link to the figure."""
    figure, axes = figures.canvas()
    figures.loss_curves(axes, curves)
    axes.set(title=title)
    figures.legend(figure, axes)
    return report.image(figures.save(figure, record, name), title)


def search_table(record: Record[Any]) -> str:
    """What the search found, the chosen row in bold."""
    rows = []
    for row in record.table(SEARCH):
        losses = [f"{row[column]:.4f}" for column in ("train_loss", "validation_loss")]
        rates = [report.percent(row[column]) for column in ("train_accuracy", "validation_accuracy")]
        cells = [str(row["candidate"]), losses[0], rates[0], losses[1], rates[1]]
        rows.append([f"**{cell}**" if row["candidate"] == record.metrics["chosen"] else cell for cell in cells])
    header = ["candidate", "training log-loss", "training accuracy", "validation log-loss", "validation accuracy"]
    return report.table(header, rows)


def epoch_table(record: Record[Any], stage: str) -> str:
    """Loss and accuracy on training and test set after each epoch."""
    rows = []
    for row in record.history:
        if row["stage"] == stage:
            cells = [
                (f"{row[f'{part}_loss']:.4f}", report.percent(row[f"{part}_accuracy"])) for part in ("train", "test")
            ]
            rows.append([row["epoch"], *cells[0], *cells[1]])
    return report.table(["epoch", "training log-loss", "training accuracy", "test log-loss", "test accuracy"], rows)
