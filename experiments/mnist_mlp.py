"""ece559-hw6 2: a 784-200-200-10 network for MNIST, as PyTorch's tutorial trains one."""

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

    hidden: tuple[int, ...] = (200, 200)
    learning_rates: tuple[float, ...] = (0.05, 0.1, 0.2)  #: each falls to zero along a cosine
    momentum: float = 0.5
    epochs: int = 15
    batch_size: int = 64
    validation: float = 1 / 6  #: the last so many of the training samples: 10,000 of 60,000


def stage_name(rate: float) -> str:
    """What one of the candidates is called."""
    return f"rate {rate:g}"


def train(run: Run[Settings]) -> None:
    """The learning rate by validation; the best trained on everything, measured after each epoch."""
    fw, settings = run.fw, run.settings

    def trainer(rate: float, samples: Samples) -> Trainer:
        build = partial(mlp, fw, 784, *settings.hidden, 10)
        return classification.trainer(
            fw,
            build,
            samples,
            rate=rate,
            batch_size=settings.batch_size,
            momentum=settings.momentum,
            cosine=settings.epochs,
        )

    candidates: dict[str, Build] = {stage_name(rate): partial(trainer, rate) for rate in settings.learning_rates}
    run.expect(epochs=(len(candidates) + 1) * settings.epochs)
    best = classification.search(run, candidates, settings.epochs, settings.validation)
    test = run.open_test(FINAL, chosen=best)
    everything = partial(candidates[best], run.training_data)
    model = run.fit(FINAL, everything, settings.epochs, partial(measures, fw, train=run.training_data, test=test))
    keep_test(run, model, test)


EXPERIMENT = Experiment(
    name="mnist_mlp",
    assignment="ece559-hw6 2",
    trains="784-200-200-10, ReLU; accuracy and average loss per epoch, and all hyper-parameters",
    settings=Settings,
    train=train,
    headline=("test_accuracy",),
    uses_test_each_epoch=True,
)
