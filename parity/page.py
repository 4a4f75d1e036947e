"""The page: what is shown of each network, filled into `page.html.j2`."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parity import courses, page_figures, report
from parity.networks import FRAMEWORKS
from parity.report import Subject

TEMPLATE = "page.html.j2"
MISSING = "–"


def html(subjects: Sequence[Subject], parts: dict[str, dict[str, Any]]) -> str:
    """The whole page; everything that it shows is inside."""
    import jinja2

    for subject in subjects:
        subject.figures = page_figures.of(subject)
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"error": error, "reached": courses.reached}
    any_part = next(iter(parts.values()))
    return environment.get_template(TEMPLATE).render(
        subjects=subjects,
        rows=[row(subject) for subject in subjects],
        header=HEADER,
        parts={name: parts.get(name) for name in report.PARTS},
        versions=any_part["versions"],
        limits=report.LIMITS,
        missing=[name for name in report.PARTS if name not in parts],
    )


HEADER = (
    "network",
    "gradients, float64",
    "gradients, float32",
    "epoch, float64",
    "run, float32 (points)",
    "accuracy, minigrad",
    "accuracy, PyTorch",
    "time, minigrad",
    "time, PyTorch",
    "memory, minigrad",
    "memory, PyTorch",
    "verdict",
)


def row(subject: Subject) -> list[str]:
    """One line of the summary."""
    course = subject.course
    return [
        subject.name,
        *(error(subject.gradient_error(dtype)) for dtype in ("float64", "float32")),
        error(subject.epoch["furthest"] if subject.epoch else None),
        f"{course['points']:.2f}" if course and course["accuracies"] else MISSING,
        *(_accuracy(subject.side(framework, "accuracy")) for framework in FRAMEWORKS),
        *(_median(subject.side(framework, "seconds"), "s") for framework in FRAMEWORKS),
        *(_median(subject.side(framework, "megabytes"), "MB") for framework in FRAMEWORKS),
        subject.verdict,
    ]


def summary(subjects: Sequence[Subject]) -> str:
    """The summary as a table in Markdown, of the networks that were trained at full length."""
    rows = [row(subject) for subject in subjects if subject.accuracy or subject.course] or list(map(row, subjects))
    lines = ["| " + " | ".join(HEADER) + " |", "|---" + "|--:" * (len(HEADER) - 2) + "|---|"]
    return "\n".join([*lines, *("| " + " | ".join(cells) + " |" for cells in rows)]) + "\n"


def error(value: float | None) -> str:
    """A relative error for people.

    >>> error(3.2e-16), error(0.0), error(None)
    ('3e-16', '0', '–')
    """
    if value is None:
        return MISSING
    return f"{value:.0e}".replace("e-0", "e-") if value else "0"


def _accuracy(values: Sequence[float]) -> str:
    if not values:
        return MISSING
    spread = f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{100 * statistics.fmean(values):.2f}{spread} %"


def _median(values: Sequence[float], unit: str) -> str:
    if not values:
        return MISSING
    value = statistics.median(values)
    return f"{value:,.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
