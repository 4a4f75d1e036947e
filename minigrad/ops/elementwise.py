"""Operations that treat each element on its own; operands are broadcast against each other.

Values at ties and edges are torch's: ``relu'(0) = 0``, ``maximum`` halves a tie, ``clamp'`` is 1 at its bounds.
https://docs.pytorch.org/docs/stable/torch.html#pointwise-ops
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import dtypes
from minigrad.dtypes import as_numpy
from minigrad.ops.record import composed, operation, public
from minigrad.tensor import Tensor
from minigrad.watch import call


def quiet() -> np.errstate:
    """Let inf and nan pass without a warning: here they are values like others, as in torch."""
    return np.errstate(divide="ignore", invalid="ignore", over="ignore")


def scaled(x: Any, alpha: Any) -> Any:
    """``alpha * x`` in the dtype of `x`."""
    return x * x.dtype.type(alpha) if isinstance(x, np.ndarray) else x * alpha


# ---- arithmetic ---------------------------------------------------------------------------------------


@operation(
    {"input": lambda g: g, "other": lambda g, alpha: g if alpha == 1 else g * alpha},
    methods=["add", "__add__"],
    promotes=True,
    in_place=True,
    sample=lambda d: (*d.operands(2), {"alpha": d.choice([1, 2])}),
)
def add(input: Any, other: Any, alpha: Any = 1) -> Any:
    """``input + alpha * other``.

    >>> import minigrad
    >>> minigrad.tensor([[1.0], [2.0]]) + minigrad.tensor([10.0, 20.0])
    tensor([[11., 21.],
            [12., 22.]])
    """
    return np.add(input, other if alpha == 1 else scaled(other, alpha))


@operation(
    {"input": lambda g: g, "other": lambda g, alpha: g * -alpha},
    methods=["sub", "__sub__", "subtract"],
    promotes=True,
    in_place=True,
    sample=lambda d: (*d.operands(2), {"alpha": d.choice([1, 2])}),
)
def sub(input: Any, other: Any, alpha: Any = 1) -> Any:
    """``input - alpha * other``.

    >>> import minigrad
    >>> 1 - minigrad.tensor([1.0, 3.0])
    tensor([ 0., -2.])
    """
    if bool in (getattr(input, "dtype", None), getattr(other, "dtype", None)):
        raise RuntimeError("Subtraction, the `-` operator, with a bool tensor is not supported; use `^` instead.")
    return np.subtract(input, other if alpha == 1 else scaled(other, alpha))


@operation(
    {"input": lambda g, other: g * other, "other": lambda g, input: g * input},
    methods=["mul", "__mul__", "multiply"],
    promotes=True,
    in_place=True,
    sample=lambda d: d.operands(2),
)
def mul(input: Any, other: Any) -> Any:
    """``input * other``.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 2.0]) * 3
    tensor([3., 6.])
    """
    return np.multiply(input, other)


@operation(
    {
        "input": lambda g, other, rounding_mode: g / other if rounding_mode is None else g * 0,
        "other": lambda g, input, other, rounding_mode: (
            -g * ((input / other) / other) if rounding_mode is None else g * 0
        ),
    },
    methods=["div", "__truediv__", "divide", "true_divide"],
    promotes=True,
    in_place=True,
    sample=lambda d: d.operands(2, low=0.5),
)
def div(input: Any, other: Any, rounding_mode: str | None = None) -> Any:
    """``input / other``; integers give float32. `rounding_mode`: None, ``"floor"`` or ``"trunc"``.

    >>> import minigrad
    >>> minigrad.tensor([3, 4]) / 2
    tensor([1.5000, 2.0000])
    """
    if rounding_mode not in (None, "floor", "trunc"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    with quiet():
        if rounding_mode == "floor":
            return np.floor_divide(input, other)
        quotient = np.divide(input, other)
    whole = np.result_type(input, other).kind in "iub"
    if rounding_mode == "trunc":
        return np.trunc(quotient).astype(np.result_type(input, other))
    return quotient.astype(dtypes.default.numpy) if whole else quotient


@composed(methods=["floor_divide", "__floordiv__"], differentiable=False, sample=lambda d: d.operands(2, kinks=(0.0,)))
def floor_divide(input: Any, other: Any) -> Any:
    """``input / other``, rounded down."""
    return div(input, other, "floor")


@operation(
    {"input": lambda g: g, "other": lambda g, input, other: -g * div(input, other, "floor")},
    methods=["remainder", "__mod__"],
    promotes=True,
    in_place=True,
    sample=lambda d: (d.array(low=0.6, high=0.9), d.choice([1.0, -2.0])),
)
def remainder(input: Any, other: Any) -> Any:
    """What is left of ``input / other`` rounded down; it has the sign of `other`, as in Python.

    >>> import minigrad
    >>> minigrad.tensor([-3.0, 3.5]) % 2
    tensor([1.0000, 1.5000])
    """
    with quiet():
        return np.remainder(input, other)


def _power_of_base(g: Any, input: Any, other: Any) -> Any:
    """``d(x**y)/dx = y x**(y-1)``, and 0 for y = 0 whatever x is."""
    if isinstance(other, (int, float)) or (other.ndim == 0 and not hasattr(other, "array")):
        n = float(other)
        if n == 0:
            return g * 0
        return g * (n * (input if n == 2 else pow(input, n - 1)))
    return where(other == 0, 0.0, g * (other * pow(input, other - 1)))


def _power_of_exponent(g: Any, input: Any, other: Any, out: Any) -> Any:
    """``d(x**y)/dy = x**y ln x``, and 0 where x = 0 and y >= 0."""
    zero = (input == 0) & (other >= 0)
    return where(zero, 0.0, g * (out * log(where(zero, 1.0, input))))


@operation(
    {"input": _power_of_base, "other": _power_of_exponent},
    methods=["pow", "__pow__"],
    promotes=True,
    in_place=True,
    sample=lambda d: (
        d.operands(2, low=0.2, high=2.0)
        if d.boolean()
        else (d.array(), d.choice([2, 3, 2.0, 0, 1]))
        if d.smooth or d.boolean()
        else (np.array([0.0, 0.0, 2.0]), np.array([0.0, 2.0, 0.0]))
    ),
)
def pow(input: Any, other: Any) -> Any:
    """``input`` raised to the power `other`.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 2.0, 3.0]) ** 2
    tensor([1., 4., 9.])
    """
    if np.result_type(input, other).kind in "iu" and np.any(np.less(other, 0)):
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    with quiet():
        if isinstance(other, np.ndarray) and other.ndim == 0:
            other = other[()]
        if isinstance(other, (int, float)) and other == 2 and input.dtype.kind == "f":
            return np.square(input)  # three times as fast
        return np.power(input, other)


@composed(
    sample=lambda d: (
        d.operands(2, low=0.2, high=2.0) if d.smooth or d.boolean() else (d.array(low=0.5), d.choice([2, 0.5]))
    )
)
def float_power(input: Any, exponent: Any) -> Any:
    """`pow` in double precision, whatever the operands are.

    Raises:
        TypeError: if neither is a tensor.
    """
    if not isinstance(input, (Tensor, np.ndarray)) and not isinstance(exponent, (Tensor, np.ndarray)):
        raise TypeError(f"float_power() expects a Tensor, but got ({type(input).__name__}, {type(exponent).__name__})")
    return pow(*(x.astype(np.float64) if hasattr(x, "astype") else np.float64(x) for x in (input, exponent)))


@operation(
    {"input": lambda g: -g}, methods=["neg", "__neg__", "negative"], in_place=True, sample=lambda d: (d.array(),)
)
def neg(input: Any) -> Any:
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
def abs(input: Any) -> Any:
    """The absolute value; its derivative at 0 is 0."""
    return np.absolute(input)


@operation({"input": lambda g: g * 0}, in_place=True, sample=lambda d: (d.array(kinks=(0.0,)),))
def sign(input: Any) -> Any:
    """-1, 0 or 1."""
    return input if input.dtype == bool else np.sign(input)


STEPS = [n / 2 for n in range(-8, 9)]  # where whole numbers and halves are, rounding jumps


@operation(
    {"input": lambda g: g * 0},
    methods=[],
    torch="",
    grad_fn="RoundBackward0",
    sample=lambda d: (d.array(kinks=STEPS), d.choice([np.floor, np.ceil, np.trunc, np.round])),
)
def _stepwise(input: Any, function: Any) -> Any:
    """`input` rounded by a NumPy function; it is constant between its steps, so the derivative is 0."""
    return function(input)


@composed(in_place=True, sample=lambda d: (d.array(kinks=STEPS),))
def floor(input: Any) -> Any:
    """The next whole number below; its derivative is 0."""
    return _stepwise(input, np.floor)


@composed(in_place=True, sample=lambda d: (d.array(kinks=STEPS),))
def ceil(input: Any) -> Any:
    """The next whole number above; its derivative is 0."""
    return _stepwise(input, np.ceil)


@composed(in_place=True, sample=lambda d: (d.array(kinks=STEPS),))
def trunc(input: Any) -> Any:
    """The whole part; its derivative is 0."""
    return _stepwise(input, np.trunc)


@composed(in_place=True, sample=lambda d: (d.array(kinks=STEPS),))
def round(input: Any, decimals: int = 0) -> Any:
    """The nearest whole number (a half goes to the even one), or to `decimals` places; its derivative is 0."""
    return _stepwise(input, functools.partial(np.round, decimals=decimals))


@operation(
    {
        "input": lambda g, input, other: _share(g, input, other),
        "other": lambda g, input, other: _share(g, other, input),
    },
    promotes=True,
    tensors=("input", "other"),
    sample=lambda d: d.operands(2, distinct=True),
)
def maximum(input: Any, other: Any) -> Any:
    """The larger of two; a tie halves the gradient.

    >>> import minigrad
    >>> minigrad.maximum(minigrad.tensor([1.0, 5.0]), minigrad.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """
    return np.maximum(input, other)


def _share(g: Any, winner: Any, loser: Any) -> Any:
    return where(winner > loser, g, where(winner == loser, g * 0.5, 0.0))


@operation(
    {
        "input": lambda g, input, other: _share(g, other, input),
        "other": lambda g, input, other: _share(g, input, other),
    },
    promotes=True,
    tensors=("input", "other"),
    sample=lambda d: d.operands(2, distinct=True),
)
def minimum(input: Any, other: Any) -> Any:
    """The smaller of two; a tie halves the gradient."""
    return np.minimum(input, other)


@operation(
    {
        "input": lambda g, input, other: g * other / (input * input + other * other),
        "other": lambda g, input, other: g * -input / (input * input + other * other),
    },
    promotes=True,
    floating=True,
    tensors=("input", "other"),
    methods=["atan2", "arctan2"],
    sample=lambda d: d.operands(2, low=0.3),
)
def atan2(input: Any, other: Any) -> Any:
    """The angle of the point (`other`, `input`), in radians."""
    return np.arctan2(input, other)


@composed(methods=["square"], sample=lambda d: (d.array(),))
def square(input: Any) -> Any:
    """``input ** 2``."""
    return pow(input, 2)


@composed(methods=["reciprocal"], sample=lambda d: (d.array(low=0.3),))
def reciprocal(input: Any) -> Any:
    """``1 / input``."""
    return 1.0 / input


@composed(sample=lambda d: (*d.operands(2), 0.5), torch="lerp")
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """``input + weight * (end - input)``."""
    return input + weight * (end - input)


@composed(sample=lambda d: d.operands(3))
def addcmul(input: Any, tensor1: Any, tensor2: Any, value: Any = 1) -> Any:
    """``input + value * tensor1 * tensor2``."""
    return input + (tensor1 * tensor2 if value == 1 else value * tensor1 * tensor2)


# ---- exponentials and roots -----------------------------------------------------------------------------


@operation(
    {"input": lambda g, out: g * out}, floating=True, promotes=True, in_place=True, sample=lambda d: (d.array(),)
)
def exp(input: Any) -> Any:
    """``e`` to the power of each element.

    >>> import minigrad
    >>> minigrad.exp(minigrad.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    with quiet():
        return np.exp(input)


@operation(
    {"input": lambda g, out: g * (out + 1)}, floating=True, promotes=True, in_place=True, sample=lambda d: (d.array(),)
)
def expm1(input: Any) -> Any:
    """``exp(input) - 1``, exact near 0."""
    with quiet():
        return np.expm1(input)


@operation(
    {"input": lambda g, input: g / input},
    floating=True,
    promotes=True,
    in_place=True,
    sample=lambda d: (d.array(low=0.3),),
)
def log(input: Any) -> Any:
    """The natural logarithm; -inf at 0, nan below.

    >>> import minigrad
    >>> minigrad.log(minigrad.tensor([1.0, 0.0]))
    tensor([0., -inf])
    """
    with quiet():
        return np.log(input)


@operation(
    {"input": lambda g, input: g / (input + 1)},
    floating=True,
    promotes=True,
    in_place=True,
    sample=lambda d: (d.array(low=-0.6),),
)
def log1p(input: Any) -> Any:
    """``log(1 + input)``, exact near 0."""
    with quiet():
        return np.log1p(input)


@composed(methods=["log2"], sample=lambda d: (d.array(low=0.3),))
def log2(input: Any) -> Any:
    """The logarithm to base 2."""
    return log(input) * (1 / math.log(2))


@composed(methods=["log10"], sample=lambda d: (d.array(low=0.3),))
def log10(input: Any) -> Any:
    """The logarithm to base 10."""
    return log(input) * (1 / math.log(10))


@operation(
    {"input": lambda g, out: g / (2 * out)},
    floating=True,
    promotes=True,
    in_place=True,
    sample=lambda d: (d.array(low=0.3),),
)
def sqrt(input: Any) -> Any:
    """The square root; its derivative at 0 is inf, as in torch.

    >>> import minigrad
    >>> minigrad.tensor([4.0, 9.0]).sqrt()
    tensor([2., 3.])
    """
    with quiet():
        return np.sqrt(input)


@composed(methods=["rsqrt"], sample=lambda d: (d.array(low=0.3),))
def rsqrt(input: Any) -> Any:
    """``1 / sqrt(input)``."""
    return 1.0 / sqrt(input)


@operation(
    {
        "input": lambda g, input, other: g * sigmoid(input - other),
        "other": lambda g, input, other: g * sigmoid(other - input),
    },
    promotes=True,
    floating=True,
    tensors=("input", "other"),
    sample=lambda d: d.operands(2),
)
def logaddexp(input: Any, other: Any) -> Any:
    """``log(exp(input) + exp(other))``, without overflow."""
    return np.logaddexp(input, other)


@operation(
    {"input": lambda g, input: g * (2 / math.sqrt(math.pi)) * exp(-(input * input))},
    floating=True,
    promotes=True,
    in_place=True,
    sample=lambda d: (d.array(),),
)
def erf(input: Any) -> Any:
    """The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to `input`."""
    return _erf(np.asarray(input))


def _erf(x: Any) -> Any:
    """Elementwise `math.erf`: NumPy has none."""
    flat = np.fromiter(map(math.erf, x.ravel().tolist()), dtype=np.float64, count=x.size)
    return flat.reshape(x.shape).astype(x.dtype, copy=False)


# ---- trigonometry ----------------------------------------------------------------------------------------


@operation(
    {"input": lambda g, input: g * cos(input)},
    floating=True,
    promotes=True,
    in_place=True,
    sample=lambda d: (d.array(),),
)
def sin(input: Any) -> Any:
    """The sine (radians)."""
    return np.sin(input)


@operation(
    {"input": lambda g, input: -g * sin(input)},
    floating=True,
    promotes=True,
    in_place=True,
    sample=lambda d: (d.array(),),
)
def cos(input: Any) -> Any:
    """The cosine (radians)."""
    return np.cos(input)


@composed(methods=["tan"], sample=lambda d: (d.array(low=-1.2, high=1.2),))
def tan(input: Any) -> Any:
    """The tangent (radians)."""
    return sin(input) / cos(input)


@operation(
    {"input": lambda g, input: g / sqrt(1 - input * input)},
    floating=True,
    promotes=True,
    methods=["asin", "arcsin"],
    sample=lambda d: (d.array(low=-0.8, high=0.8),),
)
def asin(input: Any) -> Any:
    """The angle (radians) whose sine is `input`."""
    with quiet():
        return np.arcsin(input)


@composed(methods=["acos", "arccos"], sample=lambda d: (d.array(low=-0.8, high=0.8),))
def acos(input: Any) -> Any:
    """The angle (radians) whose cosine is `input`."""
    return math.pi / 2 - asin(input)


@composed(methods=["atan", "arctan"], sample=lambda d: (d.array(),))
def atan(input: Any) -> Any:
    """The angle (radians) whose tangent is `input`."""
    return atan2(input, np.float32(1))


@composed(sample=lambda d: (d.array(),))
def sinh(input: Any) -> Any:
    """The hyperbolic sine."""
    return (expm1(input) - expm1(input * -1.0)) / 2  # exact near 0 too


@composed(sample=lambda d: (d.array(),))
def cosh(input: Any) -> Any:
    """The hyperbolic cosine."""
    return (exp(input) + exp(input * -1.0)) / 2


# ---- activations -----------------------------------------------------------------------------------------


@operation(
    {"input": lambda g, out: g * (1 - out * out)},
    floating=True,
    promotes=True,
    in_place=True,
    sample=lambda d: (d.array(),),
)
def tanh(input: Any) -> Any:
    """The hyperbolic tangent; its derivative is ``1 - tanh(x)**2``.

    >>> import minigrad
    >>> minigrad.tanh(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return np.tanh(input)


@operation(
    {"input": lambda g, out: g * (out * (1 - out))},
    floating=True,
    promotes=True,
    in_place=True,
    sample=lambda d: (d.array(),),
)
def sigmoid(input: Any) -> Any:
    """``1 / (1 + exp(-input))``, without overflow; its derivative is ``s (1 - s)``.

    >>> import minigrad
    >>> minigrad.sigmoid(minigrad.tensor([0.0, -1000.0]))
    tensor([0.5000, 0.0000])
    """
    with quiet():
        return 1 / (1 + np.exp(-input))


@operation({"input": lambda g, out: g * (out > 0)}, in_place=True, sample=lambda d: (d.array(kinks=(0.0,)),))
def relu(input: Any) -> Any:
    """``max(input, 0)``; its derivative is 1 where the result is positive and 0 elsewhere, at 0 too.

    >>> import minigrad
    >>> minigrad.relu(minigrad.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return np.maximum(input, np.zeros_like(input))  # the scalar 0 misses NumPy's SIMD loop


@operation(
    {"input": lambda g, input, negative_slope: where(input > 0, g, g * negative_slope)},
    methods=[],
    torch="nn.functional.leaky_relu",
    sample=lambda d: (d.array(kinks=(0.0,)), d.choice([0.01, 0.3])),
)
def leaky_relu(input: Any, negative_slope: float = 0.01) -> Any:
    """`input` where positive, else ``negative_slope * input``.

    >>> import minigrad
    >>> minigrad.nn.functional.leaky_relu(minigrad.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return np.where(input > 0, input, input * input.dtype.type(negative_slope))


@operation(
    {"input": lambda g, input, beta, threshold: where(input * beta > threshold, g, g * sigmoid(input * beta))},
    methods=[],
    torch="nn.functional.softplus",
    sample=lambda d: (d.array(), d.choice([1.0, 2.0]), 20.0),
)
def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """``log(1 + exp(beta * input)) / beta``; the identity where ``beta * input > threshold``."""
    scaled = input * beta
    return np.where(scaled > threshold, input, np.logaddexp(scaled, scaled * 0) / beta)


@operation(
    {
        "input": lambda g, input, min, max: where(_inside(input, min, max), g, 0.0),
        "min": lambda g, input, min, max: where(_binds_below(input, min, max), g, 0.0),
        "max": lambda g, input, min, max: where(_binds_above(input, min, max), g, 0.0),
    },
    methods=["clamp", "clip"],
    in_place=True,
    sample=lambda d: (d.array(kinks=(-1.0, 1.0)), d.choice([-1.0, None]), 1.0),
)
def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """`input` kept between `min` and `max` (either may be None); the derivative is 1 at the bounds, 0 outside.

    >>> import minigrad
    >>> minigrad.tensor([-2.0, 0.5, 2.0]).clamp(-1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    dtype = dtypes.result_type([b for b in (input, min, max) if b is not None])
    result = input.astype(dtype, copy=False)
    if min is not None:
        result = np.maximum(result, min.astype(dtype) if isinstance(min, np.ndarray) else dtype.type(min))
    if max is not None:
        result = np.minimum(result, max.astype(dtype) if isinstance(max, np.ndarray) else dtype.type(max))
    return result


def _inside(input: Any, low: Any, high: Any) -> Any:
    if low is None:
        return input <= high
    return input >= low if high is None else (input >= low) & (input <= high)


def _binds_below(input: Any, low: Any, high: Any) -> Any:
    return input < low if high is None else (input < low) & (low < high)


def _binds_above(input: Any, low: Any, high: Any) -> Any:
    return input > high if low is None else (input > high) | (high < low)


@composed(methods=["clamp_min"], sample=lambda d: (d.array(kinks=(0.5,)), 0.5))
def clamp_min(input: Any, min: Any) -> Any:
    """`input`, at least `min`."""
    return clamp(input, min, None)


@composed(methods=["clamp_max"], sample=lambda d: (d.array(kinks=(0.5,)), 0.5))
def clamp_max(input: Any, max: Any) -> Any:
    """`input`, at most `max`."""
    return clamp(input, None, max)


# ---- choice and comparison -------------------------------------------------------------------------------


@operation(
    {"input": lambda g, condition: where(condition, g, 0.0), "other": lambda g, condition: where(condition, 0.0, g)},
    promotes=True,
    methods=[],
    sample=lambda d: (d.mask(shape := d.shape()), d.array(shape), d.array(shape)),
)
def where(condition: Any, input: Any, other: Any) -> Any:
    """`input` where `condition` holds, else `other`; all three broadcast.

    >>> import minigrad
    >>> x = minigrad.tensor([-1.0, 2.0])
    >>> minigrad.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if condition.dtype != bool:
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype}"
        )
    return np.where(condition, input, other)


def _predicate(name: str, function: Any, doc: str, method: str | None = None, numbers: int = 2) -> Any:
    """A record of a function that answers with booleans, and has no gradient."""
    forward: Any
    if numbers == 2:

        def forward(input: Any, other: Any) -> Any:
            return function(input, other)
    else:

        def forward(input: Any) -> Any:
            return function(input)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = doc
    return operation(
        promotes=("input", "other") if numbers == 2 else False,
        tensors=("input",),
        methods=[name] + ([method] if method else []),
        sample=lambda d: d.operands(numbers),
    )(forward)


eq = _predicate("eq", np.equal, "Whether elements are equal.", "__eq__")
ne = _predicate("ne", np.not_equal, "Whether elements differ.", "__ne__")
lt = _predicate("lt", np.less, "Whether `input` is less than `other`.", "__lt__")
le = _predicate("le", np.less_equal, "Whether `input` is at most `other`.", "__le__")
gt = _predicate("gt", np.greater, "Whether `input` is greater than `other`.", "__gt__")
ge = _predicate("ge", np.greater_equal, "Whether `input` is at least `other`.", "__ge__")
logical_and = _predicate("logical_and", np.logical_and, "Whether both are true (not 0).")
logical_or = _predicate("logical_or", np.logical_or, "Whether one is true (not 0).")
logical_xor = _predicate("logical_xor", np.logical_xor, "Whether exactly one is true (not 0).")
isnan = _predicate("isnan", np.isnan, "Whether elements are nan.", numbers=1)
isinf = _predicate("isinf", np.isinf, "Whether elements are infinite.", numbers=1)
isfinite = _predicate("isfinite", np.isfinite, "Whether elements are neither infinite nor nan.", numbers=1)
logical_not = _predicate("logical_not", np.logical_not, "Whether elements are false (0).", numbers=1)


def _bitwise(name: str, function: Any, method: str) -> Any:
    """A record of a bitwise function of integers or booleans."""

    def forward(input: Any, other: Any) -> Any:
        return function(input, other)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"Bitwise {name.split('_')[1]} of integers; logical of booleans."
    return operation(
        promotes=("input", "other"),
        methods=[name, method],
        in_place=True,
        sample=lambda d: (d.mask(shape := d.shape()), d.mask(shape)),
    )(forward)


bitwise_and = _bitwise("bitwise_and", np.bitwise_and, "__and__")
bitwise_or = _bitwise("bitwise_or", np.bitwise_or, "__or__")
bitwise_xor = _bitwise("bitwise_xor", np.bitwise_xor, "__xor__")


@operation(methods=["bitwise_not", "__invert__"], sample=lambda d: (d.mask(d.shape()),))
def bitwise_not(input: Any) -> Any:
    """Bitwise not of integers; logical of booleans."""
    return np.invert(input)


@composed(methods=["masked_fill"], in_place=True, sample=lambda d: (d.array(shape := d.shape()), d.mask(shape), 2.0))
def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """`input` with `value` where `mask` holds.

    Raises:
        RuntimeError: for a value of one dimension or more, or one that `input`'s dtype can't hold.
    """
    kind = input.dtype
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    if not kind.is_complex and (isinstance(value, complex) or (isinstance(value, Tensor) and value.dtype.is_complex)):
        raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow")
    return where(
        mask, value.astype(kind) if isinstance(value, Tensor) else call(np.asarray, value, as_numpy(kind)), input
    )


# ---- type and copy ---------------------------------------------------------------------------------------


@operation(
    {"input": lambda g, source: g.astype(source)},
    methods=[],
    torch="",
    grad_fn="ToCopyBackward0",
    sample=lambda d: (d.array(), np.dtype("float64"), np.dtype("float64")),
)
def _cast(input: Any, dtype: Any, source: Any) -> Any:
    """`input` in another NumPy dtype; the gradient returns in the old one."""
    with quiet():
        return input.astype(dtype)


@operation({"input": lambda g: g}, sample=lambda d: (d.array(),))
def clone(input: Any) -> Any:
    """A copy.

    >>> import minigrad
    >>> minigrad.ones(2).clone()
    tensor([1., 1.])
    """
    return np.copy(input)


if not TYPE_CHECKING:  # type checkers take all public names
    __all__ = [name for name in public(globals()) if name not in ("quiet", "scaled")]
