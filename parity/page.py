"""The page: what is shown of each network, filled into `page.html.j2`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parity import courses, page_figures, report, summary
from parity.networks import FRAMEWORKS
from parity.report import Subject
from parity.summary import MISSING, accuracy, error, median

TEMPLATE = "page.html.j2"


def html(subjects: Sequence[Subject], parts: dict[str, dict[str, Any]], runs: dict[str, Any] | None = None) -> str:
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
        experiments=summary.experiments(subjects, parts, runs),
        anchors={subject.experiment: subject.anchor for subject in reversed(subjects)},
        seeds=summary.seeds(subjects),
        unpaired=parts.get("trajectory", {}).get("unpaired", []),
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
    "PyTorch from itself",
    "run, float32 (points)",
    "outside",
    "accuracy, minigrad",
    "accuracy, PyTorch",
    "processor time, minigrad",
    "processor time, PyTorch",
    "memory, minigrad",
    "memory, PyTorch",
    "verdict",
)


def row(subject: Subject) -> list[str]:
    """One network's line of the page."""
    course = subject.course if subject.course and subject.course["points_of"] else None
    others = f" (+{len(subject.course['alike'])})" if subject.course and subject.course["alike"] else ""
    return [
        subject.name + others,
        *(error(subject.gradient_error(dtype)) for dtype in ("float64", "float32")),
        *(error(subject.epoch[key] if subject.epoch else None) for key in ("furthest", "itself")),
        f"{course['points']:.2f} of {course['allowed']:g}" if course else MISSING,
        f"{len(course['outside'])} of {len(course['points_of'])}" if course else MISSING,
        *(accuracy(subject.side(framework, "accuracy")) for framework in FRAMEWORKS),
        *(median(subject.side(framework, "seconds"), "s") for framework in FRAMEWORKS),
        *(median(subject.side(framework, "megabytes"), "MB") for framework in FRAMEWORKS),
        subject.verdict,
    ]
