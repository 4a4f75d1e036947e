"""hw3 1: the printed network, `Flatten, Linear(784, 64), ReLU, Linear(64, 10)` with `CrossEntropyLoss`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from experiments.registry import Experiment
from experiments.runner.run import Run
from experiments.training.classification import Tuned, measures, train_best
from experiments.training.trainer import logits


@dataclass(frozen=True)
class Settings(Tuned):
    """All choices of this experiment."""


def network(fw: Any) -> Any:
    """The printed network."""
    return fw.nn.Sequential(fw.nn.Flatten(), fw.nn.Linear(784, 64), fw.nn.ReLU(), fw.nn.Linear(64, 10))


def train(run: Run[Settings]) -> None:
    """The learning rate by validation; the best trained on everything, and tested once."""
    fw = run.fw
    model, test = train_best(run, run.settings.candidates(fw, lambda _: network(fw)))

    fw.manual_seed(run.seed)
    untrained = network(fw)
    run.keep(**{f"untrained_{name}": value for name, value in measures(fw, untrained, test=test).items()})
    image, label = test[0][:1], test[1][:1]
    columns = {"untrained": logits(fw, untrained, image), "trained": logits(fw, model, image)}
    columns |= {f"{name}_softmax": scores.softmax(1) for name, scores in columns.items()}
    run.keep(example_label=int(label.item()))
    rows = [{"class": i, **{name: values[0, i].item() for name, values in columns.items()}} for i in range(10)]
    run.keep_table("example", rows)


EXPERIMENT = Experiment(
    name="mnist_small_mlp",
    assignment="hw3 1",
    trains="the printed 784-64-10: before and after training, scores and softmax",
    settings=Settings,
    train=train,
    headline=("test_accuracy",),
)
