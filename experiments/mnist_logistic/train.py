"""ee541-hw6 1: logistic regression on MNIST, with L1, L2 and several learning rates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from experiments.data import Samples, split
from experiments.registry import Experiment
from experiments.runner.run import Run
from experiments.training import classification
from experiments.training.classification import Build, mlp, train_best
from experiments.training.sparsity import FORMS, keep_sparsity, train_each
from experiments.training.trainer import Trainer


@dataclass(frozen=True)
class Settings:
    """All choices of this experiment."""

    learning_rates: tuple[float, ...] = (0.02, 0.1, 0.5, 1.0)
    l2: tuple[float, ...] = (1e-4, 1e-3)  #: PyTorch's weight_decay
    l1: tuple[float, ...] = (1e-5, 1e-4)
    strengths: tuple[float, ...] = (1e-5, 1e-4, 3e-4, 1e-3, 3e-3)  #: of L1, where its two forms are compared
    sparse_rate: float = 0.1  #: the learning rate there
    epochs: int = 20
    batch_size: int = 100
    validation: float = 1 / 6  #: this share of the training samples, the last: 10,000 of 60,000

    @property
    def penalties(self) -> dict[str, tuple[float, float]]:
        """The regularisers by name, as coefficients of L2 and L1."""
        return {
            "none": (0.0, 0.0),
            **{f"L2 {value:g}": (value, 0.0) for value in self.l2},
            **{f"L1 {value:g}": (0.0, value) for value in self.l1},
        }


def stage_name(penalty: str, rate: float) -> str:
    """The name of a candidate."""
    return f"{penalty}, rate {rate:g}"


def train(run: Run[Settings]) -> None:
    """All candidates on validation data; the best trained on everything, its test curves recorded."""
    fw, settings = run.fw, run.settings

    def trainer(penalty: tuple[float, float], rate: float, _epochs: int, samples: Samples) -> Trainer:
        l2, l1 = penalty
        build = partial(mlp, fw, 784, 10)
        return classification.trainer(fw, build, samples, rate=rate, batch_size=settings.batch_size, l2=l2, l1=l1)

    candidates: dict[str, Build] = {
        stage_name(name, rate): partial(trainer, penalty, rate)
        for name, penalty in settings.penalties.items()
        for rate in settings.learning_rates
    }
    run.expect(epochs=(len(candidates) + len(FORMS) * len(settings.strengths) + run.seeds) * settings.epochs)
    training, validation = split(run.training_data, settings.validation)
    network, size = partial(mlp, fw, 784, 10), settings.batch_size
    build = partial(classification.trainer, fw, network, training, rate=settings.sparse_rate, batch_size=size)
    keep_sparsity(run, train_each(run, settings.strengths, build, settings.epochs), validation)
    train_best(run, candidates)


EXPERIMENT = Experiment(
    name="mnist_logistic",
    assignment="ee541-hw6 1",
    trains="logistic regression, 784-10: 4 learning rates × {no penalty, L2, L1}; the best with its test curves",
    settings=Settings,
    train=train,
    headline=("test_accuracy",),
    data="mnist-hdf5",
    uses_test_each_epoch=True,
)
