"""One epoch of a network in float64 in both frameworks, and in PyTorch from starts that rounding could have given."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.measure.networks import Network

STARTS = 3  #: moved starts, from which PyTorch is compared with itself; the furthest counts


def moved(model: Any, start: int) -> Any:
    """The model, each of its weights moved by at most one unit in the last place; start 0 moves none.

    >>> import torch
    >>> a, b = (moved(torch.nn.Linear(1, 99, bias=False), i).weight.detach().numpy() for i in (0, 1))
    >>> model = torch.nn.Linear(2, 50)
    >>> before = model.weight.detach().clone().numpy()
    >>> after = moved(model, 1).weight.detach().numpy()
    >>> sorted({int(d) for d in (after.view(np.int32) - before.view(np.int32)).flat})
    [-1, 0, 1]
    """
    if start:
        rng = np.random.default_rng(start)
        for parameter in model.parameters():
            a = parameter.detach().numpy()
            a[...] = np.nextafter(a, a + rng.integers(-1, 2, a.shape).astype(a.dtype))
    return model


def trained(network: Network, start: int = 0) -> tuple[Any, int, float]:
    """The model after an epoch in float64, the number of steps, and the mean loss."""
    trainer = network.start("float64")
    losses: list[float] = []
    moved(trainer.model, start)
    loss = trainer.epoch(losses.append)
    return trainer.model, len(losses), loss


def apart(ours: Any, theirs: Any) -> dict[str, float]:
    """How far each parameter and buffer is from theirs, relative to its norm; infinite where there is a nan."""
    there, found = theirs.state_dict(), {}
    for name, tensor in ours.state_dict().items():
        a, b = (np.asarray(t.detach().numpy(), np.float64) for t in (tensor, there[name]))
        distance = float(np.linalg.norm(a - b) / (np.linalg.norm(b) or 1.0))
        found[name] = float("inf") if np.isnan(distance) else distance
    return found


def from_itself(network: Network, usual: Any) -> float:
    """The largest distance, as `apart` measures it, of PyTorch's network `usual` from those of moved starts."""
    return max(max(apart(trained(network, start)[0], usual).values()) for start in range(1, STARTS + 1))
