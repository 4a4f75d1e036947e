"""The networks that are timed, each written once for both frameworks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Network:
    """A classifier and the batch that it is timed on."""

    layers: tuple[int, ...]
    batch: int
    dropout: float = 0.0

    @property
    def name(self) -> str:
        """``784-200-100-10, batch 100``."""
        return f"{'-'.join(map(str, self.layers))}{' + dropout' if self.dropout else ''}, batch {self.batch}"

    @property
    def flops(self) -> int:
        """Floating-point operations of the matrix products in one step; the first layer needs no input gradient."""
        pairs = list(zip(self.layers, self.layers[1:], strict=False))
        return sum(2 * self.batch * n * m * (2 if i == 0 else 3) for i, (n, m) in enumerate(pairs))

    def step(self, fw: Any) -> Callable[[], Any]:
        """One training step: forward, loss, backward, SGD."""
        fw.manual_seed(0)
        modules: list[Any] = []
        for n, m in zip(self.layers, self.layers[1:], strict=False):
            modules += [fw.nn.Linear(n, m), fw.nn.ReLU()]
            if self.dropout:
                modules.append(fw.nn.Dropout(self.dropout))
        model = fw.nn.Sequential(*modules[: -2 if self.dropout else -1])
        optimizer = fw.optim.SGD(model.parameters(), lr=0.01)
        criterion = fw.nn.CrossEntropyLoss()
        inputs = fw.randn(self.batch, self.layers[0])
        labels = fw.randint(0, self.layers[-1], (self.batch,))

        def step() -> Any:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
            return loss

        return step


NETWORKS = {
    "mlp": Network((784, 200, 100, 10), 100),
    "logistic": Network((784, 10), 100),
    "tiny": Network((20, 20, 2), 16),
    "dropout": Network((784, 100, 10), 100, dropout=0.3),
}
