"""Reductions: sums, means, extremes, sorting, softmax.

`dim` is one dimension, several, or None for all; with `keepdim` the reduced dimensions stay, with length 1.
https://docs.pytorch.org/docs/stable/torch.html#reduction-ops
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad import dtypes
from minigrad.dtypes import DTypeLike
from minigrad.kernels import memory
from minigrad.ops.comparison import isnan, maximum, minimum, where
from minigrad.ops.curve import in_float32
from minigrad.ops.elementwise import exp
from minigrad.ops.gathering import gather
from minigrad.ops.record import Operand, along_a_dim, composed, operation
from minigrad.ops.shape import expand, one_dim, permute, reshape, squeeze
from minigrad.tensor import Tensor, out_of_range

builtin_max = max

LONG = 512  #: how many float32 numbers are added in sequence; the relative error is then below 1e-6

add: Any = np.add.reduce  # Any: NumPy's overloads do not take keepdims as a variable
product: Any = np.multiply.reduce
largest: Any = np.maximum.reduce
smallest: Any = np.minimum.reduce
every: Any = np.logical_and.reduce
some: Any = np.logical_or.reduce


def total(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The sum along axes. float16 is summed in float32, and long columns in parts.

    NumPy sums pairwise only along contiguous axes (https://numpy.org/doc/stable/reference/generated/numpy.sum.html).
    """
    if x.dtype == np.float16 and dtype in (None, np.float16):
        return total(x.astype(np.float32), axis, keepdims).astype(np.float16)
    if x.size <= LONG or x.dtype.kind != "f" or dtype is not None:
        return add(x, axis=axis, keepdims=keepdims, dtype=dtype)
    reduced = [i % x.ndim for i in (range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis)]
    columns = [i for i in reduced if x.strides[i] != x.itemsize and x.shape[i] > 1]
    if math.prod(x.shape[i] for i in columns) <= LONG or (x.flags.c_contiguous and len(reduced) == x.ndim):
        return add(x, axis=axis, keepdims=keepdims)
    longest = builtin_max(columns, key=lambda i: x.shape[i])
    n, rest = x.shape[longest], [i for i in reduced if i != longest]
    if n > LONG:
        part = 128
        whole = n - n % part
        front, back = np.split(x, [whole], axis=longest)
        parts = front.reshape(*x.shape[:longest], -1, part, *x.shape[longest + 1 :])
        sums = total(parts, longest + 1)
        x = np.concatenate([sums, add(back, axis=longest, keepdims=True)], axis=longest)
    x = total(x, longest, keepdims=True)
    x = total(x, tuple(rest), keepdims=True) if rest else x
    return x if keepdims else np.squeeze(x, tuple(reduced))


class MaxMin(NamedTuple):
    """The values along a dimension, and their indices."""

    values: Tensor
    indices: Tensor


def axes(dim: Any, ndim: int) -> tuple[int, ...] | None:
    """`dim` as NumPy's `axis`, checked.

    Raises:
        IndexError: if the tensor has no such dimension.
        RuntimeError: if a dimension appears twice.
    """
    if dim is None:
        return None
    dims = (dim,) if not isinstance(dim, (tuple, list)) else tuple(dim)
    if not dims:
        return None
    span = builtin_max(ndim, 1)
    for d in dims:
        if not -span <= d < span:
            raise IndexError(out_of_range(d, ndim))
    normal = tuple(d % span for d in dims)
    if len(set(normal)) < len(normal):
        raise RuntimeError(f"dim {normal[0]} appears multiple times in the list of dims")
    return normal if ndim else ()


def spread(g: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """The gradient of a sum: every summed element gets the gradient of the total."""
    if g.shape == shape:
        return g
    if g.ndim == 0 and isinstance(g, (np.ndarray, np.generic)):  # ten times as fast as NumPy's function
        spread = np.ndarray(shape, g.dtype, g, 0, (0,) * len(shape))
        spread.flags.writeable = False
        return spread
    if not keepdim and dim is not None and shape:
        g = reshape(g, kept(shape, dim))
    return expand(g, shape)


def kept(shape: tuple[int, ...], dim: Any) -> tuple[int, ...]:
    """The shape of a reduction that keeps the reduced dimensions."""
    reduced = axes(dim, len(shape))
    return tuple(1 if reduced is None or i in reduced else n for i, n in enumerate(shape))


def count(shape: tuple[int, ...], dim: Any) -> int:
    """The number of elements that are reduced to one."""
    reduced = axes(dim, len(shape))
    return math.prod(n for i, n in enumerate(shape) if reduced is None or i in reduced)


def _reducible(d: Any, **limits: Any) -> tuple[Any, ...]:
    x = d.array(**limits)
    return x, d.dims(x.ndim), d.boolean()


def _reducible_nonempty(d: Any, **limits: Any) -> tuple[Any, ...]:
    return _reducible(d, min_size=1, **limits)


@operation(
    {"input": lambda g, input_shape, dim, keepdim: spread(g, input_shape, dim, keepdim)},
    sample=_reducible,
    row_major=True,
)
def sum(
    input: Operand, dim: int | Sequence[int] | None = None, keepdim: bool = False, dtype: DTypeLike | None = None
) -> Any:
    """The sum; integers and booleans are summed as int64.

    >>> import minigrad
    >>> minigrad.ones(2, 3).sum(dim=1)
    tensor([3., 3.])
    """
    return total(input, axis=axes(dim, input.ndim), keepdims=keepdim, dtype=_summing(input, dtype))


def _summing(input: Any, dtype: Any) -> Any:
    """The dtype in which elements are summed (None: their own)."""
    return dtypes.as_numpy(dtype) if dtype is not None else np.int64 if input.dtype.kind in "iub" else None


@operation(
    {
        "input": lambda g, input_shape, dim, keepdim: spread(
            _divided(g, builtin_max(count(input_shape, dim), 1)), input_shape, dim, keepdim
        )
    },
    sample=_reducible_nonempty,
    row_major=True,
)
def mean(
    input: Operand, dim: int | Sequence[int] | None = None, keepdim: bool = False, dtype: DTypeLike | None = None
) -> Any:
    """The mean; nan for no elements.

    Raises:
        RuntimeError: for integers (convert them first).

    >>> import minigrad
    >>> minigrad.tensor([1.0, 2.0, 6.0]).mean()
    tensor(3.)
    """
    if dtype is not None:
        input = input.astype(dtypes.as_numpy(dtype))
    if input.dtype.kind not in "fc":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            f"Got: {dtypes.dtype.known[input.dtype].name}"
        )
    n, dtype = count(input.shape, dim), input.dtype
    half = dtype == np.float16  # its sum may overflow
    summed = total(input.astype(np.float32) if half else input, axis=axes(dim, input.ndim), keepdims=keepdim)
    result = summed / n if n else summed * np.nan
    return result.astype(dtype) if half else result


def _divided(g: Any, n: int) -> Any:
    return g * (1 / n) if n > 65504 and g.dtype.itemsize == 2 else g / n  # 65504 is float16's largest number


@composed(sample=lambda d: _reducible_nonempty(d, distinct=True))
def amax(input: Operand, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Any:
    """The largest elements; ties share the gradient evenly."""
    _need_elements(input, dim, "amax")
    return _one_of(input, largest, dim, keepdim, False)


@composed(sample=lambda d: _reducible_nonempty(d, distinct=True))
def amin(input: Operand, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Any:
    """The smallest elements; ties share the gradient evenly."""
    _need_elements(input, dim, "amin")
    return _one_of(input, smallest, dim, keepdim, False)


def _to_winners(g: Any, input: Any, out: Any, dim: Any, keepdim: bool, nans: bool) -> Any:
    """The gradient, divided evenly among elements that equal the result; for a nan result, among nans (or all nan)."""
    shape = tuple(input.shape)
    won, g = input == spread(out, shape, dim, keepdim), spread(g, shape, dim, keepdim)
    if nans:
        won = won | (input != input)
    return (where(won, g, 0.0) if nans else g * won) / sum(won, dim, True).astype(g.dtype)


@operation(
    {"input": _to_winners},
    grad_fn="MaxBackward1",
    sample=lambda d: (d.array(distinct=True, min_size=1), d.choice([largest, smallest, _middle]), None, False),
    row_major=True,
)
def _one_of(input: Any, function: Any, dim: Any = None, keepdim: bool = False, nans: bool = True) -> Any:
    """The element, or those along `dim`, that a function selects. Equal ones, and `nans`, share its gradient."""
    return function(input, axis=axes(dim, input.ndim), keepdims=keepdim)


def _middle(x: Any, axis: None = None, keepdims: bool = False) -> Any:
    """The lower median of all elements: nan if any is nan, or if there are no elements."""
    if not x.size:
        return x.dtype.type(np.nan if x.dtype.kind == "f" else x.dtype.kind == "b" or np.iinfo(x.dtype).min)
    ordered = np.sort(x, axis=None)
    return ordered[-1] if ordered[-1] != ordered[-1] else ordered[(x.size - 1) // 2]


def _need_elements(input: Any, dim: Any, what: str) -> None:
    reduced = axes(dim, input.ndim)
    if reduced is None and not math.prod(input.shape) and what.startswith("am"):
        raise RuntimeError(
            f"{what}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
            "the 'dim' argument."
        )
    for i, n in enumerate(input.shape):
        if n == 0 and (reduced is None or i in reduced):
            raise IndexError(f"{what}(): Expected reduction dim {i} to have non-zero size.")


def _extreme_place(function: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    _need_elements(input, dim, function.__name__)
    if dim is not None:
        one_dim(dim, input.ndim)
    return function(input, axis=dim, keepdims=keepdim) if input.ndim else np.int64(0)


def _one_extreme(d: Any) -> tuple[Any, ...]:
    x = d.array(distinct=True, min_size=1, min_ndim=1)
    return x, d.dim(x.ndim), d.boolean()


@operation(sample=_one_extreme)
def argmax(input: Operand, dim: int | None = None, keepdim: bool = False) -> Any:
    """The position of the largest element, the first one of several."""
    return _extreme_place(np.argmax, input, dim, keepdim)


@operation(sample=_one_extreme)
def argmin(input: Operand, dim: int | None = None, keepdim: bool = False) -> Any:
    """The position of the smallest element, the first one of several."""
    return _extreme_place(np.argmin, input, dim, keepdim)


def _extreme(best: Any, arg: Any, pair: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    """`max` and `min`: of all elements, of two tensors, or along a dimension."""
    if dim is None:
        _need_elements(input, None, "amax")
        return _one_of(input, best)
    if isinstance(dim, (Tensor, np.ndarray)):
        return pair(input, dim)
    if not isinstance(input, (Tensor, np.ndarray)):
        raise TypeError(f"expected a Tensor, but got {type(input).__name__}")
    where_ = arg(input, dim, True)
    values = gather(input, dim, where_)
    if keepdim or input.ndim == 0:
        return MaxMin(values, where_)
    return MaxMin(squeeze(values, dim), squeeze(where_, dim))


@composed(sample=_one_extreme)
def max(input: Operand, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element of all (ties share the gradient); ``max(input, dim)``: the largest along a dimension and
    its position (the first of several gets the gradient); ``max(input, other)``: `maximum`.

    >>> import minigrad
    >>> minigrad.max(minigrad.tensor([[1.0, 3.0], [5.0, 4.0]]), 1).indices
    tensor([1, 0])
    """
    return _extreme(largest, argmax, maximum, input, dim, keepdim)


@composed(sample=_one_extreme)
def min(input: Operand, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; see `max`."""
    return _extreme(smallest, argmin, minimum, input, dim, keepdim)


@operation(sample=lambda d: (d.array((5,), distinct=True),), out=False)
def argsort(input: Operand, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The indices that sort the elements along `dim`."""
    dim = one_dim(dim, input.ndim)
    if not input.ndim:
        return np.int64(0)
    order = np.argsort(np.flip(input, dim) if descending else input, axis=dim, kind="stable")
    if descending:  # equal elements keep their order, so it is the reversed array that is sorted
        order = input.shape[dim] - 1 - np.flip(order, dim)
    return memory.in_order_of(order, input)


@composed(sample=lambda d: (d.array((3, 4), distinct=True), d.choice([0, 1, -1]), d.boolean()))
def sort(input: Operand, dim: int = -1, descending: bool = False, stable: bool = True) -> MaxMin:
    """The sorted elements along `dim`, and their indices (stable)."""
    places = along = tuple(range(input.ndim))
    if isinstance(input, Tensor) and not input.is_contiguous():
        places = memory.axes(input.array)
    if places != along:  # the results lie as the operand does
        found = sort(permute(input, *places), places.index(one_dim(dim, input.ndim)), descending, stable)
        back = tuple(permute(x, *np.argsort(places).tolist()) for x in found)
        for x in back:
            x.view_of = None
        return MaxMin(*back)
    order = argsort(input, dim, descending, stable)
    return MaxMin(gather(input, dim, order), order)


@composed(
    sample=lambda d: (d.array((3, 4), distinct=True, ties=False), d.integer(1, 3), d.choice([0, 1, -1]), d.boolean())
)
def topk(input: Operand, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> MaxMin:
    """The `k` largest (or smallest) elements along `dim`, sorted, and their indices."""
    n = input.shape[one_dim(dim, input.ndim)] if input.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"selected index k out of range: k={k} for a dimension of length {n}")
    values, order = sort(input, dim, largest)
    if not input.ndim:
        return MaxMin(values, order)
    return MaxMin(values.narrow(dim, 0, k).contiguous(), order.narrow(dim, 0, k).contiguous())


@composed(sample=_one_extreme)
def median(input: Operand, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element (the lower one of two; nan if one is nan), of all or along `dim` with its position."""
    if dim is None:
        return _one_of(input, _middle)
    n = input.shape[one_dim(dim, input.ndim)] if input.ndim else 1
    ordered = sort(input, dim)
    nans = sum(isnan(input), dim, True)  # sorted, they come last
    middle = [gather(part, dim, where(nans > 0, n - nans, (n - 1) // 2)) for part in ordered]
    return MaxMin(*middle) if keepdim or not input.ndim else MaxMin(*(squeeze(part, dim) for part in middle))


@operation(sample=lambda d: (d.mask((2, 3)), d.choice([0, 1])), row_major=True)
def all(input: Operand, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Any:
    """Whether all elements are true (not 0)."""
    return _truth(every, input, dim, keepdim)


@operation(sample=lambda d: (d.mask((2, 3)), d.choice([0, 1])), row_major=True)
def any(input: Operand, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Any:
    """Whether any element is true (not 0)."""
    return _truth(some, input, dim, keepdim)


def _truth(function: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    result = function(input, axis=axes(dim, input.ndim), keepdims=keepdim)
    return np.asarray(result, np.uint8) if input.dtype == np.uint8 else result  # torch's choice


# ---- sums of exponentials ----------------------------------------------------------------------------------


def _shares(g: Any, input: Any, out: Any, dim: Any, keepdim: bool) -> Any:
    shape = tuple(input.shape)
    return spread(g, shape, dim, keepdim) * exp(input - spread(out, shape, dim, keepdim))


@operation(
    {"input": _shares},
    promotes=("input",),
    floating=True,
    sample=lambda d: (d.array((3, 4)), d.choice([0, 1, (0, 1)]), d.boolean()),
    row_major=True,
)
def logsumexp(input: Operand, dim: int | Sequence[int], keepdim: bool = False) -> Any:
    """``log(sum(exp(input)))``, without overflow."""
    dtype, along = input.dtype, axes(dim, input.ndim)
    x = input.astype(np.float32) if dtype == np.float16 else input
    top = largest(x, axis=along, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    rest = np.log(total(np.exp(x - top), along, keepdims=True)) + top
    return (rest if keepdim else np.squeeze(rest, along)).astype(dtype)


def _floats(input: Any, dim: int, dtype: Any) -> tuple[Any, int, Any]:
    """Softmax's arguments: floats (float32 at least), a dimension from the front, and the dtype of the result."""
    if dtype is not None:
        input = input.astype(dtypes.as_numpy(dtype), copy=False)
    if input.dtype.kind != "f" and input.size:
        raise RuntimeError(f"softmax is not implemented for {dtypes.dtype.known[input.dtype]}")
    dtype, at = input.dtype, one_dim(dim, input.ndim)
    if dtype == np.float16:
        input = input.astype(np.float32)
    return (input if input.ndim else input.reshape(1)), at, dtype


def _softmax_gradient(g: Any, out: Any, dim: int) -> Any:
    return in_float32(lambda g, out: (g - sum(g * out, dim, True)) * out, g, out)


def _log_softmax_gradient(g: Any, out: Any, dim: int) -> Any:
    return in_float32(lambda g, out: g - exp(out) * sum(g, dim, True), g, out)


@operation({"input": _softmax_gradient}, row_major=True, functional=("_stacklevel",), sample=along_a_dim)
def softmax(input: Operand, dim: int, dtype: DTypeLike | None = None) -> Any:
    """``exp(x_i) / sum_j exp(x_j)`` along `dim`: positive numbers that sum to 1.

    Each row's maximum is subtracted first, to avoid overflow.

    >>> import minigrad
    >>> minigrad.softmax(minigrad.tensor([0.0, 1000.0]), 0)
    tensor([0., 1.])
    """
    x, at, dtype = _floats(input, dim, dtype)
    if not x.size:
        return x.astype(dtype)
    e = np.exp(x - largest(x, axis=at, keepdims=True))
    e /= total(e, axis=at, keepdims=True)
    return e.reshape(input.shape).astype(dtype, copy=False)


@operation({"input": _softmax_gradient}, row_major=True, sample=along_a_dim)
def _safe_softmax(input: Any, dim: int) -> Any:
    """`softmax`, but 0 where all elements are -inf."""
    top = largest(input, axis=dim, keepdims=True, initial=np.finfo(input.dtype).min)
    e = np.exp(input - top)
    e /= np.maximum(total(e, axis=dim, keepdims=True), np.finfo(input.dtype).tiny)
    return e


@operation({"input": _log_softmax_gradient}, row_major=True, functional=("_stacklevel",), sample=along_a_dim)
def log_softmax(input: Operand, dim: int, dtype: Any = None) -> Any:
    """``log(softmax(input, dim))``, exact also where the probability underflows.

    >>> import minigrad
    >>> minigrad.log_softmax(minigrad.tensor([0.0, 1000.0]), 0)
    tensor([-1000.,     0.])
    """
    x, at, dtype = _floats(input, dim, dtype)
    if not x.size:
        return x.astype(dtype)
    z = x - largest(x, axis=at, keepdims=True)
    return (z - np.log(total(np.exp(z), axis=at, keepdims=True))).reshape(input.shape).astype(dtype, copy=False)
