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

from minigrad import dtypes
from minigrad.dtypes import DTypeLike
from minigrad.ops.comparison import where
from minigrad.ops.elementwise import pow
from minigrad.ops.record import Draw, Operand, composed, operation
from minigrad.ops.reduction import _one_of, count, largest, mean, smallest, sum


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
    """The variance: squared distances from the mean, summed and divided by n - `correction`.

    `correction` is 1 by default (`unbiased`), else 0. ``var(False)`` is the biased variance of all elements.
    """
    if isinstance(dim, bool):
        unbiased, dim = dim, None
    minus = int(unbiased) if correction is None else correction
    if not input.is_floating_point():
        raise RuntimeError("std and var only support floating point and complex dtypes")
    n = count(tuple(input.shape), dim)
    if n <= minus:
        warnings.warn(
            "var(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input "
            "numel divided by output numel).",
            stacklevel=2,
        )
    if input.dtype == dtypes.float16:
        return var(input.to(dtypes.float32), dim, keepdim=keepdim, correction=minus).to(dtypes.float16)
    apart = input - mean(input, dim, True)
    return sum(apart * apart, dim, keepdim) / max(n - minus, 0)


@composed(sample=_spread_sample)
def std(
    input: Operand,
    dim: int | Sequence[int] | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The standard deviation: the root of `var`; the gradient of a constant's is 0.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 3.0]).std()
    tensor(1.4142)
    """
    if input.dtype == dtypes.float16:
        return std(input.to(dtypes.float32), dim, unbiased, keepdim, correction=correction).to(dtypes.float16)
    return _safe_root(var(input, dim, unbiased, keepdim, correction=correction))


@operation(
    {"input": lambda g, out: where(out == 0, 0.0, g / (2 * where(out == 0, 1.0, out)))},
    grad_fn="StdBackward0",
    sample=lambda d: (d.array(low=0.3),),
)
def _safe_root(input: Operand) -> Any:
    """The square root whose gradient at 0 is 0."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(input)


@composed(methods=[], sample=lambda d: (d.array((3, 4)), {"dim": d.choice([0, 1, None]), "correction": 1}))
def var_mean(
    input: Operand,
    dim: int | Sequence[int] | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The variance and the mean."""
    center = mean(input, None if isinstance(dim, bool) else dim, keepdim)
    return var(input, dim, unbiased, keepdim, correction=correction), center


@composed(
    methods=[], sample=lambda d: (d.array((3, 4), distinct=True), {"dim": d.choice([0, 1, None]), "correction": 0})
)
def std_mean(
    input: Operand,
    dim: int | Sequence[int] | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The standard deviation and the mean."""
    center = mean(input, None if isinstance(dim, bool) else dim, keepdim)
    return std(input, dim, unbiased, keepdim, correction=correction), center


def _vectors(d: Draw) -> tuple[Any, ...]:
    p = d.choice([2, 1, 3, math.inf, 0.5, -math.inf])
    return d.array((3, 2), low=-1.0, kinks=(0.0,), distinct=True), p, d.choice([None, 0, 1])


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
    if input.dtype == dtypes.float16:
        return norm(input.to(dtypes.float32), p, dim, keepdim).to(dtypes.float16)
    if p in ("fro", None, 2):
        return _safe_root(sum(input * input, dim, keepdim))
    size = input.abs()
    if p == math.inf:
        return _one_of(size, largest, dim, keepdim)
    if p == -math.inf:
        return _one_of(size, smallest, dim, keepdim)
    if p == 0:
        return sum((input != 0).to(input.dtype), dim, keepdim)
    if isinstance(p, str):
        from minigrad.ops.linalg import matrix_norm

        return matrix_norm(input, p, (-2, -1) if dim is None else (dim,) if isinstance(dim, int) else dim, keepdim)
    if p == 1:
        return sum(size, dim, keepdim)
    powers = where(size == 0, 0.0, pow(where(size == 0, 1.0, size), p))  # the slope at 0 counts as 0
    return pow(sum(powers, dim, keepdim), 1 / p)


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
