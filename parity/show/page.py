"""The page: what is shown of each network, filled into `page.html.j2`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parity.judge import tolerances, trajectories
from parity.judge.findings import PARTS, Subject
from parity.show import figures, summary
from parity.show.summary import accuracies, costs, error, sides

TEMPLATE = "page.html.j2"
LIMITS = {  #: the tolerances in words
    "gradients": ", ".join(f"{tolerance:g} in {dtype}" for dtype, tolerance in tolerances.GRADIENT.items()),
    "epoch": f"{tolerances.TRAJECTORY:g}",
}


def html(subjects: Sequence[Subject], parts: dict[str, dict[str, Any]], runs: dict[str, Any] | None = None) -> str:
    """The whole page as one string, with all figures inside."""
    import jinja2

    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"error": error, "reached": trajectories.reached}
    return environment.get_template(TEMPLATE).render(
        subjects=subjects,
        figures=[figures.of(subject) for subject in subjects],
        experiments=summary.experiments(subjects, parts, runs),
        anchors={subject.experiment: subject.anchor for subject in reversed(subjects)},
        seeds=summary.seeds(subjects),
        unpaired=parts.get("trajectory", {}).get("unpaired", []),
        rows=[row(subject) for subject in subjects],
        header=HEADER,
        parts={name: parts.get(name) for name in PARTS},
        versions=next(iter(parts.values()))["versions"],
        limits=LIMITS,
        missing=[name for name in PARTS if name not in parts],
    )


HEADER = [
    *("network", "gradients, float64", "gradients, float32", "epoch, float64", "PyTorch from itself"),
    *("run, float32 (points)", "outside", *sides("accuracy", "processor time", "memory"), "verdict"),
]


def row(subject: Subject) -> list[str]:
    """One network's line of the page."""
    others = f" (+{len(subject.trajectory['alike'])})" if subject.trajectory and subject.trajectory["alike"] else ""
    return [
        subject.name + others,
        *(error(subject.gradient_error(dtype)) for dtype in ("float64", "float32")),
        *(error(subject.epoch[key] if subject.epoch else None) for key in ("furthest", "itself")),
        *summary.trajectories([subject]),
        *accuracies(subject),
        *costs(subject),
        subject.verdict,
    ]
