"""The report of `mnist_cnn`: figures, tables, and the text beside this file."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields
from typing import Any

from experiments.mnist_cnn import train as mnist_cnn
from experiments.mnist_cnn.train import (
    NETWORKS,
    NORMALISED,
    PAIRS,
    PLAIN,
    REGULARISED,
    REGULARISERS,
    TWEAKS,
    Recipe,
    Settings,
    prefix,
)
from experiments.mnist_mlp.train import EXPERIMENT as FULLY_CONNECTED
from experiments.reporting import classifiers, figures, report
from experiments.runner import frameworks
from experiments.runner.files import Row
from experiments.runner.record import METRICS, Record
from experiments.training.classification import rate_name

TITLES = {
    PLAIN: "(b) plain",
    REGULARISED: "(c) weight decay and dropout",
    "dropout": "(c) dropout alone",
    "weight decay": "(c) weight decay alone",
    NORMALISED: "(d) batch norm and other tweaks",
}
COLOURS = dict(zip(TITLES, (figures.TRAINING, figures.VALIDATION, "#8d5fb0", "#e0a83a", figures.TEST), strict=True))
PLACES = {"first_relu": "the first ReLU", "max_pooling": "max-pooling", "last_relu": "the last ReLU"}


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    settings, metrics = record.settings, record.metrics
    networks = {row["network"]: row for row in record.table(NETWORKS)}
    grid = record.table(REGULARISERS)
    best = min(grid, key=lambda row: float(row["validation_loss"]))
    plain, both, normalised = (networks[name] for name in (PLAIN, REGULARISED, NORMALISED))
    versus = {
        (row["before"], row["after"]): classifiers.versus(row, TITLES[row["before"]]) for row in record.table(PAIRS)
    }
    fw = frameworks.load(record.config["framework"])
    model = _recipe(normalised).network(fw)
    return report.fill(
        __file__,
        record,
        networks=[_summary(row, metrics) for row in networks.values()],
        several=_many(len(metrics["test_accuracies"]), "seed"),
        source=inspect.getsource(mnist_cnn.architecture).strip(),
        framework=record.config["framework"],
        shapes=_shapes(fw),
        rate=_rate(record),
        epochs_b=_many(settings.epochs, "epoch"),
        trial_epochs=_many(settings.trial_epochs, "epoch"),
        plain=plain,
        epochs=[row for row in record.history if row["stage"] == PLAIN],
        curves=_curves(record, networks),
        grid=_grid(record, grid, best),
        both=both,
        dropout=_dropout(both),
        versus_plain=versus[PLAIN, REGULARISED],
        best=_best(best, networks, versus),
        tweaks=_steps(record, TWEAKS),
        level=settings.significance / len(settings.tweaks),
        tried=len(settings.tweaks),
        normalised_parameters=sum(parameter.numel() for parameter in model.parameters()),
        layers=model,
        normalised=normalised,
        higher=f", {normalised['rate'] / plain['rate']:g} times that of (b)" * (normalised["rate"] > plain["rate"]),
        schedule=_schedule(normalised),
        shift=_shift(normalised),
        normalised_epochs=_many(settings.normalised_epochs, "epoch"),
        versus_both=versus[REGULARISED, NORMALISED],
        confusion=classifiers.heat_map(record, "(d): classification rates on the test set (%)"),
        pair=classifiers.pair(record),
    )


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"


def _recipe(row: Row) -> Recipe:
    return Recipe(**{field.name: row[field.name] for field in fields(Recipe)})


def _summary(row: Row, metrics: dict[str, Any]) -> Row:
    seeds = report.over_seeds(metrics[f"{prefix(row['network'])}test_accuracies"])
    wrong = round((1 - row["test_accuracy"]) * metrics["test_samples"])
    return {**row, "title": TITLES[row["network"]], "wrong": wrong, "seeds": seeds}


def _rate(record: Record[Settings]) -> str:
    """The learning rate of (b), and whether the run of the fully connected network beside this one chose the same."""
    rate, beside = record.settings.learning_rate, record.folder.parent / FULLY_CONNECTED.name / METRICS
    chosen = json.loads(beside.read_text(encoding="utf-8"))["chosen"] if beside.exists() else rate_name(rate)
    if chosen != rate_name(rate):
        return f"{rate:g} (in the run beside this one it chose {chosen})"
    return f"{rate:g}, which it chose on validation data"


def _shapes(fw: Any) -> list[Row]:
    rows, values = [{"layer": "the image", "output": "1 × 28 × 28", "count": ""}], fw.zeros(1, 1, 28, 28)
    for layer in mnist_cnn.architecture(fw):
        values = layer(values)
        count = sum(parameter.numel() for parameter in layer.parameters())
        output = " × ".join(map(str, values.shape[1:]))
        rows.append({"layer": f"`{layer}`", "output": output, "count": f"{count:,}" if count else ""})
    return rows


def _grid(record: Record[Settings], rows: list[Row], best: Row) -> str:
    """Log-loss and accuracy on validation data of each dropout (row) with each weight decay (column)."""
    decays = record.settings.decays
    both = min((row for row in rows if row["has"] == REGULARISED), key=lambda row: float(row["validation_loss"]))
    lines = []
    for i, (name, _) in enumerate(record.settings.regularisers):
        cells = []
        for row in rows[i * len(decays) : (i + 1) * len(decays)]:
            cell = f"{row['validation_loss']:.4f} ({report.percent(row['validation_accuracy'])})"
            cells.append(report.bold(cell, row is both) + " ←" * (row is best))
        lines.append([name, *cells])
    return report.table(["dropout", *(f"weight decay {decay:g}" for decay in decays)], lines)


def _best(best: Row, networks: dict[str, Row], versus: dict[tuple[str, str], str]) -> str:
    """Whether the best network of (c) has both regularisers, and if not, how it did."""
    if best["has"] == REGULARISED:
        return "It is the best of all that were tried, and (d) goes on from it."
    if best["has"] == PLAIN:
        return "The best of all that were tried is the network of (b), without both, and (d) goes on from it."
    text = f"The best of all that were tried has {best['has']} alone (arrow), and (d) goes on from it."
    row = networks[best["has"]]
    return (
        f"{text} Trained in the same way it reaches {report.percent(row['test_accuracy'])} on the test set;"
        f" {versus[REGULARISED, best['has']]}."
    )


def _curves(record: Record[Settings], networks: dict[str, Row]) -> str:
    figure, axes = figures.canvas(1, 3, size=(13.0, 4.2))
    panels = {
        "Average loss while learning": ("network", "loss"),
        f"Accuracy on {record.metrics['search_samples']:,} training samples": ("network", "train_accuracy"),
        "Validation accuracy in the search": ("searched", "validation_accuracy"),
    }
    for panel, (title, (stage, column)) in zip(axes, panels.items(), strict=True):
        curves = {name: record.curve(row[stage], column) for name, row in networks.items()}
        scale = 1 if column == "loss" else 100
        for name, curve in curves.items():
            look: dict[str, Any] = {"color": COLOURS[name], "label": TITLES[name], "marker": "o", "markersize": 3}
            panel.plot(range(1, len(curve) + 1), [scale * value for value in curve], **look)
        panel.set_title(title, fontsize=11)
        panel.set(xlabel="epoch", ylabel="log-loss (nats per sample)" if column == "loss" else "accuracy (%)")
        panel.set(**{"yscale": "log"} if column == "loss" else {"ylim": figures.percent_range(list(curves.values()))})
        figures.whole_numbers(panel)
    figures.legend(figure, axes[0])
    path = figures.save(figure, record, "curves")
    return report.image(path, "loss and accuracy of the networks after each epoch")


def _dropout(row: Row) -> str:
    return ", ".join(f"{row[place]:g} after {spelled}" for place, spelled in PLACES.items() if row[place]) or "none"


def _steps(record: Record[Settings], table: str) -> list[Row]:
    start, *steps = record.table(table)
    before, rows = start, [{**start, "gain": "", "points": "", "p": "", "yes": ""}]
    for row in steps:
        lower = before["validation_loss"] - row["validation_loss"]
        higher = row["validation_accuracy"] - before["validation_accuracy"]
        gains = {"gain": f"{lower:+.4f} ± {row['standard_error']:.4f}", "points": f"{100 * higher:+.2f} points"}
        rows.append({**row, **gains, "p": f"{row['p']:.2g}", "yes": "yes" if row["kept"] else "no"})
        before = row if row["kept"] else before
    return rows


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
