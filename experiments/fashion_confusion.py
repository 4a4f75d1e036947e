"""ee599-hw3 §2: what an MLP with dropout and L2 confuses on Fashion-MNIST."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from experiments import classification
from experiments.classification import FINAL, Build, keep_test, measures, mlp
from experiments.data import Samples
from experiments.registry import Experiment
from experiments.run import Run
from experiments.training import Trainer


@dataclass(frozen=True)
class Settings:
    """All choices of this experiment."""

    hidden: int = 100
    dropout: float = 0.3
    l2: float = 1e-4  #: PyTorch's weight_decay
    learning_rates: tuple[float, ...] = (0.02, 0.05, 0.1)  #: each falls to zero along a cosine
    momentum: float = 0.9
    epochs: int = 40
    batch_size: int = 100
    validation: float = 1 / 6  #: the last so many of the training samples: 10,000 of 60,000


def stage_name(rate: float) -> str:
    """What one of the candidates is called."""
    return f"rate {rate:g}"


def train(run: Run[Settings]) -> None:
    """The learning rate by validation; that network trained on everything, and tested once."""
    fw, settings = run.fw, run.settings

    def trainer(rate: float, samples: Samples) -> Trainer:
        return classification.trainer(
            fw,
            partial(mlp, fw, 784, settings.hidden, 10, dropout=settings.dropout),
            samples,
            rate=rate,
            batch_size=settings.batch_size,
            momentum=settings.momentum,
            l2=settings.l2,
            cosine=settings.epochs,
        )

    candidates: dict[str, Build] = {stage_name(rate): partial(trainer, rate) for rate in settings.learning_rates}
    run.expect(epochs=(len(candidates) + 1) * settings.epochs)
    best = classification.search(run, candidates, settings.epochs, settings.validation)
    everything = partial(candidates[best], run.training_data)
    model = run.fit(FINAL, everything, settings.epochs, partial(measures, fw, train=run.training_data))
    keep_test(run, model, run.open_test(FINAL, chosen=best))


EXPERIMENT = Experiment(
    name="fashion_confusion",
    assignment="ee599-hw3 §2",
    trains="784-100-10 with dropout 0.3 and L2 1e-4 on Fashion-MNIST; what is confused with what",
    settings=Settings,
    train=train,
    headline=("test_accuracy",),
    data="fashion-mnist",
)
