"""A schedule that depends on a metric."""

from __future__ import annotations

import math
from typing import SupportsFloat

from minigrad.optim.lr_scheduler.base import LRScheduler, checked, per_group, rates, set_option, warn_epoch
from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import writes_to_tensors

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Reduce the rate when a metric has stopped improving. Source: torch.optim.lr_scheduler.ReduceLROnPlateau.

    Args:
        optimizer: whose learning rates to set.
        mode: ``"min"`` if the metric should fall, ``"max"`` if it should rise.
        factor: what the rate is multiplied by.
        patience: how many epochs in a row without improvement to tolerate; the next one reduces the rate.
        threshold: an improvement is a change by more than this,
        threshold_mode: ``"rel"``: times the best value so far, or ``"abs"``.
        cooldown: epochs after a reduction that do not count.
        min_lr: the lowest rate, or one for each group.
        eps: reductions smaller than this are not made.

    Raises:
        ValueError: for ``factor >= 1``, or an unknown mode.

    >>> import minigrad
    >>> w = minigrad.tensor([1.0], requires_grad=True)
    >>> optimizer = minigrad.optim.SGD([w], lr=1.0)
    >>> scheduler = ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    >>> for loss in [3.0, 2.0, 2.0, 2.0]:
    ...     scheduler.step(loss)
    ...     print(optimizer.param_groups[0]["lr"])
    1.0
    1.0
    1.0
    0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError("Factor should be < 1.0.")
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.optimizer = checked(optimizer)
        self.mode, self.factor, self.patience, self.cooldown = mode, factor, patience, cooldown
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.min_lrs = per_group("min_lr", optimizer, min_lr)
        self.eps = eps
        self.last_epoch = 0
        self.best = self.mode_worse = math.inf if mode == "min" else -math.inf
        self.cooldown_counter = 0
        self.num_bad_epochs = 0
        self._last_lr = rates(optimizer)

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take the epoch's metric, and reduce the rates if it has stopped improving."""
        value = float(metrics)
        if epoch is not None:
            warn_epoch()
        self._step(value, epoch)

    @writes_to_tensors
    def _step(self, value: float, epoch: int | None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(value):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = rates(self.optimizer)

    @property
    def in_cooldown(self) -> bool:
        """Whether the last reduction is too recent to count epochs."""
        return self.cooldown_counter > 0

    def _is_better(self, value: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        margin = sign * self.threshold
        bound = self.best * (1.0 + margin) if self.threshold_mode == "rel" else self.best + margin
        return sign * value > sign * bound

    def _reduce_lr(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"The number of param groups in the `optimizer` ({len(groups)}) differs from when "
                    f"`ReduceLROnPlateau` was initialized ({len(self.min_lrs)}), usually due to a new param group "
                    "being added to the optimizer. Please modify the `min_lrs` field to match the length of the "
                    "`optimizer` param groups."
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, lr, lowest in zip(groups, map(float, rates(self.optimizer)), self.min_lrs, strict=True):
            reduced = max(lr * self.factor, lowest)
            if lr - reduced > self.eps:
                set_option(group, "lr", reduced)
