"""What the reports of several classifiers have in common: figures, tables, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.reporting import figures, report
from experiments.runner.files import Row
from experiments.runner.record import Record
from experiments.training import metrics
from experiments.training.classification import CONFUSION, FINAL, SEARCH


def fill(module: str, record: Record[Any], *, test_curves: bool = False, loss: str = "Log-loss", **values: Any) -> str:
    """`report.fill` for a network chosen by `train_best`: with the search, the curves and the confusions.

    The curves are those of the chosen candidate on training and validation data, or with `test_curves` those of the
    final training on training and test data.
    """
    found = record.metrics
    stage, other = (FINAL, "test") if test_curves else (found["chosen"], "validation")
    of = "after each epoch" if test_curves else f"after each epoch, {stage}"

    def curves(what: str) -> dict[str, list[float]]:
        parts = {"training": "train", other: other}
        return {label: record.curve(stage, f"{part}_{what}") for label, part in parts.items()}

    common = {
        "total": found["training_samples"] + found["validation_samples"],
        "accuracy": report.percent(found["test_accuracy"]),
        "final_training": report.percent(record.curve(FINAL, "train_accuracy")[-1]),
        "search": [{**row, "bold": row["candidate"] == found["chosen"]} for row in record.table(SEARCH)],
        "epochs": [row for row in record.history if row["stage"] == FINAL],
        "accuracy_figure": accuracy_figure(record, f"Accuracy {of}", curves("accuracy")),
        "loss": loss_figure(record, f"{loss} {of}", curves("loss")),
        "confusion": heat_map(record, "Classification rates on the test set (%)"),
        "confused": confusion_list(record),
        "pair": pair(record),
    }
    return report.fill(module, record, **common, **values)


def counts_of(record: Record[Any]) -> tuple[list[str], list[list[int]]]:
    """The classes, and how often each (row) was taken for each (column) in the test."""
    rows = record.table(CONFUSION)
    classes = [str(row["true"]) for row in rows]
    return classes, [[row[name] for name in classes] for row in rows]


def heat_map(record: Record[Any], title: str) -> str:
    """The rates of decisions, conditioned on the true class."""
    classes, counts = counts_of(record)
    figure, axes = figures.canvas(size=(8.2, 7.2))
    figures.confusion_rates(axes, metrics.rates(counts), classes)
    axes.set(title=f"{title}: {report.percent(record.metrics['test_accuracy'])} right")
    return report.image(figures.save(figure, record, "confusion"), "confusion matrix")


def confusion_list(record: Record[Any]) -> list[Row]:
    """For each class what it is most often taken for, and what is most often taken for it."""
    classes, counts = counts_of(record)
    rates, rows = metrics.rates(counts), []
    found = zip(classes, metrics.most_confused(counts), metrics.most_mistaken(counts), strict=True)
    for i, (name, first, second) in enumerate(found):
        taken = f"**{classes[first.predicted]}** ({report.percent(first.rate, 1)})" if first else "nothing"
        mistaken = f"{classes[second.true]} ({report.percent(second.rate, 1)} of them)" if second else "nothing"
        label = name if name.isdecimal() else f"{i} {name}"
        rows.append({"label": label, "rate": rates[i][i], "taken": taken, "mistaken": mistaken})
    return rows


def pair(record: Record[Any]) -> str:
    """The pair confused most overall, in both directions together and in one, in a sentence or two."""
    classes, counts = counts_of(record)
    both, directed = metrics.most_confused_classes(counts), metrics.most_confused_pair(counts)
    if both is None or directed is None:
        return "No class was ever confused with another."
    rates = metrics.rates(counts)
    i, j = both.true, both.predicted
    return (
        f"**{classes[i]} and {classes[j]}**: {report.percent(rates[i][j], 1)} of class {classes[i]} are taken for"
        f" {classes[j]} and {report.percent(rates[j][i], 1)} of class {classes[j]} for {classes[i]}, the highest sum of"
        f" both directions ({report.percent(both.rate, 1)}). In one direction alone the most frequent confusion is"
        f" {classes[directed.true]} taken for {classes[directed.predicted]} ({report.percent(directed.rate, 1)})."
    )


def final_figure(record: Record[Any], title: str, rates: Sequence[float] = ()) -> str:
    """The training accuracy of the network that is tested, and its test accuracy, as a link to the figure."""
    figure, axes = figures.canvas()
    curve, test = record.curve(FINAL, "train_accuracy"), record.metrics["test_accuracy"]
    figures.accuracy_curves(axes, {"training (all samples)": curve}, rates)
    figures.test_mark(axes, len(curve), 100 * test, f"test, once: {report.percent(test)}")
    axes.set(title=title, ylim=figures.percent_range([curve, [test]]))
    figures.legend(figure, axes)
    return report.image(figures.save(figure, record, "final"), "training accuracy on all samples")


def accuracy_figure(record: Record[Any], title: str, curves: dict[str, list[float]]) -> str:
    """Accuracies over the epochs, as a link to the figure."""
    figure, axes = figures.canvas()
    figures.accuracy_curves(axes, curves)
    lowest, _ = figures.percent_range(list(curves.values()))
    highest = 100 * max(map(max, curves.values()))
    axes.set(title=title, ylim=(lowest, highest + max(0.05 * (highest - lowest), 0.1)))
    figures.legend(figure, axes)
    return report.image(figures.save(figure, record, "accuracy"), title)


def loss_figure(record: Record[Any], title: str, curves: dict[str, list[float]]) -> str:
    """Log-losses over the epochs, as a link to the figure."""
    figure, axes = figures.canvas()
    figures.loss_curves(axes, curves)
    axes.set(title=title)
    figures.legend(figure, axes)
    return report.image(figures.save(figure, record, "loss"), title)
