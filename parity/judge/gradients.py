"""The gradients of every network in both frameworks, compared view by view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from minigrad.testing.compare import Comparison, blank, compare_all, incomparable
from parity.judge import tolerances
from parity.measure.gradients import VIEWS, NotApplicable, View, compute
from parity.measure.networks import Pair


@dataclass(frozen=True)
class Result:
    """The comparisons of a view; `skipped` is the reason why there are none."""

    view: View
    comparisons: tuple[Comparison, ...] = ()
    skipped: str = ""

    @property
    def error(self) -> float:
        """The largest error."""
        return max((c.error for c in self.comparisons), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether something was compared, and all errors are within their tolerances."""
        return bool(self.skipped) or not (blank(self.comparisons) or any(not c.passed for c in self.comparisons))

    def as_json(self) -> dict[str, Any]:
        """The view and its result as JSON holds them."""
        judged = {name: getattr(self, name) for name in ("error", "passed", "skipped")}
        errors = {c.name: float(f"{c.error:.2g}") for c in self.comparisons}
        wrong = [str(c) for c in sorted(self.comparisons, key=lambda c: -c.error) if not c.passed]
        wrong += ["nothing but zeros"] * (not self.skipped and blank(self.comparisons))
        about = {"name": self.view.name, "dtype": self.view.dtype}
        return {**about, **judged, "errors": errors, "wrong": wrong}


@dataclass(frozen=True)
class Report:
    """The results of one network in all views."""

    pair: Pair
    model: str
    parameters: int
    batch: int
    results: tuple[Result, ...]

    @property
    def passed(self) -> bool:
        """Whether every view passed, and not all were skipped."""
        return all(r.passed for r in self.results) and not all(r.skipped for r in self.results)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        about = {name: getattr(self, name) for name in ("model", "parameters", "batch", "passed")}
        return {**self.pair.as_json(), **about, "views": [result.as_json() for result in self.results]}


def examine(pair: Pair, views: Sequence[View] = VIEWS) -> Report:
    """Compares one network in both frameworks, in each view."""
    trainer = pair.theirs.start()
    parameters = sum(p.numel() for p in trainer.model.parameters())
    results = tuple(_examine(pair, view) for view in views)
    return Report(pair, str(trainer.model), parameters, len(next(iter(trainer.loader))[0]), results)


def _examine(pair: Pair, view: View) -> Result:
    try:
        theirs = compute(pair.theirs, view)
    except NotApplicable as reason:
        return Result(view, skipped=str(reason))
    try:
        ours = compute(pair.ours, view)
    except NotApplicable as reason:
        return Result(view, (incomparable("objective", f"{reason} (PyTorch's does)"),))
    # in float32 relative to the whole gradient: a part of PyTorch's own is no closer to that in float64
    share = 1.0 if view.dtype == "float32" else None
    return Result(view, compare_all(ours, theirs, lambda _: tolerances.GRADIENT[view.dtype], view.gradient, share))
