"""Code that the classifiers share: networks, training, search on validation data, test results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from experiments.data import Samples, split
from experiments.runner.run import Run
from experiments.training.metrics import accuracy, confusion
from experiments.training.seeds import fit_again, keep_seeds
from experiments.training.trainer import Trainer, batches, logits
from minigrad.optim.penalty import l1 as l1_penalty
from minigrad.optim.penalty import soft_threshold

Build = Callable[[int, Samples], Trainer]
"""Builds a network and the trainer for so many epochs on these samples."""

SEARCH, CONFUSION, FINAL = "search", "confusion", "final"


@dataclass(frozen=True)
class Tuned:
    """Settings of a network that learns by SGD at a rate chosen on validation data."""

    learning_rates: tuple[float, ...] = (0.05, 0.1, 0.2)  #: each falls to zero along a cosine
    momentum: float = 0.9
    l2: float = 0.0  #: PyTorch's weight_decay
    epochs: int = 10
    batch_size: int = 64
    validation: float = 1 / 6  #: this share of the training samples, the last: 10,000 of 60,000

    def candidates(self, fw: Any, network: Callable[[Samples], Any]) -> dict[str, Build]:
        """A training for each learning rate, of the network that `network` builds for its training samples."""

        def build(rate: float, epochs: int, samples: Samples) -> Trainer:
            return trainer(
                fw,
                partial(network, samples),
                samples,
                rate=rate,
                batch_size=self.batch_size,
                momentum=self.momentum,
                l2=self.l2,
                cosine=epochs,
            )

        return {rate_name(rate): partial(build, rate) for rate in self.learning_rates}


def rate_name(rate: float) -> str:
    """The name of the training at this learning rate.

    >>> rate_name(0.05)
    'rate 0.05'
    """
    return f"rate {rate:g}"


def mlp(fw: Any, *widths: int, dropout: float = 0.0, activation: str = "ReLU") -> Any:
    """A multilayer perceptron; after each hidden layer the activation, and dropout where asked for."""
    layers: list[Any] = []
    for inputs, outputs in pairwise(widths[:-1]):
        layers += [fw.nn.Linear(inputs, outputs), getattr(fw.nn, activation)()]
        if dropout:
            layers.append(fw.nn.Dropout(dropout))
    return fw.nn.Sequential(*layers, fw.nn.Linear(*widths[-2:]))


def trainer(
    fw: Any,
    build: Callable[[], Any],
    samples: Samples,
    *,
    rate: float,
    batch_size: int,
    momentum: float = 0.0,
    nesterov: bool = False,
    l2: float = 0.0,
    l1: float = 0.0,
    sparse: float = 0.0,
    cosine: int | None = None,
    one_cycle: int | None = None,
    augment: Callable[[Any], Any] | None = None,
    optimizer: str = "SGD",
    loss: str = "cross_entropy",
) -> Trainer:
    """SGD on cross entropy, or another optimizer on another loss.

    Args:
        fw: the framework.
        build: makes the network.
        samples: the training samples, shuffled each epoch.
        rate: the (initial) learning rate.
        batch_size: samples a step.
        momentum: of SGD, or of another optimizer that has one.
        nesterov: whether the momentum is Nesterov's.
        l2: PyTorch's `weight_decay`: adds l2/2 ‖w‖² to the loss, for all parameters.
        l1: adds l1 ‖W‖₁ to the loss, for the weights of the layers.
        sparse: the same penalty by soft thresholding after each step, which makes weights exactly zero.
        cosine: the number of epochs over which the rate falls to zero along a cosine; None: it stays.
        one_cycle: the number of epochs over which the rate rises from rate/25 to `rate` and falls to nothing,
            batch by batch, the momentum going the other way, between 0.95 and 0.85: `OneCycleLR`.
        augment: transforms each batch of inputs.
        optimizer: its class in `fw.optim`.
        loss: its function in `fw.nn.functional`, of the network's answer and the labels.
    """
    model = build()
    weights = [parameter for parameter in model.parameters() if parameter.dim() > 1]

    def objective(model: Any, inputs: Any, labels: Any) -> Any:
        value = getattr(fw.nn.functional, loss)(model(augment(inputs) if augment else inputs), labels)
        return value + l1_penalty(weights, l1) if l1 else value

    inertia: dict[str, Any] = {"momentum": momentum} if momentum else {}  # not every optimizer has it
    inertia |= {"nesterov": True} if nesterov else {}
    steps = getattr(fw.optim, optimizer)(model.parameters(), lr=rate, weight_decay=l2, **inertia)
    if sparse:
        soft_threshold(steps, weights, sparse)
    loader = batches(fw, *samples, size=batch_size, shuffle=True)
    schedulers = fw.optim.lr_scheduler
    if one_cycle:
        scheduler = schedulers.OneCycleLR(steps, rate, epochs=one_cycle, steps_per_epoch=len(loader))
    else:
        scheduler = schedulers.CosineAnnealingLR(steps, cosine) if cosine else None
    return Trainer(model, steps, loader, objective, scheduler, each_batch=bool(one_cycle))


def measures(fw: Any, model: Any, **parts: Samples) -> dict[str, float]:
    """NAME_loss (cross entropy alone) and NAME_accuracy, in evaluation mode, of each part given by its name."""
    found: dict[str, float] = {}
    for name, (inputs, labels) in parts.items():
        found |= scored(fw, name, logits(fw, model, inputs), labels)
    return found


def scored(fw: Any, name: str, scores: Any, labels: Any) -> dict[str, float]:
    """NAME_loss and NAME_accuracy of a model's scores (N, classes)."""
    return {
        f"{name}_loss": fw.nn.functional.cross_entropy(scores, labels).item(),
        f"{name}_accuracy": (scores.argmax(1) == labels).sum().item() / len(labels),
    }


def binary_measures(fw: Any, model: Any, **parts: Samples) -> dict[str, float]:
    """The same for a model whose output is the probability of label 1; the labels are the floats 0 and 1."""
    found = {}
    for name, (inputs, labels) in parts.items():
        probabilities = logits(fw, model, inputs)
        found[f"{name}_loss"] = fw.nn.functional.binary_cross_entropy(probabilities, labels).item()
        found[f"{name}_accuracy"] = ((probabilities > 0.5) == (labels > 0.5)).sum().item() / len(labels)
    return found


def search(run: Run[Any], candidates: Mapping[str, Build], epochs: int, share: float) -> str:
    """Trains each candidate without the last `share` of the training data; returns the name of the best one there.

    The best has the highest accuracy after the last epoch, then the lowest loss. Keeps the table `search`.
    """
    training, validation = split(run.training_data, share)
    measure = partial(measures, run.fw, train=training, validation=validation)
    rows = []
    for name, build in candidates.items():
        run.fit(name, partial(build, epochs, training), epochs, measure)
        last = run.history(name)[-1]
        columns = [f"{part}_{what}" for part in ("train", "validation") for what in ("loss", "accuracy")]
        rows.append({"candidate": name, **{column: last[column] for column in columns}})
    run.keep_table(SEARCH, rows)
    run.keep(training_samples=len(training[1]), validation_samples=len(validation[1]))
    best = max(rows, key=lambda row: (row["validation_accuracy"], -row["validation_loss"]))
    run.keep(chosen=best["candidate"], validation_accuracy=best["validation_accuracy"])
    return str(best["candidate"])


def train_best(run: Run[Any], candidates: Mapping[str, Build], trial_epochs: int | None = None) -> tuple[Any, Samples]:
    """Trains the best candidate on all training data and tests it; returns the model and the test set.

    The test set is opened after the last training, or before it if the experiment needs test curves. Candidates are
    trained for as many epochs as the final network, unless `trial_epochs` is given.
    """
    settings = run.settings
    trial_epochs = trial_epochs or settings.epochs
    run.expect(epochs=len(candidates) * trial_epochs + run.seeds * settings.epochs)
    best = search(run, candidates, trial_epochs, settings.validation)
    everything = partial(candidates[best], settings.epochs, run.training_data)
    again = fit_again(run, FINAL, everything, settings.epochs)
    parts = {"train": run.training_data}
    if run.test_each_epoch:
        parts["test"] = run.open_test(FINAL, chosen=best)
    model = run.fit(FINAL, everything, settings.epochs, partial(measures, run.fw, **parts))
    test = parts["test"] if run.test_each_epoch else run.open_test(FINAL, *again, chosen=best)
    keep_test(run, model, test)
    keep_seeds(run, test, model, *again.values())
    return model, test


def keep_test(run: Run[Any], model: Any, test: Samples) -> None:
    """Keeps test accuracy and loss, and the table `confusion`: rows are true classes, columns decisions."""
    inputs, labels = test
    classes = run.source.classes
    scores = logits(run.fw, model, inputs)
    counts = confusion(labels, scores.argmax(1), len(classes))
    run.keep(
        test_accuracy=accuracy(counts),
        test_loss=run.fw.nn.functional.cross_entropy(scores, labels).item(),
        test_errors=len(labels) - sum(counts[i][i] for i in range(len(classes))),
        test_samples=len(labels),
    )
    rows = zip(classes, counts, strict=True)
    run.keep_table(CONFUSION, [{"true": name, **dict(zip(classes, row, strict=True))} for name, row in rows])
