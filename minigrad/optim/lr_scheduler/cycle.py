"""Schedules that raise and lower the learning rate, and move the momentum in the opposite direction."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any

from minigrad.optim.lr_scheduler.base import LRScheduler, checked, per_group, set_option
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.rules import Group

__all__ = ["CyclicLR", "OneCycleLR"]


class Cycling(LRScheduler):
    """A schedule that also moves the momentum: ``"momentum"``, or the first of ``"betas"``."""

    cycle_momentum: bool
    use_beta1: bool

    def _begin_momentum(self, base: Any, top: Any, begin: bool) -> tuple[list[Any], list[Any]]:
        optimizer = self.optimizer
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        self.use_beta1 = "betas" in optimizer.defaults
        bounds = per_group("base_momentum", optimizer, base), per_group("max_momentum", optimizer, top)
        if begin:
            pairs = zip(*bounds, strict=True)
            for group, (low, high) in zip(optimizer.param_groups, pairs, strict=True):
                self._set_momentum(group, high)
                group["max_momentum"], group["base_momentum"] = high, low
        return bounds

    def _set_momentum(self, group: Group, value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


def phase(end_step: float, start_lr: str, end_lr: str, start_momentum: str, end_momentum: str) -> dict[str, Any]:
    """One part of `OneCycleLR`: ends at that step; values go between the group's options of these names."""
    return dict(locals())


class OneCycleLR(Cycling):
    """One cycle over the whole training, stepped after every batch: up to `max_lr`, then down to almost nothing.

    Source: torch.optim.lr_scheduler.OneCycleLR; Smith and Topin, arXiv:1708.07120.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        max_lr: the highest rate, or one for each group.
        total_steps: the number of all batches; or give `epochs` and `steps_per_epoch`.
        pct_start: the fraction of steps in which the rate rises.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        cycle_momentum: move the momentum between `max_momentum` and `base_momentum`, lowest at the highest rate.
        div_factor: the first rate is `max_lr` over this.
        final_div_factor: the last rate is the first over this.
        three_phase: fall back to the first rate as fast as it rose, before going on to the last one.

    Raises:
        ValueError: for an argument out of its range, and for more steps than `total_steps`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = checked(optimizer)
        if total_steps is not None:
            self.total_steps = positive("total_steps", total_steps)
        elif epochs is not None and steps_per_epoch is not None:
            self.total_steps = positive("epochs", epochs) * positive("steps_per_epoch", steps_per_epoch)
        else:
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_func_type = anneal_strategy
        last = self.total_steps - 1
        up = phase(pct_start * self.total_steps - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        if three_phase:
            down = phase(2 * pct_start * self.total_steps - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
            self._schedule_phases = [up, down, phase(last, "initial_lr", "min_lr", "max_momentum", "max_momentum")]
        else:
            self._schedule_phases = [up, phase(last, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        max_lrs = per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, top in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = top / div_factor
                group["max_lr"] = top
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._begin_momentum(base_momentum, max_momentum, begin=last_epoch == -1)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """See `LRScheduler`. Sets the momentum, too."""
        self._check_within_step()
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"Tried to step {step} times. The specified number of total steps is {self.total_steps}")
        begin: float = 0.0
        for now in self._schedule_phases:
            if step <= now["end_step"] or now is self._schedule_phases[-1]:
                break
            begin = now["end_step"]
        part = (step - begin) / (now["end_step"] - begin)
        for group in self.optimizer.param_groups:
            if self.cycle_momentum:
                self._set_momentum(group, self._anneal(group[now["start_momentum"]], group[now["end_momentum"]], part))
        return [self._anneal(g[now["start_lr"]], g[now["end_lr"]], part) for g in self.optimizer.param_groups]

    def _anneal(self, start: float, end: float, part: float) -> float:
        if self._anneal_func_type == "linear":
            return (end - start) * part + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)


class CyclicLR(Cycling):
    """The rate goes up and down between two bounds, stepped after every batch.

    Source: torch.optim.lr_scheduler.CyclicLR; Smith, arXiv:1506.01186.

    Args:
        optimizer, last_epoch: see `LRScheduler`.
        base_lr, max_lr: the bounds, or lists with one for each group.
        step_size_up, step_size_down: steps up and down; equally many by default.
        mode: ``"triangular"``, ``"triangular2"`` (the height halves every cycle) or ``"exp_range"`` (the height is
            multiplied by `gamma` every step).
        gamma: see ``"exp_range"``.
        scale_fn: the height as a function of the cycle or of the step, in place of a mode.
        scale_mode: what `scale_fn` is a function of, ``"cycle"`` or ``"iterations"``.
        cycle_momentum: move the momentum between `max_momentum` and `base_momentum`, opposite to the rate.

    Raises:
        ValueError: for an unknown mode without `scale_fn`, or an optimizer without momentum to cycle.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = checked(optimizer)
        base_lrs = per_group("base_lr", optimizer, base_lr)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                set_option(group, "lr", lr)
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = float(step_size_up) + float(down)
        self.step_ratio = float(step_size_up) / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode, self.gamma = mode, gamma
        self._scale_fn_custom: Any = scale_fn
        self.scale_mode = scale_mode if scale_fn else "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._begin_momentum(
                base_momentum, max_momentum, begin=last_epoch == -1
            )
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of a cycle: of cycle `x` (from 1), or of step `x`, as `scale_mode` says."""
        if self._scale_fn_custom is not None:
            return float(self._scale_fn_custom(x))
        if self.mode == "triangular2":
            return float(1 / 2.0 ** (x - 1))
        return float(self.gamma**x) if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[float]:
        """See `LRScheduler`. Sets the momentum, too."""
        self._check_within_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            pairs = zip(self.base_momentums, self.max_momentums, strict=True)
            for group, (low, high) in zip(self.optimizer.param_groups, pairs, strict=True):
                self._set_momentum(group, high - (high - low) * height * scale)
        pairs = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height * scale for low, high in pairs]

    def state_dict(self) -> dict[str, Any]:
        """See `LRScheduler`. The attributes of a `scale_fn` that is an object are saved."""
        f = self._scale_fn_custom
        saved = None if f is None or isinstance(f, types.FunctionType) else dict(f.__dict__)
        return {**super().state_dict(), "_scale_fn_custom": saved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """See `LRScheduler`. A `scale_fn` that is a function is kept."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_scale_fn_custom"})
        if state_dict["_scale_fn_custom"] is not None:
            self._scale_fn_custom.__dict__.update(state_dict["_scale_fn_custom"])


def positive(name: str, value: Any) -> int:
    """The value, if it is a positive integer.

    Raises:
        ValueError: if not.
    """
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"Expected positive integer {name}, but got {value}")
    return value
