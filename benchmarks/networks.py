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
    experiment: str  #: where it comes from
    build: Callable[[Any], Any]  #: makes the module, in a framework
    shape: tuple[int, ...]  #: of one sample
    batch: int
    widths: tuple[int, ...] = ()  #: of an MLP with ReLU between its layers; what the peers build it from
    dropout: float = 0.0
    loss: str = "cross_entropy"  #: or "bce" (one output, after a sigmoid), or "mse" (of the input itself)
    classes: int = 10
    adam: bool = False
    rate: float = 0.01
    momentum: float = 0.0
    weight_decay: float = 0.0

    @property
    def title(self) -> str:
        """``784-10, batch 100``."""
        return f"{self.name}, batch {self.batch}"

    @property
    def flops(self) -> int:
        """Floating-point operations of an MLP's products in a step; the first layer needs no input gradient."""
        return sum(2 * self.batch * n * m * (2 if i == 0 else 3) for i, (n, m) in enumerate(pairwise(self.widths)))

    def arrays(self, samples: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (N, ...) float32 and targets, the same in every process."""
        rng = np.random.default_rng(0)
        n = samples or self.batch
        inputs = rng.standard_normal((n, *self.shape), dtype=np.float32)
        if self.loss == "mse":
            return inputs, inputs
        labels = rng.integers(0, self.classes, n)
        return inputs, labels.astype(np.float32)[:, None] if self.loss == "bce" else labels

    def objective(self, fw: Any) -> Callable[[Any, Any], Any]:
        """The loss of outputs and targets, in a framework."""
        functional = fw.nn.functional
        losses = {
            "cross_entropy": functional.cross_entropy,
            "mse": functional.mse_loss,
            "bce": functional.binary_cross_entropy,
        }
        return losses[self.loss]  # type: ignore[no-any-return]

    def optimizer(self, fw: Any, parameters: Any) -> Any:
        """What the experiment uses."""
        if self.adam:
            return fw.optim.Adam(parameters, lr=self.rate, weight_decay=self.weight_decay)
        return fw.optim.SGD(parameters, lr=self.rate, momentum=self.momentum, weight_decay=self.weight_decay)


def _mlp(experiment: str, *widths: int, batch: int, dropout: float = 0.0, **options: Any) -> Network:
    def build(fw: Any) -> Any:
        modules: list[Any] = []
        for n, m in pairwise(widths[:-1]):
            modules += [fw.nn.Linear(n, m), fw.nn.ReLU(), *([fw.nn.Dropout(dropout)] if dropout else [])]
        modules.append(fw.nn.Linear(*widths[-2:]))
        if options.get("loss") == "bce":
            modules.append(fw.nn.Sigmoid())
        return fw.nn.Sequential(*modules)

    name = "-".join(map(str, widths)) + (" + dropout" if dropout else "")
    return Network(name, experiment, build, (widths[0],), batch, widths, dropout, **options)


def _cnn(fw: Any, normalized: bool = False) -> Any:
    nn = fw.nn
    norms = (nn.BatchNorm2d(20), nn.BatchNorm2d(20), nn.BatchNorm1d(250)) if normalized else (None,) * 3
    layers = [
        *(nn.Conv2d(1, 20, 4), nn.ReLU(), norms[0]),
        *(nn.Conv2d(20, 20, 4, stride=2), nn.ReLU(), norms[1]),
        *(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(500, 250), nn.ReLU(), norms[2], nn.Linear(250, 10)),
    ]
    return nn.Sequential(*(layer for layer in layers if layer is not None))


def _convolution(fw: Any) -> Any:
    nn = fw.nn
    body = (nn.Conv1d(8, 32, 5, padding=2), nn.ReLU(), nn.Conv1d(32, 32, 5, padding=2), nn.ReLU())
    return nn.Sequential(*body, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 2))


def _recurrent(kind: str) -> Callable[[Any], Any]:
    def build(fw: Any) -> Any:
        class Recurrent(fw.nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.body = getattr(fw.nn, kind)(8, 32, batch_first=True)
                self.head = fw.nn.Linear(32, 2)

            def forward(self, inputs: Any) -> Any:
                return self.head(self.body(inputs)[0][:, -1])

        return Recurrent()

    return build


SGD: dict[str, Any] = {"momentum": 0.9}
DECAYED: dict[str, Any] = {**SGD, "weight_decay": 1e-4}

NETWORKS: dict[str, Network] = {
    "logistic": _mlp("mnist_logistic", 784, 10, batch=100),
    "tiny": _mlp("human_machine", 20, 20, 1, batch=16, loss="bce", classes=2, **SGD),
    "small": _mlp("mnist_small_mlp", 784, 64, 10, batch=64, **SGD),
    "dropout": _mlp("fashion_confusion", 784, 100, 10, batch=100, dropout=0.3, **DECAYED),
    "fashion": _mlp("fashion_weights", 784, 128, 10, batch=100, **SGD),
    "backprop": _mlp("mnist_backprop", 784, 200, 100, 10, batch=100),
    "mlp": _mlp("mnist_mlp", 784, 200, 200, 10, batch=64, momentum=0.5),
    "cifar": _mlp("cifar_mlp", 3072, 256, 128, 10, batch=100, dropout=0.3, **DECAYED),
    "autoencoder": _mlp(
        "mnist_autoencoder", 784, 256, 64, 2, 64, 256, 784, batch=100, loss="mse", adam=True, rate=1e-3
    ),
    "cnn": Network("CNN", "mnist_cnn", _cnn, (1, 28, 28), 64, **SGD),
    "cnn-bn": Network("CNN + batch norm", "mnist_cnn", lambda fw: _cnn(fw, True), (1, 28, 28), 64, **SGD),
    "conv1d": Network("Conv1d", "sequence_models", _convolution, (8, 50), 64, classes=2, adam=True, rate=1e-3),
    "lstm": Network("LSTM", "sequence_models", _recurrent("LSTM"), (50, 8), 64, classes=2, adam=True, rate=1e-3),
    "gru": Network("GRU", "sequence_models", _recurrent("GRU"), (50, 8), 64, classes=2, adam=True, rate=1e-3),
}

BATCHES, WIDTHS = (1, 4, 16, 64, 256, 1024), (16, 32, 64, 128, 256, 512, 1024)


def scaled(width: int, batch: int) -> Network:
    """784-w-w-10, to see how the step grows."""
    return _mlp("", 784, width, width, 10, batch=batch)


SCALED = {f"{width} x {batch}": scaled(width, batch) for width in (*WIDTHS, 256) for batch in (*BATCHES, 64)}
"""By `f"{width} x {batch}"`; not part of the goals."""


def find(name: str) -> Network:
    """The network of that name."""
    return NETWORKS[name] if name in NETWORKS else SCALED[name]
