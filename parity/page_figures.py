"""The figures of the page, each as an SVG inside a data URI."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

from experiments.reporting import figures
from experiments.training.metrics import rates
from parity import tolerances
from parity.courses import reached
from parity.networks import FRAMEWORKS
from parity.report import Subject

OURS, THEIRS = figures.TRAINING, figures.VALIDATION
SIZE = (5.2, 3.9)  #: inches
FLOOR = 1e-18  #: where an error of 0 is drawn on a logarithmic axis
NAMES = {"minigrad": "minigrad", "torch": "PyTorch"}


def of(subject: Subject) -> dict[str, str]:
    """All figures of a network, by title."""
    drawn = {}
    if subject.course:
        drawn["Both frameworks, the same seed"] = curves(subject.course)
        drawn["The difference"] = difference(subject.course)
        if len(subject.course["points_of"]) > 1:
            drawn["Every network of this kind"] = of_a_kind(subject.course)
        if subject.course["drift"]:
            drawn["Rounding drives the parameters apart"] = drift(subject.course)
    if subject.accuracy:
        drawn["Independent seeds"] = seeds(subject.accuracy)
    if subject.gradients:
        drawn["The error of each gradient"] = gradients(subject.gradients)
    if subject.accuracy:
        for framework in FRAMEWORKS:
            training = subject.accuracy["trainings"][framework][0]
            if training["confusion"]:
                drawn[f"Decisions of {NAMES[framework]}, seed {training['task']['seed']}"] = confusion(training)
    return drawn


def as_uri(figure: Any) -> str:
    """The figure as ``data:image/svg+xml;base64,...``."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context({**figures.STYLE, "svg.hashsalt": "parity", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", buffer.getvalue().decode(), flags=re.DOTALL)
    text = re.sub(r"\n\s*", "\n", re.sub(r"(\.\d\d)\d{3,}", r"\1", text))  # of places in points
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()


def _columns(course: dict[str, Any]) -> tuple[list[str], float, str]:
    if course["accuracies"]:
        return course["accuracies"], 100.0, "accuracy (%)"
    return [c for c in course["ours"][0] if c.endswith("loss")], 1.0, "loss"


COLOURS = (figures.TRAINING, figures.VALIDATION, figures.TEST)


def curves(course: dict[str, Any]) -> str:
    """What was recorded after each epoch, PyTorch's as a broad line, minigrad's as a thin one on top."""
    figure, axes = figures.canvas(size=SIZE)
    columns, scale, unit = _columns(course)
    for column, colour in zip(columns, COLOURS, strict=False):
        label = column.replace("_", " ")
        for rows, style, name in (
            (course["theirs"], {"linewidth": 5, "alpha": 0.35}, "PyTorch"),
            (course["ours"], {"linewidth": 1.3, "marker": "o", "markersize": 2.5}, "minigrad"),
        ):
            values = [scale * row[column] for row in rows]
            axes.plot([row["epoch"] for row in rows], values, color=colour, label=f"{label}, {name}", **style)
    axes.set(xlabel="epoch", ylabel=unit)
    figures.whole_numbers(axes)
    axes.legend(fontsize=8)
    return as_uri(figure)


def difference(course: dict[str, Any]) -> str:
    """minigrad minus PyTorch, epoch by epoch, between the tolerances."""
    figure, axes = figures.canvas(size=SIZE)
    columns, scale, unit = _columns(course)
    epochs = [row["epoch"] for row in course["ours"]]
    for column, colour in zip(columns, COLOURS, strict=False):
        apart = [scale * (a[column] - b[column]) for a, b in zip(course["ours"], course["theirs"], strict=True)]
        axes.plot(epochs, apart, color=colour, marker="o", markersize=2.5, label=column.replace("_", " "))
    if course["accuracies"]:
        unit = "percentage points"
        for sign in (-1, 1):
            axes.axhline(sign * course["allowed"], color=figures.MARK, linestyle="--", linewidth=1)
        axes.annotate(f"allowed: ±{course['allowed']:g}", (epochs[0], course["allowed"]), va="bottom", fontsize=8)
    axes.set(xlabel="epoch", ylabel=f"minigrad − PyTorch ({unit})")
    figures.whole_numbers(axes)
    axes.legend(fontsize=8)
    return as_uri(figure)


def of_a_kind(course: dict[str, Any]) -> str:
    """The largest difference of an accuracy of each network, from the smallest to the largest."""
    figure, axes = figures.canvas(size=SIZE)
    points = sorted(course["points_of"].values())
    colours = [OURS if value <= course["allowed"] else THEIRS for value in points]
    axes.bar(range(1, len(points) + 1), points, color=colours)
    axes.axhline(course["allowed"], color=figures.MARK, linestyle="--", linewidth=1)
    axes.annotate(f"allowed: {course['allowed']:g}", (1, course["allowed"]), va="bottom", fontsize=8)
    axes.set(xlabel="network, sorted", ylabel="largest difference of an accuracy (points)")
    figures.whole_numbers(axes)
    return as_uri(figure)


def drift(course: dict[str, Any]) -> str:
    """The largest difference of any parameter, over the steps."""
    figure, axes = figures.canvas(size=SIZE)
    numbers, sizes = zip(*course["drift"], strict=True)
    axes.loglog(numbers, [max(size, 1e-10) for size in sizes], color=OURS)
    for size, step in course["reached"].items():
        axes.axhline(float(size), color=figures.MARK, linestyle="--", linewidth=1)
        axes.annotate(f"{size}: {reached(step, course['followed'])}", (1, float(size)), va="bottom", fontsize=8)
    axes.set(xlabel="step", ylabel="largest difference of any parameter")
    return as_uri(figure)


def seeds(accuracy: dict[str, Any]) -> str:
    """Each training as a dot, the mean as a line; the margin of equivalence as a band round PyTorch's mean."""
    figure, axes = figures.canvas(size=SIZE)
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
    return as_uri(figure)


def gradients(entry: dict[str, Any]) -> str:
    """The relative error of each gradient in both precisions while training, beside what is allowed."""
    views = {v["dtype"]: v for v in entry["views"] if v["training"] and not v["probabilities"] and not v["second"]}
    names = [c["name"] for c in views["float64"]["comparisons"]]
    figure, axes = figures.canvas(size=(SIZE[0], max(SIZE[1], 1.2 + 0.24 * len(names))))
    for (dtype, view), colour in zip(sorted(views.items(), reverse=True), (OURS, THEIRS), strict=True):
        errors = {c["name"]: max(c["error"], FLOOR) for c in view["comparisons"]}
        axes.scatter([errors[name] for name in names], names, color=colour, s=26, label=dtype, zorder=3)
        axes.axvline(tolerances.GRADIENT[dtype], color=colour, linestyle="--", linewidth=1)
    axes.set(xscale="log", xlim=(FLOOR / 3, 1e-3), xlabel="relative error (dashed: allowed)")
    axes.tick_params(axis="y", labelsize=8)
    axes.invert_yaxis()
    axes.legend(fontsize=8, loc="upper center", ncols=2, bbox_to_anchor=(0.5, 1.14), frameon=False)
    return as_uri(figure)


def confusion(training: dict[str, Any]) -> str:
    """Rates of decisions conditioned on the true class."""
    figure, axes = figures.canvas(size=(6.4, 5.6))
    figures.confusion_rates(axes, rates(training["confusion"]), training["classes"])
    return as_uri(figure)
