"""Sines, cosines and their like; the angle of a point, `atan2`, is in `minigrad.ops.elementwise`.

https://docs.pytorch.org/docs/stable/torch.html#pointwise-ops
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.ops.elementwise import atan2, quiet, sqrt, unary
from minigrad.ops.record import Operand, composed, operation


@unary(np.sin, lambda g, input: g * cos(input))
def sin(input: Operand) -> Any:
    """The sine (radians)."""


@unary(np.cos, lambda g, input: -g * sin(input))
def cos(input: Operand) -> Any:
    """The cosine (radians)."""


@composed(sample=lambda d: (d.array(low=-1.2, high=1.2),))
def tan(input: Operand) -> Any:
    """The tangent (radians)."""
    return sin(input) / cos(input)


@composed(methods=["asin", "arcsin"], sample=lambda d: (d.array(low=-0.8, high=0.8),))
def asin(input: Operand) -> Any:
    """The angle (radians) whose sine is `input`."""
    return atan2(input, sqrt(1 - input * input))


@composed(methods=["acos", "arccos"], sample=lambda d: (d.array(low=-0.8, high=0.8),))
def acos(input: Operand) -> Any:
    """The angle (radians) whose cosine is `input`."""
    return math.pi / 2 - asin(input)


@composed(methods=["atan", "arctan"])
def atan(input: Operand) -> Any:
    """The angle (radians) whose tangent is `input`."""
    return atan2(input, np.float32(1))


@operation(
    {"input": lambda g, input, odd: g * _hyperbolic(input, not odd)},
    floating=True,
    promotes=("input",),
    sample=lambda d: (d.array(), d.boolean()),
)
def _hyperbolic(input: Any, odd: bool) -> Any:
    """The hyperbolic sine (`odd`) or cosine."""
    with quiet():
        return np.sinh(input) if odd else np.cosh(input)


@composed()
def sinh(input: Operand) -> Any:
    """The hyperbolic sine."""
    return _hyperbolic(input, True)


@composed()
def cosh(input: Operand) -> Any:
    """The hyperbolic cosine."""
    return _hyperbolic(input, False)
