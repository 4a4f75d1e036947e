"""The report of `fashion_weights`: histograms, tables, and the text beside this file."""

from __future__ import annotations

import numpy as np

from experiments.fashion_weights.train import LAYERS, Settings
from experiments.reporting import classifiers, figures, report
from experiments.runner.files import Row
from experiments.runner.record import Record

Described = dict[tuple[str, str], Row]
"""The row of `weights.csv` of each (layer, network)."""


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    settings = record.settings
    names = list(settings.networks)
    plain, l2, dropout = names[3:]
    outcomes = {row["network"]: row for row in record.table("networks")}
    rows = record.table("weights")
    described = {(row["layer"], row["network"]): row for row in rows}
    wide = f"{settings.plain} regularised"
    return report.fill(
        __file__,
        record,
        results=[{**row, "name": report.bold(n, n in names[:2])} for n, row in outcomes.items()],
        measured=[{**row, "neuron": row["norm"] / _neurons(row) ** 0.5} for row in rows],
        histograms=_histograms(record, names[:2], "histograms", "The two networks of the assignment"),
        tails=_histograms(record, names[:2], "tails", "The same on a logarithmic axis, where the tails show", "log"),
        controls=_histograms(record, [names[0], wide], "controls", f"{settings.plain} hidden neurons in both"),
        curves=_curves(record, names[:2]),
        differences="\n".join(_difference(described, layer, names[0], names[1]) for layer in LAYERS),
        effects="\n".join(_difference(described, layer, names[0], wide) for layer in LAYERS),
        small_effects="\n".join(_difference(described, layer, names[3], names[1]) for layer in LAYERS),
        names=names,
        wide=wide,
        gaps=report.bullets(
            _gap(record, outcomes, *pair)
            for pair in [(names[0], wide), (plain, names[1]), (plain, l2), (plain, dropout)]
        ),
        apart="\n".join(
            _difference(described, layer, plain, alone, f"{alone}, {layer}")
            for alone in (l2, dropout)
            for layer in LAYERS
        ),
        humps=report.bullets(_humps(record, name) for name in names[:2]),
        parts=record.table("parts"),
        sides=_sides(record.table("parts")),
        rate=settings.learning_rate / (1 - settings.momentum),
        sparsity=classifiers.sparsity(record, "test data"),
        sparse=classifiers.sparsity_sentence(record),
        seeds=report.bullets(
            f"{name}. {report.seeds_sentence(record.metrics[f'{prefix}_test_accuracies'])}"
            for name, prefix in zip(names[:2], ("plain", "regularised"), strict=True)
        ),
        confounded=_confounded(described, names),
        shrunk=", ".join(_shrunk(described, *pair) for pair in [(names[0], wide), (names[3], names[1])]),
    )


def _difference(described: Described, layer: str, before: str, after: str, title: str = "") -> str:
    """One item of a list: how the numbers of a layer differ between two networks."""
    a, b = described[layer, before], described[layer, after]
    width = "narrower" if b["std"] < a["std"] else "wider"
    tails = "lighter" if b["kurtosis"] < a["kurtosis"] else "heavier"
    zero = "more" if b["near_zero"] > a["near_zero"] else "fewer"
    return (
        f"- **{title or layer.capitalize()}**: {width} (standard deviation {a['std']:.4f} → {b['std']:.4f},"
        f" × {b['std'] / a['std']:.2f}), with {tails} tails (excess kurtosis {a['kurtosis']:.2f} → {b['kurtosis']:.2f},"
        f" largest magnitude {a['largest']:.2f} → {b['largest']:.2f}) and {zero} weights near zero"
        f" ({report.percent(a['near_zero'], 1)} → {report.percent(b['near_zero'], 1)})."
    )


def _humps(record: Record[Settings], name: str) -> str:
    """Where the histogram of a network's output layer is highest, smoothed by a normal curve of two bins' deviation."""
    rows = [row for row in record.table("histograms") if row["layer"] == LAYERS[1]]
    bell = np.exp(-(np.arange(-8, 9) ** 2) / 8)
    smooth = np.convolve([row[name] for row in rows], bell / bell.sum(), "same")
    inner = range(1, len(rows) - 1)
    tops = [i for i in inner if smooth[i - 1] < smooth[i] >= smooth[i + 1] and smooth[i] > 0.1 * smooth.max()]
    places = ", ".join(f"{(rows[i]['from'] + rows[i]['to']) / 2:+.2f}" for i in tops)
    return f"{name}: {len(tops)} {'humps' if len(tops) > 1 else 'hump'}, at {places}"


def _sides(parts: list[Row]) -> str:
    """What the weights above and below the range of the start belong to, if it is clear."""
    active = {(row["network"], row["part"]): row["active"] for row in parts}
    if all(active[name, "above"] > 1.5 * active[name, "below"] for name, _ in active):
        return (
            "So the weights above are mostly those of neurons that are active for the class, and speak for it; those"
            " below are those of neurons that are active for other classes, and speak against it."
        )
    return "So how often a neuron is active does not tell here on which side its weight lies."


def _neurons(row: Row) -> int:
    """The number of neurons of the layer."""
    return 10 if row["layer"] == LAYERS[1] else int(row["weights"]) // 784


def _histograms(record: Record[Settings], names: list[str], file: str, title: str, scale: str = "linear") -> str:
    rows = record.table("histograms")
    layers = [[row for row in rows if row["layer"] == layer] for layer in LAYERS]
    edges = [[*(row["from"] for row in bins), bins[-1]["to"]] for bins in layers]
    counts = [[[row[name] for row in bins] for bins in layers] for name in names]
    figure, grid = figures.canvas(len(names), len(LAYERS), size=(10.0, 7.0))
    figures.weight_histograms(grid, edges, counts, scale)
    described = {(row["layer"], row["network"]): row for row in record.table("weights")}
    for axes_row, name in zip(grid, names, strict=True):
        for axes, layer in zip(axes_row, LAYERS, strict=True):
            axes.set(title=f"{name}, {layer}: std {described[layer, name]['std']:.3f}")
    figure.suptitle(f"Weights after training. {title}")
    return report.image(figures.save(figure, record, file), title)


def _curves(record: Record[Settings], names: list[str]) -> str:
    figure, grid = figures.canvas(1, len(names), size=(10.0, 4.0), sharey=True)
    curves = {name: record.curve(name, "train_accuracy") for name in names}
    results = {row["network"]: row["test_accuracy"] for row in record.table("networks")}
    for axes, (name, curve) in zip(grid, curves.items(), strict=True):
        figures.accuracy_curves(axes, {"training": curve})
        figures.test_mark(axes, len(curve), 100 * results[name], "test, once, after the last epoch")
        axes.set(title=f"{name}: test {report.percent(results[name])}")
        axes.set(ylim=figures.percent_range([*curves.values(), list(results.values())]))
        axes.label_outer()
    figures.legend(figure, grid[0])
    title = "accuracy on the training data, and on the test set at the end"
    return report.image(figures.save(figure, record, "accuracy"), title)


def _confounded(described: Described, names: list[str]) -> str:
    """Whether the difference in width hides the effect of regularisation in the assignment's comparison."""
    wider = all(described[layer, names[1]]["std"] > described[layer, names[0]]["std"] for layer in LAYERS)
    if wider:
        return "At first sight that looks wrong: the *regularised* network has the *wider* weights."
    return "Width and regularisation differ here at once, so that neither explains the difference alone."


def _shrunk(described: Described, before: str, after: str) -> str:
    """The norms of both layers, before and after regularisation."""
    norms = [f"{described[layer, before]['norm']:.1f} → {described[layer, after]['norm']:.1f}" for layer in LAYERS]
    return f"{' and '.join(norms)} ({before} → {after})"


def _gap(record: Record[Settings], outcomes: dict[str, Row], before: str, after: str) -> str:
    """The gap between training and test accuracy, before and after regularisation."""
    a, b = outcomes[before], outcomes[after]
    pair = next(row for row in record.table("pairs") if (row["before"], row["after"]) == (before, after))
    gaps = [100 * (row["train_accuracy"] - row["test_accuracy"]) for row in (a, b)]
    return (
        f"{before} → {after}: the accuracy on training data is {gaps[0]:.1f} → {gaps[1]:.1f} points above that on test"
        f" data, which goes {report.percent(a['test_accuracy'])} → {report.percent(b['test_accuracy'])}"
        f" ({classifiers.versus(pair, before)});"
        f" the test log-loss goes {a['test_loss']:.3f} → {b['test_loss']:.3f}."
    )
