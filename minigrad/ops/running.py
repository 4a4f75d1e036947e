"""Products, and running sums and products.

https://docs.pytorch.org/docs/stable/torch.html#reduction-ops
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.dtypes import DTypeLike
from minigrad.ops.comparison import where
from minigrad.ops.elementwise import ones_like
from minigrad.ops.indexing import narrow
from minigrad.ops.joining import _cat
from minigrad.ops.record import Operand, along_a_dim, operation
from minigrad.ops.reduction import _summing, axes, product, spread, sum
from minigrad.ops.shape import flip, one_dim, reshape
from minigrad.tensor import Tensor


def _product_of_others(g: Any, input: Any, out: Any, dim: Any, keepdim: bool) -> Any:
    """The gradient of a product: the product of all other elements, exact even if one is zero."""
    shape = tuple(input.shape)
    if not shape:
        return g
    zeros = (input == 0).sum()
    if zeros == 0:
        return spread(g * out, shape, dim, keepdim) / input
    if zeros > 1 and dim is None and not isinstance(g, Tensor):
        return np.zeros_like(input)
    at, flat = (0, reshape(input, (-1,))) if dim is None else (one_dim(dim, input.ndim), input)
    if flat.shape[at] == 1:
        return spread(g, shape, dim, keepdim)
    before, after = (_up_to(flip(x, at) if back else x, at) for x, back in ((flat, False), (flat, True)))
    return spread(g, shape, dim, keepdim) * reshape(before * flip(after, at), shape)


def _up_to(x: Any, dim: int) -> Any:
    """The product of all elements before each one along `dim`."""
    before = narrow(x, dim, 0, x.shape[dim] - 1)
    return cumprod(_cat([ones_like(narrow(x, dim, 0, 1)), before], dim), dim)


@operation(
    {"input": _product_of_others},
    sample=lambda d: (*along_a_dim(d), d.boolean()) if d.boolean() else (d.array(),),
    row_major=True,
)
def prod(
    input: Operand, dim: int | Sequence[int] | None = None, keepdim: bool = False, dtype: DTypeLike | None = None
) -> Any:
    """The product; integers and booleans are multiplied as int64. Its gradient is exact where elements are 0.

    >>> import minigrad
    >>> minigrad.tensor([2.0, 3.0]).prod()
    tensor(6.)
    """
    dtype = _summing(input, dtype)
    if dtype is None and input.dtype == np.float16:
        return product(input, axis=axes(dim, input.ndim), keepdims=keepdim, dtype=np.float32).astype(np.float16)
    return product(input, axis=axes(dim, input.ndim), keepdims=keepdim, dtype=dtype)


@operation({"input": lambda g, dim: _cumulated_back(g, dim)}, sample=along_a_dim, in_place=True, row_major=True)
def cumsum(input: Operand, dim: int, dtype: DTypeLike | None = None) -> Any:
    """The running sum along `dim`.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 2.0, 3.0]).cumsum(0)
    tensor([1., 3., 6.])
    """
    return _running(np.cumsum, input, dim, dtype)


def _cumprod_gradient(g: Any, input: Any, out: Any, dim: int) -> Any:
    """As in torch, also for nan together with zeros."""
    if not input.ndim or input.shape[dim] < 2:
        return g
    zeros, n = input == 0, input.shape[dim]
    if not zeros.any():
        return _cumulated_back(g * out, dim) / input
    if isinstance(g, Tensor):  # a product of all others, for each result
        one, parts = ones_like(narrow(input, dim, 0, 1)), []
        for k in range(n):
            others = _cat([one, cumprod(narrow(input, dim, k + 1, n - k - 1), dim)], dim)
            others = others * narrow(out, dim, k - 1, 1) if k else others
            parts.append(sum(narrow(g, dim, k, n - k) * others, dim, True))
        return _cat(parts, dim)
    passed = cumsum(zeros, dim)
    first, before = zeros & (passed == 1), passed == 0
    others = sum(where(passed == 1, g * cumprod(where(first, 1.0, input), dim), 0.0), dim, True)
    whole = _cumulated_back(where(before, g * out, 0.0), dim) / input
    return where(first, others, where(before, whole, 0.0))


def _cumulated_back(g: Any, dim: int) -> Any:
    return flip(cumsum(flip(g, dim), dim), dim) if g.ndim else g


@operation(
    {"input": _cumprod_gradient},
    sample=lambda d: ((x := d.array((3, 3))), d.dim(x.ndim)),
    in_place=True,
    row_major=True,
)
def cumprod(input: Operand, dim: int, dtype: DTypeLike | None = None) -> Any:
    """The running product along `dim`."""
    return _running(np.cumprod, input, dim, dtype)


def _running(function: Any, input: Any, dim: int, dtype: Any) -> Any:
    """Running totals; those of floats are computed in float64."""
    at, result = one_dim(dim, input.ndim), np.dtype(_summing(input, dtype) or input.dtype)
    wide = np.float64 if result.kind == "f" else result
    return function(input, axis=at, dtype=wide).astype(result, copy=False).reshape(input.shape)
