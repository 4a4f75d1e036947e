"""ee599-hw3 §2: what an MLP with dropout and L2 confuses on Fashion-MNIST."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.registry import Experiment
from experiments.runner.run import Run
from experiments.training.classification import Tuned, mlp, train_best


@dataclass(frozen=True)
class Settings(Tuned):
    """All choices of this experiment."""

    hidden: int = 100
    dropout: float = 0.3
    l2: float = 1e-4
    learning_rates: tuple[float, ...] = (0.005, 0.01, 0.02, 0.05)
    epochs: int = 40
    batch_size: int = 100


def train(run: Run[Settings]) -> None:
    """The learning rate by validation; that network trained on everything, and tested once."""
    fw, settings = run.fw, run.settings
    train_best(run, settings.candidates(fw, lambda _: mlp(fw, 784, settings.hidden, 10, dropout=settings.dropout)))


EXPERIMENT = Experiment(
    name="fashion_confusion",
    assignment="ee599-hw3 §2",
    trains="784-100-10 with dropout 0.3 and L2 1e-4 on Fashion-MNIST; what is confused with what",
    settings=Settings,
    train=train,
    headline=("test_accuracy",),
    data="fashion-mnist",
)
