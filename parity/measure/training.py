"""Trainings with seeds of their own, each in a process of its own: accuracy, confusion, time and memory.

``python -m parity.measure.training`` with its arguments as JSON prints one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from experiments import registry
from experiments.registry import nearest
from experiments.runner import files
from experiments.runner.errors import UsageError
from experiments.runner.machine import environment, peak_megabytes
from experiments.runner.options import Options
from experiments.training.metrics import accuracy, confusion
from experiments.training.trainer import Trainer, logits
from parity.measure.networks import FRAMEWORKS, DryRun, dry_run

APART = 1_000  #: between the seeds of the two sides, so that no two trainings are the same run


@dataclass(frozen=True)
class Task:
    """What to train.

    Attributes:
        experiment: its name.
        stage: which of its networks.
        framework: minigrad or torch.
        seed: of this training.
        epochs: None: as many as the experiment takes.
        data: a data set instead of the experiment's own.
        data_dir: where the data files are.
        limit: only the first so many samples.
    """

    experiment: str
    stage: str
    framework: str
    seed: int
    epochs: int | None = None
    data: str | None = None
    data_dir: str | None = None
    limit: int | None = None


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
            wanted = run.test is not None and stage in run.tested and (stages is None or stage in stages)
            if wanted and any(column.endswith("accuracy") for row in run.history(stage) for column in row):
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
    line = [sys.executable, "-m", __name__, json.dumps(asdict(task))]
    done = subprocess.run(line, env=environment(threads=1), capture_output=True, text=True, check=False)
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise UsageError(f"training {task.experiment}: {task.stage} in {task.framework} failed: {words[-1]}")
    found = {"task": asdict(task), **json.loads(done.stdout.splitlines()[-1])}
    files.write_json(path, found)
    return found


def train(task: Task) -> dict[str, Any]:
    """Trains it and measures it once, at the end.

    Returns:
        accuracy (a fraction; on test data where the experiment has any, else on validation data), `measured_on`,
        the confusion counts (None for networks that don't choose a class), seconds of processor time, peak megabytes.
    """
    given = {name: getattr(task, name) for name in ("framework", "seed", "data", "data_dir", "limit")}
    run = dry_run(task.experiment, Options(**given))
    network = run.networks[task.stage]
    epochs = task.epochs or network.epochs
    started = time.process_time()
    trainer = network.start()
    for _ in range(epochs):
        trainer.epoch()
    seconds = time.process_time() - started
    return {
        **_judged(run, network.measure, trainer),
        "classes": list(run.source.classes),
        "epochs": epochs,
        "seconds": seconds,
        "megabytes": peak_megabytes(),
    }


def _judged(run: DryRun[Any], measure: Any, trainer: Trainer) -> dict[str, Any]:
    classes = len(run.source.classes)
    if run.test is not None:
        inputs, labels = run.test
        learnt_from = trainer.loader.dataset[0][0]  # flat, or an image
        scores = logits(run.fw, trainer.model, inputs.reshape(-1, *learnt_from.shape))
        if scores.ndim == 2 and scores.shape[1] == classes:
            counts = confusion(labels, scores.argmax(1), classes)
            return {"accuracy": accuracy(counts), "measured_on": "test", "confusion": counts}
    row = measure(trainer.model)
    for part in ("test", "validation"):
        if (reached := row.get(f"{part}_accuracy")) is not None:
            return {"accuracy": float(reached), "measured_on": part, "confusion": None}
    raise LookupError(f"{run.config['experiment']}: no accuracy is measured on test or validation data")


if __name__ == "__main__":
    print(json.dumps(train(Task(**json.loads(sys.argv[1])))))
