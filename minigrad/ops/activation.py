"""Activation functions. (tanh and sigmoid are in `minigrad.ops.elementwise`.)

At the kinks the derivatives are torch's: ``relu'(0) = 0``.
https://docs.pytorch.org/docs/stable/nn.functional.html#non-linear-activation-functions
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.dtypes import as_numpy
from minigrad.kernels.memory import masked
from minigrad.ops.comparison import clamp, where
from minigrad.ops.curve import Curve, _on_curve, in_float32
from minigrad.ops.elementwise import abs, erf, exp, sigmoid, tanh
from minigrad.ops.record import Draw, F, Operand, Sample, along_a_dim, composed, operation
from minigrad.ops.reduction import softmax
from minigrad.ops.shape import one_dim, reshape
from minigrad.ops.splitting import chunk
from minigrad.tensor import Tensor

SELU_ALPHA = 1.6732632423543772848170429916717  # Klambauer et al., arXiv:1706.02515
SELU_SCALE = 1.0507009873554804934193349852946


def activation(*functional: str, sample: Sample | None = None, dtypes: str = "", **limits: Any) -> Callable[[F], F]:
    """The record of a function of torch.nn.functional; the tests draw one array within `limits`, or a `sample`."""

    def register(function: F) -> F:
        drawn = sample or (lambda d: (d.array(**limits),))
        torch = f"nn.functional.{function.__name__}"
        return composed(torch=torch, functional=functional, sample=drawn, dtypes=dtypes)(function)

    return register


def _inner_half(d: Draw) -> tuple[Any, ...]:
    """Numbers away from -0.5 and 0.5, and the bound 0.5."""
    return d.array(kinks=(-0.5, 0.5)), 0.5


@operation(
    # where `out` is 0, it is the gradient itself, which keeps it in the graph, as in torch
    {"input": lambda g, out: where(out != 0, g, out) if isinstance(g, Tensor) else masked(g, out != 0)},
    in_place=True,
    functional=("inplace", "relu_"),
    sample=lambda d: (d.array(kinks=(0.0,)),),
)
def relu(input: Operand) -> Any:
    """``max(input, 0)``; its derivative is 1 where the result is positive and 0 elsewhere, at 0 too.

    >>> import minigrad
    >>> minigrad.relu(minigrad.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return np.maximum(input, np.zeros_like(input))  # the scalar 0 misses NumPy's SIMD loop


def _leaky_gradient(g: Any, x: Any, slope: float) -> Any:
    found = where(x > 0, g, g * slope)
    return where(np.True_, found, x) if isinstance(g, Tensor) else found  # in the graph, as in torch


LEAKY = Curve(lambda x, slope: np.where(x > 0, x, x * slope), _leaky_gradient)


@activation("inplace", "leaky_relu_", sample=lambda d: (d.array(kinks=(0.0,)), d.choice([0.01, 0.3])), dtypes="f")
def leaky_relu(input: Operand, negative_slope: float = 0.01) -> Any:
    """`input` where positive, else ``negative_slope * input``.

    >>> import minigrad
    >>> minigrad.nn.functional.leaky_relu(minigrad.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return _on_curve(input, LEAKY, (negative_slope,))


def _softplus(x: Any, beta: float, threshold: float) -> Any:
    scaled = x * beta
    return np.where(scaled > threshold, x, np.logaddexp(scaled, 0) / beta)


def _softplus_gradient(g: Any, x: Any, beta: float, threshold: float) -> Any:
    scaled = x * beta
    far = scaled > threshold
    z = exp(where(far, 0.0, scaled))
    return where(far, g, g * (z / (z + 1)))


SOFTPLUS = Curve(_softplus, _softplus_gradient)


@activation(sample=lambda d: (d.array(), d.choice([1.0, 2.0]), 20.0), dtypes="f")
def softplus(input: Operand, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """``log(1 + exp(beta * input)) / beta``; the identity where ``beta * input > threshold``."""
    return _on_curve(input, SOFTPLUS, (beta, threshold))


# ---- exponential -----------------------------------------------------------------------------------------


ELU = Curve(  # with torch's three coefficients: for x below 0, above 0, and inside the exponential
    lambda x, low, high, rate: np.where(x < 0, np.expm1(np.minimum(x, 0) * rate) * low, x * high),
    lambda g, x, low, high, rate: where(x <= 0, g * (rate * low) * exp(clamp(x, None, 0.0) * rate), g * high),
)


@activation("inplace", "elu_", sample=lambda d: (d.array(kinks=(0.0,)), d.choice([1.0, 0.5])), dtypes="f")
def elu(input: Operand, alpha: float = 1.0) -> Any:
    """`input` where positive, else ``alpha * (exp(input) - 1)``; its derivative at 0 is `alpha` (arXiv:1511.07289).

    >>> import minigrad
    >>> minigrad.nn.functional.elu(minigrad.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _on_curve(input, ELU, (alpha, 1.0, 1.0))


@activation("inplace", "selu_", kinks=(0.0,), dtypes="f")
def selu(input: Operand) -> Any:
    """`elu` with an alpha and a scale that keep mean 0 and variance 1 (Klambauer et al., arXiv:1706.02515)."""
    return _on_curve(input, ELU, (SELU_ALPHA * SELU_SCALE, SELU_SCALE, 1.0))


@activation("inplace", "celu_", sample=lambda d: (d.array(kinks=(0.0,)), d.choice([1.0, 2.0])), dtypes="f")
def celu(input: Operand, alpha: float = 1.0) -> Any:
    """`input` where positive, else ``alpha * (exp(input / alpha) - 1)``: smooth at 0 (arXiv:1704.07483).

    Raises:
        RuntimeError: if `alpha` is 0.
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _on_curve(input, ELU, (alpha, 1.0, 1 / alpha))


# ---- smooth gates ----------------------------------------------------------------------------------------


def _silu_gradient(g: Any, x: Any) -> Any:
    s = sigmoid(x)
    return g * s * (1 + x * (1 - s))


SILU = Curve(lambda x: x / (1 + np.exp(-x)), _silu_gradient)


@activation("inplace", dtypes="f")
def silu(input: Operand) -> Any:
    """``input * sigmoid(input)``, also called swish.

    >>> import minigrad
    >>> minigrad.nn.functional.silu(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7311])
    """
    return _on_curve(input, SILU)


def _mish_gradient(g: Any, x: Any) -> Any:
    gate = tanh(softplus(x))
    return g * (gate + x * sigmoid(x) * (1 - gate * gate))


MISH = Curve(lambda x: x * np.tanh(np.log1p(np.exp(x))), _mish_gradient)


@activation("inplace", dtypes="f")
def mish(input: Operand) -> Any:
    """``input * tanh(softplus(input))`` (arXiv:1908.08681)."""
    return _on_curve(input, MISH)


ROOT = math.sqrt(2 / math.pi)
CUBE = 0.044715


def _gelu_gradient(g: Any, x: Any) -> Any:
    return g * ((erf(x * math.sqrt(0.5)) + 1) * 0.5 + x * (exp(x * x * -0.5) * (ROOT / 2)))


def _gelu_tanh_gradient(g: Any, x: Any) -> Any:
    t = tanh((x + x * x * x * CUBE) * ROOT)
    return g * ((1 + t) * 0.5 + x * 0.5 * (1 - t * t) * ((1 + x * x * (3 * CUBE)) * ROOT))


GELU = Curve(lambda x: x * 0.5 * (erf(x * math.sqrt(0.5)) + 1), _gelu_gradient)
GELU_TANH = Curve(lambda x: x * 0.5 * (np.tanh((x + x * x * x * CUBE) * ROOT) + 1), _gelu_tanh_gradient)


@activation(dtypes="f")
def gelu(input: Operand, approximate: str = "none") -> Any:
    """`input` times the probability that a standard normal number is below it (arXiv:1606.08415).

    ``approximate="tanh"``: ``x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))``.

    Raises:
        RuntimeError: if `approximate` is not ``"none"`` or ``"tanh"``.

    >>> import minigrad
    >>> minigrad.nn.functional.gelu(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8413])
    """
    if approximate == "none":
        return _on_curve(input, GELU)
    if approximate == "tanh":
        return _on_curve(input, GELU_TANH)
    raise RuntimeError(f"approximate argument must be either none or tanh, but got {approximate!r}.")


def _logsigmoid_gradient(g: Any, x: Any) -> Any:
    z = exp(-abs(x))
    rest = z / (1 + z)
    return g * where(x < 0, 1 - rest, rest)


LOGSIGMOID = Curve(
    lambda x: in_float32(lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.absolute(x))), x),
    _logsigmoid_gradient,
    wide=False,  # torch rounds the exponential to float16
)


@activation(dtypes="f")
def logsigmoid(input: Operand) -> Any:
    """``log(sigmoid(input))``, without overflow."""
    return _on_curve(input, LOGSIGMOID)


@activation(kinks=(0.0,))
def softsign(input: Operand) -> Any:
    """``input / (1 + |input|)``."""
    return input / (abs(input) + 1)


@activation()
def tanhshrink(input: Operand) -> Any:
    """``input - tanh(input)``."""
    return input - tanh(input)


@activation(sample=lambda d: (d.array((2, 4)), d.choice([-1, 0])), dtypes="f")
def glu(input: Operand, dim: int = -1) -> Any:
    """The first half of dimension `dim` times the sigmoid of the second half (arXiv:1612.08083).

    Raises:
        RuntimeError: if the dimension's length is odd.
    """
    at = one_dim(dim, input.ndim)
    if input.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    if input.shape[at] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {at} is size {input.shape[at]}")
    first, second = chunk(input, 2, at)
    return first * sigmoid(second)


@activation("_stacklevel", sample=along_a_dim)
def softmin(input: Operand, dim: int, dtype: Any = None) -> Any:
    """``softmax(-input, dim)``."""
    return softmax(-input, dim, dtype)


# ---- piecewise linear ------------------------------------------------------------------------------------


@activation("inplace", "hardtanh_", sample=lambda d: (d.array(kinks=(-1.0, 0.5)), -1.0, 0.5))
def hardtanh(input: Operand, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """`input` clamped to [`min_val`, `max_val`]; the derivative is 0 at both.

    Raises:
        ValueError: if `min_val` is above `max_val`.
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if not input.is_floating_point():
        min_val, max_val = int(min_val), int(max_val)
    outside = (input <= min_val) | (input >= max_val)
    return where(outside, clamp(input.detach(), min_val, max_val), input)


@activation("inplace", low=-2.0, high=8.0, kinks=(0.0, 6.0))
def relu6(input: Operand) -> Any:
    """``min(max(input, 0), 6)``; the derivative is 0 at both bounds."""
    return hardtanh(input, 0.0, 6.0)


def _between_three(d: Draw) -> tuple[Any, ...]:
    return (d.array(low=-5.0, high=5.0, kinks=(-3.0, 3.0)),)


# torch's float64 gradient is 1/6 in float32, off by 3e-8, so it is not compared with here
@composed(torch="", methods=[], functional=("inplace",), sample=_between_three)
def hardsigmoid(input: Operand) -> Any:
    """``relu6(input + 3) / 6``; the derivative at nan is 0."""
    inside = (input > -3) & (input < 3)
    return where(inside, input + 3, clamp(input.detach() + 3, 0.0, 6.0)) / 6


HARDSWISH = Curve(
    lambda x: x * np.minimum(np.maximum(x + 3, 0), 6) / 6,
    lambda g, x: where(x <= -3, 0.0, where(x < 3, g * (x / 3 + 0.5), g)),
)


@activation("inplace", sample=_between_three, dtypes="f")
def hardswish(input: Operand) -> Any:
    """``input * hardsigmoid(input)`` (arXiv:1905.02244)."""
    return _on_curve(input, HARDSWISH)


@activation("inplace", "threshold_", sample=lambda d: (d.array(kinks=(0.5,)), 0.5, -2.0))
def threshold(input: Operand, threshold: float, value: float) -> Any:
    """`input` where it is above `threshold`, else `value`; for integers, `threshold` and `value` are truncated."""
    if as_numpy(input.dtype).kind in "iu":
        threshold, value = int(threshold), int(value)
    return where(input <= threshold, value, input)


@composed(methods=["hardshrink"], torch="nn.functional.hardshrink", sample=_inner_half, dtypes="f")
def hardshrink(input: Operand, lambd: float = 0.5) -> Any:
    """0 from ``-lambd`` to `lambd`, else `input`."""
    return where((input >= -lambd) & (input <= lambd), 0.0, input)


@activation(sample=_inner_half, dtypes="f")
def softshrink(input: Operand, lambd: float = 0.5) -> Any:
    """0 from ``-lambd`` to `lambd`, else `input` moved towards 0 by `lambd`.

    Raises:
        RuntimeError: if `lambd` is negative.
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be in range [0, inf), but found {lambd}")
    return where((input >= -lambd) & (input <= lambd), 0.0, where(input > 0, input - lambd, input + lambd))


@composed(
    methods=["prelu"],
    torch="nn.functional.prelu",
    sample=lambda d: (d.array((2, 3), kinks=(0.0,)), d.choice([d.array((1,)), d.array((3,))])),
    dtypes="f",
)
def prelu(input: Operand, weight: Operand) -> Any:
    """`input` where positive, else ``weight * input``: input (N, C, …), weight (1,) or one for each channel (C,).

    Raises:
        RuntimeError: for a wrong number of weights, or another dtype.
    """
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    if weight.dtype != input.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {input.dtype} and {weight.dtype}")
    n = weight.shape[0] if weight.ndim else 1
    if n == 1:
        weight = reshape(weight, ())
    else:
        channels = input.shape[1] if input.ndim > 1 else 1
        if n != channels:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {n} and channel size "
                f"= {channels}."
            )
        weight = reshape(weight, (n,) + (1,) * (input.ndim - 2))
    return where(input > 0, input, input * weight)
