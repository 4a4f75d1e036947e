"""The figures of an experiment, each as an SVG inside a data URI."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

from experiments.reporting import both, figures
from experiments.reporting.both import FRAMEWORKS as NAMES
from experiments.reporting.both import SHOWN
from parity.judge.account import Account

OURS, THEIRS = figures.TRAINING, figures.VALIDATION
SIZE = (5.2, 3.6)  #: inches
MANY = 12  #: networks; of more, the distances have no names


def of(account: Account) -> dict[str, str]:
    """All figures of an experiment, by title."""
    drawn = {}
    for title, draw in {
        "Both frameworks from the same seed": curves,
        "Runs in float32: distance from PyTorch": distances,
        "Independent seeds": seeds,
    }.items():
        figure, axes = figures.canvas(size=SIZE)
        if draw(axes, account):
            drawn[title] = as_uri(figure)
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


def curves(axes: Any, account: Account) -> bool:
    """The learning curves of networks that the experiment is judged by; whether there are any."""
    found = {(t["stage"], t["framework"]): t["curves"] for t in account.trainings if not t["seed"] and not t["start"]}
    stages = [s for s in account.equivalences if all((s, framework) in found for framework in NAMES)]
    chosen = stages[:: max(1, -(-len(stages) // SHOWN))]
    if chosen:
        both.curves(axes, {stage: [found[stage, framework] for framework in NAMES] for stage in chosen})
    return bool(chosen)


def distances(axes: Any, account: Account) -> bool:
    """minigrad's distance of each network, among those of PyTorch's moved starts."""
    found = sorted(account.distances.items(), key=lambda item: item[1][0], reverse=True)
    if not found:
        return False
    for i, (_, (ours, theirs)) in enumerate(found):
        labels = {"label": "PyTorch from itself"} if i == 0 else {}
        axes.scatter(theirs, [i] * len(theirs), color=THEIRS, s=16, alpha=0.6, **labels)
        labels = {"label": "minigrad from PyTorch"} if i == 0 else {}
        axes.scatter([ours], [i], color=OURS, marker="D", s=16, zorder=3, **labels)
    names = [name for name, _ in found] if len(found) <= MANY else []
    axes.set_yticks(range(len(names)), names, fontsize=8)
    unit = "points" if account.unit_of_runs == "accuracy" else "percent of the loss"
    axes.set(xlabel=f"largest distance at any epoch ({unit})", ylabel="" if names else "network, sorted")
    axes.legend(fontsize=8)
    return True


def seeds(axes: Any, account: Account) -> bool:
    """Each difference of means with its 90 % interval, in units of its margin."""
    found = [(stage, test) for stage, test in account.equivalences.items() if test]
    if not found:
        return False
    axes.axvspan(-1, 1, color=figures.TEST, alpha=0.12, label="equivalent")
    for i, (_, test) in enumerate(found):
        places = [value / (test.margin or 1.0) for value in (test.low, test.difference, test.high)]
        axes.plot([places[0], places[2]], [i, i], color=OURS, linewidth=1.5)
        axes.plot([places[1]], [i], "D", color=OURS, markersize=4)
    names = [stage for stage, _ in found] if len(found) <= MANY else []
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set(xlabel="difference of the means (1 = the margin)", ylabel="" if names else "network")
    axes.set_ylim(-0.7, len(found) - 0.3)
    axes.legend(fontsize=8)
    return True
