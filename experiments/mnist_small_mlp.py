"""hw3 1: the printed network, `Flatten, Linear(784, 64), ReLU, Linear(64, 10)` with `CrossEntropyLoss`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from experiments import classification
from experiments.classification import FINAL, Build, keep_test, measures
from experiments.data import Samples
from experiments.registry import Experiment
from experiments.run import Run
from experiments.training import Trainer, logits


@dataclass(frozen=True)
class Settings:
    """All choices of this experiment."""

    learning_rates: tuple[float, ...] = (0.02, 0.05, 0.1)  #: each falls to zero along a cosine
    momentum: float = 0.9
    epochs: int = 10
    batch_size: int = 64
    validation: float = 1 / 6  #: the last so many of the training samples: 10,000 of 60,000


def network(fw: Any) -> Any:
    """The network as it is printed."""
    return fw.nn.Sequential(fw.nn.Flatten(), fw.nn.Linear(784, 64), fw.nn.ReLU(), fw.nn.Linear(64, 10))


def stage_name(rate: float) -> str:
    """What one of the candidates is called."""
    return f"rate {rate:g}"


def train(run: Run[Settings]) -> None:
    """The learning rate by validation; the best trained on everything, and tested once."""
    fw, settings = run.fw, run.settings

    def trainer(rate: float, samples: Samples) -> Trainer:
        return classification.trainer(
            fw,
            partial(network, fw),
            samples,
            rate=rate,
            batch_size=settings.batch_size,
            momentum=settings.momentum,
            cosine=settings.epochs,
        )

    candidates: dict[str, Build] = {stage_name(rate): partial(trainer, rate) for rate in settings.learning_rates}
    run.expect(epochs=(len(candidates) + 1) * settings.epochs)
    best = classification.search(run, candidates, settings.epochs, settings.validation)
    everything = partial(candidates[best], run.training_data)
    model = run.fit(FINAL, everything, settings.epochs, partial(measures, fw, train=run.training_data))
    test = run.open_test(FINAL, chosen=best)
    keep_test(run, model, test)

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
