"""Accuracies of independent seeds in both frameworks, and whether they are equivalent."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from experiments import registry
from experiments.cli import positive
from experiments.registry import nearest
from experiments.reporting.pages import RESULTS
from experiments.runner import files
from experiments.runner.errors import UsageError
from experiments.runner.machine import environment
from experiments.runner.options import Options
from parity import tolerances
from parity.equivalence import Equivalence, two_one_sided
from parity.networks import FRAMEWORKS, dry_run
from parity.training import Task, argument

HELP = "accuracies of independent seeds, and whether they are equivalent"
SEEDS = 5
APART = 1_000  #: between the seeds of the two sides, so that no two trainings are the same run
STORE = RESULTS / "parity" / "accuracy"


@dataclass(frozen=True)
class Found:
    """The trainings of one network."""

    experiment: str
    stage: str
    data: str
    trainings: dict[str, list[dict[str, Any]]]  #: by framework

    def percents(self, framework: str) -> list[float]:
        """The accuracies of one side, in percent."""
        return [100 * training["accuracy"] for training in self.trainings[framework]]

    @property
    def equivalence(self) -> Equivalence | None:
        """The test; None where no margin is set for this data set."""
        margin = tolerances.margin(self.data)
        return None if margin is None else two_one_sided(self.percents("minigrad"), self.percents("torch"), margin)


def seeds_of(framework: str, count: int, first: int) -> list[int]:
    """The seeds of one side; none is a seed of the other.

    >>> seeds_of("minigrad", 2, 1), seeds_of("torch", 2, 1)
    ([1, 2], [1001, 1002])
    """
    start = first + APART * FRAMEWORKS.index(framework)
    return list(range(start, start + count))


def networks(
    names: Sequence[str], options: Options, stages: Sequence[str] | None = None
) -> Iterator[tuple[str, str, str]]:
    """Experiment, stage and data set of each network that an experiment judges in the end, by an accuracy.

    Args:
        names: of the experiments.
        options: of their runs.
        stages: only these; None: all.

    Raises:
        UsageError: where a stage is in none of the experiments, or there is no such experiment or data.
    """
    known = set[str]()
    for name in names or registry.names():
        run = dry_run(name, options)
        known |= run.tested
        for stage in run.networks:
            if stage not in run.tested or (stages is not None and stage not in stages):
                continue
            columns = {column for row in run.history(stage) for column in row}
            if run.test is not None and any(column.endswith("accuracy") for column in columns):
                yield name, stage, run.source.name
    for stage in set(stages or ()) - known:
        raise UsageError(f"--stages: no network is called {stage!r}{nearest(stage, known)}")


def trained(task: Task, folder: Path) -> dict[str, Any]:
    """A training in a process of its own, on one thread; what is in the folder already isn't done again.

    Raises:
        UsageError: where the process fails, with its last words.
    """
    key = f"{task.stage.replace(' ', '-').replace('/', '-')}-{task.framework}-{task.seed}"
    path = folder / task.experiment / f"{key}.json"
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if kept["task"] == asdict(task):
            return kept
    done = subprocess.run(
        [sys.executable, "-m", "parity.training", argument(task)],
        env=environment(threads=1),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise UsageError(f"training {task.experiment}: {task.stage} in {task.framework} failed: {words[-1]}")
    found = {"task": asdict(task), **json.loads(done.stdout.splitlines()[-1])}
    files.write_json(path, found)
    return found


# ---- the command -----------------------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many trainings, how long, and where they are kept."""
    parser.add_argument("--seeds", type=positive, default=SEEDS, metavar="N", help=f"a side (default {SEEDS})")
    parser.add_argument("--epochs", type=positive, help="instead of the experiments' own, for a trial")
    parser.add_argument("--stages", nargs="+", metavar="STAGE", help="only the networks of these names, e.g. final")
    parser.add_argument("--jobs", type=positive, default=1, help="trainings at a time, one thread each (default 1)")
    parser.add_argument(
        "--keep", type=Path, default=STORE, metavar="DIR", help="where trainings are kept; those there aren't repeated"
    )


def run(names: Sequence[str], options: Options, told: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Trains, and prints a row a network; whether all that have a margin are equivalent, and all numbers."""
    from parity.cli import Table

    if told.seeds < 2:
        raise UsageError("--seeds 1: one accuracy has no spread; two a side are the least")
    table = Table(
        ["experiment", "network", "minigrad", "torch", "difference", "90 % interval", "margin", "p", "verdict"]
    )
    everything = []
    for experiment, stage, data in list(networks(names, options, told.stages)):
        tasks = [
            Task(experiment, stage, framework, seed, told.epochs, options.data, options.data_dir, options.limit)
            for seeds in zip(*(seeds_of(f, told.seeds, options.seed + 1) for f in FRAMEWORKS), strict=True)
            for framework, seed in zip(FRAMEWORKS, seeds, strict=True)
        ]
        with ThreadPoolExecutor(told.jobs) as pool:
            trainings = list(pool.map(lambda task: trained(task, told.keep), tasks))
        sides = {f: [t for t in trainings if t["task"]["framework"] == f] for f in FRAMEWORKS}
        found = Found(experiment, stage, data, sides)
        everything.append(found)
        table.row([experiment, stage, *_cells(found)])
    table.print()
    print(
        f"\nMean ± standard deviation of {told.seeds} seeds a side, in percent. Equivalent: two one-sided tests "
        f"(Welch) reject, at {tolerances.SIGNIFICANCE:.0%}, that the means are the margin or more apart."
    )
    passed = all(f.equivalence.equivalent for f in everything if f.equivalence is not None)
    return passed, {"margins": tolerances.MARGINS, "networks": [as_json(found) for found in everything]}


def _cells(found: Found) -> list[str]:
    sides = [f"{statistics.fmean(p):.2f} ± {statistics.stdev(p):.2f}" for p in map(found.percents, FRAMEWORKS)]
    test = found.equivalence
    if test is None:
        difference = statistics.fmean(found.percents("minigrad")) - statistics.fmean(found.percents("torch"))
        return [*sides, f"{difference:+.2f}", "", "–", "", "no margin set"]
    return [
        *sides,
        f"{test.difference:+.2f}",
        f"[{test.low:+.2f}, {test.high:+.2f}]",
        f"{test.margin:g}",
        f"{test.p:.2g}",
        "equivalent" if test.equivalent else "NOT SHOWN",
    ]


def as_json(found: Found) -> dict[str, Any]:
    """A network's trainings and their test as JSON holds them."""
    test = found.equivalence
    return {
        "experiment": found.experiment,
        "stage": found.stage,
        "data": found.data,
        "trainings": found.trainings,
        "equivalence": None if test is None else {**asdict(test), "equivalent": test.equivalent},
    }
