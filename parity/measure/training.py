"""Whole trainings in float32, each kept as a line of a file as soon as it is done: curves, result, time.

``python -m parity.measure.training`` with its arguments as JSON trains in a process of its own, and prints these lines.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from experiments.reporting import both
from experiments.reporting.both import Training
from experiments.runner import code, files
from experiments.runner.errors import UsageError
from experiments.runner.files import Row
from experiments.runner.machine import environment
from experiments.runner.options import Options
from experiments.training.metrics import accuracy, confusion
from experiments.training.trainer import Trainer, logits
from parity.measure import networks
from parity.measure.epoch import moved
from parity.measure.networks import DryRun, Network, Pair


@dataclass(frozen=True)
class Task:
    """One training: of the network `stage`, from a seed; PyTorch's starts after 0 are moved by rounding."""

    stage: str
    framework: str
    seed: int
    start: int = 0


class Kept:
    """The trainings of an experiment that are on disk, and those that are added.

    A training that is there isn't repeated, unless the network that it trained is another now.

    Args:
        name: of the experiment.
        pairs: its networks.
        options: of its runs.
        results: the folder of the results, where ``parity/runs/NAME.jsonl`` keeps the trainings.
    """

    def __init__(self, name: str, pairs: Sequence[Pair], options: Options, results: Path) -> None:
        self.name, self.options, self.path = name, options, both.path_of(results, name)
        self.recipes = {pair.stage: recipe(pair, options) for pair in pairs}
        self.final = [pair.stage for pair in pairs if pair.final]
        self._lock = threading.Lock()

    def read(self) -> dict[Task, Training]:
        """All that are of the networks as they are now."""
        fresh = [t for t in both.read(self.path) if self.recipes.get(t["stage"]) == t["recipe"]]
        return {Task(t["stage"], t["framework"], t["seed"], t["start"]): t for t in fresh}

    def add(self, tasks: Sequence[Task], jobs: int) -> dict[Task, Training]:
        """Trains what isn't there yet, in so many processes at a time, one thread each; returns all that are there.

        Raises:
            UsageError: where a process fails, with its last words; or where the folder can't be written.
        """
        done = self.read()
        groups: dict[tuple[str, int, int], list[str]] = {}
        for task in tasks:
            if task not in done:
                groups.setdefault((task.framework, task.seed, task.start), []).append(task.stage)
        files.writable_folder(self.path.parent, "--keep")
        if self.path.exists() and not self.path.read_bytes().endswith(b"\n"):
            self.keep("\n")  # after a line that was cut off
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(self._process, groups, groups.values()))
        return self.read()

    def _process(self, group: tuple[str, int, int], stages: list[str]) -> None:
        framework, seed, start = group
        given = replace(self.options, framework=framework, seed=seed)
        line = [self.name, asdict(given), start, {stage: self.recipes[stage] for stage in stages}, self.final]
        command = [sys.executable, "-m", __name__, json.dumps(line)]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "text": True, "env": environment(threads=1)}
        with tempfile.TemporaryFile("w+") as said, subprocess.Popen(command, stderr=said, **pipes) as process:
            for text in process.stdout or ():
                self.keep(text)
            if process.wait():
                said.seek(0)
                words = said.read().strip().splitlines() or [f"status {process.returncode}"]
                raise UsageError(f"training {self.name} in {framework} failed: {words[-1]}")

    def keep(self, line: str) -> None:
        """Adds a training to the file, at once: an interruption loses what is under way."""
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line)


def recipe(pair: Pair, options: Options) -> str:
    """What tells a training from any other but its seed, as a short hash: network, data, optimizer, length."""
    trainer = pair.ours.start()
    layers, loss = networks.objective_of(pair)
    data = (pair.data, options.limit, len(trainer.loader), len(next(iter(trainer.loader))[0]))
    what = (layers, f"{loss:.4g}", data, networks.rules(trainer, "params"), options.epochs or pair.ours.epochs)
    return hashlib.sha256(repr(what).encode()).hexdigest()[:12]


def train(
    name: str, options: Options, start: int, recipes: Mapping[str, str], final: Sequence[str]
) -> Iterator[Training]:
    """Trains these networks of an experiment, by `recipes`' names, from a start; `final` ones have a result."""
    run = networks.dry_run(name, options)
    for stage, known in recipes.items():
        network, began = run.networks[stage], time.process_time()
        trainer = network.start()
        moved(trainer.model, start)
        if options.framework == "minigrad":
            trainer.compile(run.fw.compile)
        rows = []
        for _ in range(options.epochs or network.epochs):
            loss = trainer.epoch()
            rows.append({"loss": loss, **network.measure(trainer.answering)})
        result = result_of(run, network, trainer, rows[-1]) if stage in final else (None, None)
        yield {
            **asdict(Task(stage, options.framework, options.seed, start)),
            "recipe": known,
            "data": run.source.name,
            "seconds": round(time.process_time() - began, 1),
            "commit": code.version()["commit"],
            "result": result[0],
            "of": result[1],
            "curves": {c: [float(f"{row[c]:.7g}") for row in rows] for c in compared(list(rows[0]))},
        }


def compared(columns: Sequence[str]) -> list[str]:
    """The columns of a network's history by which runs are compared: accuracies, else errors, else the loss.

    >>> compared(["loss", "train_loss", "train_accuracy"]), compared(["loss", "train_mse"]), compared(["loss"])
    (['train_accuracy'], ['train_mse'], ['loss'])
    """
    accuracies = [column for column in columns if column.endswith("accuracy")]
    return accuracies or [column for column in columns if column != "loss"] or list(columns)


def result_of(run: DryRun[Any], network: Network, trainer: Trainer, last: Row) -> tuple[float, str]:
    """What the training is judged by, and what that is: by test data where the experiment opens any."""
    if run.test is not None:
        inputs, labels = run.test
        sample = trainer.loader.dataset[0]
        inputs = inputs.reshape(-1, *sample[0].shape)  # flat, or images
        if all(part.shape == sample[0].shape for part in sample):  # what is learnt are the inputs
            with run.fw.no_grad():
                return trainer.objective(trainer.model.eval(), *[inputs] * len(sample)).item(), "test loss"
        scores, classes = logits(run.fw, trainer.model, inputs), len(run.source.classes)
        if scores.ndim == 2 and scores.shape[1] == classes:
            return accuracy(confusion(labels, scores.argmax(1), classes)), "test accuracy"
    for part in ("test", "validation"):
        if f"{part}_accuracy" in last:
            return float(last[f"{part}_accuracy"]), f"{part} accuracy"
    raise LookupError(f"{run.config['experiment']}: no accuracy is measured on test or validation data")


if __name__ == "__main__":
    name, given, *rest = json.loads(sys.argv[1])
    for training in train(name, Options(**given), *rest):
        print(json.dumps(training, ensure_ascii=False), flush=True)
