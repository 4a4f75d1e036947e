"""The section of each report that shows the same networks trained in PyTorch, from what `python -m parity` found."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from experiments.reporting import figures, report
from experiments.runner.record import Record

FRAMEWORKS = {"minigrad": "minigrad", "torch": "PyTorch"}
SEEDS = {"minigrad": range(1, 1_000), "torch": range(1_001, 2_000)}
SHOWN = 4  #: networks in the figure
COLOURS = (figures.TRAINING, figures.VALIDATION, figures.TEST, "#7b4ea3")

Training = dict[str, Any]  #: a line of the findings: what was trained, its curves and its result


def path_of(results: Path, name: str) -> Path:
    """Where the trainings of an experiment are kept, beside its results."""
    return results / "parity" / "runs" / f"{name}.jsonl"


def read(path: Path) -> list[Training]:
    """The trainings that are kept there, the last of each; a line that an interruption cut off is left out."""
    found: dict[tuple[Any, ...], Training] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            training = json.loads(line)
        except ValueError:
            continue
        found[tuple(training[key] for key in ("stage", "framework", "seed", "start"))] = training
    return list(found.values())


def seeds_of(framework: str, count: int) -> list[int]:
    """The seeds of one side's trainings; none is a seed of the other, nor that of the experiments.

    >>> seeds_of("minigrad", 2), seeds_of("torch", 2)
    ([1, 2], [1001, 1002])
    """
    return list(SEEDS[framework])[:count]


def results_of(trainings: Iterable[Training], stage: str, framework: str) -> list[float]:
    """The results of one network's trainings from seeds of their own."""
    mine = [t for t in trainings if (t["stage"], t["framework"], t["start"]) == (stage, framework, 0)]
    return [t["result"] for t in mine if t["result"] is not None and t["seed"] in SEEDS[framework]]


def section(record: Record[Any]) -> str:
    """Both learning curves in a figure, and both results: of the run's seed, and over seeds of their own."""
    name = record.config["experiment"]
    trainings = read(path_of(record.folder.parent, name))
    stages = list(dict.fromkeys(t["stage"] for t in trainings if t["result"] is not None))
    if not stages:
        return (
            f"Not measured beside these results: `python -m parity trajectory {name}` and "
            f"`python -m parity accuracy {name}` train the same networks in both frameworks."
        )
    of_seed = {(t["stage"], t["framework"]): t for t in trainings if not t["start"] and not t["seed"]}
    both = [stage for stage in stages if all((stage, framework) in of_seed for framework in FRAMEWORKS)]
    rows = []
    for stage in stages:
        unit = next(t["of"] for t in trainings if t["stage"] == stage and t["result"] is not None)
        alone = [of_seed.get((stage, framework)) for framework in FRAMEWORKS]
        cells = ["not trained" if t is None else shown([t["result"]], unit) for t in alone]
        cells += [shown(results_of(trainings, stage, framework), unit) for framework in FRAMEWORKS]
        rows.append([stage, unit, *cells])
    names = list(FRAMEWORKS.values())
    header = ["network", "", *(f"{name}, seed 0" for name in names), *(f"{name}, mean ± deviation" for name in names)]
    text = [
        report.table(header, rows),
        "The same file trains in PyTorch, from the same seed: the same run up to rounding.",
    ]
    text[1] += " The deviation is that over seeds of their own; none of minigrad's is one of PyTorch's."
    if both:
        chosen = both[:: -(-len(both) // SHOWN)]
        figure, axes = figures.canvas()
        axes.set(title="The same program in both frameworks, from the same seed")
        curves(axes, {stage: [of_seed[stage, framework]["curves"] for framework in FRAMEWORKS] for stage in chosen})
        text.insert(0, report.image(figures.save(figure, record, "pytorch"), "learning curves in both frameworks"))
    return "\n\n".join(text)


def curves(axes: Any, of: dict[str, Sequence[dict[str, list[float]]]]) -> None:
    """The last column that each network records: PyTorch's curve is broad, minigrad's thin on top of it."""
    columns = set()
    for (stage, (ours, theirs)), colour in zip(of.items(), COLOURS, strict=False):
        column = list(ours)[-1]
        columns.add(column)
        scale = 100 if column.endswith("accuracy") else 1
        for values, style, side in (
            (theirs[column], {"linewidth": 6, "alpha": 0.3}, "PyTorch"),
            (ours[column], {"linewidth": 1.4}, "minigrad"),
        ):
            points = [scale * value for value in values]
            axes.plot(range(1, len(points) + 1), points, color=colour, label=f"{stage}, {side}", **style)
    unit = " (%)" if all(column.endswith("accuracy") for column in columns) else ""
    label = " or ".join(sorted(column.replace("_", " ") for column in columns))
    axes.set(xlabel="epoch", ylabel=label + unit)
    figures.whole_numbers(axes)
    axes.legend(fontsize=8)


def shown(values: Sequence[float], unit: str) -> str:
    """Mean and standard deviation of some results, and how many there are.

    >>> shown([0.98, 0.99], "test accuracy"), shown([0.0388], "test loss"), shown([], "test loss")
    ('98.50 ± 0.71 % (2)', '0.03880', 'not trained')
    """
    if not values:
        return "not trained"
    scale, digits, sign = (100, 2, " %") if unit.endswith("accuracy") else (1, 5, "")
    mean = f"{scale * statistics.fmean(values):.{digits}f}"
    if len(values) == 1:
        return mean + sign
    return f"{mean} ± {scale * statistics.stdev(values):.{digits}f}{sign} ({len(values)})"
