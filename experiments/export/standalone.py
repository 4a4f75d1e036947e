"""What runs an exported problem: its data, trainings, results and report; no checkpoints."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from experiments.data import Samples, Source
from experiments.registry import Experiment
from experiments.reporting.report import REPORT, shown
from experiments.runner import files, frameworks
from experiments.runner.files import Row
from experiments.runner.options import Options
from experiments.runner.progress import describe
from experiments.runner.record import Record
from experiments.runner.results import Results
from experiments.runner.run import settings_of
from experiments.training.trainer import Trainer

S = TypeVar("S")
Read = Callable[[str | None, bool], tuple[Any, Any, Source]]
"""Reads a part of a data set: as `DataSet.read`."""
CLASSES = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "cifar-10": "CIFAR10", "digits": "Digits"}


def images(name: str) -> Read:
    """Reads images, a row each with pixels from 0 to 1, from torchvision's files or the course's."""

    def read(root: str | None, train: bool) -> tuple[Any, Any, Source]:
        which = CLASSES[name.removesuffix("-hdf5")]
        course = f"mnist_{'train' if train else 'test'}data.hdf5"
        found = next(Path(root or ".").rglob(course), None) if name == "mnist-hdf5" else None
        if found:
            h5py = importlib.import_module("h5py")
            with h5py.File(found) as file:
                pixels, labels = np.rint(256 * file["xdata"][:]), file["ydata"][:].argmax(1)
            classes: Sequence[str] = "0123456789"
        else:
            vision = "minigrad.vision" if importlib.util.find_spec("minigrad") else "torchvision"
            data = getattr(importlib.import_module(f"{vision}.datasets"), which)(root, train, download=True)
            pixels, labels, classes = np.asarray(data.data), np.asarray(data.targets, np.int64), data.classes
        channels = pixels.shape[3] if pixels.ndim == 4 else 1
        inputs = pixels.reshape(len(pixels), -1).astype(np.float32) / np.float32(255)
        source = Source(name, found.name if found else which, stands_in=False, samples=0, channels=channels)
        return inputs, labels, replace(source, classes=tuple(word.split(" - ")[0] for word in classes))

    return read


class Run(Results, Generic[S]):
    """One run: what the experiment's `train` is called with."""

    def __init__(self, experiment: Experiment[S], options: Options, read: Read) -> None:
        super().__init__()
        self.fw = frameworks.load(options.framework)
        self.settings, self.seed, self.seeds = settings_of(experiment, options), options.seed, options.seeds
        self.folder = files.writable_folder(Path(options.out))
        self.options, self.read = options, read
        self.training_data, self.source = self._samples(train=True)
        self.test_each_epoch = experiment.uses_test_each_epoch
        data = {name: getattr(self.source, name) for name in ("name", "description", "stands_in", "samples")}
        config = {"experiment": experiment.name, "framework": options.framework, "seed": self.seed}
        self.config = {**config, "limit": options.limit, "settings": asdict(self.settings), "data": data}  # type: ignore[call-overload]
        self.rows: list[Row] = []
        self.timings: list[Row] = []
        self.weights: dict[str, Any] = {}

    def _samples(self, train: bool) -> tuple[Samples, Source]:
        inputs, labels, source = self.read(self.options.data_dir, train)
        inputs, labels = (values[: self.options.limit].copy() for values in (inputs, labels))
        return (self.fw.from_numpy(inputs), self.fw.from_numpy(labels)), replace(source, samples=len(labels))

    def expect(self, epochs: int) -> None:
        """Announces how many epochs the whole run takes."""
        print(f"{epochs} epochs in all, on {self.config['data']['samples']:,} samples")

    def fit(
        self,
        stage: str,
        build: Callable[[], Trainer],
        epochs: int,
        measure: Callable[[Any], dict[str, float]],
        seed: int | None = None,
    ) -> Any:
        """Trains one network from the seed, with a row of the history for each epoch, and returns it."""
        self.fw.manual_seed(self.seed if seed is None else seed)
        trainer = build()
        if stage in self.weights:  # trained before
            trainer.model.load_state_dict(self.weights[stage])
            return trainer.model
        if self.fw.__name__ == "minigrad":
            trainer.compile(self.fw.compile)
        for epoch in range(1, epochs + 1):
            where, rate, started = {"stage": stage, "epoch": epoch}, trainer.learning_rate, time.perf_counter()
            row = {**where, "learning_rate": rate, "loss": trainer.epoch()}
            self.timings.append({**where, "train_seconds": time.perf_counter() - started})
            self.rows.append(row | measure(trainer.answering))
            print(f"{stage}  epoch {epoch}/{epochs}  {describe(self.rows[-1])}", flush=True)
        self.weights[stage] = trainer.model.state_dict()
        return trainer.model

    def history(self, stage: str) -> list[Row]:
        """The rows of a training, one per epoch."""
        return [row for row in self.rows if row["stage"] == stage]

    def open_test(self, *stages: str, **choice: Any) -> Samples:
        """The test set, after the final choice, which is written down first."""
        files.write_json(self.folder / "choice.json", {"stage": ", ".join(stages), **choice})
        return self._samples(train=False)[0]


def template(text: str) -> str:
    """The report's text with its fields, in place of the file that a report's module has beside it."""
    return text


def operation_link(name: str, folder: Path) -> str:
    """The operation's name."""
    return f"`{name}`"


def module_link(name: str, folder: Path) -> str:
    """The module's name."""
    return f"`{name}`"


class Report(str):
    """A report in Markdown, which a notebook shows."""

    def _repr_markdown_(self) -> str:
        return self


def main(
    experiment: Experiment[Any], write: Callable[[Record[Any]], str], read: Read, arguments: Sequence[str] | None = None
) -> Report:
    """Trains, and writes the figures and the report into a folder with the experiment's name."""
    usual = replace(Options(), out=experiment.name, data_dir="data")
    if not importlib.util.find_spec("minigrad"):
        usual = replace(usual, framework="torch")
    parser = argparse.ArgumentParser(description=f"{experiment.assignment}: {experiment.trains}")
    numbers = dict.fromkeys(["seed", "seeds", "epochs", "limit"], int)
    for name, of in {"framework": str, **numbers, "data_dir": str, "out": str}.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=of, default=getattr(usual, name))
    run = Run(experiment, Options(**vars(parser.parse_args(arguments))), read)
    experiment.train(run)  # type: ignore[arg-type]
    run.write(run.folder, run.config, run.rows, run.timings)
    text = f"# {experiment.assignment}: {experiment.trains}\n\n{write(Record.read(run.folder, experiment))}\n"
    files.write_text(run.folder / REPORT, text)
    for name in experiment.headline:
        print(f"{name.replace('_', ' ')}: {shown(name, run.metrics[name])}")
    print(f"{run.folder / REPORT} and the figures beside it are written.")
    return Report(re.sub(r"\]\((?=[\w.-]+\.(png|csv|json)\))", f"]({run.folder}/", text))
