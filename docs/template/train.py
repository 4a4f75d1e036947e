"""ASSIGNMENT: TRAINS."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.registry import Experiment
from experiments.runner.run import Run
from experiments.training.classification import Tuned, mlp, train_best


@dataclass(frozen=True)
class Settings(Tuned):
    """All choices of this experiment; `Tuned` has the rest: batch size, momentum, epochs, learning rates to try."""

    hidden: tuple[int, ...] = (32,)


def train(run: Run[Settings]) -> None:
    """The learning rate is chosen on validation data; the best is trained on everything, and tested once."""
    fw, settings = run.fw, run.settings  # fw is minigrad or torch: fw.nn, fw.optim, …
    inputs, _ = run.training_data
    train_best(run, settings.candidates(fw, lambda samples: mlp(fw, inputs.shape[1], *settings.hidden, 10)))


EXPERIMENT = Experiment(
    name="NAME",
    assignment="ASSIGNMENT",
    trains="TRAINS",
    settings=Settings,
    train=train,
    headline=("test_accuracy",),
    data="DATA",
)
