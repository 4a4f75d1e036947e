"""Schedules along a cosine (Loshchilov and Hutter, SGDR, arXiv:1608.03983)."""

from __future__ import annotations

import math

from minigrad.optim.lr_scheduler.base import LRScheduler, rates, switched_on
from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import writes_to_tensors

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class CosineAnnealingLR(LRScheduler):
    """The rate goes down to `eta_min` along half a cosine over `T_max` epochs, and then up again.

    Rate = η_min + ½ (initial rate − η_min)(1 + cos(π·epoch/T_max)).
    Source: torch.optim.lr_scheduler.CosineAnnealingLR, whose recursive form this is.

    >>> import minigrad
    >>> w = minigrad.tensor([1.0], requires_grad=True)
    >>> optimizer = minigrad.optim.SGD([w], lr=1.0)
    >>> scheduler = CosineAnnealingLR(optimizer, T_max=2)
    >>> for epoch in range(3):
    ...     print(f'{optimizer.param_groups[0]["lr"]:.2f}')
    ...     optimizer.step()
    ...     scheduler.step()
    1.00
    0.50
    0.00
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """See `LRScheduler`."""
        self._check_within_step()
        present, low, period, epoch = rates(self.optimizer), self.eta_min, self.T_max, self.last_epoch
        if self._is_initial:
            return present
        if (epoch - 1 - period) % (2 * period) == 0:  # the quotient below is 0/0 after the lowest point
            rise = 1 - math.cos(math.pi / period)
            return [lr + (base - low) * rise / 2 for lr, base in zip(present, self.base_lrs, strict=True)]
        now, before = 1 + math.cos(math.pi * epoch / period), 1 + math.cos(math.pi * (epoch - 1) / period)
        return [now / before * (lr - low) + low for lr in present]

    def _get_closed_form_lr(self) -> list[float]:
        height = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        return [self.eta_min + (base - self.eta_min) * height / 2 for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """The rate goes down to `eta_min` along half a cosine, then restarts; each cycle is `T_mult` times longer.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        T_0: epochs of the first cycle.
        T_mult: the length of each cycle over that of the one before.
        eta_min: the lowest rate.

    Source: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.

    Raises:
        ValueError: for a `T_0` or `T_mult` that is not a positive integer.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if not isinstance(T_0, int) or T_0 <= 0:
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if not isinstance(T_mult, int) or T_mult < 1:
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0 = self.T_i = T_0
        self.T_mult, self.eta_min = T_mult, eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """See `LRScheduler`."""
        self._check_within_step()
        height = 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [self.eta_min + (base - self.eta_min) * height / 2 for base in self.base_lrs]

    @writes_to_tensors
    def step(self, epoch: float | None = None) -> None:
        """Set the rates of the next epoch, or of `epoch`, which may be a fraction (batches within an epoch).

        Raises:
            ValueError: for a negative epoch.
        """
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0 if epoch >= self.T_0 else epoch
        else:
            rounds = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**rounds - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**rounds
        self.last_epoch = math.floor(epoch)
        with switched_on(self, "_get_lr_called_within_step"):
            self._set(self.get_lr())
