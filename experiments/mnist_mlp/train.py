"""ece559-hw6 2: a 784-200-200-10 network for MNIST, as PyTorch's tutorial trains one."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.registry import Experiment
from experiments.runner.run import Run
from experiments.training.classification import Tuned, mlp, train_best


@dataclass(frozen=True)
class Tutorial(Tuned):
    """How this network and the convolutional one of the next problem are trained."""

    learning_rates: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)
    momentum: float = 0.5
    epochs: int = 15


@dataclass(frozen=True)
class Settings(Tutorial):
    """All choices of this experiment."""

    hidden: tuple[int, ...] = (200, 200)


def train(run: Run[Settings]) -> None:
    """The learning rate by validation; the best trained on everything, measured after each epoch."""
    fw, settings = run.fw, run.settings
    train_best(run, settings.candidates(fw, lambda _: mlp(fw, 784, *settings.hidden, 10)))


EXPERIMENT = Experiment(
    name="mnist_mlp",
    assignment="ece559-hw6 2",
    trains="784-200-200-10, ReLU; accuracy and average loss per epoch, and all hyper-parameters",
    settings=Settings,
    train=train,
    headline=("test_accuracy",),
    uses_test_each_epoch=True,
)
