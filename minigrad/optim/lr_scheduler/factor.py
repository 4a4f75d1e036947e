"""Schedules that multiply the learning rate by a factor."""

from __future__ import annotations

import types
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from minigrad.optim.lr_scheduler.base import LRScheduler, checked, rates
from minigrad.optim.optimizer import Optimizer

__all__ = ["ConstantLR", "LinearLR", "PolynomialLR"]
__all__ += ["ExponentialLR", "LambdaLR", "MultiStepLR", "MultiplicativeLR", "StepLR"]

Factor: TypeAlias = Callable[[int], float]


class LambdaLR(LRScheduler):
    """Rate = initial rate · ``lr_lambda(epoch)``. Source: torch.optim.lr_scheduler.LambdaLR.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        lr_lambda: the factor, or a list with one for each group.

    Raises:
        ValueError: if there are not as many factors as groups.

    >>> import minigrad
    >>> w = minigrad.tensor([1.0], requires_grad=True)
    >>> optimizer = minigrad.optim.SGD([w], lr=0.5)
    >>> scheduler = LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1) -> None:
        groups = len(checked(optimizer).param_groups)
        self.lr_lambdas: list[Any] = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(self.lr_lambdas)}")
        for factor in self.lr_lambdas:
            if not callable(factor):
                raise TypeError(f"lr_lambda should be a function, but got {type(factor).__name__}")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """See `LRScheduler`."""
        self._check_within_step()
        return [lr * factor(self.last_epoch) for lr, factor in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """See `LRScheduler`. Only the attributes of factors that are objects are saved, not functions."""
        saved = [None if isinstance(f, types.FunctionType) else dict(f.__dict__) for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": saved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """See `LRScheduler`. Factors that are functions are kept."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for factor, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if saved is not None:
                factor.__dict__.update(saved)


class MultiplicativeLR(LambdaLR):
    """Rate = last rate · ``lr_lambda(epoch)``. The arguments are those of `LambdaLR`."""

    def get_lr(self) -> list[float]:
        """See `LRScheduler`."""
        self._check_within_step()
        present = rates(self.optimizer)
        if self._is_initial:
            return present
        return [lr * factor(self.last_epoch) for lr, factor in zip(present, self.lr_lambdas, strict=True)]


class Recursive(LRScheduler):
    """Rate = last rate · `ratio`, a number that depends on the epoch only.

    So several schedules of one optimizer multiply, and a rate that was set by hand stays in effect.
    """

    def ratio(self) -> float:
        """The rate of `last_epoch` over that of the epoch before."""
        raise NotImplementedError

    def closed(self) -> float:
        """The rate of `last_epoch` over the initial one: the product of the ratios."""
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        """See `LRScheduler`."""
        self._check_within_step()
        ratio = self.ratio()
        return [lr * ratio for lr in rates(self.optimizer)]

    def _get_closed_form_lr(self) -> list[float]:
        closed = self.closed()
        return [lr * closed for lr in self.base_lrs]


class StepLR(Recursive):
    """The rate is multiplied by `gamma` every `step_size` epochs. Source: torch.optim.lr_scheduler.StepLR.

    >>> import minigrad
    >>> w = minigrad.tensor([1.0], requires_grad=True)
    >>> optimizer = minigrad.optim.SGD([w], lr=1.0)
    >>> scheduler = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for epoch in range(4):
    ...     print(optimizer.param_groups[0]["lr"])
    ...     optimizer.step()
    ...     scheduler.step()
    1.0
    1.0
    0.5
    0.5
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def ratio(self) -> float:
        """See `Recursive`."""
        return self.gamma if self.last_epoch and self.last_epoch % self.step_size == 0 else 1.0

    def closed(self) -> float:
        """See `Recursive`."""
        return self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(Recursive):
    """The rate is multiplied by `gamma` at each of `milestones`. Source: torch.optim.lr_scheduler.MultiStepLR."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def ratio(self) -> float:
        """See `Recursive`."""
        return float(self.gamma ** self.milestones[self.last_epoch])

    def closed(self) -> float:
        """See `Recursive`."""
        return float(self.gamma ** bisect_right(sorted(self.milestones.elements()), self.last_epoch))


class ConstantLR(Recursive):
    """The rate is `factor` times the initial one until epoch `total_iters`.

    Source: torch.optim.lr_scheduler.ConstantLR.

    Raises:
        ValueError: for a factor outside of [0, 1].
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0 <= factor <= 1:
            raise ValueError(f"Constant multiplicative factor expected to be between 0 and 1, but got {factor}.")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def ratio(self) -> float:
        """See `Recursive`."""
        if self.last_epoch == 0:
            return self.factor
        return 1.0 / self.factor if self.last_epoch == self.total_iters else 1.0

    def closed(self) -> float:
        """See `Recursive`."""
        return self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor)


class LinearLR(Recursive):
    """The rate goes from `start_factor` to `end_factor` times the initial one over `total_iters` epochs, then stays.

    Source: torch.optim.lr_scheduler.LinearLR.

    Raises:
        ValueError: for a start outside of (0, 1] or an end outside of [0, 1].
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal to 1, "
                f"but got {start_factor}."
            )
        if not 0 <= end_factor <= 1:
            raise ValueError(f"Ending multiplicative factor expected to be between 0 and 1, but got {end_factor}.")
        self.start_factor = start_factor
        self.end_factor, self.total_iters = end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def ratio(self) -> float:
        """See `Recursive`."""
        if self.last_epoch == 0:
            return self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return 1.0
        rise = self.end_factor - self.start_factor
        return 1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise)

    def closed(self) -> float:
        """See `Recursive`."""
        rise = self.end_factor - self.start_factor
        return self.start_factor + rise * min(self.total_iters, self.last_epoch) / self.total_iters


class ExponentialLR(Recursive):
    """The rate is multiplied by `gamma` every epoch. Source: torch.optim.lr_scheduler.ExponentialLR."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def ratio(self) -> float:
        """See `Recursive`."""
        return 1.0 if self._is_initial else self.gamma

    def closed(self) -> float:
        """See `Recursive`."""
        return float(self.gamma**self.last_epoch)


class PolynomialLR(Recursive):
    """Rate = initial rate · (1 − epoch/`total_iters`)^`power`, then 0.

    Source: torch.optim.lr_scheduler.PolynomialLR.
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def ratio(self) -> float:
        """See `Recursive`."""
        if self._is_initial or self.last_epoch > self.total_iters:
            return 1.0
        now, before = 1.0 - self.last_epoch / self.total_iters, 1.0 - (self.last_epoch - 1) / self.total_iters
        return float((now / before) ** self.power)

    def closed(self) -> float:
        """See `Recursive`."""
        return float((1.0 - min(self.total_iters, self.last_epoch) / self.total_iters) ** self.power)
