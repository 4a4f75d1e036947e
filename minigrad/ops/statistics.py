"""Variances and norms.

`dim` is one dimension, several, or None for all; with `keepdim` the reduced dimensions stay, with length 1.
https://docs.pytorch.org/docs/stable/torch.html#reduction-ops
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.dtypes import DTypeLike
from minigrad.ops.comparison import where
from minigrad.ops.elementwise import abs, pow, sign
from minigrad.ops.record import Draw, Operand, composed, operation
from minigrad.ops.reduction import axes, count, largest, mean, smallest, spread, sum, total
from minigrad.tensor import Tensor
from minigrad.views import blank


def _spread_sample(d: Any) -> tuple[Any, ...]:
    x = d.array(min_size=2, min_ndim=1, distinct=True)
    return x, d.dims(x.ndim), {"correction": d.choice([0, 1]), "keepdim": d.boolean()}


@composed(sample=_spread_sample)
def var(
    input: Operand,
    dim: int | Sequence[int] | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The variance: the sum of squared deviations from the mean, divided by n - `correction`.

    `correction` is 1 by default (`unbiased`), else 0. ``var(False)`` is the biased variance of all elements.
    """
    return _checked_spread("var", input, dim, unbiased, keepdim, correction)


def _checked_spread(name: str, input: Any, dim: Any, unbiased: bool, keepdim: bool, correction: Any) -> Any:
    """The variance, or by that `name` the standard deviation, after checks of the arguments."""
    if isinstance(dim, bool):
        unbiased, dim = dim, None
    minus = int(unbiased) if correction is None else correction
    if not input.is_floating_point():
        raise RuntimeError("std and var only support floating point and complex dtypes")
    n = count(tuple(input.shape), dim)
    if n <= minus:
        warnings.warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
            "(input numel divided by output numel).",
            stacklevel=3,
        )
    return _spread_of(input, dim, keepdim, minus, name == "std")


def _spread_gradient(g: Any, input: Any, out: Any, dim: Any, keepdim: bool, minus: float, root: bool) -> Any:
    shape = tuple(input.shape)
    if root:
        g = where(out == 0, 0.0, g / (2 * where(out == 0, 1.0, out)))
    apart, freedom = input - mean(input, dim, True), count(shape, dim) - minus
    g = spread(g, shape, dim, keepdim)
    if freedom <= 0:
        return g * where(apart == 0, math.nan, math.inf).astype(g.dtype)
    return g * (2 / freedom) * apart


@operation(
    {"input": _spread_gradient},
    grad_fn="VarBackward0",
    sample=lambda d: (*_spread_sample(d)[:2], d.boolean(), d.choice([0, 1]), d.boolean()),
    row_major=True,
)
def _spread_of(input: Any, dim: Any, keepdim: bool, minus: float, root: bool) -> Any:
    """The variance, or its root, computed in float64, as squares in float32 may overflow where the result does not."""
    along = axes(dim, input.ndim)
    wide = input.astype(np.float64, copy=False)
    n = count(input.shape, dim)
    apart = wide - (total(wide, along, True) / n if n else math.nan)
    result = total(apart * apart, along, keepdim) / max(n - minus, 0)
    return (np.sqrt(result) if root else result).astype(input.dtype)


@composed(sample=_spread_sample)
def std(
    input: Operand,
    dim: int | Sequence[int] | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The standard deviation: the root of `var`; where it is 0, so is its gradient.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 3.0]).std()
    tensor(1.4142)
    """
    return _checked_spread("std", input, dim, unbiased, keepdim, correction)


@composed(methods=[], sample=lambda d: (d.array((3, 4)), {"dim": d.choice([0, 1, None]), "correction": 1}), out=False)
def var_mean(
    input: Operand,
    dim: int | Sequence[int] | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The variance and the mean."""
    center = mean(input, None if isinstance(dim, bool) else dim, keepdim)
    return var(input, dim, unbiased, keepdim, correction=correction), center


@composed(
    methods=[],
    sample=lambda d: (d.array((3, 4), distinct=True), {"dim": d.choice([0, 1, None]), "correction": 0}),
    out=False,
)
def std_mean(
    input: Operand,
    dim: int | Sequence[int] | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean."""
    center = mean(input, None if isinstance(dim, bool) else dim, keepdim)
    return std(input, dim, unbiased, keepdim, correction=correction), center


def _vectors(d: Draw) -> tuple[Any, ...]:
    p = d.choice([2, 1, 3, math.inf, 0.5, -math.inf])
    return d.array((3, 2), low=-1.0, kinks=(0.0,), distinct=True), p, d.choice([None, 0, 1])


def _norm_gradient(g: Any, input: Any, out: Any, p: float, dim: Any, keepdim: bool) -> Any:
    shape = tuple(input.shape)
    g, out = spread(g, shape, dim, keepdim), spread(out, shape, dim, keepdim)
    if p == 0:
        return blank(input)
    if p == 1:
        return g * sign(input)
    if math.isinf(p):
        reached = (abs(input) == out) | ((input != input) & (out != out))
        return sign(input) * (g / sum(reached, dim, True).astype(g.dtype) * reached)
    nothing = out == 0
    size = where(nothing, 1.0, out)
    if p == 2:
        return input * where(nothing, 0.0, g / size)
    if p < 1:
        return sign(input) * where(input == 0, 0.0, pow(abs(input), p - 1)) * g * pow(out, 1 - p)
    slope = sign(input) * pow(abs(input), p - 1) if p < 2 else input * pow(abs(input), p - 2)
    return slope * where(nothing, 0.0, g / pow(size, p - 1))


@operation(
    {"input": _norm_gradient},
    grad_fn="LinalgVectorNormBackward0",
    sample=lambda d: (*_vectors(d), d.boolean()),
    row_major=True,
)
def _norm(input: Any, p: float, dim: Any, keepdim: bool) -> Any:
    """The p-norm of floats; float16 is summed in float32."""
    size, along = np.absolute(input.astype(np.float32) if input.dtype == np.float16 else input), axes(dim, input.ndim)
    if math.isinf(p):
        result = (largest if p > 0 else smallest)(size, axis=along, keepdims=keepdim)
    elif p == 0:
        result = total(size != 0, along, keepdim)
    else:
        powers = size if p == 1 else size * size if p == 2 else np.power(size, p)
        result = total(powers, along, keepdim)
        result = result if p == 1 else np.sqrt(result) if p == 2 else np.power(result, 1 / p)
    return result.astype(input.dtype)


@composed(sample=_vectors)
def norm(
    input: Operand, p: float | str | None = 2, dim: int | Sequence[int] | None = None, keepdim: bool = False
) -> Any:
    """The p-norm, ``(sum |x|^p)^(1/p)``; the gradient of the 2-norm at 0 is 0.

    >>> import minigrad
    >>> minigrad.tensor([3.0, 4.0]).norm()
    tensor(5.)
    """
    if not input.is_floating_point():
        raise RuntimeError(f"norm(): Expected a floating point tensor as input. Got {input.dtype}")
    if p in ("fro", None):
        return _norm(input, 2.0, dim, keepdim)
    if isinstance(p, str):
        from minigrad.ops.linalg import matrix_norm

        return matrix_norm(input, p, (-2, -1) if dim is None else (dim,) if isinstance(dim, int) else dim, keepdim)
    return _norm(input, float(p), dim, keepdim)


@composed(torch="linalg.vector_norm", sample=lambda d: (*_vectors(d)[:2], d.choice([None, 0, 1, (0, 1)]), d.boolean()))
def vector_norm(
    x: Operand,
    ord: float | str = 2,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
) -> Any:
    """The p-norm of the vectors along `dim` (of all elements if it is None); see `norm`.

    >>> import minigrad
    >>> minigrad.linalg.vector_norm(minigrad.tensor([[3.0, 4.0], [0.0, 2.0]]), dim=1)
    tensor([5., 2.])
    """
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.vector_norm: ord must be a number, not {ord!r}")
    return norm(x if dtype is None else x.to(dtype), float(ord), dim, keepdim)
