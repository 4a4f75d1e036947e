"""Building blocks of the optimizers' rules: functions of arrays that write in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minigrad.engine import Array
from minigrad.tensor import Tensor

Group: TypeAlias = dict[str, Any]
#: ``average(mean, value, scratch)`` moves a running mean, in place.
Average: TypeAlias = Callable[[Array, Array, Array], None]
ONE = np.ones((), np.float32)


class Scratch(NamedTuple):
    """Arrays to compute in, laid out like one parameter's. All parameters of a dtype share the memory behind them."""

    like: Array  #: the parameter's array
    gradient: Array  #: holds the gradient, if it is not the parameter's own
    a: Array
    b: Array


#: Updates one parameter: ``rule(parameter, its array, gradient, scratch)``. The gradient may not be written to,
#: unless it is ``scratch.gradient``; when it is no longer needed, that array is free as well.
Rule: TypeAlias = Callable[[Tensor, Array, Array, Scratch], None]


def scalars(dtype: np.dtype[Any], *values: float) -> list[Array]:
    """Numbers as 0-d arrays of `dtype`, with which ufuncs are faster than with Python floats."""
    return [np.array(value, dtype) for value in values]


def add_scaled(x: Array, y: Array, a: Array | float, out: Array, scratch: Array) -> Array:
    """``out = x + a·y``, all of one shape and dtype. `out` may be `x`, `scratch` may be `y` (and is then lost)."""
    np.multiply(y, a, scratch)
    return np.add(x, scratch, out)


def with_decay(rule: Rule, group: Group, dtype: np.dtype[Any]) -> Rule:
    """The rule with ``±g + weight_decay·θ`` in place of the gradient g: the options `maximize` and `weight_decay`."""
    maximize = group.get("maximize")
    decay = 0.0 if group.get("decoupled_weight_decay") else float(group.get("weight_decay", 0))
    share = np.array(decay, dtype)

    def decayed(p: Tensor, w: Array, g: Array, scratch: Scratch) -> None:
        if maximize:
            g = np.negative(g, out=scratch.gradient)
        if decay:
            g = add_scaled(g, w, share, scratch.gradient, scratch.a)
        rule(p, w, g, scratch)

    return decayed


def counter() -> Tensor:
    """A step count, stored as in torch: a 0-d float32 tensor."""
    return Tensor.wrap(np.zeros((), np.float32))


def count(state: dict[str, Any]) -> float:
    """Count a step, and return the number of steps so far."""
    step: Array = state["step"].array
    np.add(step, ONE, step)
    return float(step)


def running_average(memory: float, dtype: np.dtype[Any]) -> Average:
    """``average(m, g, scratch)``, which makes m ``memory·m + (1 − memory)·g`` in place; torch.lerp."""
    weight, rest = scalars(dtype, 1 - memory, -memory)
    forward = 1 - memory < 0.5  # each form is exact at its own end

    def average(m: Array, g: Array, t: Array) -> None:
        np.subtract(g, m, t)
        np.multiply(t, weight if forward else rest, t)
        np.add(m if forward else g, t, m)

    return average


def running_average_of_squares(memory: float, dtype: np.dtype[Any]) -> Average:
    """``average(v, g, scratch)``, which makes v ``memory·v + (1 − memory)·g²`` in place."""
    keep, weight = scalars(dtype, memory, 1 - memory)

    def average(v: Array, g: Array, t: Array) -> None:
        np.multiply(v, keep, v)
        np.multiply(g, weight, t)
        np.multiply(t, g, t)
        np.add(v, t, v)

    return average
