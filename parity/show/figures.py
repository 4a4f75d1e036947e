"""The figures: each as an SVG inside a data URI for the page, those of a training also as a PNG."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiments.reporting import figures
from experiments.runner import files
from experiments.training.metrics import rates
from parity.judge import tolerances
from parity.judge.findings import Subject
from parity.judge.trajectories import reached
from parity.measure.networks import FRAMEWORKS

COLOURS = OURS, THEIRS, _ = figures.TRAINING, figures.VALIDATION, figures.TEST
SIZE = (5.2, 3.9)  #: inches
LEAST = 1e-18  #: where an error of 0 is drawn on a logarithmic axis
NAMES = {"minigrad": "minigrad", "torch": "PyTorch"}


def of(subject: Subject) -> dict[str, str]:
    """All figures of a network, by title."""
    drawn = {}

    def add(title: str, draw: Callable[[Any, Any], None], entry: Any, size: tuple[float, float] = SIZE) -> None:
        figure, axes = figures.canvas(size=size)
        draw(axes, entry)
        drawn[title] = as_uri(figure)

    if trajectory := subject.trajectory:
        add("Both frameworks, the same seed", curves, trajectory)
        add("The difference", difference, trajectory)
        if len(trajectory["points_of"]) > 1:
            add("Every network of this kind", of_a_kind, trajectory)
        if trajectory["drift"]:
            add("Rounding drives the parameters apart", drift, trajectory)
    if subject.accuracy:
        add("Independent seeds", seeds, subject.accuracy)
    if subject.gradients:
        height = 1.2 + 0.24 * len(shown_view(subject.gradients, "float64")["comparisons"])
        add("The error of each gradient", gradients, subject.gradients, (SIZE[0], max(SIZE[1], height)))
    if subject.accuracy:
        for framework in FRAMEWORKS:
            training = subject.accuracy["trainings"][framework][0]
            if training["confusion"]:
                title = f"Decisions of {NAMES[framework]}, seed {training['task']['seed']}"
                add(title, confusion, training, (6.4, 5.6))
    return drawn


def as_uri(figure: Any) -> str:
    """The figure as ``data:image/svg+xml;base64,...``."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context({**figures.STYLE, "svg.hashsalt": "parity", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", buffer.getvalue().decode(), flags=re.DOTALL)
    text = re.sub(r"\n\s*", "\n", re.sub(r"(\.\d\d)\d{3,}", r"\1", text))  # coordinates in points
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()


def draw(trajectory: dict[str, Any], folder: Path) -> Path:
    """Both curves, their difference, and how the parameters drift apart, side by side; returns the PNG's path."""
    figures.check_installed()
    figure, axes = figures.canvas(1, 3, size=(14.0, 4.2))
    for place, part in zip(axes, (curves, difference, drift), strict=True):
        part(place, trajectory)
    figure.suptitle(f"{trajectory['experiment']}: {trajectory['shown']} (float32)")
    path = folder / f"{trajectory['experiment']}-{trajectory['stage'].replace(' ', '-')}.png"
    with files.replacing(path) as file:
        figure.savefig(file, format="png", metadata={"Software": None})
    return path


def _columns(trajectory: dict[str, Any]) -> tuple[list[str], float, str]:
    if trajectory["accuracies"]:
        return trajectory["accuracies"], 100.0, "accuracy (%)"
    return [c for c in trajectory["ours"][0] if c.endswith("loss")], 1.0, "loss"


def curves(axes: Any, trajectory: dict[str, Any]) -> None:
    """What was recorded after each epoch, PyTorch's as a broad line, minigrad's as a thin one on top."""
    columns, scale, unit = _columns(trajectory)
    for column, colour in zip(columns, COLOURS, strict=False):
        label = column.replace("_", " ")
        for rows, style, name in (
            (trajectory["theirs"], {"linewidth": 5, "alpha": 0.35}, "PyTorch"),
            (trajectory["ours"], {"linewidth": 1.3, "marker": "o", "markersize": 2.5}, "minigrad"),
        ):
            values = [scale * row[column] for row in rows]
            axes.plot([row["epoch"] for row in rows], values, color=colour, label=f"{label}, {name}", **style)
    axes.set(xlabel="epoch", ylabel=unit)
    figures.whole_numbers(axes)
    axes.legend(fontsize=8)


def difference(axes: Any, trajectory: dict[str, Any]) -> None:
    """minigrad minus PyTorch, epoch by epoch, between the tolerances."""
    columns, scale, unit = _columns(trajectory)
    epochs = [row["epoch"] for row in trajectory["ours"]]
    for column, colour in zip(columns, COLOURS, strict=False):
        apart = [scale * (a[column] - b[column]) for a, b in zip(trajectory["ours"], trajectory["theirs"], strict=True)]
        axes.plot(epochs, apart, color=colour, marker="o", markersize=2.5, label=column.replace("_", " "))
    if trajectory["accuracies"]:
        unit = "percentage points"
        marked(axes, -trajectory["allowed"])
        marked(axes, trajectory["allowed"], f"allowed: ±{trajectory['allowed']:g}", epochs[0])
    axes.set(xlabel="epoch", ylabel=f"minigrad − PyTorch ({unit})")
    figures.whole_numbers(axes)
    axes.legend(fontsize=8)


def marked(axes: Any, y: float, text: str = "", x: float = 1) -> None:
    """A dashed line at that height, with a text above it."""
    axes.axhline(y, color=figures.MARK, linestyle="--", linewidth=1)
    if text:
        axes.annotate(text, (x, y), va="bottom", fontsize=8)


def of_a_kind(axes: Any, trajectory: dict[str, Any]) -> None:
    """The largest difference of an accuracy of each network, from the smallest to the largest."""
    points = sorted(trajectory["points_of"].values())
    colours = [OURS if value <= trajectory["allowed"] else THEIRS for value in points]
    axes.bar(range(1, len(points) + 1), points, color=colours)
    marked(axes, trajectory["allowed"], f"allowed: {trajectory['allowed']:g}")
    axes.set(xlabel="network, sorted", ylabel="largest difference of an accuracy (points)")
    figures.whole_numbers(axes)


def drift(axes: Any, trajectory: dict[str, Any]) -> None:
    """The largest difference of any parameter, over the steps."""
    numbers, sizes = zip(*trajectory["drift"], strict=True)
    axes.loglog(numbers, [max(size, 1e-10) for size in sizes], color=OURS)
    for size, step in trajectory["reached"].items():
        marked(axes, float(size), f"{size}: {reached(step, trajectory['followed'])}")
    axes.set(xlabel="step", ylabel="largest difference of any parameter")


def seeds(axes: Any, accuracy: dict[str, Any]) -> None:
    """Each training as a dot, the mean as a line; the margin of equivalence as a band round PyTorch's mean."""
    sides = [[100 * t["accuracy"] for t in accuracy["trainings"][framework]] for framework in FRAMEWORKS]
    for x, (values, colour) in enumerate(zip(sides, (OURS, THEIRS), strict=True)):
        axes.scatter([x] * len(values), values, color=colour, s=36, alpha=0.7, zorder=3)
        axes.hlines(sum(values) / len(values), x - 0.22, x + 0.22, color=colour, linewidth=2.5)
    if test := accuracy["equivalence"]:
        mean = sum(sides[1]) / len(sides[1])
        band = (mean - test["margin"], mean + test["margin"])
        axes.axhspan(*band, color=THEIRS, alpha=0.1, label=f"PyTorch's mean ± margin ({test['margin']:g} points)")
        axes.legend(fontsize=8, loc="upper center")
    where = accuracy["trainings"]["torch"][0]["measured_on"]
    axes.set_xticks([0, 1], [NAMES[framework] for framework in FRAMEWORKS])
    axes.set(xlim=(-0.6, 1.6), ylabel=f"{where} accuracy (%)")


def shown_view(entry: dict[str, Any], dtype: str) -> dict[str, Any]:
    """The view of first order in that dtype, while training."""
    kind = {"dtype": dtype, "training": True, "probabilities": False, "second": False}
    found: dict[str, Any] = next(view for view in entry["views"] if kind.items() <= view.items())
    return found


def gradients(axes: Any, entry: dict[str, Any]) -> None:
    """The relative error of each gradient in both precisions while training, beside what is allowed."""
    names = [c["name"] for c in shown_view(entry, "float64")["comparisons"]]
    for dtype, colour in (("float64", OURS), ("float32", THEIRS)):
        errors = {c["name"]: max(c["error"], LEAST) for c in shown_view(entry, dtype)["comparisons"]}
        axes.scatter([errors[name] for name in names], names, color=colour, s=26, label=dtype, zorder=3)
        axes.axvline(tolerances.GRADIENT[dtype], color=colour, linestyle="--", linewidth=1)
    axes.set(xscale="log", xlim=(LEAST / 3, 1e-3), xlabel="relative error (dashed: allowed)")
    axes.tick_params(axis="y", labelsize=8)
    axes.invert_yaxis()
    axes.legend(fontsize=8, loc="upper center", ncols=2, bbox_to_anchor=(0.5, 1.14), frameon=False)


def confusion(axes: Any, training: dict[str, Any]) -> None:
    """Rates of decisions conditioned on the true class."""
    figures.confusion_rates(axes, rates(training["confusion"]), training["classes"])
