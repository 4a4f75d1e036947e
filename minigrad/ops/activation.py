"""Activation functions that are made of other operations.

The basic ones, with gradients of their own, are in `minigrad.ops.elementwise`. At the kinks the derivatives are
torch's. With `inplace` the result is also written into `input`.
https://docs.pytorch.org/docs/stable/nn.functional.html#non-linear-activation-functions
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from minigrad.ops.elementwise import abs, clamp, clone, erf, expm1, sigmoid, softplus, tanh, where
from minigrad.ops.indexing import chunk
from minigrad.ops.record import composed, public
from minigrad.ops.reduction import softmax
from minigrad.ops.shape import one_dim, reshape

SELU_ALPHA = 1.6732632423543772848170429916717  # Klambauer et al., arXiv:1706.02515
SELU_SCALE = 1.0507009873554804934193349852946


def _overwrite(input: Any, function: Any, *settings: Any) -> Any:
    """Write ``function(input, *settings)`` into `input`; what it computes with is a copy that nobody writes to."""
    return input.assign(function(clone(input), *settings))


# ---- exponential -----------------------------------------------------------------------------------------


def _elu(input: Any, alpha: float, width: float) -> Any:
    """`input` where positive, else ``alpha * (exp(input / width) - 1)``; the exponential sees no large number."""
    negative = clamp(input, None, 0.0)
    return where(input > 0, input, expm1(negative if width == 1 else negative / width) * alpha)


@composed(methods=[], torch="nn.functional.elu", sample=lambda d: (d.array(kinks=(0.0,)), d.choice([1.0, 0.5])))
def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """`input` where positive, else ``alpha * (exp(input) - 1)``; its derivative at 0 is `alpha` (arXiv:1511.07289).

    >>> import minigrad
    >>> minigrad.nn.functional.elu(minigrad.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    if inplace:
        return _overwrite(input, elu, alpha)
    return _elu(input, alpha, 1.0)


@composed(methods=[], torch="nn.functional.selu", sample=lambda d: (d.array(kinks=(0.0,)),))
def selu(input: Any, inplace: bool = False) -> Any:
    """`elu` with an alpha and a scale that keep mean 0 and variance 1 (Klambauer et al., arXiv:1706.02515)."""
    if inplace:
        return _overwrite(input, selu)
    return _elu(input, SELU_ALPHA, 1.0) * SELU_SCALE


@composed(methods=[], torch="nn.functional.celu", sample=lambda d: (d.array(kinks=(0.0,)), d.choice([1.0, 2.0])))
def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """`input` where positive, else ``alpha * (exp(input / alpha) - 1)``: smooth at 0 (arXiv:1704.07483).

    Raises:
        RuntimeError: if `alpha` is 0.
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    if inplace:
        return _overwrite(input, celu, alpha)
    return _elu(input, alpha, alpha)


# ---- smooth gates ----------------------------------------------------------------------------------------


@composed(methods=[], torch="nn.functional.silu", sample=lambda d: (d.array(),))
def silu(input: Any, inplace: bool = False) -> Any:
    """``input * sigmoid(input)``, also called swish.

    >>> import minigrad
    >>> minigrad.nn.functional.silu(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7311])
    """
    if inplace:
        return _overwrite(input, silu)
    return input * sigmoid(input)


@composed(methods=[], torch="nn.functional.mish", sample=lambda d: (d.array(),))
def mish(input: Any, inplace: bool = False) -> Any:
    """``input * tanh(softplus(input))`` (arXiv:1908.08681)."""
    if inplace:
        return _overwrite(input, mish)
    return input * tanh(softplus(input))


@composed(methods=[], torch="nn.functional.gelu", sample=lambda d: (d.array(),))
def gelu(input: Any, approximate: str = "none") -> Any:
    """`input` times the probability that a standard normal number is below it (arXiv:1606.08415).

    ``approximate="tanh"``: ``x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))``.

    Raises:
        RuntimeError: for another word than ``"none"`` or ``"tanh"``.

    >>> import minigrad
    >>> minigrad.nn.functional.gelu(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8413])
    """
    if approximate == "none":
        return input * (erf(input * math.sqrt(0.5)) + 1) * 0.5
    if approximate == "tanh":
        return input * (tanh((input + input**3 * 0.044715) * math.sqrt(2 / math.pi)) + 1) * 0.5
    raise RuntimeError(f"approximate argument must be either none or tanh, but got {approximate!r}.")


@composed(methods=[], torch="nn.functional.logsigmoid", sample=lambda d: (d.array(),))
def logsigmoid(input: Any) -> Any:
    """``log(sigmoid(input))``, without overflow."""
    return -softplus(-input, 1.0, math.inf)


@composed(methods=[], torch="nn.functional.softsign", sample=lambda d: (d.array(kinks=(0.0,)),))
def softsign(input: Any) -> Any:
    """``input / (1 + |input|)``."""
    return input / (abs(input) + 1)


@composed(methods=[], torch="nn.functional.tanhshrink", sample=lambda d: (d.array(),))
def tanhshrink(input: Any) -> Any:
    """``input - tanh(input)``."""
    return input - tanh(input)


@composed(methods=[], torch="nn.functional.glu", sample=lambda d: (d.array((2, 4)), d.choice([-1, 0])))
def glu(input: Any, dim: int = -1) -> Any:
    """The first half of dimension `dim` times the sigmoid of the second half (arXiv:1612.08083).

    Raises:
        RuntimeError: if the dimension has no halves.
    """
    at = one_dim(dim, input.ndim)
    if input.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    if input.shape[at] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {at} is size {input.shape[at]}")
    first, second = chunk(input, 2, at)
    return first * sigmoid(second)


@composed(methods=[], torch="nn.functional.softmin", sample=lambda d: ((x := d.array(min_ndim=1)), d.dim(x.ndim)))
def softmin(input: Any, dim: int, dtype: Any = None) -> Any:
    """``softmax(-input, dim)``."""
    return softmax(-input, dim, dtype)


# ---- piecewise linear ------------------------------------------------------------------------------------


@composed(methods=[], torch="nn.functional.hardtanh", sample=lambda d: (d.array(kinks=(-1.0, 0.5)), -1.0, 0.5))
def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """`input` kept between `min_val` and `max_val`; the derivative is 0 at both.

    Raises:
        ValueError: if `min_val` is above `max_val`.
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    outside = (input <= min_val) | (input >= max_val)
    if inplace:
        return _overwrite(input, hardtanh, min_val, max_val)
    return where(outside, clamp(input.detach(), min_val, max_val), input)


@composed(methods=[], torch="nn.functional.relu6", sample=lambda d: (d.array(low=-2.0, high=8.0, kinks=(0.0, 6.0)),))
def relu6(input: Any, inplace: bool = False) -> Any:
    """``min(max(input, 0), 6)``; the derivative is 0 at both bounds."""
    return hardtanh(input, 0.0, 6.0, inplace)


# torch's float64 gradient is a float32 sixth, off by 3e-8, so it is no reference here
@composed(methods=[], torch="", sample=lambda d: (d.array(low=-5.0, high=5.0, kinks=(-3.0, 3.0)),))
def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """``relu6(input + 3) / 6``."""
    if inplace:
        return _overwrite(input, hardsigmoid)
    return relu6(input + 3) / 6


@composed(
    methods=[], torch="nn.functional.hardswish", sample=lambda d: (d.array(low=-5.0, high=5.0, kinks=(-3.0, 3.0)),)
)
def hardswish(input: Any, inplace: bool = False) -> Any:
    """``input * hardsigmoid(input)`` (arXiv:1905.02244)."""
    if inplace:
        return _overwrite(input, hardswish)
    return input * hardsigmoid(input)


@composed(methods=[], torch="nn.functional.threshold", sample=lambda d: (d.array(kinks=(0.5,)), 0.5, -2.0))
def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """`input` where it is above `threshold`, else `value`."""
    result = where(input <= threshold, value, input)
    return input.assign(result) if inplace else result


@composed(methods=["hardshrink"], torch="nn.functional.hardshrink", sample=lambda d: (d.array(kinks=(-0.5, 0.5)), 0.5))
def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """0 from ``-lambd`` to `lambd`, else `input`."""
    return where((input >= -lambd) & (input <= lambd), 0.0, input)


@composed(methods=[], torch="nn.functional.softshrink", sample=lambda d: (d.array(kinks=(-0.5, 0.5)), 0.5))
def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """0 from ``-lambd`` to `lambd`, else `input` moved towards 0 by `lambd`.

    Raises:
        RuntimeError: if `lambd` is negative.
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be in range [0, inf), but found {lambd}")
    return where(input > lambd, input - lambd, where(input < -lambd, input + lambd, 0.0))


@composed(
    methods=["prelu"],
    torch="nn.functional.prelu",
    sample=lambda d: (d.array((2, 3), kinks=(0.0,)), d.choice([d.array((1,)), d.array((3,))])),
)
def prelu(input: Any, weight: Any) -> Any:
    """`input` where positive, else ``weight * input``: input (N, C, …), weight (1,) or one for each channel (C,).

    Raises:
        RuntimeError: if there is another number of weights.
    """
    n = weight.shape[0] if weight.ndim else 1
    if n != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if n != channels:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {n} and channel size "
                f"= {channels}."
            )
        weight = reshape(weight, (n,) + (1,) * (input.ndim - 2))
    return where(input > 0, input, input * weight)


if not TYPE_CHECKING:  # type checkers take all public names
    __all__ = public(globals())
