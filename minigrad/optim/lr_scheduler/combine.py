"""Schedules made of schedules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from minigrad.optim.lr_scheduler.base import LRScheduler, rates, set_option
from minigrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import writes_to_tensors

__all__ = ["ChainedScheduler", "SequentialLR"]


class Combined(LRScheduler):
    """A schedule made of `schedulers`, all of one optimizer.

    Raises:
        TypeError: if one of them is not a scheduler.
        ValueError: for none, for one of another optimizer, or one that needs a metric.
    """

    def __init__(self, optimizer: Optimizer | None, schedulers: Sequence[LRScheduler]) -> None:
        name = type(self).__name__
        if len(schedulers) < 1:
            raise ValueError(f"{name} expects at least one scheduler, but got no scheduler.")
        self._schedulers = list(schedulers)
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"{name} at index {i} should have `optimizer` as its attribute.")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"{name} does not support `ReduceLROnPlateau` scheduler as it requires additional kwargs to be "
                    f"specified when calling `step`, but got one at index {i} in the given schedulers sequence."
                )
            optimizer = optimizer or scheduler.optimizer
            if optimizer is not scheduler.optimizer:
                raise ValueError(
                    f"{name} expects all schedulers to belong to the same optimizer, but got scheduler "
                    f"{type(scheduler).__name__} at index {i} has {scheduler.optimizer}, which is different from "
                    f"{type(optimizer).__name__}."
                )
        assert optimizer is not None
        self.optimizer = optimizer

    def state_dict(self) -> dict[str, Any]:
        """See `LRScheduler`."""
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """See `LRScheduler`."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_schedulers"})
        for scheduler, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(saved)


class ChainedScheduler(Combined):
    """All schedulers step in each step, so that their factors multiply.

    Source: torch.optim.lr_scheduler.ChainedScheduler.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        super().__init__(optimizer, schedulers)
        self._last_lr = rates(self.optimizer)

    @writes_to_tensors
    def step(self, epoch: int | None = None) -> None:
        """Step all of them."""
        for scheduler in self._schedulers:
            scheduler.step(epoch)
        self._last_lr = rates(self.optimizer)


class SequentialLR(Combined):
    """One scheduler after the other: the next takes over at each of `milestones`.

    Source: torch.optim.lr_scheduler.SequentialLR.

    Raises:
        ValueError: if there is not one scheduler more than milestones.

    >>> import minigrad
    >>> w = minigrad.tensor([1.0], requires_grad=True)
    >>> optimizer = minigrad.optim.SGD([w], lr=1.0)
    >>> warm = minigrad.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=9)
    >>> fall = minigrad.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.25)
    >>> scheduler = SequentialLR(optimizer, [warm, fall], milestones=[2])
    >>> for epoch in range(4):
    ...     print(optimizer.param_groups[0]["lr"])
    ...     optimizer.step()
    ...     scheduler.step()
    0.5
    0.5
    1.0
    0.25
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        super().__init__(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of "
                f"milestone points, but got number of schedulers {len(schedulers)} and the number of milestones to be "
                f"equal to {len(milestones)}"
            )
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:  # undo the first step that each scheduler took when it was made
            set_option(group, "lr", group["initial_lr"])
        self._undo()
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def _undo(self) -> None:
        pending: list[LRScheduler] = list(self._schedulers)
        while pending:
            scheduler = pending.pop()
            if isinstance(scheduler, Combined):
                pending += scheduler._schedulers
            else:
                scheduler.last_epoch -= 1

    @writes_to_tensors
    def step(self, epoch: int | None = None) -> None:
        """Step the current scheduler; at a milestone the next one begins."""
        if epoch is not None:
            raise TypeError("SequentialLR.step() takes no epoch")
        self.last_epoch += 1
        turn = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[turn]
        if turn > 0 and self._milestones[turn - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()
