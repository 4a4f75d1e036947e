"""The report of `human_machine`: figures, tables, and the text beside this file."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.human_machine.data import LENGTH
from experiments.human_machine.train import INPUTS, NETWORKS, RATES, REGULARIZERS, SEARCH, Settings
from experiments.reporting import classifiers, figures, report
from experiments.runner.files import Row
from experiments.runner.record import Record
from experiments.training.metrics import standard_error, wilson

Array = NDArray[np.float64]
BANDS = {"low": (0, 1), "middle": (2, 8), "high": (9, 10)}  #: periods in 20 values, first and last
SHUFFLES = 1000


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    settings, metrics = record.settings, record.metrics
    rows = record.table(SEARCH)
    parts = {part: [row for row in rows if row["part"] == part] for part in (RATES, REGULARIZERS, NETWORKS, INPUTS)}
    arrays = {name: array.astype(np.float64) for name, array in record.arrays.items()}
    chosen = next(row for row in parts[REGULARIZERS] if row["candidate"] == metrics["chosen"])
    best_features = next(row for row in parts[INPUTS] if row["candidate"] == metrics["chosen_features"])
    fold = metrics["training_samples"] - round(settings.validation * metrics["training_samples"])
    return report.fill(
        __file__,
        record,
        accuracy=_spread(metrics, "validation"),
        train_accuracy=_spread(metrics, "train"),
        fold=fold,
        held=metrics["training_samples"] - fold,
        error=100 * standard_error(metrics["validation_accuracy"], metrics["validation_samples"]),
        fold_error=100 * standard_error(0.58, metrics["training_samples"] - fold),
        first_accuracy=record.curve(metrics["stages"][0], "validation_accuracy")[-1],
        curves=_curves(record),
        monitored=_monitored(record),
        overfitting=_overfitting(record, parts[NETWORKS]),
        rates=map(_shown, parts[RATES]),
        grid=_grid(parts[REGULARIZERS], settings),
        gaps=_grid(parts[REGULARIZERS], settings, gap=True),
        averages=_averages(parts[REGULARIZERS], settings.seeds),
        networks=[{"name": f"**20-{settings.hidden}-1, ReLU**: the assignment's", **_shown(chosen)}]
        + [{"name": row["candidate"], **_shown(row)} for row in parts[NETWORKS]],
        matrix=_matrix(record),
        heat=_heat(record, arrays),
        spectrum=_spectrum(record, arrays),
        **_insight(arrays),
        statistics=_statistics(record),
        statistics_text=_statistics_text(metrics),
        coin=math.sqrt(LENGTH - 1) / 2,
        judgement=_by_alternations(record),
        features=[
            {**_shown(row), "name": report.bold(row["candidate"], row is best_features)} for row in parts[INPUTS]
        ],
        features_figure=_features(record, parts[INPUTS], chosen),
        compared=_compared(parts[INPUTS], chosen, settings.hidden),
        versus=classifiers.versus(metrics["features_against_network"], "the first seed's network on the raw values"),
        longest=_longest(record.table("statistics"), parts[INPUTS]),
        edges=_edges(parts[RATES], settings),
        copies=_copies(metrics),
        shuffles=SHUFFLES,
    )


def _spread(row: Row, part: str) -> str:
    """A mean and the standard deviation from seed to seed.

    >>> _spread({"train_accuracy": 0.6, "train_spread": 0.01}, "train")
    '60.0 ± 1.0 %'
    """
    return f"{100 * row[f'{part}_accuracy']:.1f} ± {100 * row[f'{part}_spread']:.1f} %"


def _shown(row: Row) -> Row:
    return {**row, "train": _spread(row, "train"), "validation": _spread(row, "validation")}


def _curves(record: Record[Settings]) -> str:
    stage = record.metrics["stages"][0]
    curves = {
        "training": record.curve(stage, "train_accuracy"),
        "validation": record.curve(stage, "validation_accuracy"),
    }
    figure, axes = figures.canvas()
    figures.accuracy_curves(axes, curves)
    title = f"20-{record.settings.hidden}-1: probability of correct classification"
    axes.set(title=title, ylabel="correctly classified (%)")
    axes.axhline(50, color=figures.MARK, linestyle=":", label="chance")
    figures.legend(figure, axes)
    return report.image(figures.save(figure, record, "accuracy"), title)


def _monitored(record: Record[Settings]) -> str:
    """Whether the curves show over-fitting, in words."""
    stage = record.metrics["stages"][0]
    train, validation = (record.curve(stage, f"{part}_accuracy") for part in ("train", "validation"))
    losses = record.curve(stage, "validation_loss")
    best, least = int(np.argmax(validation)), int(np.argmin(losses))
    rise = losses[-1] - losses[least]
    if least == len(losses) - 1:
        verdict = "at the very end: nothing is over-fitted yet, and a few more epochs might still help"
    elif rise < 0.25 * (losses[0] - losses[least]):
        verdict = f"and only {rise:.4f} higher in the end: longer training would not pay, but it has done no harm"
    else:
        verdict = f"and {rise:.4f} higher in the end: stopping earlier would have been better"
    return (
        f"After the last epoch the training curve lies {100 * (train[-1] - validation[-1]):.1f} points above the"
        f" validation curve ({report.percent(train[-1], 1)} and {report.percent(validation[-1], 1)}). The validation"
        f" curve itself has its best value in epoch {best + 1} ({report.percent(validation[best], 1)}). The validation"
        f" log-loss is lowest in epoch {least + 1} ({losses[least]:.4f}), {verdict}."
    )


def _overfitting(record: Record[Settings], networks: list[Row]) -> Row:
    worst = max(networks, key=lambda row: row["train_accuracy"] - row["validation_accuracy"])
    seed = record.config["seed"]
    stages = {
        f"the final 20-{record.settings.hidden}-1": record.metrics["stages"][0],
        worst["candidate"]: f"{worst['candidate']}, seed {seed}",
    }
    figure, grid = figures.canvas(1, 2, size=(10.0, 4.2), sharey=True)
    for axes, (name, stage) in zip(grid, stages.items(), strict=True):
        curves = {part: record.curve(stage, f"{part}_loss") for part in ("train", "validation")}
        figures.loss_curves(axes, {"training": curves["train"], "validation": curves["validation"]})
        axes.axhline(math.log(2), color=figures.MARK, linestyle=":", label="chance, ln 2")
        axes.set(title=name)
        axes.label_outer()
    figures.legend(figure, grid[0])
    figure.suptitle("Log-loss after each epoch: what over-fitting looks like")
    losses = record.curve(stages[worst["candidate"]], "validation_loss")
    least = int(np.argmin(losses))
    end = {"name": worst["candidate"], "gap": 100 * (worst["train_accuracy"] - worst["validation_accuracy"])}
    figure_link = report.image(figures.save(figure, record, "overfitting"), "log-loss of two networks")
    return {**end, "epoch": least + 1, "least": losses[least], "last": losses[-1], "figure": figure_link}


def _grid(rows: list[Row], settings: Settings, gap: bool = False) -> str:
    """Optimizers (rows) by regularizers (columns): validation accuracies, or how far training lies above them."""
    best = max(rows, key=lambda row: (row["validation_accuracy"], -row["validation_loss"]))
    table = []
    for optimizer in settings.optimizers:
        line = [row for row in rows if row["optimizer"] == optimizer]
        cells = [
            f"{100 * (row['train_accuracy'] - row['validation_accuracy']):.1f}" if gap else _spread(row, "validation")
            for row in line
        ]
        bold = [report.bold(cell, row is best and not gap) for row, cell in zip(line, cells, strict=True)]
        table.append([f"{optimizer}, rate {line[0]['rate']:g}", *bold])
    return report.table(["optimizer", *settings.regularizers], table)


def _averages(rows: list[Row], seeds: int) -> Row:
    """The means of the grid's rows and columns, the best first; and the standard deviation from seed to seed."""
    averages: Row = {}
    for column in ("optimizer", "regularizer"):
        names = dict.fromkeys(row[column] for row in rows)
        means = {n: float(np.mean([row["validation_accuracy"] for row in rows if row[column] == n])) for n in names}
        ranked = sorted(means, key=lambda name: -means[name])
        averages[column] = ", ".join(f"{name} {report.percent(means[name], 1)}" for name in ranked)
    spread = 100 * float(np.sqrt(np.mean([row["validation_spread"] ** 2 for row in rows])))
    return {**averages, "spread": spread, "error": spread / math.sqrt(seeds)}


def _matrix(record: Record[Settings]) -> str:
    """The weights as an indented block: a row a hidden neuron, a column an input."""
    rows = record.table("input_weights")
    positions = [str(i + 1) for i in range(LENGTH)]
    lines = ["neuron" + "".join(f"{position:>6}" for position in positions)]
    lines += [f"{row['neuron']:>6}" + "".join(f"{row[position]:6.2f}" for position in positions) for row in rows]
    return "\n".join(f"    {line}" for line in lines)


def _heat(record: Record[Settings], arrays: dict[str, Array]) -> str:
    bound = max(float(np.abs(matrix).max()) for matrix in arrays.values())
    figure, grid = figures.canvas(1, 2, size=(13.5, 6.2))
    for axes, name in zip(grid, ("untrained", "trained"), strict=True):
        figures.weight_matrix(axes, arrays[name], bound=bound)
        axes.set(
            title=f"{name}, seed {record.config['seed']}", xlabel="position in the sequence", ylabel="hidden neuron"
        )
    title = "Weights from the input to the hidden layer"
    figure.suptitle(title)
    return report.image(figures.save(figure, record, "weights"), title)


def spectrum(matrix: Array) -> Array:
    """The mean power of the rows (..., n, 20) at 0, 1, ..., 10 periods in 20 values, each row's total 1.

    >>> spectrum(np.array([[1.0, -1.0] * 10])).round(3).tolist()[-2:]
    [0.0, 1.0]
    """
    power = np.square(np.abs(np.fft.rfft(matrix, axis=-1)))
    power[..., 1:-1] *= 2  # these stand for a negative frequency as well
    share: Array = (power / power.sum(-1, keepdims=True)).mean(-2)
    return share


def neighbours(matrix: Array, distance: int = 1) -> Any:
    """How weights of one neuron correlate with those `distance` further on, averaged over the rows (..., n, 20).

    >>> float(neighbours(np.array([[1.0, -1.0] * 10])))
    -1.0
    """
    products = (matrix[..., distance:] * matrix[..., :-distance]).mean(-1)
    return (products / np.square(matrix).mean(-1)).mean(-1)


def _shuffled(matrix: Array) -> Array:
    """Many copies of the matrix, with each row's weights in random order and with random signs."""
    rng = np.random.default_rng(0)
    shuffled = rng.permuted(np.broadcast_to(matrix, (SHUFFLES, *matrix.shape)), axis=-1)
    return np.asarray(shuffled * rng.choice([-1.0, 1.0], shuffled.shape))


def _spectrum(record: Record[Settings], arrays: dict[str, Array]) -> str:
    expected = np.full(LENGTH // 2 + 1, 2 / LENGTH)
    expected[[0, -1]] /= 2
    shuffles = spectrum(_shuffled(arrays["trained"])) / expected
    low, high = np.quantile(shuffles, (0.025, 0.975), axis=0)
    figure, axes = figures.canvas(size=(7.5, 4.5))
    periods = range(LENGTH // 2 + 1)
    axes.fill_between(
        periods, low, high, color=figures.MARK, alpha=0.25, label="trained, shuffled, random signs (95 %)"
    )
    for name, colour in (("untrained", figures.VALIDATION), ("trained", figures.TRAINING)):
        axes.plot(periods, spectrum(arrays[name]) / expected, "o-", color=colour, markersize=4, label=name)
    title = "Frequencies in the weights of the hidden neurons"
    axes.set(xlabel=f"periods in {LENGTH} values (0: all alike, 10: alternating)", ylabel="power, relative to no order")
    axes.set(title=title, ylim=(0, None))
    figures.legend(figure, axes)
    return report.image(figures.save(figure, record, "spectrum"), title)


def _insight(arrays: dict[str, Array]) -> dict[str, Any]:
    """What order there is in the trained matrix, compared with weights without any."""
    trained, untrained = arrays["trained"], arrays["untrained"]
    shuffles = _shuffled(trained)
    sizes, null = (np.sqrt(np.square(matrix).mean(-2)) for matrix in (trained, shuffles))
    ends = {"low": sizes.min(), "high": sizes.max(), "null_low": null.min(1).mean(), "null_high": null.max(1).mean()}
    bands = []
    for name, (first, last) in BANDS.items():
        those = slice(first, last + 1)
        share, before = (float(spectrum(matrix)[those].sum()) for matrix in (trained, untrained))
        null = spectrum(shuffles)[:, those].sum(1)
        low, high = np.quantile(null, (0.025, 0.975))
        where = "above" if share > high else "below" if share < low else "within"
        found = {"name": name, "first": first, "last": last, "share": share, "before": before, "where": where}
        bands.append({**found, "null": float(null.mean()), "low": 100 * low, "high": 100 * high})
    distances = []
    for distance in (1, 2):
        null = neighbours(shuffles, distance)
        found = {"trained": float(neighbours(trained, distance)), "untrained": float(neighbours(untrained, distance))}
        distances.append({"distance": distance, **found, "mean": null.mean(), "std": null.std()})
    own = np.stack([spectrum(row[None]) for row in trained])
    purest = [{"neuron": int(own[:, k].argmax()) + 1, "share": float(own[:, k].max())} for k in (0, -1)]
    return {"sizes": ends, "bands": bands, "distances": distances, "purest": purest, "verdict": _verdict(bands)}


def _verdict(bands: list[Row]) -> str:
    """What follows for features, by the bands whose power is above, within and below what chance gives."""
    meanings = {
        "low": "weights of like sign, which add up to how much of a sequence is alike: long runs",
        "middle": "rhythms of a few values",
        "high": "weights of alternating sign, which add up to how much of it alternates",
    }
    above, below = ([meanings[b["name"]] for b in bands if b["where"] == where] for where in ("above", "below"))
    if not above:
        return "So no rhythm stands out from chance, and this matrix by itself doesn't suggest features."
    less = f" Less than chance gives: {'; '.join(below)}." if below else ""
    return f"So there is order in the matrix, and more of it than chance gives: {'; '.join(above)}.{less}"


def _statistics(record: Record[Settings]) -> str:
    rows = record.table("statistics")
    figure, grid = figures.canvas(1, 2, size=(10.5, 4.3))
    names = {"alternations": "number of alternations (of 19)", "longest": "length of the longest run"}
    for axes, (column, label) in zip(grid, names.items(), strict=True):
        for source, colour in (("human", figures.VALIDATION), ("machine", figures.TRAINING)):
            counts = [row[f"{column}_{source}"] for row in rows]
            edges = np.arange(len(counts) + 1) - 0.5
            axes.stairs([100 * n / max(sum(counts), 1) for n in counts], edges, color=colour, label=source, linewidth=2)
        axes.set(xlabel=label, ylabel="share of the sequences (%)", xlim=(-0.5, LENGTH + 0.5))
        figures.whole_numbers(axes)
    figures.legend(figure, grid[0])
    title = "Human and machine sequences of the training data"
    figure.suptitle(title)
    return report.image(figures.save(figure, record, "statistics"), title)


def _statistics_text(metrics: Row) -> str:
    """What distinguishes people from the machine: the mean number of alternations or its deviation."""
    human, machine = (metrics[f"{source}_alternations_spread"] for source in ("human", "machine"))
    if human > 1.2 * machine:
        return (
            "So people differ from the machine on both sides: some alternate too often, as textbooks say, others too"
            " rarely. A feature must indicate *human* at both ends, which no single weighted sum can."
        )
    return "It is the mean that distinguishes people here."


def _by_alternations(record: Record[Settings]) -> str:
    rows = [row for row in record.table("judgement") if row["samples"] >= 5]
    x, share, mean = (
        np.array([[r["alternations"], r["human"] / r["samples"], r["mean"]] for r in rows]).reshape(-1, 3).T
    )
    low, high = np.array([wilson(r["human"], r["samples"]) for r in rows]).reshape(-1, 2).T
    figure, axes = figures.canvas(size=(7.5, 4.5))
    style = {"fmt": "o", "color": figures.VALIDATION, "markersize": 5, "capsize": 3, "clip_on": False}
    label = "share of sequences by people (Wilson's 95 % interval)"
    axes.errorbar(x, 100 * share, 100 * np.array([share - low, high - share]), **style, label=label)
    axes.plot(x, 100 * mean, color=figures.TRAINING, linewidth=2, label="mean output of the network")
    axes.axhline(50, color=figures.MARK, linestyle=":")
    figures.whole_numbers(axes)
    title = "Human or machine, by how often a sequence alternates"
    axes.set(title=title, xlabel="number of alternations (of 19)", ylabel="human (%)", ylim=(0, 100))
    figures.legend(figure, axes)
    return report.image(figures.save(figure, record, "judgement"), title)


def _features(record: Record[Settings], tried: list[Row], chosen: Row) -> str:
    named = [(f"20-{record.settings.hidden}-1 on the 20 values", chosen, figures.TRAINING)]
    named += [(row["candidate"], row, figures.VALIDATION) for row in tried]
    named.sort(key=lambda item: item[1]["validation_accuracy"])
    figure, axes = figures.canvas(size=(9.5, 5.2))
    for i, (_, row, colour) in enumerate(named):
        mean, spread = 100 * row["validation_accuracy"], 100 * row["validation_spread"]
        axes.errorbar(mean, i, xerr=spread, fmt="o", color=colour, capsize=3)
    axes.set_yticks(range(len(named)), [name for name, _, _ in named])
    axes.axvline(50, color=figures.MARK, linestyle=":")
    title = "Counted features against the raw sequence"
    axes.set(title=title, xlabel="validation accuracy (%), mean ± standard deviation")
    return report.image(figures.save(figure, record, "features"), title)


def _compared(tried: list[Row], chosen: Row, hidden: int) -> Row:
    """The accuracies that the text about the features names."""
    found = {row["candidate"].removeprefix("logistic on "): row["validation_accuracy"] for row in tried}
    accuracy = chosen["validation_accuracy"]
    return {
        "raw": found["the 20 values"],
        "one": found["the number of alternations"],
        "two": found["alternations, and their squared distance from 9.5"],
        "better": sum(value > accuracy for value in found.values()),
        "of": len(found),
        "network": accuracy,
        "parameters": (LENGTH + 2) * hidden + 1,
    }


def _edges(rows: list[Row], settings: Settings) -> str:
    """For which optimizers the best learning rate lies at the end of those tried."""
    found = []
    for name, (_, _, rates) in settings.optimizers.items():
        mine = [row for row in rows if row["optimizer"] == name]
        best = max(mine, key=lambda row: (row["validation_accuracy"], -row["validation_loss"]))["rate"]
        if best in (min(rates), max(rates)):
            found.append(f"{name} ({best:g})")
    if not found:
        return "The best rate of each optimizer lies between others."
    return f"The best rate lies at the end of those tried for {', '.join(found)}, so that one beyond it may be better."


def _longest(statistics: list[Row], tried: list[Row], long: int = 7) -> Row:
    """What a logistic model on the longest run sees, and why it may be right less often than a coin."""
    accuracy = next(row["train_accuracy"] for row in tried if row["candidate"] == "logistic on the longest run")
    values = np.array([row["value"] for row in statistics])
    human, machine = (np.array([row[f"longest_{source}"] for row in statistics]) for source in ("human", "machine"))
    means = [float(counts @ values / max(counts.sum(), 1)) for counts in (human, machine)]
    middle = math.floor(sum(means) / 2)
    shares = [human[values > k].sum() / max((human + machine)[values > k].sum(), 1) for k in (middle, long)]
    why = (
        " Less than a half is no mistake: the model has one weight, whose sign the very long runs settle, because the"
        " log-loss counts sure cases most; on the many sequences near the middle, where people's runs are the shorter"
        " ones, it is then wrong, a little each time."
    )
    paradox = accuracy < 0.5 and shares[0] < 0.5 < shares[1]
    return {"accuracy": accuracy, "means": means, "at": (middle, long), "shares": shares, "why": why if paradox else ""}


def _copies(metrics: Row) -> str:
    """How much of the accuracy may come from sequences that occur in the training data."""
    copies, n = metrics["copies"], metrics["validation_samples"]
    text = (
        f"{metrics['human_copies']} of the {metrics['validation_humans']:,} human and {metrics['machine_copies']} of"
        f" the {n - metrics['validation_humans']:,} machine validation sequences occur in the training data as well,"
        " value by value"
    )
    if not copies:
        return f"{text}."
    return (
        f"{text}. The network is right on {report.percent(metrics['copies_correct'] / copies, 1)} of these and on"
        f" {report.percent(metrics['others_correct'] / (n - copies), 1)} of the others; the second number is to be"
        " expected for sequences that don't occur in the training data."
    )
