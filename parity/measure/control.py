"""PyTorch compared with itself: the same program and seed, with sums in another order.

Training amplifies rounding. Where PyTorch is as far from itself as minigrad is from PyTorch, rounding explains the
difference.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import replace
from typing import Any

from experiments.training.trainer import Trainer
from parity.measure.lockstep import Stopped, apart
from parity.measure.networks import Network


def from_itself(network: Network, dtype: str = "float64", steps: int | None = None) -> float:
    """The largest difference in any parameter or buffer between two trainings of PyTorch's network.

    The arrays of the second have another layout in memory, so that its sums are added in another order. After some
    steps, parameters alone are compared, as `lockstep.Drift` does.

    Args:
        network: in PyTorch.
        dtype: of all that is computed.
        steps: how many to train; None: an epoch.
    """
    usual, other = (trained(network.start(dtype), steps, relaid) for relaid in (False, True))
    names = dict(usual.state_dict() if steps is None else usual.named_parameters())
    return max(distance for name, distance in apart(usual, other).items() if name in names)


def trained(trainer: Trainer, steps: int | None, relaid: bool) -> Any:
    """The model after so many steps, or an epoch; `relaid`: with another memory layout of parameters and batches."""
    if relaid:
        for parameter in trainer.model.parameters():
            parameter.data = laid_out_otherwise(parameter.data)
        objective = trainer.objective
        trainer = replace(trainer, objective=lambda model, *batch: objective(model, *map(laid_out_otherwise, batch)))
    count = itertools.count(1)

    def after_batch(loss: float) -> None:
        if next(count) == steps:
            raise Stopped

    with suppress(Stopped):
        trainer.epoch(after_batch)
        while steps:
            trainer.epoch(after_batch)
    return trainer.model


def laid_out_otherwise(tensor: Any) -> Any:
    """The same numbers in another memory layout: images channels-last, matrices column by column.

    >>> import torch
    >>> laid_out_otherwise(torch.zeros(2, 3, 4, 5)).stride(), laid_out_otherwise(torch.zeros(2, 3)).stride()
    ((60, 1, 15, 3), (1, 2))
    """
    if tensor.ndim < 2:
        return tensor
    dim = 1 if tensor.ndim > 2 else 0
    return tensor.movedim(dim, -1).contiguous().movedim(-1, dim)
