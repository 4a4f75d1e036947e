"""The report of `mnist_cnn`: figures, tables, and the text beside this file."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

from experiments.mnist_cnn import train as mnist_cnn
from experiments.mnist_cnn.train import (
    NETWORKS,
    NORMALISED,
    PLAIN,
    RATES,
    REGULARISED,
    REGULARISERS,
    TWEAKS,
    Recipe,
    Settings,
)
from experiments.reporting import classifiers, figures, report
from experiments.runner import frameworks
from experiments.runner.files import Row
from experiments.runner.record import Record
from experiments.training.metrics import standard_error

TITLES = {
    PLAIN: "(b) plain",
    REGULARISED: "(c) weight decay and dropout",
    NORMALISED: "(d) batch norm and other tweaks",
}
PLACES = {"first_relu": "the first ReLU", "max_pooling": "max-pooling", "last_relu": "the last ReLU"}


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    settings, metrics = record.settings, record.metrics
    networks = {row["network"]: row for row in record.table(NETWORKS)}
    plain, regularised, normalised = (networks[name] for name in TITLES)
    fw = frameworks.load(record.config["framework"])
    model = _recipe(normalised).network(fw)
    return report.fill(
        __file__,
        record,
        networks=[_summary(row, metrics["test_samples"]) for row in networks.values()],
        error=_points(standard_error(metrics["test_accuracy"], metrics["test_samples"])),
        source=inspect.getsource(mnist_cnn.architecture).strip(),
        framework=record.config["framework"],
        shapes=_shapes(fw),
        rates_tried=len(settings.learning_rates),
        epochs_b=_many(settings.epochs, "epoch"),
        trial_epochs=_many(settings.trial_epochs, "epoch"),
        rates=_rates(record),
        plain=plain,
        epochs=[row for row in record.history if row["stage"] == PLAIN],
        curves=_curves(record),
        regularisers=_steps(record, REGULARISERS),
        regularised=regularised,
        dropout=_dropout(regularised),
        choice=_choice(record),
        versus_plain=_versus(metrics, regularised, plain, "(b)"),
        tweaks=_steps(record, TWEAKS),
        normalised_parameters=sum(parameter.numel() for parameter in model.parameters()),
        layers=model,
        normalised=normalised,
        higher=f", {normalised['rate'] / plain['rate']:g} times that of (b)" * (normalised["rate"] > plain["rate"]),
        schedule=_schedule(normalised),
        shift=_shift(normalised),
        normalised_epochs=_many(settings.normalised_epochs, "epoch"),
        versus_regularised=_versus(metrics, normalised, regularised, "(c)"),
        confusion=classifiers.heat_map(record, "(d): classification rates on the test set (%)"),
        pair=classifiers.pair(record),
    )


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"


def _points(rate: float) -> str:
    return f"{100 * rate:.2f} percentage points"


def _recipe(row: Row) -> Recipe:
    return Recipe(**{field.name: row[field.name] for field in fields(Recipe)})


def _summary(row: Row, samples: int) -> Row:
    return {**row, "title": TITLES[row["network"]], "wrong": round((1 - row["test_accuracy"]) * samples)}


def _shapes(fw: Any) -> list[Row]:
    rows, values = [{"layer": "the image", "output": "1 × 28 × 28", "count": ""}], fw.zeros(1, 1, 28, 28)
    for layer in mnist_cnn.architecture(fw):
        values = layer(values)
        count = sum(parameter.numel() for parameter in layer.parameters())
        output = " × ".join(map(str, values.shape[1:]))
        rows.append({"layer": f"`{layer}`", "output": output, "count": f"{count:,}" if count else ""})
    return rows


def _rates(record: Record[Settings]) -> list[Row]:
    rows = record.table(RATES)
    best = min(rows, key=lambda row: float(row["validation_loss"]))
    return [{**row, "bold": row is best} for row in rows]


def _curves(record: Record[Settings]) -> str:
    figure, (left, right) = figures.canvas(1, 2, size=(11.0, 4.5))
    for (name, title), colour in zip(TITLES.items(), (figures.TRAINING, figures.VALIDATION, figures.TEST), strict=True):
        losses, accuracies = record.curve(name, "loss"), record.curve(name, "train_accuracy")
        epochs = range(1, len(losses) + 1)
        look: dict[str, Any] = {"color": colour, "label": title, "marker": "o", "markersize": 3}
        left.plot(epochs, losses, **look)
        right.plot(epochs, [100 * accuracy for accuracy in accuracies], **look)
    left.set(title="Average loss while learning", xlabel="epoch", ylabel="log-loss (nats per sample)", yscale="log")
    title = f"Accuracy on the first {record.metrics['search_samples']:,} training samples"
    right.set(title=title, xlabel="epoch", ylabel="accuracy (%)")
    right.set_ylim(*figures.percent_range([record.curve(name, "train_accuracy") for name in TITLES]))
    for axes in (left, right):
        figures.whole_numbers(axes)
    figures.legend(figure, left)
    path = figures.save(figure, record, "curves")
    return report.image(path, "loss and accuracy of the three networks after each epoch")


def _dropout(row: Row) -> str:
    return ", ".join(f"{row[place]:g} after {spelled}" for place, spelled in PLACES.items() if row[place]) or "none"


def _versus(metrics: dict[str, Any], row: Row, other: Row, name: str) -> str:
    """The difference between two networks on the test set, and whether it is significant."""
    gain = row["test_accuracy"] - other["test_accuracy"]
    if not gain:
        return f"just as {name}"
    n = metrics["test_samples"]
    spread = sum(standard_error(r["test_accuracy"], n) ** 2 for r in (row, other)) ** 0.5
    verdict = "more" if abs(gain) > 2 * spread else "less"
    return (
        f"that is {_points(abs(gain))} {'more' if gain > 0 else 'less'} than {name}, {verdict} than twice the standard"
        f" error of such a difference, {_points(spread)}"
    )


def _steps(record: Record[Settings], table: str) -> list[Row]:
    start, *steps = record.table(table)
    before, rows = start, [{**start, "gain": "", "points": "", "yes": ""}]
    for row in steps:
        lower = before["validation_loss"] - row["validation_loss"]
        higher = row["validation_accuracy"] - before["validation_accuracy"]
        gains = {"gain": f"{lower:+.4f} ± {row['standard_error']:.4f}", "points": f"{100 * higher:+.2f} points"}
        rows.append({**row, **gains, "yes": "yes" if row["kept"] else "no"})
        before = row if row["kept"] else before
    return rows


def _choice(record: Record[Settings]) -> str:
    """The gain of the choice of (c) on validation data."""
    start, *steps = record.table(REGULARISERS)
    kept = [row["validation_loss"] for row in steps if row["kept"]]
    before = f"{start['validation_loss']:.4f}"
    if not kept:
        return f"No candidate was worth keeping on validation, where the log-loss is {before} without both."
    return f"On validation the choice brings the log-loss from {before}, without both, to {kept[-1]:.4f}."


def _shift(row: Row) -> str:
    return f"random shifts by up to {_many(row['shift'], 'pixel')}" if row["shift"] else "no random shifts"


def _schedule(row: Row) -> str:
    if row["one_cycle"]:
        return (
            "It is reached from 1/25 of it in the first three tenths of all batches and then falls to nothing along a"
            " cosine (`OneCycleLR`), while Nesterov's momentum goes from 0.95 to 0.85 and back."
        )
    momentum = "Nesterov's momentum" if row["nesterov"] else "momentum"
    return f"It falls to zero along a cosine, with {momentum} {row['momentum']:g}."
