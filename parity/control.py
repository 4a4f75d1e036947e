"""PyTorch against itself: the same program from the same seed, but for the order in which numbers are added.

Training amplifies rounding: where PyTorch is far from itself when its arrays lie otherwise in memory, a difference
between the frameworks as large is chaos, and no bug.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from experiments.training.trainer import Trainer
from parity.lockstep import Stopped, apart
from parity.networks import Network


def from_itself(network: Network, dtype: str = "float64", steps: int | None = None) -> float:
    """How far any parameter or buffer of PyTorch's network ends up from itself, with arrays laid out otherwise.

    After some steps, parameters alone are compared, as `lockstep.Drift` does.

    Args:
        network: in PyTorch.
        dtype: of all that is computed.
        steps: how many to train; None: an epoch.
    """
    usual, other = (trained(network.start(dtype), steps, relaid) for relaid in (False, True))
    names = dict(usual.state_dict() if steps is None else usual.named_parameters())
    return max(distance for name, distance in apart(usual, other).items() if name in names)


def trained(trainer: Trainer, steps: int | None, relaid: bool) -> Any:
    """The model after so many steps, or an epoch; `relaid`: with parameters and batches laid out otherwise."""
    if relaid:
        for parameter in trainer.model.parameters():
            parameter.data = laid_out_otherwise(parameter.data)
        objective = trainer.objective
        trainer = replace(
            trainer, objective=lambda model, *batch: objective(model, *(laid_out_otherwise(part) for part in batch))
        )
    left = steps

    def on_batch(loss: float) -> None:
        nonlocal left
        if left is not None:
            left -= 1
            if left == 0:
                raise Stopped

    try:
        trainer.epoch(on_batch)
        while left:
            trainer.epoch(on_batch)
    except Stopped:
        pass
    return trainer.model


def laid_out_otherwise(tensor: Any) -> Any:
    """The same numbers, the second dimension innermost: images as channels last, matrices column by column.

    >>> import torch
    >>> laid_out_otherwise(torch.zeros(2, 3, 4, 5)).stride(), laid_out_otherwise(torch.zeros(2, 3)).stride()
    ((60, 1, 15, 3), (1, 2))
    """
    if tensor.ndim < 2:
        return tensor
    if tensor.ndim == 2:
        return tensor.t().contiguous().t()
    return tensor.movedim(1, -1).contiguous().movedim(-1, 1)
