"""The report of `sequence_models`: figures, tables, and the text beside this file."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from experiments.reporting import figures, report
from experiments.runner.record import Record
from experiments.sequence_models import data as sequence_data
from experiments.sequence_models.data import CLASSES, TASKS
from experiments.sequence_models.train import (
    DISTANCES,
    FAMILIES,
    INFLUENCE,
    PARAMETERS,
    RESULTS,
    SATURATION,
    Contest,
    Settings,
)
from experiments.training.classification import SEARCH
from experiments.training.metrics import paired_gain, wilson

TITLES = {"motif": "shifted motif", "order": "long-range order", "trend": "slow trend"}
PALETTE = dict(zip(FAMILIES, ("#777777", "#d9641e", "#e0a83a", "#8d5fb0", "#1f5fa8", "#2a8a4a"), strict=True))
MARKERS = dict(zip(FAMILIES, "oXDvs^", strict=True))


class Rates:
    """The test accuracies of a run, by task, family and number of training samples."""

    def __init__(self, record: Record[Settings]) -> None:
        self.rows = record.table(RESULTS)
        self.small, self.large = (record.metrics[f"{name}training_samples"] for name in ("small_", ""))

    def all(self, task: str, family: str, samples: int, part: str = "test") -> list[float]:
        """One value for each seed."""
        wanted = (task, family, samples)
        return [r[f"{part}_accuracy"] for r in self.rows if (r["task"], r["family"], r["samples"]) == wanted]

    def mean(self, task: str, family: str, samples: int | None = None, part: str = "test") -> float:
        """The mean over the seeds, by default of the large training sets."""
        return statistics.fmean(self.all(task, family, samples or self.large, part))

    def shown(self, task: str, family: str, samples: int | None = None, part: str = "test") -> str:
        """Mean and standard deviation over the seeds, in percent."""
        rates = self.all(task, family, samples or self.large, part)
        spread = statistics.stdev(rates) if len(rates) > 1 else 0.0
        return f"{100 * statistics.fmean(rates):.1f} ± {100 * spread:.1f} %"

    def ranked(self, task: str, samples: int) -> list[str]:
        """The families, the best first."""
        return sorted(FAMILIES, key=lambda family: -self.mean(task, family, samples))


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    settings, rates = record.settings, Rates(record)
    parameters = {row["family"]: row["parameters"] for row in record.table(PARAMETERS)}
    return report.fill(
        __file__,
        record,
        **sequence_data.NUMBERS,
        **sequence_data.HEIGHTS,
        generator=report.module_link("experiments.sequence_models.data", record.folder),
        seen_steps={family: settings.field(family) for family in ("CNN", "dilated CNN")},
        dilations=", ".join(map(str, settings.dilations)),
        parameters=parameters,
        first_layer=sequence_data.STEPS * sequence_data.FEATURES * settings.hidden,
        winners=report.bullets(_winners(rates, task) for task in TASKS),
        examples=_examples(record),
        times=_times(record, rates.large),
        table=_table(rates),
        accuracy=_accuracy(record, rates),
        curves=_curves(record, rates.large),
        distance=_distance(record),
        influence=_influence(record),
        early=_early(record),
        search=_search(record),
        mlp={task: _gain(rates, task, "MLP") for task in TASKS},
        seen=rates.shown("motif", "MLP", part="train"),
        rates={family: {task: rates.shown(task, family) for task in TASKS} for family in FAMILIES},
        small={family: rates.shown("motif", family, rates.small) for family in FAMILIES},
        saturation=record.table(SATURATION),
        peak=_peak(record),
        failures={family: _failure(record, rates, "trend", family) for family in ("LSTM", "RNN")},
        duel=report.bullets(_duel(rates, task) for task in TASKS),
    )


def _winners(rates: Rates, task: str) -> str:
    first, second, *_, last = rates.ranked(task, rates.large)
    return (
        f"**{TITLES[task]}**: {first} {rates.shown(task, first)}, then {second} {rates.shown(task, second)};"
        f" last {last} {rates.shown(task, last)}"
    )


def _gain(rates: Rates, task: str, family: str) -> str:
    """What more samples bring."""
    few, many = (rates.shown(task, family, n) for n in (rates.small, rates.large))
    return f"{few} from {rates.small:,} training samples and {many} from {rates.large:,}"


def _duel(rates: Rates, task: str) -> str:
    """LSTM against GRU, with the standard error of the difference, paired by seeds."""
    sets = [rates.all(task, family, rates.large) for family in ("LSTM", "GRU")]
    difference = statistics.fmean(sets[1]) - statistics.fmean(sets[0])
    error = paired_gain(sets[1], sets[0])[1] if len(sets[0]) > 1 else 0.0  # a seed has the same data for both
    ahead = "ahead" if difference > 0 else "behind"
    clear = "" if abs(difference) > 2 * error else ", which is within two standard errors: no difference shown"
    return (
        f"{TITLES[task]}: LSTM {rates.shown(task, 'LSTM')}, GRU {rates.shown(task, 'GRU')}; the GRU is"
        f" {100 * abs(difference):.1f} ± {100 * error:.1f} points {ahead}{clear}"
    )


def _failure(record: Record[Settings], rates: Rates, task: str, family: str) -> str:
    """What a network's own numbers say about why it does badly on a task: the accuracies, and the validation loss."""
    rows = [r for r in rates.rows if (r["task"], r["family"], r["samples"]) == (task, family, rates.small)]
    losses = [
        record.curve(Contest(task, family, rates.small, r["rate"], r["seed"]).stage, "validation_loss") for r in rows
    ]
    least, last = statistics.fmean(map(min, losses)), statistics.fmean(loss[-1] for loss in losses)
    seen, test = (rates.mean(task, family, rates.small, part) for part in ("train", "test"))
    more = [report.percent(rates.mean(task, family, part=part), 1) for part in ("train", "test")]
    text = (
        f"From {rates.small:,} samples the {family} gets {report.percent(seen, 1)} of its own training series right and"
        f" {report.percent(test, 1)} of the test series, and its validation log-loss goes from {least:.2f} at best to"
        f" {last:.2f} in the end; from {rates.large:,} it is {more[0]} and {more[1]}."
    )
    if seen - test > 0.2 and last > least:
        return (
            f"{text} It fits what it sees, so its gradients arrive, but it does not carry over: that is over-fitting."
        )
    if seen < 0.7:
        return f"{text} It does not fit even the series that it sees."
    return text


def _peak(record: Record[Settings]) -> str:
    """Which seeds have a peak at step 0: more than twice an even share of the gradient."""
    rows = record.table(SATURATION)
    peaks = [row for row in rows if row["share"] > 2 / sequence_data.STEPS]
    if not peaks:
        return "Here no seed has more than twice an even share at step 0."
    seeds = " and ".join(str(row["seed"]) for row in peaks)
    return f"More than twice an even share at step 0 {'has seed' if len(peaks) == 1 else 'have seeds'} {seeds}."


def _times(record: Record[Settings], samples: int) -> dict[str, float]:
    """The median time of a training step in milliseconds, by family."""
    steps = -(-samples // record.settings.batch_size)
    times: dict[str, float] = {}
    for family in FAMILIES:
        rows = [row for row in record.timings if f" {family} {samples} " in f" {_short(row['stage'])} "]
        times[family] = 1000 * statistics.median(row["train_seconds"] for row in rows) / steps
    return times


def _short(stage: str) -> str:
    """A stage's name without the task, so that `CNN` is not found in `dilated CNN`."""
    return stage.partition(" ")[2]


def _table(rates: Rates) -> str:
    header = ["family", *(f"{TITLES[task]}, {n:,} samples" for task in TASKS for n in (rates.small, rates.large))]
    best = {(task, n): rates.ranked(task, n)[0] for task in TASKS for n in (rates.small, rates.large)}
    rows = []
    for family in FAMILIES:
        cells = [report.bold(rates.shown(task, family, n), best[task, n] == family) for task, n in best]
        rows.append([family, *cells])
    return report.table(header, rows)


def _search(record: Record[Settings]) -> str:
    found = {(r["task"], r["family"], r["rate"]): r["validation_accuracy"] for r in record.table(SEARCH)}
    used = {(r["task"], r["family"], r["rate"]) for r in record.table(RESULTS)}
    columns = [(task, rate) for task in TASKS for rate in record.settings.learning_rates]
    rows = []
    for family in FAMILIES:
        places = [(task, family, rate) for task, rate in columns]
        rows.append([family, *(report.bold(report.percent(found[place], 1), place in used) for place in places)])
    rates = record.settings.learning_rates
    ends = sorted(f"{family} on {task} ({rate:g})" for task, family, rate in used if rate in (min(rates), max(rates)))
    table = report.table(["family", *(f"{task}, rate {rate:g}" for task, rate in columns)], rows)
    return f"{table}\n\nThe chosen rate is the lowest or highest of those tried for: {', '.join(ends) or 'none'}."


def _early(record: Record[Settings]) -> str:
    """How much the output depends on the first half of the series."""
    rows = record.table(INFLUENCE)
    half = sequence_data.STEPS // 2
    shares = {f: sum(r["share"] for r in rows if r["family"] == f and r["step"] < half) for f in FAMILIES}
    return ", ".join(f"{family} {report.percent(shares[family], 0)}" for family in FAMILIES)


# ---- figures -------------------------------------------------------------------------------------------------


def _examples(record: Record[Settings]) -> str:
    from matplotlib.patches import Rectangle

    figure, grid = figures.canvas(len(TASKS), 2, size=(10.0, 7.5), sharex=True, sharey=True)
    for row, task in zip(grid, TASKS, strict=True):
        series, labels = sequence_data.generate(task, 20, seed=3)
        added = series != np.random.default_rng(3).normal(size=series.shape).astype(np.float32)  # to the noise
        for label, axes in enumerate(row):
            first = np.flatnonzero(labels == label)[0]
            one, cells = series[first].T, np.argwhere(added[first])
            image = axes.imshow(one, aspect="auto", cmap="RdBu_r", vmin=-5, vmax=5, interpolation="nearest")
            axes.set(title=f"{TITLES[task]}, class {label}: {CLASSES[2 * TASKS.index(task) + label]}")
            axes.set(xlabel="step", ylabel="feature")
            axes.grid(False)
            axes.label_outer()
            outlined: dict[str, Any] = {"motif": [cells], "order": cells[:, None]}
            for boxed in outlined.get(task, []):
                (left, low), (right, high) = boxed.min(0) - 0.5, boxed.max(0) + 0.5
                edge: dict[str, Any] = {"fill": False, "edgecolor": "black", "linewidth": 1.5}
                axes.add_patch(Rectangle((left, low), right - left, high - low, **edge))
    figure.colorbar(image, ax=grid, label="value (standard deviations of the noise)", shrink=0.7)
    figure.suptitle("One series of each class; the motif and the spikes are outlined")
    return report.image(figures.save(figure, record, "examples"), "one series of each class of each task")


def _accuracy(record: Record[Settings], rates: Rates) -> str:
    figure, grid = figures.canvas(1, len(TASKS), size=(12.0, 4.6), sharey=True)
    for axes, task in zip(grid, TASKS, strict=True):
        for samples, shift, colour in ((rates.small, -0.2, figures.VALIDATION), (rates.large, 0.2, figures.TRAINING)):
            for x, family in enumerate(FAMILIES):
                values = [100 * rate for rate in rates.all(task, family, samples)]
                label = f"{samples:,} training samples" if not x else None
                axes.bar(x + shift, statistics.fmean(values), 0.38, color=colour, alpha=0.75, label=label)
                label = "one seed" if not x and samples == rates.large else None
                axes.plot([x + shift] * len(values), values, ".", color="black", markersize=4, label=label)
        axes.axhline(50, color=figures.MARK, linestyle="--", linewidth=1, label="guessing")
        axes.set(title=TITLES[task], ylabel="test accuracy (%)", ylim=(40, 101.5))
        axes.set_xticks(range(len(FAMILIES)), [family.replace(" ", "\n") for family in FAMILIES], fontsize=9)
        axes.grid(False, axis="x")
        axes.label_outer()
    figures.legend(figure, grid[0])
    return report.image(figures.save(figure, record, "accuracy"), "test accuracy by family, task and number of samples")


def _lines(
    axes: Any, curves: Callable[[str], tuple[Sequence[float], Sequence[float]]], families: Sequence[str] = FAMILIES
) -> None:
    for family in families:
        x, y = curves(family)
        axes.plot(x, y, color=PALETTE[family], marker=MARKERS[family], markersize=4, label=family)


def _curves(record: Record[Settings], samples: int) -> str:
    figure, grid = figures.canvas(1, len(TASKS), size=(12.0, 4.4), sharey=True)
    used = {(r["task"], r["family"]): r["rate"] for r in record.table(RESULTS)}
    seeds, epochs = range(record.settings.seeds), record.settings.epochs
    for axes, task in zip(grid, TASKS, strict=True):

        def mean(family: str, task: str = task) -> tuple[Sequence[float], Sequence[float]]:
            stages = [Contest(task, family, samples, used[task, family], seed).stage for seed in seeds]
            curves = [record.curve(stage, "validation_accuracy") for stage in stages]
            return range(1, epochs + 1), [100 * statistics.fmean(values) for values in zip(*curves, strict=True)]

        _lines(axes, mean)
        axes.axhline(50, color=figures.MARK, linestyle="--", linewidth=1)
        axes.set(title=TITLES[task], xlabel="epoch", ylabel="validation accuracy (%)", ylim=(45, 101.5))
        figures.whole_numbers(axes)
        axes.label_outer()
    figures.legend(figure, grid[0])
    figure.suptitle(f"Learning from {samples:,} samples (mean of {len(seeds)} seeds)")
    return report.image(figures.save(figure, record, "curves"), "validation accuracy after each epoch")


def _distance(record: Record[Settings], width: int = 3) -> str:
    rows = record.table(DISTANCES)
    figure, axes = figures.canvas(size=(7.5, 4.6))

    for i, family in enumerate(FAMILIES):
        mine = [row for row in rows if row["family"] == family]
        bins = sorted({(row["distance"] - sequence_data.GAP) // width for row in mine})
        inside = [[row for row in mine if (row["distance"] - sequence_data.GAP) // width == b] for b in bins]
        shares = [sum(r["correct"] for r in part) / sum(r["of"] for r in part) for part in inside]
        series = [sum(r["of"] for r in part) / record.settings.seeds for part in inside]  # each seed has the same
        ends = [wilson(round(p * n), round(n)) for p, n in zip(shares, series, strict=True)]
        errors = [[100 * max(p - low, 0), 100 * max(high - p, 0)] for p, (low, high) in zip(shares, ends, strict=True)]
        x = [sequence_data.GAP + width * b + (width - 1) / 2 + 0.12 * (i - 2.5) for b in bins]  # side by side
        look: dict[str, Any] = {"color": PALETTE[family], "marker": MARKERS[family], "markersize": 4, "capsize": 2}
        axes.errorbar(x, [100 * share for share in shares], np.transpose(errors), **look, label=family)
    axes.axhline(50, color=figures.MARK, linestyle="--", linewidth=1)
    axes.set(title="Which spike came first, by how far they are apart (95 % intervals)", ylim=(40, 101.5))
    axes.set(xlabel=f"steps between the spikes ({width} in one point)", ylabel="test accuracy (%)")
    figures.legend(figure, axes)
    return report.image(figures.save(figure, record, "distance"), "accuracy against the distance of the two spikes")


def _influence(record: Record[Settings]) -> str:
    rows = record.table(INFLUENCE)
    figure, axes = figures.canvas(size=(7.5, 4.6))
    for family in FAMILIES:
        shares = [100 * row["share"] for row in rows if row["family"] == family]
        axes.plot(range(len(shares)), shares, color=PALETTE[family], label=family)
    axes.axvspan(sequence_data.MARGIN, sequence_data.STEPS - sequence_data.MARGIN - 1, color=figures.MARK, alpha=0.1)
    axes.set(title="How much the answer depends on each step (order; spikes fall in the grey part)")
    axes.set(xlabel="step", ylabel="share of the gradient's magnitude (%)", ylim=(0, None))
    figures.legend(figure, axes)
    return report.image(figures.save(figure, record, "influence"), "the gradient of the answer at each step")
