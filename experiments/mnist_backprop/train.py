"""ee599-hw3 §1: a multilayer perceptron for MNIST, in NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

from experiments.data import split
from experiments.registry import Experiment
from experiments.runner.run import Run
from experiments.training.classification import FINAL, keep_test
from experiments.training.seeds import fit_again, keep_seeds
from experiments.training.trainer import Trainer, accuracy, batches


@dataclass(frozen=True)
class Settings:
    """All choices of this experiment."""

    hidden: tuple[int, ...] = (200, 100)
    activations: tuple[str, ...] = ("relu", "tanh")
    learning_rates: tuple[float, ...] = (0.02, 0.05, 0.1)
    epochs: int = 50
    halve_after: tuple[float, ...] = (0.4, 0.8)  #: shares of the epochs: after 20 and 40 of 50
    batch_size: int = 100
    momentum: float = 0.9
    dropout: float = 0.2  #: after each hidden layer
    input_dropout: float = 0.1  #: of the pixels
    validation: float = 1 / 6  #: this share of the training samples, the last: 10,000 of 60,000

    @property
    def halvings(self) -> list[int]:
        """The epochs after which the learning rate is halved."""
        return [max(1, round(share * self.epochs)) for share in self.halve_after]


def stage_name(activation: str, rate: float) -> str:
    """The name of a configuration."""
    return f"{activation} {rate:g}"


def network(fw: Any, settings: Settings, activation: str, inputs: int = 784, classes: int = 10) -> Any:
    """An MLP; He's initialisation before ReLU, Glorot's before tanh, biases zero."""
    nonlinearity = {"relu": fw.nn.ReLU, "tanh": fw.nn.Tanh}[activation]
    layers: list[Any] = [fw.nn.Dropout(settings.input_dropout)]
    for width in settings.hidden:
        layers += [fw.nn.Linear(inputs, width), nonlinearity(), fw.nn.Dropout(settings.dropout)]
        inputs = width
    layers.append(fw.nn.Linear(inputs, classes))
    for layer in layers[1::3]:
        if activation == "relu":
            fw.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        else:
            fw.nn.init.xavier_normal_(layer.weight)
        fw.nn.init.zeros_(layer.bias)
    return fw.nn.Sequential(*layers)


def trainer(fw: Any, settings: Settings, activation: str, rate: float, samples: Any) -> Trainer:
    """SGD with momentum on cross entropy, the rate halved twice."""
    model = network(fw, settings, activation)
    criterion = fw.nn.CrossEntropyLoss()
    optimizer = fw.optim.SGD(model.parameters(), lr=rate, momentum=settings.momentum)
    return Trainer(
        model=model,
        optimizer=optimizer,
        loader=batches(fw, *samples, size=settings.batch_size, shuffle=True),
        objective=lambda model, inputs, labels: criterion(model(inputs), labels),
        scheduler=fw.optim.lr_scheduler.MultiStepLR(optimizer, settings.halvings, gamma=0.5),
    )


def train(run: Run[Settings]) -> None:
    """Six configurations compared on validation data; the best trained again on all, and tested once."""
    fw, settings, (inputs, labels) = run.fw, run.settings, run.training_data
    training, validation = split((inputs, labels), settings.validation)
    configurations = list(product(settings.activations, settings.learning_rates))
    run.expect(epochs=(len(configurations) + run.seeds) * settings.epochs)

    reached = {}
    for activation, rate in configurations:
        stage = stage_name(activation, rate)
        run.fit(
            stage,
            partial(trainer, fw, settings, activation, rate, training),
            settings.epochs,
            lambda model: {
                "train_accuracy": accuracy(fw, model, *training),
                "validation_accuracy": accuracy(fw, model, *validation),
            },
        )
        reached[activation, rate] = run.history(stage)[-1]["validation_accuracy"]
    activation, rate = max(reached, key=lambda configuration: reached[configuration])

    best = partial(trainer, fw, settings, activation, rate, (inputs, labels))
    measure = lambda model: {"train_accuracy": accuracy(fw, model, inputs, labels)}
    model = run.fit(FINAL, best, settings.epochs, measure)
    again = fit_again(run, FINAL, best, settings.epochs)
    choice = {"activation": activation, "learning_rate": rate, "validation_accuracy": reached[activation, rate]}
    test = run.open_test(FINAL, *again, **choice)
    keep_test(run, model, test)
    keep_seeds(run, test, model, *again.values())
    run.keep(training_samples=len(training[1]), validation_samples=len(validation[1]), **choice)


EXPERIMENT = Experiment(
    name="mnist_backprop",
    assignment="ee599-hw3 §1",
    trains="a multilayer perceptron, {ReLU, tanh} × 3 learning rates; the best retrained on all, tested once",
    settings=Settings,
    train=train,
    headline=("test_accuracy",),
    data="mnist-hdf5",
)
