"""Every network of every experiment, in both frameworks, found by asking the experiments themselves.

An experiment's `train` is called once in each framework with a `DryRun`, which trains nothing and records how each
network, and all that trains it, is built. So no network is defined a second time, and a new experiment is compared as
soon as it exists.
"""

from __future__ import annotations

import functools
import io
import json
import re
import tempfile
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import minigrad
from experiments import data, registry
from experiments.data import Samples
from experiments.reporting.pages import RESULTS
from experiments.runner import files
from experiments.runner.files import Row
from experiments.runner.options import Options
from experiments.runner.progress import Progress
from experiments.runner.record import HISTORY
from experiments.runner.run import Run
from experiments.training.classification import FINAL
from experiments.training.trainer import Trainer

S = TypeVar("S")
Load = Callable[..., tuple[Samples, data.Source]]  #: as `experiments.data.load`

FRAMEWORKS = ("minigrad", "torch")


@dataclass(frozen=True)
class Network:
    """A network and all that trains it, in one framework.

    Attributes:
        fw: the framework's namespace.
        seed: what it starts from.
        build: makes the network and its trainer anew.
        epochs: how long the experiment trains it.
        measure: what the experiment records of the model after each epoch.
    """

    fw: Any
    seed: int
    build: Callable[[], Trainer]
    epochs: int
    measure: Callable[[Any], dict[str, float]]

    def start(self, dtype: str = "float32") -> Trainer:
        """A new trainer, from the seed.

        In float64 everything is drawn and computed in float64: parameters, buffers, and the floats of each batch.
        """
        self.fw.manual_seed(self.seed)
        if dtype == "float32":
            return self.build()
        with double(self.fw):
            trainer = self.build()
            trainer.model.double()

        def objective(model: Any, *batch: Any) -> Any:
            with double(self.fw):
                return trainer.objective(model, *(widened(tensor) for tensor in batch))

        return replace(trainer, objective=objective)


@dataclass(frozen=True)
class Pair:
    """The same network in both frameworks.

    Attributes:
        experiment: its name.
        stage: what the experiment calls this training.
        data: the name of the data set.
        final: whether the experiment is judged by this network (see `judged`).
        ours: in minigrad.
        theirs: in PyTorch.
        alike: the stages that this one stands for too.
    """

    experiment: str
    stage: str
    data: str
    final: bool
    ours: Network
    theirs: Network
    alike: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """Experiment and stage."""
        return f"{self.experiment}: {self.stage}"

    @property
    def label(self) -> str:
        """The stage, and how many others it stands for: ``"final (+3)"``."""
        return self.stage + (f" (+{len(self.alike)})" if self.alike else "")

    def as_json(self) -> dict[str, Any]:
        """What JSON says about it, beside what was measured."""
        return {name: getattr(self, name) for name in ("experiment", "stage", "alike", "data", "final")}


class DryRun(Run[S]):
    """A run that trains nothing, and records each network that it would have trained.

    Candidates are chosen by the results of an earlier run, by default the committed ones, where there are any; else
    by what the untrained networks do.

    Attributes:
        networks: by the name of the training.
        tested: the trainings for which the test set was opened.
        test: its samples; None while it is closed.
    """

    def __init__(
        self, experiment: registry.Experiment[S], options: Options, results: Path = RESULTS, load: Load = data.load
    ) -> None:
        super().__init__(experiment, options, Progress(io.StringIO()), load)
        self.networks: dict[str, Network] = {}
        self.tested: set[str] = set()
        self.test: Samples | None = None
        self._results = results / experiment.name
        self._known = self._read(HISTORY)

    def fit(
        self,
        stage: str,
        build: Callable[[], Trainer],
        epochs: int,
        measure: Callable[[Any], dict[str, float]],
        seed: int | None = None,
    ) -> Any:
        """Builds the network, and returns it untrained.

        Its history is that in the earlier results; without them one row, of the untrained network.
        """
        network = self.networks[stage] = Network(self.fw, self.seed if seed is None else seed, build, epochs, measure)
        trainer = network.start()
        first = {"stage": stage, "epoch": 1, "learning_rate": trainer.learning_rate, "loss": 0.0}
        rows = [row for row in self._known if row["stage"] == stage] or [{**first, **measure(trainer.model)}]
        self._state["history"] += map(json.dumps, rows)
        self._state["done"].append(stage)
        return trainer.model

    def keep_table(self, name: str, rows: list[Row]) -> list[Row]:
        """Returns, for each candidate, its row in the earlier results; the given one where they have none."""
        known = {row["candidate"]: row for row in self._read(f"{name}.csv") if "candidate" in row}
        return super().keep_table(name, [known.get(row.get("candidate"), row) for row in rows])

    def _read(self, name: str) -> list[Row]:
        path = self._results / name
        return files.read_csv(path) if path.exists() else []

    def open_test(self, *stages: str, **choice: Any) -> Samples:
        """The test set, as in any run."""
        self.tested.update(stages)
        self.test = super().open_test(*stages, **choice)
        return self.test


def dry_run(name: str, options: Options, results: Path = RESULTS, load: Load = data.load) -> DryRun[Any]:
    """Runs an experiment's `train` without training; candidates are chosen by the results of an earlier run.

    Raises:
        UsageError: where there is no such experiment, no data, or no framework.
    """
    experiment = registry.find(name)
    with tempfile.TemporaryDirectory() as folder:
        run = DryRun(experiment, replace(options, out=folder), results, load)
        experiment.train(run)
    return run


def pairs(
    names: Sequence[str] = (), options: Options | None = None, results: Path = RESULTS, load: Load | None = None
) -> Iterator[Pair]:
    """The networks of these experiments, or of all, in both frameworks.

    Args:
        names: of the experiments.
        options: of their runs.
        results: the earlier run by which candidates are chosen.
        load: reads the data; by default once for both frameworks.

    Raises:
        UsageError: where there is no such experiment or data, or PyTorch is missing.
    """
    for name in names or registry.names():
        given, read = options or Options(), load or loading_once()
        runs = [dry_run(name, replace(given, framework=framework), results, read) for framework in FRAMEWORKS]
        ours, theirs = (run.networks for run in runs)
        if ours.keys() != theirs.keys():
            raise AssertionError(f"{name} trains {list(ours)} in minigrad, but {list(theirs)} in torch")
        final = judged(list(ours), runs[0].tested)
        for stage in ours:
            yield Pair(name, stage, runs[0].source.name, stage in final, ours[stage], theirs[stage])


def judged(stages: Sequence[str], tested: Collection[str]) -> set[str]:
    """Those by which an experiment is judged: that it tests, or calls final, or else all; of several seeds the first.

    >>> sorted(judged(["rate 0.1", "final, seed 0", "final, seed 1"], ()))
    ['final, seed 0']
    """
    chosen = [stage for stage in stages if stage in tested] or [s for s in stages if s.startswith(FINAL)] or stages
    return {*{re.sub(r"\bseed \d+$", "", stage): stage for stage in reversed(chosen)}.values()}


def merged(found: Iterable[Pair], key: Callable[[Pair], Hashable]) -> list[Pair]:
    """One pair for all of an experiment that have the same key, naming the others; final ones come first."""
    groups: dict[Hashable, list[Pair]] = {}
    for pair in found:
        groups.setdefault((pair.experiment, key(pair)), []).append(pair)
    chosen = []
    for group in groups.values():
        first = next((pair for pair in group if pair.final), group[0])
        chosen.append(replace(first, alike=tuple(pair.stage for pair in group if pair is not first)))
    return chosen


def objective_of(pair: Pair) -> tuple[str, float]:
    """What tells networks apart: their layers, and the loss of made-up parameters on a made-up batch."""
    network, rng = pair.ours, np.random.default_rng(0)
    trainer = network.start()
    batch = [_made_up(network.fw, tensor, rng) for tensor in next(iter(trainer.loader))]
    with network.fw.no_grad():
        for p in trainer.model.parameters():
            p.copy_(network.fw.from_numpy(rng.normal(0, 0.1, tuple(p.shape)).astype(np.float32)))
        network.fw.manual_seed(network.seed)
        loss = trainer.objective(trainer.model.eval(), *batch).item()
    return str(trainer.model), loss


def _made_up(fw: Any, tensor: Any, rng: np.random.Generator) -> Any:
    """Eight samples like those of a batch; labels are all 0."""
    shape = (8, *tensor.shape[1:])
    return fw.from_numpy(rng.random(shape).astype(np.float32) if tensor.is_floating_point() else np.zeros(shape, int))


def training_of(pair: Pair) -> Hashable:
    """What tells trainings apart: network, batch size, optimizer and class of the schedule, but no learning rate."""
    trainer = pair.ours.start()
    return objective_of(pair), len(next(iter(trainer.loader))[0]), rules(trainer, "params", "lr", "initial_lr")


def rules(trainer: Trainer, *left_out: str) -> tuple[str, str, str]:
    """Optimizer, schedule and their settings, without those named."""
    groups = [{k: v for k, v in group.items() if k not in left_out} for group in trainer.optimizer.param_groups]
    return repr(groups), type(trainer.optimizer).__name__, type(trainer.scheduler).__name__


def loading_once() -> Load:
    """`experiments.data.load`, but each data set is read from its files only once, for both frameworks."""
    read = functools.cache(partial(data.load, minigrad))

    def load(fw: Any, *args: Any, **options: Any) -> tuple[Samples, data.Source]:
        (inputs, labels), source = read(*args, **options)
        return (fw.from_numpy(inputs.numpy()), fw.from_numpy(labels.numpy())), source

    return load


@contextmanager
def double(fw: Any) -> Iterator[None]:
    """A block in which tensors are created in float64."""
    before = fw.get_default_dtype()
    fw.set_default_dtype(fw.float64)
    try:
        yield
    finally:
        fw.set_default_dtype(before)


def widened(tensor: Any) -> Any:
    """A tensor of floats in float64; any other tensor unchanged."""
    return tensor.double() if tensor.is_floating_point() else tensor
