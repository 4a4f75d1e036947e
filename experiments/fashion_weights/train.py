"""ee599-hw3 §3 and ee541-hw6 2: what regularisation does to the weights of an MLP on Fashion-MNIST."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from experiments.registry import Experiment
from experiments.runner.checkpoint import as_array
from experiments.runner.files import Row
from experiments.runner.run import Run
from experiments.training import classification
from experiments.training.classification import measures, mlp
from experiments.training.metrics import kurtosis

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

    @property
    def networks(self) -> dict[str, tuple[int, bool]]:
        """Hidden neurons, and whether regularised: the assignment's two, then the other two combinations."""
        pairs = [(self.plain, False), (self.regularised, True), (self.plain, True), (self.regularised, False)]
        return {f"{width} {'regularised' if strong else 'plain'}": (width, strong) for width, strong in pairs}


def train(run: Run[Settings]) -> None:
    """Trains four networks on all training samples, then tests them."""
    fw, settings = run.fw, run.settings
    run.expect(epochs=len(settings.networks) * settings.epochs)
    models = {}
    for name, (width, strong) in settings.networks.items():
        build = partial(mlp, fw, 784, width, 10, dropout=settings.dropout if strong else 0.0)
        trainer = partial(
            classification.trainer,
            fw,
            build,
            run.training_data,
            rate=settings.learning_rate,
            batch_size=settings.batch_size,
            momentum=settings.momentum,
            l2=settings.l2 if strong else 0.0,
            cosine=settings.epochs,
        )
        models[name] = run.fit(name, trainer, settings.epochs, partial(measures, fw, train=run.training_data))

    weights = {name: [as_array(p) for p in model.parameters() if p.dim() > 1] for name, model in models.items()}
    run.keep_table("weights", [_described(run, n, i, w[i]) for i in range(len(LAYERS)) for n, w in weights.items()])
    run.keep_table("histograms", [row for i in range(len(LAYERS)) for row in _histograms(run, i, weights)])
    test = run.open_test(*models)
    results = {name: measures(fw, model, test=test) for name, model in models.items()}
    run.keep_table("networks", [{"network": n, **_last(run, n), **result} for n, result in results.items()])
    names = list(models)
    run.keep(
        plain_test_accuracy=results[names[0]]["test_accuracy"],
        regularised_test_accuracy=results[names[1]]["test_accuracy"],
        test_samples=len(test[1]),
        training_samples=len(run.training_data[1]),
    )


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
