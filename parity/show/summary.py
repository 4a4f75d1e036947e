"""The tables of the page and of the summary: a row for each experiment, and for each network with its own seeds."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.reporting.report import circumstances, table
from experiments.runner.progress import duration
from parity.judge.findings import ACCURACY, Subject
from parity.measure.networks import FRAMEWORKS

MISSING = "–"
#: What conformance asks, by family and exam; the error inputs of all families are counted together.
EXAMS = {
    ("operators", "gradients"): "operator samples with their gradients",
    ("modules", "inputs"): "module inputs",
    ("optimizers", "configurations"): "optimizer configurations",
    ("optimizers", "schedulers"): "scheduler combinations",
    ("gradcheck", "first order"): "gradchecks",
    ("gradcheck", "second order"): "gradgradchecks",
}


@dataclass(frozen=True)
class Table:
    """A table with words in the first and last column and numbers between, and its caption."""

    header: list[str]
    rows: list[list[str]]
    caption: str

    def markdown(self) -> str:
        """The table above its caption; numbers to the right."""
        align = "l" + "r" * (len(self.header) - 2) + "l"
        return table(self.header, self.rows, align) + "\n\n" + self.caption


def experiments(subjects: Sequence[Subject], parts: dict[str, Any], runs: dict[str, Any] | None) -> Table:
    """The largest errors of each experiment's networks, and time and memory of the whole run where it was measured."""
    header = ["experiment", "networks", "gradients, float64", "gradients, float32", "epoch, float64"]
    header += ["runs, float32 (points)", "outside", *sides("time", "memory"), "verdict"]
    unpaired = [entry["experiment"] for entry in parts.get("trajectory", {}).get("unpaired", ())]
    measured = {run["experiment"]: run for run in (runs or {}).get("runs", ())}
    rows = []
    for name in dict.fromkeys(subject.experiment for subject in subjects):
        mine = [subject for subject in subjects if subject.experiment == name]
        counts = (_count(getattr(s, part) for s in mine) for part in ("gradients", "epoch", "trajectory"))
        errors = [_largest(s.gradient_error(dtype) for s in mine) for dtype in ("float64", "float32")]
        errors.append(_largest(s.epoch["furthest"] for s in mine if s.epoch))
        found = [*map(error, errors), *trajectories(mine), *_whole(measured.get(name))]
        rows.append([name, str(max(counts)), *found, verdict(mine, unpaired.count(name))])
    caption = (
        "The largest error of any network of the experiment: of gradients, relative to the norm of PyTorch's; of a "
        "parameter after an epoch; of an accuracy after the same epoch of the whole run, in percentage points of those "
        "allowed."
    )
    if measured and runs:
        caption += " Time and memory: " + circumstances(runs)
    return Table(header, rows, caption)


def _count(entries: Iterable[dict[str, Any] | None]) -> int:
    return sum(1 + len(entry["alike"]) for entry in entries if entry)


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def trajectories(subjects: Sequence[Subject]) -> list[str]:
    """The largest difference of an accuracy, beside what is allowed; and how many of the networks are outside."""
    compared = [s.trajectory for s in subjects if s.trajectory and s.trajectory["points_of"]]
    if not compared:
        return [MISSING, MISSING]
    outside, all_of = (sum(len(trajectory[key]) for trajectory in compared) for key in ("outside", "points_of"))
    return [f"{max(c['points'] for c in compared):.2f} of {compared[0]['allowed']:g}", f"{outside} of {all_of}"]


def _whole(run: dict[str, Any] | None) -> list[str]:
    if run is None:
        return [MISSING] * 4
    sides = [run[framework] for framework in FRAMEWORKS]
    return [*(duration(side["seconds"]) for side in sides), *(f"{side['megabytes']:,.0f} MB" for side in sides)]


def verdict(subjects: Sequence[Subject], unpaired: int = 0) -> str:
    """The verdict on several networks; where the epoch in float64 differs, with how far PyTorch is from itself."""
    words = []
    for what in dict.fromkeys(what for subject in subjects for what in subject.verdicts):
        judged = [subject for subject in subjects if what in subject.verdicts]
        failed = [subject for subject in judged if not subject.verdicts[what]]
        if failed and what == ACCURACY:  # which is no proof of a difference
            words.append(f"equivalence not shown for {len(failed)} of {len(judged)}")
        elif failed:
            itself = _largest(s.epoch["itself"] for s in failed if s.epoch) if what == "an epoch in float64" else None
            beside = "" if itself is None else f" (PyTorch from itself: {error(itself)})"
            words.append(f"differs: {what}{beside}")
    if unpaired:
        words.append(f"{unpaired} without counterpart")
    return "; ".join(words) or "same"


def seeds(subjects: Sequence[Subject]) -> Table | None:
    """The trainings with independent seeds; None where there are none."""
    header = ["network", "seeds a side", *sides("accuracy"), "difference", "90 % interval", "margin"]
    header += [*sides("time", "memory"), "verdict"]
    rows = []
    for subject in subjects:
        if subject.accuracy is None:
            continue
        ours, theirs = (subject.side(framework, ACCURACY) for framework in FRAMEWORKS)
        difference = f"{100 * (statistics.fmean(ours) - statistics.fmean(theirs)):+.2f}"
        judged, word = [difference, MISSING, MISSING], "no margin set"
        if test := subject.accuracy["equivalence"]:
            judged = [f"{test['difference']:+.2f}", f"[{test['low']:+.2f}, {test['high']:+.2f}]", f"{test['margin']:g}"]
            word = "equivalent" if test["equivalent"] else "not shown"
        rows.append([subject.name, str(len(ours)), *accuracies(subject), *judged, *costs(subject), word])
    caption = (
        "Full-length trainings, each with a seed of its own: mean ± standard deviation; equivalent if two one-sided "
        "tests reject that the means are a margin (in points) or more apart. Time is processor time of one training on "
        "one thread, memory the peak of its process: medians over the seeds."
    )
    return Table(header, rows, caption) if rows else None


def exams(conformance: dict[str, Any]) -> str:
    """How many of each exam's questions were passed, in a sentence."""
    rows = {(row["family"], row["exam"]): row for row in conformance["rows"]}
    counts = [(rows[key], what) for key, what in EXAMS.items() if key in rows]
    errors = [row for (_, exam), row in rows.items() if exam == "errors"]
    if errors:
        counts.append(({key: sum(row[key] for row in errors) for key in ("passed", "asked")}, "error inputs"))
    passed = ", ".join(f"{row['passed']:,} of {row['asked']:,} {what}" for row, what in counts)
    return f"PyTorch's own exams, passed of asked: {passed}."


def sides(*quantities: str) -> list[str]:
    """Column titles: each quantity in minigrad, then in PyTorch."""
    return [f"{quantity}, {side}" for quantity in quantities for side in ("minigrad", "PyTorch")]


def accuracies(subject: Subject) -> list[str]:
    """Mean and spread of the accuracies with seeds of their own, in either framework."""
    return [accuracy(subject.side(framework, ACCURACY)) for framework in FRAMEWORKS]


def costs(subject: Subject) -> list[str]:
    """The median time and memory of these trainings, in either framework."""
    units = {"seconds": "s", "megabytes": "MB"}
    return [median(subject.side(side, quantity), unit) for quantity, unit in units.items() for side in FRAMEWORKS]


def markdown(subjects: Sequence[Subject], parts: dict[str, Any], runs: dict[str, Any] | None) -> str:
    """The whole summary in Markdown."""
    sections = [experiments(subjects, parts, runs).markdown()]
    if trained := seeds(subjects):
        sections.append(trained.markdown())
    if "conformance" in parts:
        sections.append(exams(parts["conformance"]))
    return "\n\n".join(sections) + "\n"


# ---- numbers for people ----------------------------------------------------------------------------------------


def error(value: float | None) -> str:
    """A relative error.

    >>> error(3.2e-16), error(0.0), error(None)
    ('3e-16', '0', '–')
    """
    if value is None:
        return MISSING
    return f"{value:.0e}".replace("e-0", "e-") if value else "0"


def accuracy(values: Sequence[float]) -> str:
    """Mean and spread of accuracies.

    >>> accuracy([0.98, 0.99])
    '98.50 ± 0.71 %'
    """
    if not values:
        return MISSING
    spread = f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{100 * statistics.fmean(values):.2f}{spread} %"


def median(values: Sequence[float], unit: str) -> str:
    """The median with its unit.

    >>> median([4.91, 4.88, 5.0], "s")
    '4.9 s'
    """
    if not values:
        return MISSING
    value = statistics.median(values)
    return f"{value:,.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
