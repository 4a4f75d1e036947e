"""Elementwise operations; operands are broadcast against each other.

https://docs.pytorch.org/docs/stable/torch.html#pointwise-ops
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.kernels.memory import axes
from minigrad.ops.comparison import binary, where
from minigrad.ops.curve import curve, in_float32, unary
from minigrad.ops.dispatch import PYTHON_NUMBERS
from minigrad.ops.record import Draw, Operand, OperandOrNumber, composed, operation
from minigrad.tensor import Tensor
from minigrad.views import blank


def scaled(x: Any, alpha: Any) -> Any:
    """``alpha * x`` in the dtype of `x`."""
    return x * dtypes.number(alpha, x.dtype) if isinstance(x, np.ndarray) else x * alpha


def arithmetic(function: Any, input: Any, other: Any) -> Any:
    """A NumPy function of two operands; for float16 and a Python number it is computed in float32.

    torch multiplies and divides this way; to add, it rounds the number first.
    """
    array = other if type(input) in PYTHON_NUMBERS else input if type(other) in PYTHON_NUMBERS else None
    if array is not None and array.dtype == np.float16:
        pair = [x.astype(np.float32) if x is array else x for x in (input, other)]
        return function(*pair).astype(np.float16)
    return function(input, other)


def times(g: Any, number: Any) -> Any:
    """A gradient times an operand, which may be a number."""
    return g * number if isinstance(g, Tensor) else arithmetic(np.multiply, g, number)


def over(g: Any, number: Any) -> Any:
    """A gradient divided by an operand, which may be a number."""
    return g / number if isinstance(g, Tensor) else arithmetic(np.divide, g, number)


def ones_like(x: Any) -> Any:
    """Ones, as an array or a tensor like `x`."""
    return Tensor.wrap(np.ones_like(x.array)) if isinstance(x, Tensor) else np.ones_like(x)


def _need_divisor(input: Any, other: Any) -> np.dtype[Any]:
    """The dtype of a quotient; raises an error if integers are divided by 0."""
    dtype = np.result_type(input, other)
    if dtype.kind in "iu" and not np.all(other):
        raise RuntimeError("ZeroDivisionError")
    return dtype


# ---- arithmetic ---------------------------------------------------------------------------------------


def _scaled_operands(d: Draw) -> tuple[Any, ...]:
    return *d.operands(2), {"alpha": d.choice([1, 2])}


@binary(lambda g: g, lambda g, alpha: g if alpha == 1 else g * alpha, "__add__", in_place=True, sample=_scaled_operands)
def add(input: OperandOrNumber, other: OperandOrNumber, alpha: complex = 1) -> Any:
    """``input + alpha * other``.

    >>> import minigrad
    >>> minigrad.tensor([[1.0], [2.0]]) + minigrad.tensor([10.0, 20.0])
    tensor([[11., 21.],
            [12., 22.]])
    """
    return np.add(input, other if alpha == 1 else scaled(other, alpha))


@binary(
    lambda g: g,
    lambda g, alpha: g * -alpha,
    "__sub__",
    "subtract",
    booleans=False,
    in_place=True,
    sample=_scaled_operands,
)
def sub(input: OperandOrNumber, other: OperandOrNumber, alpha: complex = 1) -> Any:
    """``input - alpha * other``.

    >>> import minigrad
    >>> 1 - minigrad.tensor([1.0, 3.0])
    tensor([ 0., -2.])
    """
    return np.subtract(input, other if alpha == 1 else scaled(other, alpha))


@binary(lambda g, other: times(g, other), lambda g, input: times(g, input), "__mul__", "multiply", in_place=True)
def mul(input: OperandOrNumber, other: OperandOrNumber) -> Any:
    """``input * other``.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 2.0]) * 3
    tensor([3., 6.])
    """
    return arithmetic(np.multiply, input, other)


@binary(
    lambda g, other, rounding_mode: over(g, other) if rounding_mode is None else blank(g),
    lambda g, input, other, rounding_mode: -g * ((input / other) / other) if rounding_mode is None else blank(g),
    *("__truediv__", "divide", "true_divide"),
    floating=lambda input, other, rounding_mode: rounding_mode is None,
    in_place=True,
    sample=lambda d: d.operands(2, low=0.5),
)
def div(input: OperandOrNumber, other: OperandOrNumber, rounding_mode: str | None = None) -> Any:
    """``input / other``; integers give float32. `rounding_mode`: None, ``"floor"`` or ``"trunc"``.

    >>> import minigrad
    >>> minigrad.tensor([3, 4]) / 2
    tensor([1.5000, 2.0000])
    """
    if rounding_mode not in (None, "floor", "trunc"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    if rounding_mode is None:
        quotient, dtype = arithmetic(np.divide, input, other), np.result_type(input, other)
        return quotient.astype(dtypes.default.numpy) if dtype.kind in "iub" else quotient
    dtype = _need_divisor(input, other)
    if rounding_mode == "floor":
        return np.floor_divide(input, other)
    if dtype.kind == "f":
        return np.trunc(np.divide(input, other))
    down, rest = np.divmod(input, other)
    return down + ((rest != 0) & (np.less(input, 0) != np.less(other, 0)))


def _no_derivative(g: Any) -> Any:
    raise RuntimeError("derivative for aten::floor_divide is not implemented")


@binary(
    _no_derivative,
    _no_derivative,
    "__floordiv__",
    grad_fn="NotImplemented",
    differentiable=False,
    in_place=True,
    sample=lambda d: d.operands(2, kinks=(0.0,)),
)
def floor_divide(input: OperandOrNumber, other: OperandOrNumber) -> Any:
    """``input / other``, rounded down. It has no derivative; ``div(…, rounding_mode="floor")`` has one of zeros."""
    _need_divisor(input, other)
    return np.floor_divide(input, other)


@binary(
    lambda g: g,
    lambda g, input, other: -g * div(input, other, "floor"),
    "__mod__",
    in_place=True,
    sample=lambda d: (d.array(low=0.6, high=0.9), d.choice([1.0, -2.0])),
)
def remainder(input: OperandOrNumber, other: OperandOrNumber) -> Any:
    """The remainder of ``input / other`` rounded down; it has the sign of `other`, as in Python.

    >>> import minigrad
    >>> minigrad.tensor([-3.0, 3.5]) % 2
    tensor([1.0000, 1.5000])
    """
    _need_divisor(input, other)
    left = np.remainder(input, other)
    return left if left.dtype.kind != "f" else np.where(left == 0, np.copysign(left, input), left)


def _power_of_base(g: Any, input: Any, other: Any) -> Any:
    """``d(x**y)/dx = y x**(y-1)``, and 0 for y = 0 and any x."""
    if isinstance(other, (int, float)) or (other.ndim == 0 and not hasattr(other, "array")):
        n = float(other)
        if n == 0:
            return blank(g)
        return g * (n * (input if n == 2 and not isinstance(input, Tensor) else pow(input, n - 1)))
    return where(other == 0, 0.0, g * (other * pow(input, other - 1)))


def _power_of_exponent(g: Any, input: Any, other: Any, out: Any) -> Any:
    """``d(x**y)/dy = x**y ln x``, and 0 where x = 0 and y >= 0."""
    if isinstance(input, (int, float)):
        if input == 0:
            return g * where(other >= 0, 0.0, out * -math.inf)
        return g * (out * (math.log(input) if input > 0 else math.nan))
    zero = (input == 0) & (other >= 0)
    return g * where(zero, 0.0, out * log(where(zero, 1.0, input)))


def _powers(d: Draw) -> tuple[Any, ...]:
    if d.boolean():
        return d.operands(2, low=0.2, high=2.0)
    if d.smooth or d.boolean():
        return d.array(), d.choice([2, 3, 2.0, 0, 1])
    return np.array([0.0, 0.0, 2.0]), np.array([0.0, 2.0, 0.0])


POWERS: dict[float, Any] = {2: np.square, 0.5: np.sqrt, -0.5: lambda x: 1 / np.sqrt(x)}  # as in torch, and faster


@binary(_power_of_base, _power_of_exponent, "__pow__", in_place=True, sample=_powers)
def pow(input: OperandOrNumber, other: OperandOrNumber) -> Any:
    """``input`` raised to the power `other`.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 2.0, 3.0]) ** 2
    tensor([1., 4., 9.])
    """
    if np.result_type(input, other).kind in "iu" and np.any(np.less(other, 0)):
        if not np.ndim(other):
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        unit = np.where(np.absolute(input) == 1, input, 0)  # all others give fractions, which round to 0
        return np.where(other < 0, np.power(unit, np.absolute(other)), np.power(input, np.maximum(other, 0)))
    if isinstance(other, np.ndarray) and other.ndim == 0:
        other = other[()]
    if (
        isinstance(other, (int, float)) and isinstance(input, np.ndarray) and input.dtype.char in "fd"
    ):  # halves are not special
        return POWERS.get(other, lambda x: np.power(x, other))(input)
    return np.power(input, other)


def _rpow(self: Tensor, other: Any) -> Any:
    """``2 ** x``: here a 0-d negative integer does not count as a number, which `pow` would refuse."""
    if not isinstance(self, Tensor):
        return NotImplemented
    return pow(other, self.contiguous()) if self.ndim or self.is_floating_point() else pow(other, self[None])[0]


setattr(Tensor, "__rpow__", _rpow)  # noqa: B010


@composed(
    sample=lambda d: d.operands(2, low=0.2, high=2.0) if d.smooth else (d.array(low=0.5), d.choice([2, 0.5])),
    in_place=True,
)
def float_power(input: OperandOrNumber, exponent: OperandOrNumber) -> Any:
    """`pow` in double precision, for operands of any dtype.

    Raises:
        TypeError: if neither is a tensor.
    """
    if not isinstance(input, (Tensor, np.ndarray)) and not isinstance(exponent, (Tensor, np.ndarray)):
        raise TypeError(f"float_power() expects a Tensor, but got ({type(input).__name__}, {type(exponent).__name__})")
    return pow(*(x.astype(np.float64) if hasattr(x, "astype") else np.float64(x) for x in (input, exponent)))


@operation({"input": lambda g: -g}, methods=["neg", "__neg__", "negative"], in_place=True)
def neg(input: Operand) -> Any:
    """``-input``."""
    if input.dtype == bool:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    return np.negative(input)


@operation(
    {"input": lambda g, input: g * sign(input)},
    methods=["abs", "__abs__", "absolute"],
    in_place=True,
    sample=lambda d: (d.array(kinks=(0.0,)),),
)
def abs(input: Operand) -> Any:
    """The absolute value; its derivative at 0 is 0."""
    return np.absolute(input)


@composed(in_place=True, sample=lambda d: (d.array(kinks=(0.0,)),))
def sign(input: Operand) -> Any:
    """-1, 0 or 1; 0 for nan."""
    return _stepwise(input, _signs)


def _signs(x: Any) -> Any:
    return np.copy(x) if x.dtype == bool else np.subtract(x > 0, x < 0, dtype=x.dtype)


STEPS = [n / 2 for n in range(-8, 9)]  # rounding functions jump at multiples of 1/2


@operation(
    {"input": lambda g: blank(g)},
    grad_fn="RoundBackward0",
    sample=lambda d: (d.array(kinks=STEPS), d.choice([np.floor, np.ceil, np.trunc, np.round])),
)
def _stepwise(input: Any, function: Any) -> Any:
    """`input` rounded by a NumPy function, whose derivative is 0."""
    return function(input)


@composed(in_place=True, sample=lambda d: (d.array(kinks=STEPS),))
def floor(input: Operand) -> Any:
    """The largest integer at or below each element; its derivative is 0."""
    return _stepwise(input, np.floor)


@composed(in_place=True, sample=lambda d: (d.array(kinks=STEPS),))
def ceil(input: Operand) -> Any:
    """The smallest integer at or above each element; its derivative is 0."""
    return _stepwise(input, np.ceil)


@composed(in_place=True, sample=lambda d: (d.array(kinks=STEPS),))
def trunc(input: Operand) -> Any:
    """The integer part; its derivative is 0."""
    return _stepwise(input, np.trunc)


@composed(in_place=True, sample=lambda d: (d.array(kinks=STEPS),))
def round(input: Operand, decimals: int = 0) -> Any:
    """The nearest integer (halves round to even), or rounded to `decimals` places; its derivative is 0."""
    return _stepwise(input, functools.partial(np.round, decimals=decimals))


def _square_distance(x: Any, y: Any) -> Any:
    """``x² + y²``, or inf at the origin, which makes the angle's gradient 0 there."""
    square = x * x + y * y
    return where(square == 0, math.inf, square)


@binary(
    lambda g, input, other: g * other / _square_distance(input, other),
    lambda g, input, other: g * -input / _square_distance(input, other),
    "arctan2",
    floating=True,
    sample=lambda d: d.operands(2, low=0.3),
    in_place=True,
)
def atan2(input: Operand, other: Operand) -> Any:
    """The angle of the point (`other`, `input`), in radians."""
    return np.arctan2(input, other)


@binary(
    lambda g, input, other: g * sigmoid(input - other),
    lambda g, input, other: g * sigmoid(other - input),
    floating=True,
    dtypes="f",
)
def logaddexp(input: Operand, other: Operand) -> Any:
    """``log(exp(input) + exp(other))``, without overflow."""
    return np.logaddexp(input, other)


@composed(in_place=True)
def square(input: Operand) -> Any:
    """``input ** 2``."""
    return pow(input, 2)


@operation(
    {
        "input": lambda g, weight: g * (1 - weight),
        "end": lambda g, weight: g * weight,
        "weight": lambda g, input, end: g * (end - input),
    },
    in_place=True,
    sample=lambda d: (*d.operands(2), 0.5),
    dtypes="f",
)
def lerp(input: Operand, end: Operand, weight: OperandOrNumber) -> Any:
    """``input + weight * (end - input)``, which is `end` for weight 1."""
    if end.dtype != input.dtype:
        raise RuntimeError(f"expected dtype {input.dtype} for `end` but got dtype {end.dtype}")
    return in_float32(_between, input, end, np.asarray(weight, input.dtype))


def _between(input: Any, end: Any, weight: Any) -> Any:
    way = end - input
    return np.where(np.absolute(weight) < 0.5, input + weight * way, end - way * (1 - weight))


@composed(sample=lambda d: d.operands(3), in_place=True)
def addcmul(input: Operand, tensor1: Operand, tensor2: Operand, value: complex = 1) -> Any:
    """``input + value * tensor1 * tensor2``."""
    dtype = dtypes.result_type([x.array if isinstance(x, Tensor) else x for x in (input, tensor1, tensor2)])
    input, tensor1, tensor2 = (x.astype(dtype) for x in (input, tensor1, tensor2))
    return input + (tensor1 * tensor2 if value == 1 else value * tensor1 * tensor2)


# ---- functions of one number -----------------------------------------------------------------------------


@unary(np.exp, lambda g, out: g * out)
def exp(input: Operand) -> Any:
    """``e`` to the power of each element.

    >>> import minigrad
    >>> minigrad.exp(minigrad.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """


@unary(np.expm1, lambda g, out: g * (out + 1))
def expm1(input: Operand) -> Any:
    """``exp(input) - 1``, exact near 0."""


@curve(np.log, lambda g, input: g / input, low=0.3)
def log(input: Operand) -> Any:
    """The natural logarithm; -inf at 0, nan below.

    >>> import minigrad
    >>> minigrad.log(minigrad.tensor([1.0, 0.0]))
    tensor([0., -inf])
    """


@curve(np.log1p, lambda g, input: g / (input + 1), low=-0.6)
def log1p(input: Operand) -> Any:
    """``log(1 + input)``, exact near 0."""


@curve(np.log2, lambda g, input: g / (input * math.log(2)), low=0.3)
def log2(input: Operand) -> Any:
    """The logarithm to base 2."""


@curve(np.log10, lambda g, input: g / (input * math.log(10)), low=0.3)
def log10(input: Operand) -> Any:
    """The logarithm to base 10."""


@unary(np.sqrt, lambda g, out: g / (2 * out), low=0.3)
def sqrt(input: Operand) -> Any:
    """The square root; its derivative at 0 is inf, as in torch.

    >>> import minigrad
    >>> minigrad.tensor([4.0, 9.0]).sqrt()
    tensor([2., 3.])
    """


@unary(lambda x: 1 / np.sqrt(x), lambda g, out: -0.5 * g * pow(out, 3), low=0.3)
def rsqrt(input: Operand) -> Any:
    """``1 / sqrt(input)``."""


def _erf(x: Any) -> Any:
    """Elementwise `math.erf`."""
    rows = x.transpose(order := axes(x))
    out = np.array(list(map(math.erf, rows.ravel().tolist())), x.dtype)
    return out.reshape(rows.shape).transpose(np.argsort(order))


@curve(_erf, lambda g, input: g * (2 / math.sqrt(math.pi)) * exp(-(input * input)))
def erf(input: Operand) -> Any:
    """The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to `input`."""


@unary(np.tanh, lambda g, out: in_float32(lambda g, y: g * (1 - y * y), g, out), functional=())
def tanh(input: Operand) -> Any:
    """The hyperbolic tangent; its derivative is ``1 - tanh(x)**2``.

    >>> import minigrad
    >>> minigrad.tanh(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """


@unary(
    lambda x: in_float32(lambda x: 1 / (1 + np.exp(-x)), x),
    lambda g, out: in_float32(lambda g, y: g * (y * (1 - y)), g, out),
    functional=(),
)
def sigmoid(input: Operand) -> Any:
    """``1 / (1 + exp(-input))``, without overflow; its derivative is ``s (1 - s)``.

    >>> import minigrad
    >>> minigrad.sigmoid(minigrad.tensor([0.0, -1000.0]))
    tensor([0.5000, 0.0000])
    """


@unary(np.reciprocal, lambda g, out: -g * (out * out), low=0.3)
def reciprocal(input: Operand) -> Any:
    """``1 / input``."""


def _divided(self: Tensor, number: Any) -> Any:
    """``number / self``; the gradient needs the result instead of `self`, which may then be modified in place."""
    return div(number, self) if isinstance(number, np.ndarray) else self.reciprocal() * number


setattr(Tensor, "__rtruediv__", _divided)  # noqa: B010
setattr(Tensor, "__rdiv__", _divided)  # noqa: B010
