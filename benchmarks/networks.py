"""The networks that are timed: those of the assignments, each written once for both frameworks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Step = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Network:
    """A network, what it learns by, and the batch that it is timed on."""

    name: str
    build: Callable[[Any], Any]  #: makes the module, in a framework
    shape: tuple[int, ...]  #: of one sample
    batch: int
    widths: tuple[int, ...] = ()  #: of an MLP with ReLU between its layers; what the peers build it from
    dropout: float = 0.0
    loss: str = "cross_entropy"  #: or "binary_cross_entropy" after a sigmoid, or "mse_loss" of the input itself
    classes: int = 10
    adam: bool = False
    rate: float = 0.01
    momentum: float = 0.0
    weight_decay: float = 0.0
    goal: float = 0.70  #: of the eager step, in units of torch's time

    @property
    def title(self) -> str:
        """``784-10, batch 100``."""
        return f"{self.name}, batch {self.batch}"

    def arrays(self, samples: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (N, ...) float32 and targets, the same in every process."""
        rng = np.random.default_rng(0)
        n = samples or self.batch
        inputs = rng.standard_normal((n, *self.shape), dtype=np.float32)
        if self.loss == "mse_loss":
            return inputs, inputs
        labels = rng.integers(0, self.classes, n)
        return inputs, labels.astype(np.float32)[:, None] if self.loss == "binary_cross_entropy" else labels

    def objective(self, fw: Any) -> Callable[[Any, Any], Any]:
        """The loss of outputs and targets, in a framework."""
        return getattr(fw.nn.functional, self.loss)  # type: ignore[no-any-return]

    def optimizer(self, fw: Any, parameters: Any) -> Any:
        """What the experiment uses."""
        if self.adam:
            return fw.optim.Adam(parameters, lr=self.rate, weight_decay=self.weight_decay)
        return fw.optim.SGD(parameters, lr=self.rate, momentum=self.momentum, weight_decay=self.weight_decay)


def _mlp(*widths: int, batch: int, dropout: float = 0.0, **options: Any) -> Network:
    def build(fw: Any) -> Any:
        modules: list[Any] = []
        for n, m in pairwise(widths[:-1]):
            modules += [fw.nn.Linear(n, m), fw.nn.ReLU(), *([fw.nn.Dropout(dropout)] if dropout else [])]
        modules.append(fw.nn.Linear(*widths[-2:]))
        if options.get("loss") == "binary_cross_entropy":
            modules.append(fw.nn.Sigmoid())
        return fw.nn.Sequential(*modules)

    name = "-".join(map(str, widths)) + (" + dropout" if dropout else "")
    return Network(name, build, (widths[0],), batch, widths, dropout, **options)


def _cnn(fw: Any, normalized: bool = False) -> Any:
    nn = fw.nn
    norms = [[nn.BatchNorm2d(20)], [nn.BatchNorm2d(20)], [nn.BatchNorm1d(250)]] if normalized else [[], [], []]
    convolutions = [nn.Conv2d(1, 20, 4), nn.ReLU(), *norms[0], nn.Conv2d(20, 20, 4, stride=2), nn.ReLU(), *norms[1]]
    head = [nn.MaxPool2d(2), nn.Flatten(), nn.Linear(500, 250), nn.ReLU(), *norms[2], nn.Linear(250, 10)]
    return nn.Sequential(*convolutions, *head)


def _convolution(fw: Any) -> Any:
    nn = fw.nn
    body = (nn.Conv1d(8, 32, 5, padding=2), nn.ReLU(), nn.Conv1d(32, 32, 5, padding=2), nn.ReLU())
    return nn.Sequential(*body, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 2))


def _recurrent(fw: Any, layer: str) -> Any:
    class Recurrent(fw.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.body = getattr(fw.nn, layer)(8, 32, batch_first=True)
            self.head = fw.nn.Linear(32, 2)

        def forward(self, inputs: Any) -> Any:
            return self.head(self.body(inputs)[0][:, -1])

    return Recurrent()


SGD: dict[str, Any] = {"momentum": 0.9}
ADAM: dict[str, Any] = {"adam": True, "rate": 1e-3}
DECAYED: dict[str, Any] = {**SGD, "weight_decay": 1e-4}

NETWORKS: dict[str, Network] = {
    "logistic": _mlp(784, 10, batch=100, goal=0.45),
    "tiny": _mlp(20, 20, 1, batch=16, loss="binary_cross_entropy", classes=2, goal=0.40, **SGD),
    "small": _mlp(784, 64, 10, batch=64, **SGD),
    "dropout": _mlp(784, 100, 10, batch=100, dropout=0.3, **DECAYED),
    "fashion": _mlp(784, 128, 10, batch=100, **SGD),
    "backprop": _mlp(784, 200, 100, 10, batch=100),
    "mlp": _mlp(784, 200, 200, 10, batch=64, momentum=0.5),
    "cifar": _mlp(3072, 256, 128, 10, batch=100, dropout=0.3, **DECAYED),
    "autoencoder": _mlp(784, 256, 64, 2, 64, 256, 784, batch=100, loss="mse_loss", **ADAM),
    "cnn": Network("CNN", _cnn, (1, 28, 28), 64, goal=0.60, **SGD),
    "cnn-bn": Network("CNN + batch norm", lambda fw: _cnn(fw, True), (1, 28, 28), 64, goal=0.60, **SGD),
    "conv1d": Network("Conv1d", _convolution, (8, 50), 64, classes=2, goal=1.00, **ADAM),
    "lstm": Network("LSTM", lambda fw: _recurrent(fw, "LSTM"), (50, 8), 64, classes=2, goal=1.00, **ADAM),
    "gru": Network("GRU", lambda fw: _recurrent(fw, "GRU"), (50, 8), 64, classes=2, goal=1.00, **ADAM),
}

BATCHES, WIDTHS = (1, 4, 16, 64, 256, 1024), (16, 32, 64, 128, 256, 512, 1024)


SCALED = {f"{w} x {n}": _mlp(784, w, w, 10, batch=n) for w in (*WIDTHS, 256) for n in (*BATCHES, 64)}
"""784-w-w-10 by ``f"{w} x {batch}"``, to see how the step grows; not part of the goals."""


def find(name: str) -> Network:
    """The network of that name."""
    return NETWORKS[name] if name in NETWORKS else SCALED[name]
