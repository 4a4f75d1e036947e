"""One run of an experiment: data, trainings, checkpoints and the files of its results."""

from __future__ import annotations

import hashlib
import json
import math
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from experiments import data
from experiments.registry import Experiment
from experiments.runner import checkpoint, code, files, frameworks
from experiments.runner.errors import NonFinite, SealError, UsageError
from experiments.runner.files import Row
from experiments.runner.options import Options
from experiments.runner.progress import Progress
from experiments.runner.record import CONFIG, METRICS
from experiments.runner.results import Results
from experiments.training.trainer import Trainer

S = TypeVar("S")

SAVE_EVERY = 1.0  # seconds, or more, between two checkpoints

CHECKPOINT, CHECKPOINT_WEIGHTS, WEIGHTS, CHOICE = (
    "checkpoint.npz",
    "checkpoint.weights.npz",
    "weights.npz",
    "choice.json",
)


class Run(Results, Generic[S]):
    """What an experiment's `train` function is called with.

    Attributes:
        fw: the framework's namespace, minigrad or torch.
        settings: the hyper-parameters.
        training_data: inputs (N, features) and labels (N,).
        test_each_epoch: whether the test set is opened before the last training, for its curves.

    Until it is complete only the checkpoint is written, after an epoch and at most once a second, so that the results
    of an earlier run in the same folder stay as they were.
    """

    def __init__(
        self,
        experiment: Experiment[S],
        options: Options,
        progress: Progress | None = None,
        load: Callable[..., tuple[data.Samples, data.Source]] = data.load,
    ) -> None:
        super().__init__()
        self.folder = files.writable_folder(Path(options.out) / experiment.name)
        self.fw = frameworks.load(options.framework)
        self.settings = settings_of(experiment, options)
        self.seed, self.seeds = options.seed, options.seeds
        compiles = options.framework == "minigrad" if options.compile is None else options.compile
        self._compiler, self._compile = self.fw.compile if compiles else None, options.compile
        self.progress = progress or Progress()
        read = (self.fw, options.data or experiment.data, options.data_dir)
        data.check_fits(read[1], experiment.data, experiment.name)
        self.training_data, self.source = load(*read, train=True, limit=options.limit)
        self.config = {
            "experiment": experiment.name,
            "framework": options.framework,
            "seed": options.seed,
            "limit": options.limit,
            "settings": asdict(self.settings),  # type: ignore[call-overload]
            "data": {name: getattr(self.source, name) for name in ("name", "description", "stands_in", "samples")},
            **({"seeds": options.seeds} if options.seeds > 1 else {}),
        }
        self.test_each_epoch = experiment.uses_test_each_epoch
        self._open_for: str | None = None  # the only training that may run after the test set was opened
        self.weights: dict[str, np.ndarray] = {}
        self._state: dict[str, Any] = {
            "config": checkpoint.plain(self.config),
            "version": code.version(),
            "history": [],  # the rows, each encoded to JSON once, since there may be thousands
            "timings": [],
            "done": [],  # the trainings that are finished
            "current": None,  # the one that is not
            "choice": None,  # the choice for which the test set was opened
            "complete": False,
        }
        self._unsaved, self._saved, self._weights_saved = False, -math.inf, 0
        if options.resume or options.skip_done:
            self._resume(only_same=options.skip_done)
        elif (self.folder / CHECKPOINT_WEIGHTS).exists():
            self.progress.say(f"{self.folder} holds an interrupted run; --resume would have gone on from there.")
        self._test = data.SealedTest(
            lambda: load(*read, train=False, limit=options.limit, like=self.source)[0],
            self.folder / CHOICE,
            self._state["choice"],
            self._chosen,
        )

    # ---- for experiments -----------------------------------------------------------------------------------

    def expect(self, epochs: int) -> None:
        """Announces how many epochs the whole run takes, for the time that is left; only the first call counts."""
        if not self.progress.total:
            self.progress.expect(epochs, done=len(self._state["history"]))

    def fit(
        self,
        stage: str,
        build: Callable[[], Trainer],
        epochs: int,
        measure: Callable[[Any], dict[str, float]],
        seed: int | None = None,
    ) -> Any:
        """Trains one network and returns it; resumes from the checkpoint.

        Args:
            stage: a name for this training, unique in the run.
            build: makes a new trainer; called after seeding, so that trainings of one run differ by their settings
                only.
            epochs: how many.
            measure: the values to record after each epoch, by column; rates as fractions.
            seed: what it starts from; by default the run's.

        Raises:
            NonFinite: with the training, epoch and step; the last good checkpoint stays.
            SealError: after the test set was opened, except for the training for which it was opened.
        """
        if self._test.opened and stage != self._open_for:
            raise SealError(f"{stage}: the test set is open; nothing may be trained any more")
        self.fw.manual_seed(self.seed if seed is None else seed)
        trainer = build()
        if self._compiler is not None:
            trainer.compile(self._compiler)
        if stage in self._state["done"]:
            trainer.model.load_state_dict(checkpoint.tensors(self._weights_of(stage), self.fw))
            return trainer.model
        self.progress.stage(stage)
        for epoch in range(self._restore(stage, trainer) + 1, epochs + 1):
            self._epoch(stage, epoch, epochs, trainer, measure)
        self._finish_stage(stage, trainer.model)
        del trainer.gradients, trainer.answering  # compiled step and trainer refer to each other: free their buffers
        return trainer.model

    def history(self, stage: str) -> list[Row]:
        """The rows of a training, one per epoch."""
        return [row for row in self._rows("history") if row["stage"] == stage]

    def open_test(self, *stages: str, **choice: Any) -> data.Samples:
        """The test set, after the final choice: writes the choice and the final weights of `stages` to disk first.

        An experiment with `uses_test_each_epoch` gets it before its last training, to evaluate that after each epoch.
        The choice is written first here too, and no other training may follow.

        Raises:
            SealError: for a training that isn't finished, a second time, or for another choice than the first.
        """
        record = {"stage": ", ".join(stages), **choice}
        if self.test_each_epoch:
            (self._open_for,) = stages
            return self._test.open(record)
        for stage in stages:
            if stage not in self._state["done"]:
                raise SealError(f"the test set stays sealed until {stage} is trained to the end")
        weights = [array.tobytes() for stage in stages for array in self._weights_of(stage).values()]
        return self._test.open({**record, "weights_sha256": hashlib.sha256(b"".join(weights)).hexdigest()})

    # ---- internals ----------------------------------------------------------------------------------------

    def _epoch(
        self, stage: str, epoch: int, epochs: int, trainer: Trainer, measure: Callable[[Any], dict[str, float]]
    ) -> None:
        rate = trainer.learning_rate
        started = time.perf_counter()
        try:
            loss = trainer.epoch(self.progress.epoch_of(len(trainer.loader)))
        except NonFinite as error:
            raise NonFinite(error.what, error.step, f"{stage}, epoch {epoch}") from None
        trained = time.perf_counter()
        where = {"stage": stage, "epoch": epoch}
        row = {**where, "learning_rate": rate, "loss": loss, **measure(trainer.answering)}
        measured = time.perf_counter()
        times = {**where, "train_seconds": trained - started, "evaluation_seconds": measured - trained}
        current = {
            **where,
            "model": trainer.model.state_dict(),
            "optimizer": trainer.optimizer.state_dict(),
            "scheduler": trainer.scheduler and trainer.scheduler.state_dict(),
            "rng": self.fw.get_rng_state(),
        }
        self._change(
            history=[*self._state["history"], json.dumps(row)],
            timings=[*self._state["timings"], json.dumps(times)],
            current=checkpoint.frozen(current),
        )
        self.progress.epoch_done(stage, row, epochs)

    def _restore(self, stage: str, trainer: Trainer) -> int:
        current = self._state["current"]
        if current is None:
            return 0
        if current["stage"] != stage:
            raise UsageError(f"{self.folder / CHECKPOINT} stands in {current['stage']}, this run in {stage}")
        current = checkpoint.tensors(current, self.fw)
        trainer.model.load_state_dict(current["model"])
        trainer.optimizer.load_state_dict(current["optimizer"])
        if trainer.scheduler is not None:
            trainer.scheduler.load_state_dict(current["scheduler"])
        self.fw.set_rng_state(current["rng"])
        return int(current["epoch"])

    def _finish_stage(self, stage: str, model: Any) -> None:
        for name, tensor in model.state_dict().items():
            self.weights[f"{stage}/{name}"] = checkpoint.as_array(tensor)
        self._change(done=[*self._state["done"], stage], current=None)

    def _weights_of(self, stage: str) -> dict[str, np.ndarray]:
        prefix = f"{stage}/"
        return {name.removeprefix(prefix): a for name, a in self.weights.items() if name.startswith(prefix)}

    def _rows(self, name: str) -> list[Row]:
        return [json.loads(row) for row in self._state[name]]

    def _chosen(self, choice: dict[str, Any]) -> None:
        self._change(choice=choice)
        self.save()

    def _change(self, **parts: Any) -> None:
        """Replaces the state at once, so that Ctrl-C finds the old or the new one."""
        self._unsaved = True
        self._state = {**self._state, **parts}
        if time.monotonic() - self._saved >= SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Writes the checkpoint, if anything changed."""
        if not self._unsaved:
            return
        if len(self.weights) != self._weights_saved:
            files.write_npz(self.folder / CHECKPOINT_WEIGHTS, self.weights)  # before the state that refers to it
            self._weights_saved = len(self.weights)
        checkpoint.save(self.folder / CHECKPOINT, self._state)
        self._unsaved, self._saved = False, time.monotonic()

    def _resume(self, only_same: bool) -> None:
        """Takes over the checkpoint's state; with `only_same` if its settings and code are those of this run."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            self.progress.say(f"{self.folder} holds no checkpoint; starting afresh.")
            return
        state = checkpoint.load(path)
        found = list(differences(state["config"], self._state["config"]))
        then, now = (part.get("version", {}).get("code") for part in (state, self._state))
        if only_same and (found or then != now):
            self.progress.say(f"The checkpoint in {self.folder} has other settings or other code; starting afresh.")
            return
        if found:
            raise UsageError(f"{path} belongs to another run: {'; '.join(found)}")
        self._state = state
        if state["done"] and not state["complete"]:
            self.weights = files.read_npz(self.folder / CHECKPOINT_WEIGHTS)
        if not state["complete"]:
            self.progress.say(f"Going on from {self.position}.")

    @property
    def complete(self) -> bool:
        """Whether the run was finished before (`--resume` of a finished run)."""
        return bool(self._state["complete"])

    @property
    def position(self) -> str:
        """The last epoch that is done."""
        if not self._state["history"]:
            return "the start"
        last = json.loads(self._state["history"][-1])
        return f"{last['stage']}, epoch {last['epoch']}"

    def write_results(self) -> None:
        """Writes the files of the results."""
        versions = {"python": platform.python_version(), "numpy": np.__version__}
        versions[self.config["framework"]] = str(getattr(self.fw, "__version__", "unknown"))
        made_by = code.version()
        if self._state.get("version", {}).get("code") != made_by["code"]:
            made_by = {**made_by, "code": None}  # resumed from a checkpoint of other code
        config = {**self.config, **made_by, "compile": self._compile, "versions": versions}
        self.write(self.folder, config, self._rows("history"), self._rows("timings"))
        files.write_npz(self.folder / WEIGHTS, self.weights)

    def mark_complete(self) -> None:
        """Marks the run as complete in the checkpoint."""
        self._change(complete=True)
        self.save()
        (self.folder / CHECKPOINT_WEIGHTS).unlink(missing_ok=True)


def settings_of(experiment: Experiment[S], options: Options) -> S:
    """The experiment's settings, with the number of epochs that was asked for."""
    settings = experiment.settings()
    return settings if options.epochs is None else replace(settings, epochs=options.epochs)  # type: ignore[type-var]


def is_done(experiment: Experiment[Any], options: Options) -> bool:
    """Whether `options.out` holds this experiment's results, made with these settings, data and code."""
    folder = Path(options.out) / experiment.name
    try:
        config = {"seeds": 1, **json.loads((folder / CONFIG).read_text(encoding="utf-8"))}
        wanted = {
            "framework": options.framework,
            "seed": options.seed,
            "limit": options.limit,
            "settings": checkpoint.plain(asdict(settings_of(experiment, options))),
            "code": code.version()["code"],
            "seeds": options.seeds,
        }
        found = {name: config[name] for name in wanted}
        name = config["data"]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return found == wanted and name == (options.data or experiment.data) and (folder / METRICS).exists()


def differences(theirs: dict[str, Any], ours: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The differences between two runs' settings, in words.

    >>> list(differences({"seed": 0, "data": {"name": "mnist"}}, {"seed": 0, "data": {"name": "digits"}}))
    ["data.name is 'mnist' there, 'digits' here"]
    """
    for key in dict.fromkeys([*theirs, *ours]):
        old, new = theirs.get(key), ours.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differences(old, new, f"{prefix}{key}.")
        elif old != new:
            yield f"{prefix}{key} is {old!r} there, {new!r} here"
