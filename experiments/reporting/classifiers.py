"""What the reports of several classifiers have in common: figures, tables, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.reporting import figures, report
from experiments.runner.files import Row
from experiments.runner.record import Record
from experiments.training import metrics
from experiments.training.classification import CONFUSION, FINAL, SEARCH
from experiments.training.sparsity import FORMS, SPARSITY

SIGNIFICANT = 0.05  #: p of a difference that is called significant


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
        "seeds": report.seeds_sentence(found["test_accuracies"]),
        "final_training": report.percent(record.curve(FINAL, "train_accuracy")[-1]),
        "edge": report.edge(record.settings.learning_rates, float(found["chosen"].split()[-1])),
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


def sparsity(record: Record[Any], on: str) -> str:
    """The share of zero weights and the accuracy over the coefficient of L1, as a link to the figure."""
    rows = record.table(SPARSITY)
    figure, grid = figures.canvas(1, 2, size=(10.0, 4.2))
    for form, colour, size in zip(FORMS, (figures.VALIDATION, figures.TRAINING), (9, 4), strict=True):
        mine = [row for row in rows if row["form"] == form]
        look: dict[str, Any] = {"color": colour, "marker": "o", "markersize": size, "label": f"L1, {form}"}
        for axes, column in zip(grid, ("zeros", "on_accuracy"), strict=True):
            axes.plot([row["strength"] for row in mine], [100 * row[column] for row in mine], **look)
    grid[0].set(title="Weights that are exactly zero", ylabel="share of the weights (%)", ylim=(-3, 103))
    grid[1].set(title=f"Accuracy on {on}", ylabel="accuracy (%)")
    for axes in grid:
        axes.set(xscale="log", xlabel="coefficient λ of L1")
    figures.legend(figure, grid[0])
    title = "zero weights and accuracy over the coefficient of L1"
    return report.image(figures.save(figure, record, "sparsity"), title)


def sparsity_sentence(record: Record[Any]) -> str:
    """What each form does to the weights, and what zeros cost."""
    rows = record.table(SPARSITY)
    added, thresholded = ([row for row in rows if row["form"] == form] for form in FORMS)
    best = max(thresholded, key=lambda row: (row["on_accuracy"], row["zeros"]))
    most = max(thresholded, key=lambda row: row["zeros"])
    return (
        f"Added to the loss, the penalty leaves {report.percent(max(row['zeros'] for row in added), 1)} of the weights"
        " at exactly zero at most: its gradient carries a weight to and fro across zero, but hardly ever onto it. With"
        f" the soft threshold the accuracy is highest at λ = {best['strength']:g}:"
        f" {report.percent(best['on_accuracy'])} with {report.percent(best['zeros'], 1)} of the weights at zero. The"
        f" most zeros, {report.percent(most['zeros'], 1)}, come at λ = {most['strength']:g}, with"
        f" {report.percent(most['on_accuracy'])}."
    )


def versus(row: Row, other: str) -> str:
    """How the accuracy of a network compares with another's on the same test samples: a row of counts as `Paired`."""
    pair_of = metrics.Paired(row["gained"], row["lost"], row["samples"])
    if pair_of.gained == pair_of.lost:
        return f"that is as many as {other}, with {pair_of.gained} samples that only one of the two gets right"
    points = f"{100 * abs(pair_of.difference):.2f} ± {100 * pair_of.error:.2f} percentage points"
    verdict = "a significant difference" if pair_of.p < SIGNIFICANT else "no significant difference"
    return (
        f"that is {points} {'more' if pair_of.difference > 0 else 'less'} than {other}:"
        f" only it is right on {pair_of.gained} samples and only the other on {pair_of.lost}, {verdict}"
        f" (McNemar's test, p = {pair_of.p:.2g})"
    )


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
