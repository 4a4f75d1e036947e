"""One training at full length in a process of its own: accuracy, confusion, time and memory.

``python -m parity.training`` with its arguments as JSON prints one line of JSON; `parity.accuracy` calls it.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from experiments.runner.machine import peak_megabytes
from experiments.runner.options import Options
from experiments.training.metrics import accuracy, confusion
from experiments.training.trainer import Trainer, logits
from parity.networks import DryRun, dry_run


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


def train(task: Task) -> dict[str, Any]:
    """Trains it and measures it once, at the end.

    Returns:
        accuracy (a fraction; on test data where the experiment has any, else on validation data), `measured_on`,
        the confusion counts (None for networks that don't choose a class), seconds of processor time, peak megabytes.
    """
    options = Options(
        framework=task.framework, seed=task.seed, data=task.data, data_dir=task.data_dir, limit=task.limit
    )
    run = dry_run(task.experiment, options)
    network = run.networks[task.stage]
    started = time.process_time()
    trainer = network.start()
    for _ in range(task.epochs or network.epochs):
        trainer.epoch()
    seconds = time.process_time() - started
    measured_on, reached, counts = _judged(run, network.measure, trainer)
    return {
        "accuracy": reached,
        "measured_on": measured_on,
        "confusion": counts,
        "classes": list(run.source.classes),
        "epochs": task.epochs or network.epochs,
        "seconds": seconds,
        "megabytes": peak_megabytes(),
    }


def _judged(run: DryRun[Any], measure: Any, trainer: Trainer) -> tuple[str, float, list[list[int]] | None]:
    classes = len(run.source.classes)
    if run.test is not None:
        inputs, labels = run.test
        learnt_from = trainer.loader.dataset[0][0]  # flat, or an image
        scores = logits(run.fw, trainer.model, inputs.reshape(-1, *learnt_from.shape))
        if scores.ndim == 2 and scores.shape[1] == classes:
            counts = confusion(labels, scores.argmax(1), classes)
            return "test", accuracy(counts), counts
    row = measure(trainer.model)
    for part in ("test", "validation"):
        if (reached := row.get(f"{part}_accuracy")) is not None:
            return part, float(reached), None
    raise LookupError(f"{run.config['experiment']}: no accuracy is measured on test or validation data")


def argument(task: Task) -> str:
    """A task as the command line of this module takes it."""
    return json.dumps(asdict(task))


if __name__ == "__main__":
    print(json.dumps(train(Task(**json.loads(sys.argv[1])))))
