"""ee599-hw3 §3 and ee541-hw6 2: what regularisation does to the weights of an MLP on Fashion-MNIST."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import permutations
from typing import Any

import numpy as np

from experiments.registry import Experiment
from experiments.runner.checkpoint import as_array
from experiments.runner.files import Row
from experiments.runner.run import Run
from experiments.training import classification
from experiments.training.classification import measures, mlp
from experiments.training.metrics import kurtosis, paired
from experiments.training.seeds import fit_again, keep_seeds
from experiments.training.sparsity import FORMS, keep_sparsity, train_each
from experiments.training.trainer import logits

LAYERS = ("input layer", "output layer")


@dataclass(frozen=True)
class Settings:
    """All choices of this experiment."""

    plain: int = 128  #: hidden neurons of the network without regularisation
    regularised: int = 48  #: hidden neurons of the other one
    dropout: float = 0.2
    l2: float = 1e-4  #: PyTorch's weight_decay
    learning_rate: float = 0.05  #: falls to zero along a cosine
    momentum: float = 0.9
    epochs: int = 40
    batch_size: int = 100
    near_zero: float = 0.01  #: weights of smaller magnitude count as near zero
    bins: int = 101  #: of the histograms; odd, so that one is centred at zero
    strengths: tuple[float, ...] = (1e-6, 1e-5, 3e-5, 1e-4, 3e-4)  #: of L1, where its two forms are compared

    @property
    def networks(self) -> dict[str, tuple[int, float, float]]:
        """Hidden neurons, L2 and dropout: the assignment's two, the other two combinations, and L2 or dropout alone."""
        both, neither = (self.l2, self.dropout), (0.0, 0.0)
        return {
            f"{self.plain} plain": (self.plain, *neither),
            f"{self.regularised} regularised": (self.regularised, *both),
            f"{self.plain} regularised": (self.plain, *both),
            f"{self.regularised} plain": (self.regularised, *neither),
            f"{self.regularised} L2": (self.regularised, self.l2, 0.0),
            f"{self.regularised} dropout": (self.regularised, 0.0, self.dropout),
        }


def train(run: Run[Settings]) -> None:
    """Trains all networks on all training samples, then tests them."""
    fw, settings = run.fw, run.settings
    names = list(settings.networks)
    others = len(FORMS) * len(settings.strengths) + 2 * (run.seeds - 1)
    run.expect(epochs=(len(names) + others) * settings.epochs)
    common: dict[str, Any] = {"batch_size": settings.batch_size, "cosine": settings.epochs}
    models, again = {}, {}
    for name, (width, l2, dropout) in settings.networks.items():
        build = partial(
            classification.trainer,
            fw,
            partial(mlp, fw, 784, width, 10, dropout=dropout),
            run.training_data,
            rate=settings.learning_rate,
            momentum=settings.momentum,
            l2=l2,
            **common,
        )
        models[name] = run.fit(name, build, settings.epochs, partial(measures, fw, train=run.training_data))
        again[name] = fit_again(run, name, build, settings.epochs) if name in names[:2] else {}
    rate = settings.learning_rate / (1 - settings.momentum)  # without momentum, so that λ means the same in both forms
    network = partial(mlp, fw, 784, settings.plain, 10)
    build = partial(classification.trainer, fw, network, run.training_data, rate=rate, **common)
    sparse = train_each(run, settings.strengths, build, settings.epochs)

    weights = {name: [as_array(p) for p in model.parameters() if p.dim() > 1] for name, model in models.items()}
    run.keep_table("weights", [_described(run, n, i, w[i]) for i in range(len(LAYERS)) for n, w in weights.items()])
    run.keep_table("histograms", [row for i in range(len(LAYERS)) for row in _histograms(run, i, weights)])
    run.keep_table("parts", [row for name in names[:2] for row in _parts(run, name, models[name])])
    test = run.open_test(*models, *(stage for further in again.values() for stage in further))
    results = {name: measures(fw, model, test=test) for name, model in models.items()}
    run.keep_table("networks", [{"network": n, **_last(run, n), **result} for n, result in results.items()])
    right = {name: as_array(logits(fw, model, test[0]).argmax(1) == test[1]) for name, model in models.items()}
    pairs = [{"before": a, "after": b, **paired(right[a], right[b])._asdict()} for a, b in permutations(names, 2)]
    run.keep_table("pairs", pairs)
    keep_sparsity(run, sparse, test)
    for prefix, name in zip(("plain_", "regularised_"), names[:2], strict=True):
        run.keep(**{f"{prefix}test_accuracy": results[name]["test_accuracy"]})
        keep_seeds(run, test, models[name], *again[name].values(), prefix=prefix)
    run.keep(test_samples=len(test[1]), training_samples=len(run.training_data[1]))


def _last(run: Run[Settings], stage: str) -> Row:
    row = run.history(stage)[-1]
    return {column: row[column] for column in ("train_loss", "train_accuracy")}


def _described(run: Run[Settings], name: str, layer: int, weights: Any) -> Row:
    values = weights.astype(np.float64).ravel()
    return {
        "layer": LAYERS[layer],
        "network": name,
        "weights": values.size,
        "mean": float(values.mean()),
        "std": float(values.std()),
        "kurtosis": kurtosis(values),
        "near_zero": float((np.abs(values) < run.settings.near_zero).mean()),
        "largest": float(np.abs(values).max()),
        "norm": float(np.linalg.norm(values)),
    }


def _parts(run: Run[Settings], name: str, model: Any) -> list[Row]:
    """The output weights that are within the range they started in, and those below and above it.

    For each part: how far its weights moved, on which share of the images of its class a weight's neuron is active, and
    how many of its weights belong to neurons that are idle, that is, active on less than 1 % of all images.
    """
    fw, (images, labels) = run.fw, run.training_data
    width, _, dropout = run.settings.networks[name]
    fw.manual_seed(run.seed)
    start, end = (as_array(m[-1].weight) for m in (mlp(fw, 784, width, 10, dropout=dropout), model))
    active, classes = as_array(logits(fw, model[:-1], images) > 0), as_array(labels)
    of_class = np.stack(
        [active[classes == k].mean(0) if (classes == k).any() else active[:0].sum(0) for k in range(10)]
    )
    idle = np.broadcast_to(active.mean(0) < 0.01, end.shape)
    bound = width**-0.5
    parts = {"below": end < -bound, "within": abs(end) <= bound, "above": end > bound}
    return [
        {
            "network": name,
            "part": part,
            "bound": bound,
            "share": float(those.mean()),
            "moved": float(np.abs(end - start)[those].mean()) if those.any() else 0.0,
            "active": float(of_class[those].mean()) if those.any() else 0.0,
            "idle": float(idle[those].mean()) if those.any() else 0.0,
        }
        for part, those in parts.items()
    ]


def _histograms(run: Run[Settings], layer: int, weights: dict[str, list[Any]]) -> list[Row]:
    """Counts in bins that all networks share."""
    widest = max(float(np.abs(layers[layer]).max()) for layers in weights.values())
    edges = np.linspace(-widest, widest, run.settings.bins + 1)
    counts = {name: np.histogram(layers[layer].astype(np.float64), edges)[0] for name, layers in weights.items()}
    return [
        {
            "layer": LAYERS[layer],
            "from": float(edges[i]),
            "to": float(edges[i + 1]),
            **{name: int(n[i]) for name, n in counts.items()},
        }
        for i in range(run.settings.bins)
    ]


EXPERIMENT = Experiment(
    name="fashion_weights",
    assignment="ee599-hw3 §3, ee541-hw6 2",
    trains="784-128-10 plain against 784-48-10 with L2 1e-4 and dropout 0.2 on Fashion-MNIST; their weights compared",
    settings=Settings,
    train=train,
    headline=("plain_test_accuracy", "regularised_test_accuracy"),
    data="fashion-mnist",
)
