"""ee599-hw3 §4: was a sequence of 20 binary values made up by a human, or by a machine?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from experiments.data import Samples, split
from experiments.human_machine import features as human_features
from experiments.human_machine.data import DATA
from experiments.human_machine.features import FEATURES
from experiments.registry import Experiment
from experiments.runner.checkpoint import as_array
from experiments.runner.files import Row
from experiments.runner.run import Run
from experiments.training import classification
from experiments.training.classification import binary_measures, mlp
from experiments.training.metrics import paired
from experiments.training.trainer import Trainer, logits

NONE, L1, L2, DROPOUT = "none", "L1", "L2", "dropout"
SEARCH, FINAL, FEATURE_FINAL = "search", "final", "final on features"
RATES, REGULARIZERS, NETWORKS, INPUTS = "rate", "regularizer", "network", "features"  #: the parts of the search
NETWORKS_TRIED = 8


@dataclass(frozen=True)
class Settings:
    """All choices of this experiment."""

    hidden: int = 20
    sgd_rates: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0)
    momentum_rates: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3)
    rmsprop_rates: tuple[float, ...] = (5e-4, 2e-3, 8e-3, 3.2e-2)
    adam_rates: tuple[float, ...] = (1e-3, 4e-3, 1.6e-2, 6.4e-2)
    momentum: float = 0.9
    l1: float = 1e-4  #: adds l1 ‖W‖₁ to the loss, for the weights of the layers
    l2: float = 1e-3  #: PyTorch's weight_decay
    dropout: float = 0.1  #: after each hidden layer
    epochs: int = 20
    batch_size: int = 16
    validation: float = 0.2
    seeds: int = 3
    window: int = 5  #: of the convolution among the networks
    feature_batch_size: int = 64  #: of the models on counted features

    @property
    def optimizers(self) -> dict[str, tuple[str, float, tuple[float, ...]]]:
        """By name: the class in `optim`, the momentum, and the learning rates to try."""
        return {
            "SGD": ("SGD", 0.0, self.sgd_rates),
            "SGD with momentum": ("SGD", self.momentum, self.momentum_rates),
            "RMSprop": ("RMSprop", 0.0, self.rmsprop_rates),
            "Adam": ("Adam", 0.0, self.adam_rates),
        }

    @property
    def regularizers(self) -> dict[str, dict[str, float]]:
        """The settings of each, by name."""
        return {NONE: {}, L1: {"l1": self.l1}, L2: {"l2": self.l2}, DROPOUT: {"dropout": self.dropout}}

    @property
    def trainings(self) -> int:
        """Their number: rates, the rest of the grid, networks, features with one MLP, and the two final ones."""
        rates = sum(len(rates) for _, _, rates in self.optimizers.values())
        grid = len(self.optimizers) * (len(self.regularizers) - 1)
        return (rates + grid + NETWORKS_TRIED + len(FEATURES) + 1 + 1) * self.seeds + 1


@dataclass(frozen=True)
class Recipe:
    """A network and how it is trained."""

    optimizer: str
    rate: float
    hidden: tuple[int, ...]
    batch_size: int
    regularizer: str = NONE
    activation: str = "ReLU"
    convolution: bool = False


def train(run: Run[Settings]) -> None:
    """Searches on folds of the training data, then trains the choice on all of it with several seeds."""
    settings = run.settings
    run.expect(epochs=settings.trainings * settings.epochs)
    inputs, labels = run.training_data
    training, validation = split((inputs, labels.float()), settings.validation)
    final, best_features = _Exploration(run, training).choose()
    _keep_data(run, training, validation)

    everything = partial(binary_measures, run.fw, train=training, validation=validation)
    stages = [f"{FINAL}, seed {run.seed + i}" for i in range(settings.seeds)]
    models = [
        run.fit(stage, partial(build, run, final, training, i), settings.epochs, everything)
        for i, stage in enumerate(stages)
    ]
    run.keep(**_summary([run.history(stage)[-1] for stage in stages]), stages=stages)
    _keep_network(run, final, models[0], training, validation)

    counted = _counted(run.fw, best_features[0], training, validation)
    measure = partial(binary_measures, run.fw, train=counted[0], validation=counted[1])
    simple = run.fit(FEATURE_FINAL, partial(build, run, best_features[1], counted[0], 0), settings.epochs, measure)
    right = [
        as_array((logits(run.fw, model, inputs) > 0.5) == (labels > 0.5))
        for model, (inputs, labels) in ((models[0], validation), (simple, counted[1]))
    ]
    run.keep(features_against_network=paired(*right)._asdict())
    last = run.history(FEATURE_FINAL)[-1]
    run.keep(**{f"features_{name}": last[name] for name in ("train_accuracy", "validation_accuracy")})


def build(run: Run[Settings], recipe: Recipe, samples: Samples, seed_offset: int) -> Trainer:
    """The trainer of a recipe; `seed_offset` is added to the run's seed."""
    settings, fw = run.settings, run.fw
    optimizer, momentum, _ = settings.optimizers[recipe.optimizer]
    penalty = settings.regularizers[recipe.regularizer]
    fw.manual_seed(run.seed + seed_offset)
    return classification.trainer(
        fw,
        partial(network, fw, recipe, samples[0].shape[1], penalty.get("dropout", 0.0), settings.window),
        samples,
        rate=recipe.rate,
        batch_size=recipe.batch_size,
        momentum=momentum,
        l1=penalty.get("l1", 0.0),
        l2=penalty.get("l2", 0.0),
        optimizer=optimizer,
        loss="binary_cross_entropy",
    )


def network(fw: Any, recipe: Recipe, inputs: int, dropout: float = 0.0, window: int = 1) -> Any:
    """From (N, inputs) to the probability (N,) of a human: an MLP, or filters averaged over all places."""
    nn = fw.nn
    if recipe.convolution:
        filters = recipe.hidden[0]
        body = [nn.Unflatten(1, (1, inputs)), nn.Conv1d(1, filters, window), nn.ReLU()]
        body += [nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(filters, 1)]
    else:
        body = list(mlp(fw, inputs, *recipe.hidden, 1, dropout=dropout, activation=recipe.activation))
    return nn.Sequential(*body, nn.Sigmoid(), nn.Flatten(0))


class _Exploration:
    """The search on the training data; each training is evaluated on a fold that it doesn't learn from."""

    def __init__(self, run: Run[Settings], training: Samples) -> None:
        self.run, self.settings, self.training = run, run.settings, training
        self.rows: list[Row] = []

    def choose(self) -> tuple[Recipe, tuple[str, Recipe]]:
        """The best recipe for the assignment's network; the best features, with the recipe that goes with them."""
        settings = self.settings
        recipes: dict[str, Recipe] = {}
        for optimizer, (_, _, rates) in settings.optimizers.items():
            tried = {}
            for rate in rates:
                recipe = Recipe(optimizer, rate, (settings.hidden,), settings.batch_size)
                tried[recipe] = self._evaluate(RATES, f"{optimizer}, rate {rate:g}", recipe)
            recipes[optimizer] = max(tried, key=lambda recipe: _merit(tried[recipe]))
        candidates = {}
        for optimizer, recipe in recipes.items():
            for regularizer in settings.regularizers:  # "none" is the one above, and not trained again
                name = f"rate {recipe.rate:g}" if regularizer == NONE else regularizer
                candidate = replace(recipe, regularizer=regularizer)
                candidates[candidate] = self._evaluate(REGULARIZERS, f"{optimizer}, {name}", candidate)
        best = max(candidates, key=lambda recipe: _merit(candidates[recipe]))
        self.run.keep(chosen=candidates[best]["candidate"], chosen_rate=best.rate, chosen_optimizer=best.optimizer)
        self.run.keep(chosen_regularizer=best.regularizer)
        for name, recipe in self._networks(best).items():
            self._evaluate(NETWORKS, name, recipe)
        features = self._features(recipes["Adam"])
        self.run.keep_table(SEARCH, self.rows)
        return best, features

    def _networks(self, best: Recipe) -> dict[str, Recipe]:
        """Other widths, depths, activations, and a convolution, otherwise as in the best."""
        width = self.settings.hidden
        shapes: dict[str, tuple[int, ...]] = {
            "20-1, no hidden layer": (),
            "20-5-1": (5,),
            f"20-{5 * width}-1": (5 * width,),
            f"20-{width}-{width}-1": (width, width),
        }
        networks = {name: replace(best, hidden=hidden) for name, hidden in shapes.items()}
        for activation in ("Tanh", "Sigmoid", "LeakyReLU"):
            networks[f"20-{width}-1, {activation}"] = replace(best, activation=activation)
        networks[f"{width} filters of {self.settings.window} neighbours, averaged"] = replace(best, convolution=True)
        return networks

    def _features(self, adam: Recipe) -> tuple[str, Recipe]:
        """A logistic model on each set of features, then an MLP on the best."""
        logistic = replace(adam, hidden=(), batch_size=self.settings.feature_batch_size)
        tried = {}
        for name in FEATURES:
            tried[name, logistic] = self._evaluate(INPUTS, f"logistic on {name}", logistic, name)
        (name, _) = max(tried, key=lambda key: _merit(tried[key]))
        deep = replace(logistic, hidden=(self.settings.hidden,))
        tried[name, deep] = self._evaluate(INPUTS, f"MLP on {name}", deep, name)
        best = max(tried, key=lambda key: _merit(tried[key]))
        self.run.keep(chosen_features=tried[best]["candidate"])
        return best

    def _evaluate(self, part: str, name: str, recipe: Recipe, features: str = "") -> Row:
        """Trains it with each seed, seed i without the i-th fold, and adds the means to the table."""
        run, settings = self.run, self.settings
        last = []
        for i in range(settings.seeds):
            parts = fold(run.fw, self.training, settings.validation, i)
            if features:
                parts = _counted(run.fw, features, *parts)
            stage = f"{name}, seed {run.seed + i}"
            measure = partial(binary_measures, run.fw, train=parts[0], validation=parts[1])
            run.fit(stage, partial(build, run, recipe, parts[0], i), settings.epochs, measure)
            last.append(run.history(stage)[-1])
        row = {
            "part": part,
            "candidate": name,
            "optimizer": recipe.optimizer,
            "rate": recipe.rate,
            "regularizer": recipe.regularizer,
            **_summary(last),
        }
        self.rows.append(row)
        return row


def fold(fw: Any, samples: Samples, share: float, i: int) -> tuple[Samples, Samples]:
    """The samples without their i-th part of this share, and that part."""
    n = len(samples[1])
    start, end = (min(round(share * n * k), n) for k in (i, i + 1))
    rest = tuple(fw.cat([part[:start], part[end:]]) for part in samples)
    held = tuple(part[start:end] for part in samples)
    return rest, held


def _counted(fw: Any, features: str, training: Samples, validation: Samples) -> tuple[Samples, Samples]:
    counted = [FEATURES[features](as_array(inputs)) for inputs, _ in (training, validation)]
    first, second = (fw.from_numpy(part) for part in human_features.standardised(*counted))
    return (first, training[1]), (second, validation[1])


def _merit(row: Row) -> tuple[float, float]:
    return row["validation_accuracy"], -row["validation_loss"]


def _summary(rows: Sequence[Row]) -> Row:
    """Means over the seeds, and the standard deviation from seed to seed of the accuracies."""
    summary: Row = {}
    for name in ("train_accuracy", "validation_accuracy", "train_loss", "validation_loss"):
        values = [row[name] for row in rows]
        summary[name] = float(np.mean(values))
        if name.endswith("accuracy"):
            spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            summary[name.replace("accuracy", "spread")] = spread
    return summary


def _keep_data(run: Run[Settings], training: Samples, validation: Samples) -> None:
    """Keeps how human and machine sequences differ in the training data, and which validation sequences occur in it."""
    (x, y), (xv, yv) = (tuple(as_array(part) for part in samples) for samples in (training, validation))
    counts = {"alternations": human_features.alternations(x), "longest": human_features.longest_run(x)}
    rows = []
    for value in range(x.shape[1] + 1):
        row: Row = {"value": value}
        for name, count in counts.items():
            for label, source in enumerate(run.source.classes):
                row[f"{name}_{source}"] = int((count[y == label] == value).sum())
        rows.append(row)
    run.keep_table("statistics", rows)
    for label, source in enumerate(run.source.classes):
        changes = counts["alternations"][y == label]
        run.keep(
            **{f"{source}_alternations": float(changes.mean()), f"{source}_alternations_spread": float(changes.std())}
        )
        run.keep(**{f"{source}_copies": int(_seen(x[y == label], xv[yv == label]).sum())})
    run.keep(training_samples=len(y), validation_samples=len(yv), validation_humans=int(yv.sum()))


def _seen(known: Any, sequences: Any) -> Any:
    """For each sequence, whether it is among the known ones."""
    rows = {row.tobytes() for row in known}
    return np.array([row.tobytes() in rows for row in sequences], bool)


def _keep_network(run: Run[Settings], recipe: Recipe, model: Any, training: Samples, validation: Samples) -> None:
    """Keeps the weights of the first layer before and after training, and the outputs by number of alternations."""
    fw = run.fw
    fw.manual_seed(run.seed)
    untrained = network(fw, recipe, training[0].shape[1])
    first, last = [layer for layer in model if hasattr(layer, "weight")]
    matrix, outputs = as_array(first.weight), as_array(last.weight)[0]
    columns = [str(i + 1) for i in range(matrix.shape[1])]
    rows = [
        {"neuron": i + 1, **dict(zip(columns, row.tolist(), strict=True)), "bias": bias, "output": output}
        for i, (row, bias, output) in enumerate(
            zip(matrix, as_array(first.bias).tolist(), outputs.tolist(), strict=True)
        )
    ]
    run.keep_table("input_weights", rows)
    run.keep_arrays(trained=matrix, untrained=as_array(untrained[0].weight))
    x, y = (as_array(part) for part in validation)
    probabilities = as_array(logits(fw, model, validation[0])).astype(np.float64)
    correct = (probabilities > 0.5) == (y > 0.5)
    known = _seen(as_array(training[0]), x)
    run.keep(
        copies=int(known.sum()), copies_correct=int(correct[known].sum()), others_correct=int(correct[~known].sum())
    )
    changes = human_features.alternations(x)[:, 0]
    rows = []
    for value in np.unique(changes):
        those = changes == value
        mean = float(probabilities[those].mean())
        rows.append(
            {"alternations": int(value), "samples": int(those.sum()), "human": int(y[those].sum()), "mean": mean}
        )
    run.keep_table("judgement", rows)
    logit = np.log(probabilities.clip(1e-7, 1 - 1e-7)) - np.log1p(-probabilities.clip(1e-7, 1 - 1e-7))
    explained = [{"features": name, "share": explained_share(count(x), logit)} for name, count in FEATURES.items()]
    run.keep_table("explained", explained)


def explained_share(features: Any, values: Any) -> float:
    """The share of the variance of `values` (N,) that the best linear function of `features` (N, k) explains.

    >>> explained_share(np.array([[1.0], [2.0], [3.0]]), np.array([3.0, 5.0, 7.0]))
    1.0
    """
    design = np.column_stack([np.ones(len(values)), features]).astype(np.float64)
    fitted = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    total = np.square(values - values.mean()).sum()
    return round(float(1 - np.square(values - fitted).sum() / total), 6) if total else 0.0


EXPERIMENT = Experiment(
    name="human_machine",
    assignment="ee599-hw3 §4",
    trains="20-20-1, sigmoid, BCE: optimizers × regularizers, other networks; the weights, and features tested",
    settings=Settings,
    train=train,
    headline=("validation_accuracy",),
    data=DATA.name,
)
