"""What all schedulers share."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from minigrad.optim.optimizer import Optimizer
from minigrad.optim.rules import Group
from minigrad.tensor import Tensor, writes_to_tensors

__all__ = ["LRScheduler"]

if TYPE_CHECKING:
    from collections.abc import Iterator


class LRScheduler:
    """Base class of all schedulers: sets every group's ``"lr"`` when made, and again in each `step`.

    Args:
        optimizer: whose learning rates to set. Each group's current one is kept as its ``"initial_lr"``.
        last_epoch: the number of steps taken so far, to resume from; -1 for a new schedule.

    Raises:
        TypeError: if `optimizer` is not an optimizer.
        KeyError: when resuming with groups that have no ``"initial_lr"``.

    A subclass defines `get_lr`: the rates of the groups for `last_epoch`.
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", unshared(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with last_epoch "
                    ">= 0: load the optimizer's state first, or leave last_epoch out for a fresh run"
                )
        self.base_lrs = rates(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._initial_step()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(last_epoch={self.last_epoch}, lr={self._last_lr})"

    def _initial_step(self) -> None:
        self._step_count = 0
        with switched_on(self, "_is_initial"):
            self.step()

    def get_lr(self) -> list[float]:
        """The learning rates of all groups for `last_epoch`, computed from the current ones."""
        raise NotImplementedError(f"{type(self).__name__} does not define `get_lr`")

    def get_last_lr(self) -> list[float]:
        """The learning rates of all groups that the last step set."""
        return self._last_lr

    @writes_to_tensors
    def step(self, epoch: int | None = None) -> None:
        """Set the learning rates of the next epoch; to be called after the optimizer's step.

        `epoch`, deprecated, jumps to that epoch instead.
        """
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. Call them in the opposite order: "
                "`optimizer.step()` before `lr_scheduler.step()`; otherwise the first value of the learning rate "
                "schedule is skipped.",
                UserWarning,
                stacklevel=3,
            )
        if epoch is not None:
            warn_epoch()
        self._step_count += 1
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        compute = self.get_lr if epoch is None else getattr(self, "_get_closed_form_lr", self.get_lr)
        with switched_on(self, "_get_lr_called_within_step"):
            self._set(compute())

    def _set(self, values: Sequence[float]) -> None:
        for group, value in zip(self.optimizer.param_groups, values, strict=True):
            set_option(group, "lr", value)
        self._last_lr = rates(self.optimizer)

    def _check_within_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def state_dict(self) -> dict[str, Any]:
        """The scheduler's attributes, except its optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state that `state_dict` returned."""
        self.__dict__.update(state_dict)


def checked(optimizer: Any) -> Optimizer:
    """The optimizer, if it is one.

    Raises:
        TypeError: if not.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def rates(optimizer: Optimizer, key: str = "lr") -> list[Any]:
    """The value of a numeric option in each group; of one that is a tensor, a copy."""
    return [unshared(group[key]) for group in optimizer.param_groups]


def unshared(value: Any) -> Any:
    """The value; of a tensor, a copy."""
    return value.detach().clone() if isinstance(value, Tensor) else value


def set_option(group: Group, key: str, value: Any) -> None:
    """Set an option; if it is a tensor, in place."""
    if isinstance(group[key], Tensor):
        group[key].array[...] = value.array if isinstance(value, Tensor) else value
        group[key].bump()
    else:
        group[key] = value


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """A list with one value for each group: the one given for all, or the given ones.

    Raises:
        ValueError: if the number of given values is not that of the groups.
    """
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        value = [value] * groups
    if len(value) != groups:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {groups}."
        )
    return [unshared(each) for each in value]


def warn_epoch() -> None:
    """Warn that ``step(epoch)`` is deprecated."""
    warnings.warn(
        "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. "
        "Please use `scheduler.step()` to step the scheduler.",
        UserWarning,
        stacklevel=4,
    )


@contextmanager
def switched_on(scheduler: LRScheduler, flag: str) -> Iterator[None]:
    """Set a flag of the scheduler for a block."""
    setattr(scheduler, flag, True)
    try:
        yield
    finally:
        setattr(scheduler, flag, False)
