"""ece559-hw6 3: a convolutional network for MNIST; plain, regularised, and with batch norm and other tweaks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

from experiments.data import Samples, split
from experiments.mnist_cnn.augmentation import shifted
from experiments.mnist_mlp.train import Tutorial
from experiments.registry import Experiment
from experiments.runner.checkpoint import as_array
from experiments.runner.files import Row
from experiments.runner.run import Run
from experiments.training import classification
from experiments.training.classification import keep_test, measures, scored
from experiments.training.metrics import p_value, paired, paired_gain
from experiments.training.seeds import fit_again, keep_seeds
from experiments.training.trainer import Trainer, logits

PLAIN, REGULARISED, NORMALISED = "plain", "weight decay and dropout", "batch norm"  #: (b), (c) and (d)
REGULARISERS, TWEAKS, NETWORKS, PAIRS = "regularisers", "tweaks", "networks", "pairs"  #: tables


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

    @property
    def has(self) -> str:
        """Its regularisers: what the network is called."""
        dropout = self.first_relu or self.max_pooling or self.last_relu
        return {(1, 1): REGULARISED, (1, 0): "weight decay", (0, 1): "dropout", (0, 0): PLAIN}[
            bool(self.l2), bool(dropout)
        ]

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

    learning_rate: float = 0.2  #: of (b) and (c): the one that `mnist_mlp` chose
    search_samples: int = 20_000  #: the first so many training samples, for the search
    search_epochs: int = 8
    regularisers: Changes = (  # with each of the weight decays
        ("none", ()),
        ("0.25 after max-pooling", (("max_pooling", 0.25),)),
        ("0.5 after max-pooling", (("max_pooling", 0.5),)),
        ("0.5 after the last ReLU", (("last_relu", 0.5),)),
        ("0.25 after max-pooling, 0.5 after the last ReLU", (("max_pooling", 0.25), ("last_relu", 0.5))),
        ("0.5 after max-pooling, 0.5 after the last ReLU", (("max_pooling", 0.5), ("last_relu", 0.5))),
    )
    decays: tuple[float, ...] = (0.0, 1e-5, 1e-4, 1e-3)
    tweaks: Changes = (
        ("learning rate 0.4", (("rate", 0.4),)),
        ("learning rate 0.8", (("rate", 0.8),)),
        ("one cycle up to rate 0.3, Nesterov", (("rate", 0.3), ("one_cycle", True), ("nesterov", True))),
        ("one cycle up to rate 0.6, Nesterov", (("rate", 0.6), ("one_cycle", True), ("nesterov", True))),
        ("batches of 128", (("batch_size", 128),)),
        ("random shifts by up to 1 pixel", (("shift", 1),)),
        ("random shifts by up to 2 pixels", (("shift", 2),)),
        ("no dropout", (("max_pooling", 0.0), ("last_relu", 0.0))),
    )
    significance: float = 0.05  #: of all tweaks together
    longer: float = 2.0  #: (d) is trained for so many times the epochs of (b) and (c)

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

    stage: str
    recipe: Recipe
    row: Row
    losses: Any  #: of each sample, (N,)


def compared(before: Trial, after: Trial, significance: float, *, asked_for: bool = False) -> Row:
    """The row of a change: its gain, and whether it is kept.

    It is kept if the samples' paired differences show that it lowers the loss, at this level of significance, so
    that it is no work of chance; or if the assignment asks for it.
    """
    gain, error = paired_gain(before.losses, after.losses)
    p = p_value(gain, error)
    kept = int(asked_for or (gain > 0 and p < significance))
    return {**after.row, "gain": gain, "standard_error": error, "p": p, "kept": kept}


def train(run: Run[Settings]) -> None:
    """(c) and (d) chosen on validation data; then all networks trained on everything, and tested once."""
    fw, settings = run.fw, run.settings
    everything = as_images(run.training_data)
    training, validation = split(everything, settings.validation)
    training = training[0][: settings.search_samples], training[1][: settings.search_samples]
    tries = len(settings.regularisers) * len(settings.decays) + 1 + len(settings.tweaks)
    final = 2 * settings.epochs + settings.normalised_epochs
    run.expect(tries * settings.trial_epochs + run.seeds * final)

    def tried(part: str, name: str, recipe: Recipe) -> Trial:
        epochs, stage = settings.trial_epochs, f"({part}) {name}"
        measure = partial(measures, fw, validation=validation)
        model = run.fit(stage, partial(recipe.trainer, fw, epochs, training), epochs, measure)
        inputs, labels = validation
        scores = logits(fw, model, inputs)
        losses = fw.nn.functional.cross_entropy(scores, labels, reduction="none")
        return Trial(stage, recipe, {"candidate": name, **scored(fw, "validation", scores, labels)}, losses)

    plain = Recipe(settings.learning_rate, settings.momentum, settings.batch_size)
    grid = [
        tried("c", f"dropout {name}, weight decay {decay:g}", replace(plain, l2=decay, **dict(dropout)))
        for name, dropout in settings.regularisers
        for decay in settings.decays
    ]
    rows = run.keep_table(REGULARISERS, [{**trial.row, "has": trial.recipe.has} for trial in grid])
    ranked = [grid[i] for i in sorted(range(len(grid)), key=lambda i: float(rows[i]["validation_loss"]))]
    best, both = ranked[0], next(trial for trial in ranked if trial.recipe.has == REGULARISED)

    current = tried("d", "batch norm after every ReLU", replace(best.recipe, batch_norm=True))
    level = settings.significance / len(settings.tweaks)
    start = [{**best.row, "candidate": "none"}, compared(best, current, level, asked_for=True)]
    rows = run.keep_table(TWEAKS, start)
    for name, change in settings.tweaks:
        changed = replace(current.recipe, **dict(change))
        if changed != current.recipe:
            trial = tried("d", name, changed)
            rows = run.keep_table(TWEAKS, [*rows, compared(current, trial, level)])
            current = trial if rows[-1]["kept"] else current

    without = next(trial for trial in grid if trial.recipe == plain)
    trials = {PLAIN: without, REGULARISED: both, best.recipe.has: best, NORMALISED: current}
    chosen = {name: trial.recipe for name, trial in trials.items()}
    models, again = {}, {}
    for name, recipe in chosen.items():
        epochs = settings.normalised_epochs if name == NORMALISED else settings.epochs
        build = partial(recipe.trainer, fw, epochs, everything)
        models[name] = run.fit(name, build, epochs, partial(measures, fw, train=training))
        again[name] = fit_again(run, name, build, epochs)
    stages = [*models, *(stage for further in again.values() for stage in further)]
    test = as_images(run.open_test(*stages, **{name: asdict(recipe) for name, recipe in chosen.items()}))
    right = {}
    rows = []
    for name, model in models.items():
        scores = logits(fw, model, test[0])
        right[name] = as_array(scores.argmax(1) == test[1])
        numbers = {k: int(v) if isinstance(v, bool) else v for k, v in asdict(chosen[name]).items()}
        rows.append({"network": name, "searched": trials[name].stage, **numbers, **scored(fw, "test", scores, test[1])})
        keep_seeds(run, test, model, *again[name].values(), prefix=prefix(name))
    run.keep_table(NETWORKS, rows)
    names = list(models)
    pairs = [{"before": a, "after": b, **paired(right[a], right[b])._asdict()} for a, b in combinations(names, 2)]
    run.keep_table(PAIRS, pairs)
    run.keep(
        **{f"{prefix(row['network'])}test_accuracy": row["test_accuracy"] for row in rows},
        training_samples=len(everything[1]),
        search_samples=len(training[1]),
        validation_samples=len(validation[1]),
        parameters=sum(parameter.numel() for parameter in models[PLAIN].parameters()),
    )
    keep_test(run, models[NORMALISED], test)


def prefix(network: str) -> str:
    """The beginning of the names of a network's metrics; that of (d) has none.

    >>> prefix(PLAIN), prefix(NORMALISED)
    ('plain_', '')
    """
    return {NORMALISED: "", REGULARISED: "regularised_"}.get(network, network.replace(" ", "_") + "_")


EXPERIMENT = Experiment(
    name="mnist_cnn",
    assignment="ece559-hw6 3",
    trains="conv 20, conv 20, max-pool, 250, 10: plain; with weight decay and dropout; with batch norm and more",
    settings=Settings,
    train=train,
    headline=("plain_test_accuracy", "regularised_test_accuracy", "test_accuracy"),
)
