"""Trigonometric and hyperbolic functions (`atan2` is in `minigrad.ops.elementwise`).

https://docs.pytorch.org/docs/stable/torch.html#pointwise-ops
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.ops.curve import curve, unary
from minigrad.ops.elementwise import rsqrt
from minigrad.ops.record import Operand


@curve(np.sin, lambda g, input: g * cos(input))
def sin(input: Operand) -> Any:
    """The sine (radians)."""


@curve(np.cos, lambda g, input: -g * sin(input))
def cos(input: Operand) -> Any:
    """The cosine (radians)."""


@unary(np.tan, lambda g, out: g * (1 + out * out), low=-1.2, high=1.2)
def tan(input: Operand) -> Any:
    """The tangent (radians)."""


@curve(np.arcsin, lambda g, input: g * rsqrt(1 - input * input), "arcsin", low=-0.8, high=0.8)
def asin(input: Operand) -> Any:
    """The angle (radians) whose sine is `input`."""


@curve(np.arccos, lambda g, input: g * -rsqrt(1 - input * input), "arccos", low=-0.8, high=0.8)
def acos(input: Operand) -> Any:
    """The angle (radians) whose cosine is `input`."""


@curve(np.arctan, lambda g, input: g / (input * input + 1), "arctan")
def atan(input: Operand) -> Any:
    """The angle (radians) whose tangent is `input`."""


@curve(np.sinh, lambda g, input: g * cosh(input))
def sinh(input: Operand) -> Any:
    """The hyperbolic sine."""


@curve(np.cosh, lambda g, input: g * sinh(input))
def cosh(input: Operand) -> Any:
    """The hyperbolic cosine."""
