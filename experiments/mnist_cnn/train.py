"""ece559-hw6 3: a convolutional network for MNIST; plain, regularised, and with batch norm and other tweaks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from experiments.data import Samples, split
from experiments.mnist_cnn.augmentation import shifted
from experiments.mnist_mlp.train import Tutorial
from experiments.registry import Experiment
from experiments.runner.files import Row
from experiments.runner.run import Run
from experiments.training import classification
from experiments.training.classification import keep_test, measures, rate_name, scored
from experiments.training.metrics import paired_gain
from experiments.training.trainer import Trainer, logits

PLAIN, REGULARISED, NORMALISED = "plain", "regularised", "batch norm"  #: (b), (c) and (d)
RATES, REGULARISERS, TWEAKS, NETWORKS = "rates", "regularisers", "tweaks", "networks"  #: tables


def architecture(fw: Any) -> Any:
    """The layers as the assignment names them, for images (N, 1, 28, 28)."""
    nn = fw.nn
    return nn.Sequential(
        nn.Conv2d(1, 20, 4),
        nn.ReLU(),
        nn.Conv2d(20, 20, 4, stride=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(20 * 5 * 5, 250),
        nn.ReLU(),
        nn.Linear(250, 10),
    )


@dataclass(frozen=True)
class Recipe:
    """How the networks differ: additions to the architecture, and training."""

    rate: float
    momentum: float
    batch_size: int
    l2: float = 0.0  #: PyTorch's weight_decay
    first_relu: float = 0.0  #: p of the dropout after it; the same for the next two
    max_pooling: float = 0.0
    last_relu: float = 0.0
    batch_norm: bool = False  #: after every ReLU
    nesterov: bool = False
    one_cycle: bool = False  #: instead of a cosine
    shift: int = 0  #: pixels, of random shifts of the training images

    def network(self, fw: Any) -> Any:
        """The architecture, batch norm after every ReLU, and dropout before all layers with weights but the first."""
        nn = fw.nn
        layers: list[Any] = []
        dropout, width = iter((0.0, self.first_relu, self.max_pooling, self.last_relu)), 0
        for layer in architecture(fw):
            if isinstance(layer, nn.Conv2d | nn.Linear):
                width, p = len(layer.weight), next(dropout)
                norm = nn.BatchNorm2d if isinstance(layer, nn.Conv2d) else nn.BatchNorm1d
                if p:
                    layers.append(nn.Dropout(p))
            layers.append(layer)
            if self.batch_norm and isinstance(layer, nn.ReLU):
                layers.append(norm(width))
        return nn.Sequential(*layers)

    def trainer(self, fw: Any, epochs: int, samples: Samples) -> Trainer:
        """The trainer for so many epochs."""
        return classification.trainer(
            fw,
            partial(self.network, fw),
            samples,
            rate=self.rate,
            batch_size=self.batch_size,
            momentum=self.momentum,
            nesterov=self.nesterov,
            l2=self.l2,
            cosine=None if self.one_cycle else epochs,
            one_cycle=epochs if self.one_cycle else None,
            augment=partial(shifted, fw, most=self.shift) if self.shift else None,
        )


Changes = tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]
"""Changes to try in turn: a name, and fields of a recipe with their new values."""


@dataclass(frozen=True)
class Settings(Tutorial):
    """All choices of this experiment; (b) and (c) are trained as `mnist_mlp` is."""

    search_samples: int = 8_000  #: the first so many training samples, for the search
    search_epochs: int = 8
    regularisers: Changes = (
        ("dropout 0.25 after max-pooling", (("max_pooling", 0.25),)),
        ("dropout 0.5 after max-pooling", (("max_pooling", 0.5),)),
        ("dropout 0.25 after the last ReLU", (("last_relu", 0.25),)),
        ("dropout 0.5 after the last ReLU", (("last_relu", 0.5),)),
        ("dropout 0.1 after the first ReLU", (("first_relu", 0.1),)),
        ("weight decay 1e-4", (("l2", 1e-4),)),
        ("weight decay 1e-3", (("l2", 1e-3),)),
    )
    tweaks: Changes = (
        ("learning rate 0.4", (("rate", 0.4),)),
        ("one cycle up to rate 0.1, Nesterov", (("rate", 0.1), ("one_cycle", True), ("nesterov", True))),
        ("weight decay 5e-4", (("l2", 5e-4),)),
        ("random shifts by up to 1 pixel", (("shift", 1),)),
        ("random shifts by up to 2 pixels", (("shift", 2),)),
        ("no dropout after max-pooling", (("max_pooling", 0.0),)),
    )
    longer: float = 4 / 3  #: (d) is trained for so many times the epochs of (b) and (c)

    @property
    def trial_epochs(self) -> int:
        """The number of epochs in the search, at most that of the final networks."""
        return min(self.search_epochs, self.epochs)

    @property
    def normalised_epochs(self) -> int:
        """The number of epochs for (d)."""
        return round(self.longer * self.epochs)


def as_images(samples: Samples) -> Samples:
    """The samples as images (N, 1, 28, 28)."""
    inputs, labels = samples
    return inputs.reshape(-1, 1, 28, 28), labels


class Trial(NamedTuple):
    """A recipe with its results on validation data."""

    recipe: Recipe
    row: Row
    losses: Any  #: of each sample, (N,)


def compared(before: Trial, after: Trial, *, asked_for: bool = False) -> Row:
    """The row of a change: its gain, and whether it is kept.

    It is kept if it lowers the loss by more than one standard error of the samples' paired differences, so that
    chance doesn't decide, or if the assignment asks for it.
    """
    gain, error = paired_gain(before.losses, after.losses)
    return {**after.row, "gain": gain, "standard_error": error, "kept": int(asked_for or gain > error)}


def train(run: Run[Settings]) -> None:
    """(b), (c) and (d), each chosen on validation data; then all three trained on everything, and tested once."""
    fw, settings = run.fw, run.settings
    everything = as_images(run.training_data)
    training, validation = split(everything, settings.validation)
    training = training[0][: settings.search_samples], training[1][: settings.search_samples]
    trials = len(settings.learning_rates) + len(settings.regularisers) + 1 + len(settings.tweaks)
    run.expect(trials * settings.trial_epochs + 2 * settings.epochs + settings.normalised_epochs)

    def tried(part: str, name: str, recipe: Recipe) -> Trial:
        epochs = settings.trial_epochs
        model = run.fit(f"({part}) {name}", partial(recipe.trainer, fw, epochs, training), epochs, lambda _: {})
        inputs, labels = validation
        scores = logits(fw, model, inputs)
        losses = fw.nn.functional.cross_entropy(scores, labels, reduction="none")
        return Trial(recipe, {"candidate": name, **scored(fw, "validation", scores, labels)}, losses)

    def improved(part: str, table: str, best: Trial, changes: Changes, rows: list[Row]) -> Trial:
        """The trial with all changes that were worth keeping, each on top of those kept before it.

        The table gets a row for each change, below `rows`.
        """
        rows = run.keep_table(table, rows)
        for name, change in changes:
            changed = replace(best.recipe, **dict(change))
            if changed != best.recipe:
                trial = tried(part, name, changed)
                rows = run.keep_table(table, [*rows, compared(best, trial)])
                best = trial if rows[-1]["kept"] else best
        return best

    recipes = [Recipe(rate, settings.momentum, settings.batch_size) for rate in settings.learning_rates]
    rates = [tried("b", rate_name(recipe.rate), recipe) for recipe in recipes]
    losses = [float(row["validation_loss"]) for row in run.keep_table(RATES, [trial.row for trial in rates])]
    plain = rates[losses.index(min(losses))]
    start = [{**plain.row, "candidate": "none"}]
    regularised = improved("c", REGULARISERS, plain, settings.regularisers, start)
    first = tried("d", "batch norm after every ReLU", replace(regularised.recipe, batch_norm=True))
    start = [{**regularised.row, "candidate": "none"}, compared(regularised, first, asked_for=True)]
    normalised = improved("d", TWEAKS, first, settings.tweaks, start)

    chosen = {PLAIN: plain.recipe, REGULARISED: regularised.recipe, NORMALISED: normalised.recipe}
    models = {}
    for name, recipe in chosen.items():
        epochs = settings.normalised_epochs if name == NORMALISED else settings.epochs
        measure = partial(measures, fw, train=training)
        models[name] = run.fit(name, partial(recipe.trainer, fw, epochs, everything), epochs, measure)
    test = as_images(run.open_test(*models, **{name: asdict(recipe) for name, recipe in chosen.items()}))
    results = {name: measures(fw, model, test=test) for name, model in models.items()}
    rows = [
        {
            "network": name,
            **{k: int(v) if v is True or v is False else v for k, v in asdict(chosen[name]).items()},
            **result,
        }
        for name, result in results.items()
    ]
    run.keep_table(NETWORKS, rows)
    run.keep(
        **{f"{name}_test_accuracy": results[name]["test_accuracy"] for name in (PLAIN, REGULARISED)},
        training_samples=len(everything[1]),
        search_samples=len(training[1]),
        validation_samples=len(validation[1]),
        parameters=sum(parameter.numel() for parameter in models[PLAIN].parameters()),
    )
    keep_test(run, models[NORMALISED], test)


EXPERIMENT = Experiment(
    name="mnist_cnn",
    assignment="ece559-hw6 3",
    trains="conv 20, conv 20, max-pool, 250, 10: plain; with weight decay and dropout; with batch norm and more",
    settings=Settings,
    train=train,
    headline=("plain_test_accuracy", "regularised_test_accuracy", "test_accuracy"),
)
