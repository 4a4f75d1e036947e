"""Tensors of random numbers, and in-place random methods: torch's numbers for the same seed.

https://docs.pytorch.org/docs/stable/torch.html#random-sampling
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from minigrad import dtypes
from minigrad.creation import (
    LIKE,
    Options,
    _creates,
    _finished,
    _like,
    _made,
    _numpy_dtype,
    _size,
    _value,
    empty,
    empty_like,
)
from minigrad.dtypes import DTypeLike
from minigrad.engine import Array
from minigrad.kernels.memory import dense
from minigrad.ops.record import public, renamed
from minigrad.random import Generator, axes_in_torch, default_generator, in_memory_order
from minigrad.tensor import Tensor


def rand(
    *shape: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    **options: Unpack[Options],
) -> Tensor:
    """Uniform in [0, 1); torch's numbers for the same seed.

    >>> import minigrad
    >>> _ = minigrad.manual_seed(0)
    >>> minigrad.rand(2)
    tensor([0.4963, 0.7682])
    """
    return _finished(_made(_rng(generator).rand, _size(shape, size), _numpy_dtype(dtype)), **options)


def randn(
    *shape: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    **options: Unpack[Options],
) -> Tensor:
    """Normal with mean 0 and standard deviation 1."""
    return _finished(_made(_rng(generator).randn, _size(shape, size), _numpy_dtype(dtype)), **options)


def randint(
    *limits: Any,
    low: int | None = None,
    high: int | None = None,
    size: Any = None,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    **options: Unpack[Options],
) -> Tensor:
    """Integers in [`low`, `high`): ``randint(low, high, size)``; ``randint(high, size)`` starts at 0.

    Raises:
        TypeError: if `high` or `size` is missing, or `size` is not a tuple or list.

    >>> import minigrad
    >>> minigrad.randint(5, size=(2, 3)).shape
    minigrad.Size([2, 3])
    """
    if size is None and limits:
        *limits, size = limits  # type: ignore[assignment]
    ends = [*limits, *(end for end in (low, high) if end is not None)]
    if len(ends) not in (1, 2) or not isinstance(size, (tuple, list)):
        raise TypeError(f"randint() expected (low, high, size) or (high, size), but got {ends} and size={size!r}")
    bounds = *([0, *ends][-2:]), _size((), size), _numpy_dtype(dtype, dtypes.int64)
    return _finished(_made(_rng(generator).randint, *bounds), **options)


def randperm(
    n: int, *, generator: Generator | None = None, dtype: DTypeLike | None = None, **options: Unpack[Options]
) -> Tensor:
    """The numbers 0 … n-1 in random order."""
    return _finished(_made(_rng(generator).randperm, n, _numpy_dtype(dtype, dtypes.int64)), **options)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    **options: Unpack[Options],
) -> Tensor:
    """Normal with the given mean and standard deviation: two numbers and a `size`, or tensors, whose dtype it has.

    Raises:
        TypeError: for two numbers without a `size`.
        RuntimeError: for a negative standard deviation.
    """
    rng, tensors = _rng(generator), [x for x in (mean, std) if isinstance(x, Tensor)]
    if size is not None:
        return _finished(_made(rng.normal, _size((), size), mean, std, _numpy_dtype(dtype)), **options)
    if not tensors:
        raise TypeError(f"normal() needs a size or a tensor, but got mean={mean} and std={std}")
    if dtype is not None:
        raise TypeError("normal() takes a dtype only with two numbers; with tensors the result has theirs")
    return _finished(_normal(mean, std, tensors[0].array.dtype, rng), **options)


def _of_normal(mean: Any, std: Any, dtype: np.dtype[Any], generator: Generator) -> Array:
    shape = np.broadcast_shapes(np.shape(mean), np.shape(std))
    if not isinstance(std, np.ndarray):
        return generator.normal(shape, 0.0, std, dtype) + mean  # type: ignore[no-any-return]
    if not (std >= 0).all():
        raise RuntimeError("normal expects all elements of std >= 0.0")
    return (generator.normal(shape, dtype=dtype) * std + mean).astype(dtype)  # type: ignore[no-any-return]


_normal = _creates(_of_normal, "NormalBackward0", "mean", "std")


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None, out: Any = None) -> Tensor:
    """1 with the probability in `input`, else 0; or with probability `p`, in the shape of `input`."""
    if p is None:
        return _finished(_tossed(input, _rng(generator)), out=out)
    return _finished(empty(input.shape, dtype=input.dtype).bernoulli_(p, generator=generator), out=out)


_tossed = _creates(lambda p, generator: generator.bernoulli_from(p), "BernoulliBackward0", "p")


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Draws from Poisson's distribution with the rates in `input`, of its shape and dtype.

    Raises:
        RuntimeError: if a rate is negative.

    >>> import minigrad
    >>> _ = minigrad.manual_seed(0)
    >>> minigrad.poisson(minigrad.tensor([0.0, 3.0, 50.0]))
    tensor([ 0.,  6., 47.])
    """
    return _finished(_arrived(input, _rng(generator)))


_arrived = _creates(lambda rates, generator: generator.poisson(rates), "PoissonBackward0", "rates")


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None, out: Any = None
) -> Tensor:
    """Indices drawn with the weights in `input` (C,) or (N, C)."""
    if out is not None and out.dtype is not dtypes.int64:
        raise RuntimeError(f"multinomial expects Long tensor out, got: {out.dtype}")
    return _finished(_chosen(input, num_samples, replacement, _rng(generator)), out=out)


@_creates
def _chosen(weights: Array, n: int, replacement: bool, generator: Generator) -> Array:
    return generator.multinomial(weights, n, replacement)


def _drawn_like(name: str, fill: str) -> Callable[..., Tensor]:
    def like(
        input: Tensor,
        *,
        generator: Generator | None = None,
        dtype: DTypeLike | None = None,
        memory_format: Any = None,
        **options: Unpack[Options],
    ) -> Tensor:
        drawn = getattr(empty_like(input, dtype=dtype), fill)(generator=generator)
        return _finished(drawn, **options)

    return renamed(like, f"{name}_like", LIKE.format(name))


rand_like, randn_like = _drawn_like("rand", "uniform_"), _drawn_like("randn", "normal_")
randint_like = _like(lambda size, *limits, **options: randint(*limits, size=size, **options), "randint")
randint_like.__module__ = __name__


# ---- methods ---------------------------------------------------------------------------------------------


def _drawer(name: str, draw: Callable[..., Array], doc: str) -> Callable[..., Tensor]:
    """An in-place method that draws in memory order: ``draw(generator, shape, …)``."""

    def values(x: Array, order: tuple[int, ...], rng: Generator, args: tuple[Any, ...], options: Any) -> Array:
        if name == "normal_":
            options = {**options, "blocks": order == tuple(range(x.ndim)) and dense(x)}
        elif name == "bernoulli_" and args and isinstance(args[0], np.ndarray):
            args = (np.broadcast_to(args[0], x.shape).transpose(order),)
        drawn = in_memory_order(lambda shape: draw(rng, shape, *args, dtype=x.dtype, **options), order, x.shape)
        return drawn.astype(x.dtype, copy=False)

    operation = _creates(values)

    def method(self: Tensor, *args: Any, generator: Generator | None = None, **options: Any) -> Tensor:
        options = {_NAMES.get(key, key): _value(value) for key, value in options.items()}
        args = tuple(map(_value, args))
        return self.assign(operation(self, axes_in_torch(self), _rng(generator), args, options))

    return renamed(method, name, doc)


_NAMES = {"a": "low", "b": "high", "from": "low", "to": "high"}  #: torch's argument names, and ours


def _bernoulli(rng: Generator, shape: tuple[int, ...], p: Any = 0.5, dtype: Any = None) -> Array:
    return rng.bernoulli_from(p) if isinstance(p, np.ndarray) else rng.bernoulli(shape, p, dtype)


def _integers(
    rng: Generator, shape: tuple[int, ...], *limits: int, dtype: Any, low: Any = None, high: Any = None
) -> Array:
    ends = [end for end in (*limits, low, high) if end is not None]
    return rng.randint([0, *ends][-2], ends[-1], shape, dtype) if ends else rng.random(shape, dtype)


def _rng(generator: Generator | None) -> Generator:
    return generator or default_generator


_methods: dict[str, Callable[..., Any]] = {
    "uniform_": _drawer("uniform_", Generator.uniform, "Fill with uniform numbers in [a, b)."),
    "normal_": _drawer("normal_", Generator.normal, "Fill with normal numbers."),
    "bernoulli_": _drawer("bernoulli_", _bernoulli, "Fill with 1 with probability p, else 0."),
    "exponential_": _drawer("exponential_", Generator.exponential, "Fill with exponential numbers of rate lambd."),
    "log_normal_": _drawer("log_normal_", Generator.log_normal, "Fill with numbers whose logarithms are normal."),
    "cauchy_": _drawer("cauchy_", Generator.cauchy, "Fill with numbers of Cauchy's distribution."),
    "geometric_": _drawer(
        "geometric_", Generator.geometric, "Fill with numbers of trials until success, of probability p."
    ),
    "random_": _drawer("random_", _integers, "Fill with random integers, in [from, to) if given."),
    "bernoulli": bernoulli,
    "multinomial": multinomial,
}
for _name, _function in _methods.items():
    setattr(Tensor, _name, _function)

if not TYPE_CHECKING:  # type checkers take all public names
    __all__ = public(globals())
