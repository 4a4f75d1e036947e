"""The report of `cifar_mlp`: figures, tables, and the text beside this file."""

from __future__ import annotations

from itertools import pairwise

from experiments.cifar_mlp.train import Settings
from experiments.reporting import classifiers, report
from experiments.runner.record import Record

VEHICLES = {"airplane", "automobile", "ship", "truck"}


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    settings, metrics = record.settings, record.metrics
    widths = [metrics["inputs"], *settings.hidden, 10]
    names = ["red", "green", "blue"] if len(metrics["means"]) == 3 else ["grey"]
    channels = zip(names, metrics["means"], metrics["stds"], strict=True)
    return classifiers.fill(
        __file__,
        record,
        widths="-".join(map(str, widths)),
        parameters=sum((n + 1) * m for n, m in pairwise(widths)),
        channels=[{"name": name, "mean": mean, "std": std} for name, mean, std in channels],
        trial_epochs=f"{min(settings.search_epochs, settings.epochs)} epochs",
        final_curve=classifiers.final_figure(record, f"The final {settings.epochs} epochs: accuracy without dropout"),
        groups=_groups(record),
    )


def _groups(record: Record[Settings]) -> str:
    """The share of the errors that confuse two animals or two vehicles, if there are such classes."""
    classes, counts = classifiers.counts_of(record)
    if not set(classes) >= VEHICLES:
        return ""
    vehicle = [name in VEHICLES for name in classes]
    pairs = [(i, j) for i in range(len(classes)) for j in range(len(classes)) if i != j]
    errors = sum(counts[i][j] for i, j in pairs)
    animals, vehicles = (
        sum(counts[i][j] for i, j in pairs if vehicle[i] == vehicle[j] == both) / errors for both in (False, True)
    )
    likely = sum(vehicle[i] == vehicle[j] for i, j in pairs) / len(pairs)
    return (
        f"Of all {errors:,} mistakes {report.percent(animals, 1)} take one animal for another and"
        f" {report.percent(vehicles, 1)} one vehicle for another, {report.percent(animals + vehicles, 1)} together;"
        f" were mistakes spread evenly over all {len(pairs)} pairs, it would be {report.percent(likely, 1)}."
    )
