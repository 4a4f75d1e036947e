"""Operations that bring many elements down to few: sums, extremes, norms, running totals.

`dim` is one dimension, several, or None for all; with `keepdim` the reduced dimensions stay, with length 1.
https://docs.pytorch.org/docs/stable/torch.html#reduction-ops
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad import dtypes
from minigrad.ops.elementwise import _stepwise, exp, log, maximum, minimum, pow, where
from minigrad.ops.indexing import gather, index_select
from minigrad.ops.record import composed, operation, public
from minigrad.ops.shape import expand, flip, one_dim, reshape, squeeze
from minigrad.tensor import Tensor, out_of_range

builtin_max = max

total: Any = np.add.reduce  # Any: NumPy's overloads do not take keepdims as a variable
product: Any = np.multiply.reduce
largest: Any = np.maximum.reduce
smallest: Any = np.minimum.reduce
every: Any = np.logical_and.reduce
some: Any = np.logical_or.reduce


class MaxMin(NamedTuple):
    """The values along a dimension, and where they stood."""

    values: Any
    indices: Any


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
    """The gradient of a sum: every element that was added up gets the gradient of the total."""
    if g.shape == shape:
        return g
    if g.ndim == 0 and isinstance(g, (np.ndarray, np.generic)):  # in a tenth of the time of NumPy's function
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
    """How many elements are reduced to one."""
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
)
def sum(input: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """The sum; integers and booleans are added up as int64.

    >>> import minigrad
    >>> minigrad.ones(2, 3).sum(dim=1)
    tensor([3., 3.])
    """
    kind = dtypes.as_numpy(dtype) if dtype is not None else np.int64 if input.dtype.kind in "iub" else None
    return total(input, axis=axes(dim, input.ndim), keepdims=keepdim, dtype=kind)


@operation(
    {
        "input": lambda g, input_shape, dim, keepdim: spread(
            g / builtin_max(count(input_shape, dim), 1), input_shape, dim, keepdim
        )
    },
    sample=_reducible_nonempty,
)
def mean(input: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
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
    summed = total(input, axis=axes(dim, input.ndim), keepdims=keepdim)
    n = count(input.shape, dim)
    return summed / n if n else summed * np.nan


@operation(
    {"input": lambda g, input, dim, keepdim: _product_of_others(g, input, dim, keepdim)},
    methods=[],
    torch="prod",
    grad_fn="ProdBackward0",
    sample=lambda d: ((x := d.array(min_ndim=1)), d.dim(x.ndim), d.boolean()),
)
def _prod(input: Any, dim: Any, keepdim: bool) -> Any:
    """The product."""
    kind = np.int64 if input.dtype.kind in "iub" else None
    return product(input, axis=axes(dim, input.ndim), keepdims=keepdim, dtype=kind)


def _product_of_others(g: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    """The gradient of a product: the product of all other elements, exact also where some are zero."""
    g = spread(g, tuple(input.shape), dim, keepdim)
    if dim is None:
        flat = reshape(input, (-1,)) if math.prod(input.shape) else input
        return g * reshape(_exclusive_product(flat, 0), tuple(input.shape))
    return g * _exclusive_product(input, one_dim(dim, input.ndim))


def _exclusive_product(x: Any, dim: int) -> Any:
    """For each place along `dim`, the product of the elements at all other places."""
    n = x.shape[dim] if x.ndim else 1
    if n < 2:
        return x * 0 + 1
    others = np.array([[j for j in range(n) if j != i] for i in range(n)])  # (n, n - 1)
    taken = x[(slice(None),) * dim + (others,)]
    return _prod(taken, dim + 1, False)


@composed(sample=lambda d: ((x := d.array(min_ndim=1)), d.dim(x.ndim), d.boolean()) if d.boolean() else (d.array(),))
def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product; integers and booleans are multiplied as int64. Its gradient is exact where elements are 0.

    >>> import minigrad
    >>> minigrad.tensor([2.0, 3.0]).prod()
    tensor(6.)
    """
    return _prod(input if dtype is None else input.to(dtype), dim, keepdim)


@operation(
    {"input": lambda g, input, out, dim, keepdim: _to_winners(g, input, out, dim, keepdim)},
    sample=lambda d: _reducible_nonempty(d, distinct=True),
)
def amax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest elements; ties share the gradient evenly."""
    _need_elements(input, dim, "amax")
    return largest(input, axis=axes(dim, input.ndim), keepdims=keepdim)


@operation(
    {"input": lambda g, input, out, dim, keepdim: _to_winners(g, input, out, dim, keepdim)},
    sample=lambda d: _reducible_nonempty(d, distinct=True),
)
def amin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest elements; ties share the gradient evenly."""
    _need_elements(input, dim, "amin")
    return smallest(input, axis=axes(dim, input.ndim), keepdims=keepdim)


def _to_winners(g: Any, input: Any, out: Any, dim: Any, keepdim: bool) -> Any:
    shape = tuple(input.shape)
    best = spread(out, shape, dim, keepdim)
    if isinstance(g, np.ndarray):
        won = np.equal(input, best, out=np.empty_like(input, bool))
        winners = won.sum(axes(dim, len(shape)), g.dtype, keepdims=True)
        given = g.reshape(winners.shape) / np.maximum(winners, 1)
        return np.multiply(won, given, out=np.empty_like(input, g.dtype))
    given = spread(g, shape, dim, keepdim)
    won = input == best
    return where(won, given / sum(won, dim, True).astype(g.dtype), 0.0)


def _need_elements(input: Any, dim: Any, what: str) -> None:
    reduced = axes(dim, input.ndim)
    if reduced is None and not input.size and what.startswith("am"):
        raise RuntimeError(
            f"{what}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
            "the 'dim' argument."
        )
    for i, n in enumerate(input.shape):
        if n == 0 and (reduced is None or i in reduced):
            raise IndexError(f"{what}(): Expected reduction dim {i} to have non-zero size.")


def _arg(name: str, function: Any, doc: str) -> Any:
    """The record of `argmax` or `argmin`."""

    def forward(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        _need_elements(input, dim, name)
        if dim is not None:
            one_dim(dim, input.ndim)
        if input.ndim == 0:
            return np.int64(0)
        return function(input, axis=dim, keepdims=keepdim)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = doc
    return operation(
        sample=lambda d: ((x := d.array(distinct=True, min_size=1, min_ndim=1)), d.dim(x.ndim), d.boolean())
    )(forward)


argmax = _arg("argmax", np.argmax, "The position of the largest element, the first one of several.")
argmin = _arg("argmin", np.argmin, "The position of the smallest element, the first one of several.")


def _extreme(best: Any, arg: Any, pair: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    """`max` and `min`: of all, of two, or along a dimension."""
    if dim is None:
        return best(input)
    if isinstance(dim, (Tensor, np.ndarray)):
        return pair(input, dim)
    if not isinstance(input, (Tensor, np.ndarray)):
        raise TypeError(f"expected a Tensor, but got {type(input).__name__}")
    where_ = arg(input, dim, True)
    values = gather(input, dim, where_)
    if keepdim or input.ndim == 0:
        return MaxMin(values, where_)
    return MaxMin(squeeze(values, dim), squeeze(where_, dim))


@composed(sample=lambda d: ((x := d.array(distinct=True, min_ndim=1, min_size=1)), d.dim(x.ndim), d.boolean()))
def max(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element of all (ties share the gradient); ``max(input, dim)``: the largest along a dimension and
    its position (the first of several gets the gradient); ``max(input, other)``: `maximum`.

    >>> import minigrad
    >>> minigrad.max(minigrad.tensor([[1.0, 3.0], [5.0, 4.0]]), 1).indices
    tensor([1, 0])
    """
    return _extreme(amax, argmax, maximum, input, dim, keepdim)


@composed(sample=lambda d: ((x := d.array(distinct=True, min_ndim=1, min_size=1)), d.dim(x.ndim), d.boolean()))
def min(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; see `max`."""
    return _extreme(amin, argmin, minimum, input, dim, keepdim)


@composed(sample=lambda d: (d.array((3, 4), distinct=True), d.choice([0, 1, -1]), d.boolean()))
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The elements in order along `dim`, and where they stood (stable)."""
    x = input.array if isinstance(input, Tensor) else input
    if x.ndim == 0:
        return MaxMin(reshape(input, ()), Tensor.wrap(np.zeros((), dtype=np.int64)))
    order = np.argsort(np.flip(x, dim) if descending else x, axis=dim, kind="stable")
    if descending:  # equal elements keep their order, so it is the reversed array that is sorted
        order = x.shape[dim] - 1 - np.flip(order, dim)
    return MaxMin(gather(input, dim, order), Tensor.wrap(order))


@composed(sample=lambda d: (d.array((5,), distinct=True),))
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """Where the elements stood that `sort` puts in order."""
    return sort(input, dim, descending).indices


@composed(
    sample=lambda d: (d.array((3, 4), distinct=True, ties=False), d.integer(1, 3), d.choice([0, 1, -1]), d.boolean())
)
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The `k` largest (or smallest) elements along `dim`, in order, and where they stood."""
    n = input.shape[one_dim(dim, input.ndim)] if input.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"selected index k out of range: k={k} for a dimension of length {n}")
    values, order = sort(input, dim, largest)
    if not input.ndim:
        return MaxMin(values, order)
    return MaxMin(values.narrow(dim, 0, k), order.narrow(dim, 0, k))


@composed(sample=lambda d: ((x := d.array(distinct=True, min_ndim=1, min_size=1)), d.dim(x.ndim), d.boolean()))
def median(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The middle element (the lower one of two), of all or along `dim` with its position."""
    if dim is None:
        return sort(reshape(input, (-1,))).values[(input.numel() - 1) // 2]
    n = input.shape[one_dim(dim, input.ndim)] if input.ndim else 1
    ordered = sort(input, dim)
    middle = [index_select(part, dim, np.array([(n - 1) // 2])) for part in ordered]
    return MaxMin(*middle) if keepdim else MaxMin(*(squeeze(part, dim) for part in middle))


@composed(methods=["all"], differentiable=False, sample=lambda d: (d.mask((2, 3)), d.choice([0, 1])))
def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all elements are true (not 0)."""
    return Tensor.wrap(np.asarray(every(input.array, axis=axes(dim, input.ndim), keepdims=keepdim)))


@composed(methods=["any"], differentiable=False, sample=lambda d: (d.mask((2, 3)), d.choice([0, 1])))
def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether one element is true (not 0)."""
    return Tensor.wrap(np.asarray(some(input.array, axis=axes(dim, input.ndim), keepdims=keepdim)))


# ---- running totals ----------------------------------------------------------------------------------------


@operation(
    {"input": lambda g, dim: flip(_cumsum(flip(g, dim), dim), dim)},
    methods=[],
    torch="cumsum",
    grad_fn="CumsumBackward0",
    sample=lambda d: ((x := d.array(min_ndim=1)), d.dim(x.ndim)),
)
def _cumsum(input: Any, dim: int) -> Any:
    """The running sum."""
    return np.cumsum(input, axis=dim, dtype=np.int64 if input.dtype.kind in "iub" else None)


@composed(sample=lambda d: ((x := d.array(min_ndim=1)), d.dim(x.ndim)))
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running sum along `dim`.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 2.0, 3.0]).cumsum(0)
    tensor([1., 3., 6.])
    """
    if dtype is not None:
        input = input.to(dtype)
    one_dim(dim, input.ndim)
    return _cumsum(input, dim) if input.ndim else reshape(_cumsum(reshape(input, (1,)), 0), ())


@composed(sample=lambda d: ((x := d.array((3, 3))), d.dim(x.ndim)))
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running product along `dim`."""
    if dtype is not None:
        input = input.to(dtype)
    at = one_dim(dim, input.ndim)
    if not input.ndim or not input.shape[at]:
        return input * 1
    n = input.shape[at]
    square = reshape(input, (*input.shape[:at], 1, *input.shape[at:]))
    mask = np.tri(n, dtype=bool).reshape((n, n) + (1,) * (input.ndim - at - 1))
    return _prod(where(mask, square, 1.0 if input.is_floating_point() else 1), at + 1, False)


# ---- statistics --------------------------------------------------------------------------------------------


def _spread_sample(d: Any) -> tuple[Any, ...]:
    x = d.array(min_size=2, min_ndim=1, distinct=True)
    return x, d.dims(x.ndim), {"correction": d.choice([0, 1]), "keepdim": d.boolean()}


@composed(sample=_spread_sample)
def var(
    input: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: int | None = None
) -> Any:
    """The variance: squared distances from the mean, summed and divided by n - `correction`.

    `correction` is 1 by default (`unbiased`), else 0. ``var(False)`` is the biased variance of all elements.
    """
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    minus = int(unbiased) if correction is None else correction
    if not input.is_floating_point():
        raise RuntimeError("std and var only support floating point and complex dtypes")
    apart = input - mean(input, dim, True)
    n = count(tuple(input.shape), dim)
    squares = sum(apart * apart, dim, keepdim)
    return squares / (n - minus) if n > minus else squares * math.nan


@composed(sample=_spread_sample)
def std(
    input: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: int | None = None
) -> Any:
    """The standard deviation: the root of `var`; the gradient of a constant's is 0.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 3.0]).std()
    tensor(1.4142)
    """
    return _safe_root(var(input, dim, unbiased, keepdim, correction=correction))


@operation(
    {"input": lambda g, out: where(out == 0, 0.0, g / (2 * where(out == 0, 1.0, out)))},
    methods=[],
    torch="",
    grad_fn="StdBackward0",
    sample=lambda d: (d.array(low=0.3),),
)
def _safe_root(input: Any) -> Any:
    """The square root whose gradient at 0 is 0."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(input)


@composed(methods=[], sample=lambda d: (d.array((3, 4)), {"dim": d.choice([0, 1, None]), "correction": 1}))
def var_mean(
    input: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """The variance and the mean."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    return var(input, dim, unbiased, keepdim, correction=correction), mean(input, dim, keepdim)


@composed(
    methods=[], sample=lambda d: (d.array((3, 4), distinct=True), {"dim": d.choice([0, 1, None]), "correction": 0})
)
def std_mean(
    input: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """The standard deviation and the mean."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    return std(input, dim, unbiased, keepdim, correction=correction), mean(input, dim, keepdim)


@composed(
    sample=lambda d: (
        d.array((3, 2), low=-1.0, kinks=(0.0,), distinct=True),
        d.choice([2, 1, 3, math.inf, 0.5, -math.inf]),
        d.choice([None, 0, 1]),
    )
)
def norm(input: Any, p: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
    """The p-norm, ``(sum |x|^p)^(1/p)``; the gradient of the 2-norm at 0 is 0.

    >>> import minigrad
    >>> minigrad.tensor([3.0, 4.0]).norm()
    tensor(5.)
    """
    if not input.is_floating_point():
        raise RuntimeError(f"norm(): Expected a floating point tensor as input. Got {input.dtype}")
    if p in ("fro", None, 2):
        return _safe_root(sum(input * input, dim, keepdim))
    size = input.abs()
    if p == math.inf:
        return amax(size, dim, keepdim)
    if p == -math.inf:
        return amin(size, dim, keepdim)
    if p == 0:
        return sum(_stepwise(input, _is_not_zero), dim, keepdim)
    if p == "nuc":
        from minigrad.ops.linalg import matrix_norm

        return matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim)
    if p == 1:
        return sum(size, dim, keepdim)
    powers = where(size == 0, 0.0, pow(where(size == 0, 1.0, size), p))  # the slope at 0 counts as 0
    return pow(sum(powers, dim, keepdim), 1 / p)


def _is_not_zero(x: Any) -> Any:
    return (x != 0).astype(x.dtype)


@composed(
    methods=[],
    torch="linalg.vector_norm",
    sample=lambda d: (
        d.array((3, 2), low=-1.0, kinks=(0.0,), distinct=True),
        d.choice([2, 1, 3, math.inf, 0.5, -math.inf]),
        d.choice([None, 0, 1, (0, 1)]),
        d.boolean(),
    ),
)
def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The p-norm of the vectors along `dim` (of all elements if it is None); see `norm`.

    >>> import minigrad
    >>> minigrad.linalg.vector_norm(minigrad.tensor([[3.0, 4.0], [0.0, 2.0]]), dim=1)
    tensor([5., 2.])
    """
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.vector_norm: ord must be a number, not {ord!r}")
    return norm(x if dtype is None else x.to(dtype), float(ord), dim, keepdim)


@composed(sample=lambda d: (d.array((3, 4)), d.choice([0, 1, (0, 1)]), d.boolean()))
def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """``log(sum(exp(input)))``, without overflow."""
    if not input.is_floating_point():
        input = input.to(dtypes.default)
    x = input.array
    if not x.size:
        return log(sum(exp(input), dim, keepdim))
    top = largest(x, axis=axes(dim, x.ndim), keepdims=True)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    flat = top if keepdim else top.reshape(largest(x, axis=axes(dim, x.ndim)).shape)
    return log(sum(exp(input - Tensor.wrap(top)), dim, keepdim)) + Tensor.wrap(flat)


@operation(
    {"input": lambda g, out, dim: (g - sum(g * out, dim, True)) * out},
    methods=[],
    torch="softmax",
    grad_fn="SoftmaxBackward0",
    sample=lambda d: ((x := d.array(min_ndim=1, min_size=1)), d.dim(x.ndim)),
)
def _softmax(input: Any, dim: int) -> Any:
    """``exp(x) / sum(exp(x))``, after subtracting each row's own maximum."""
    if not input.size:
        return input.copy()
    e = np.exp(input - largest(input, axis=dim, keepdims=True))
    e /= total(e, axis=dim, keepdims=True)
    return e


@operation(
    {"input": lambda g, out, dim: g - exp(out) * sum(g, dim, True)},
    methods=[],
    torch="log_softmax",
    grad_fn="LogSoftmaxBackward0",
    sample=lambda d: ((x := d.array(min_ndim=1, min_size=1)), d.dim(x.ndim)),
)
def _log_softmax(input: Any, dim: int) -> Any:
    """``x - log(sum(exp(x)))``, after subtracting each row's own maximum."""
    if not input.size:
        return input.copy()
    z = input - largest(input, axis=dim, keepdims=True)
    return z - np.log(total(np.exp(z), axis=dim, keepdims=True))


def _normalizer(function: Any, input: Any, dim: int, dtype: Any) -> Any:
    if dtype is not None:
        input = input.to(dtype)
    if not input.is_floating_point() and input.numel():
        raise RuntimeError(f"softmax is not implemented for {input.dtype}")
    at = one_dim(dim, input.ndim)
    return function(input, at) if input.ndim else reshape(function(reshape(input, (1,)), 0), ())


@composed(sample=lambda d: ((x := d.array(min_ndim=1)), d.dim(x.ndim)))
def softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """``exp(x_i) / sum_j exp(x_j)`` along `dim`: positive numbers that sum to 1. No overflow: see `_softmax`.

    >>> import minigrad
    >>> minigrad.softmax(minigrad.tensor([0.0, 1000.0]), 0)
    tensor([0., 1.])
    """
    return _normalizer(_softmax, input, dim, dtype)


@composed(sample=lambda d: ((x := d.array(min_ndim=1)), d.dim(x.ndim)))
def log_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """``log(softmax(input, dim))``, exact also where the probability underflows.

    >>> import minigrad
    >>> minigrad.log_softmax(minigrad.tensor([0.0, 1000.0]), 0)
    tensor([-1000.,     0.])
    """
    return _normalizer(_log_softmax, input, dim, dtype)


if not TYPE_CHECKING:  # type checkers take all public names
    __all__ = [
        name for name in public(globals()) if name not in ("MaxMin", "axes", "count", "kept", "spread", "vector_norm")
    ]
