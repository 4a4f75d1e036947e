"""Random numbers, equal to the ones that PyTorch draws from the same seed.

`minigrad.streams` says how the stream of random words works, and what each type of draw takes from it. Everything here
returns NumPy arrays; the tensor functions of the same names wrap them.

>>> import minigrad.random
>>> generator = minigrad.random.Generator().manual_seed(0)
>>> generator.randperm(6).tolist()
[2, 5, 3, 0, 1, 4]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.kernels.memory import axes
from minigrad.streams import (
    FLOAT64,
    SPANS,
    WIDE_RANGE,
    Array,
    Shape,
    Stream,
    box_muller,
    floating,
    held,
    sized,
    stable_order,
    stretched,
)
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike


class Generator(Stream):
    """A stream of random numbers with its own state (``torch.Generator``).

    >>> generator = Generator().manual_seed(7)
    >>> state = generator.get_state()
    >>> first = generator.rand(4)
    >>> bool((first == generator.set_state(state).rand(4)).all())
    True
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._state(),)

    # -- continuous draws

    def rand(self, shape: Shape, dtype: DTypeLike = np.float32) -> Array:
        """Uniform numbers from [0, 1) (``torch.rand``).

        >>> Generator().manual_seed(0).rand((1, 2)).tolist()
        [[0.49625658988952637, 0.7682217955589294]]
        """
        return self.uniform(shape, dtype=dtype)

    def uniform(self, shape: Shape, low: float = 0.0, high: float = 1.0, dtype: DTypeLike = np.float32) -> Array:
        """Uniform numbers from [low, high) (``Tensor.uniform_``).

        Raises:
            RuntimeError: if `low` is above `high`, or the dtype cannot hold them or their difference.
        """
        sizes, count = sized(shape)
        dtype = floating("uniform_", dtype)
        with np.errstate(over="ignore"):
            start, end = dtype.type(low), dtype.type(high)
            width = end - start
        if not (np.isfinite(start) and np.isfinite(end) and np.isfinite(width)):
            raise RuntimeError(f"uniform_: the range from={low} to={high} is out of bounds for {dtype}")
        if low > high:
            raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}")
        wide = np.promote_types(dtype, np.float32)  # float16 is rounded twice, as in torch
        numbers = stretched(self._units(count, dtype), float(width), float(start), wide).astype(dtype, copy=False)
        if (low, high) != (0, 1) or dtype.itemsize < 4:  # units in [0, 1) do not round to 1
            numbers[numbers == end] = start
        return numbers.reshape(sizes)

    def randn(self, shape: Shape, dtype: DTypeLike = np.float32) -> Array:
        """Normal numbers of mean 0 and standard deviation 1 (``torch.randn``).

        >>> [f"{x:.4f}" for x in Generator().manual_seed(0).randn(3)]
        ['1.5410', '-0.2934', '-2.1788']
        """
        return self.normal(shape, dtype=dtype)

    def normal(
        self, shape: Shape, mean: float = 0.0, std: float = 1.0, dtype: DTypeLike = np.float32, blocks: bool = True
    ) -> Array:
        """Normal numbers of that mean and standard deviation (``Tensor.normal_``).

        Without `blocks` they are made one by one, as PyTorch does where a tensor is not contiguous.

        Raises:
            RuntimeError: if `std` is negative or not a number.
        """
        sizes, count = sized(shape)
        dtype = floating("normal_", dtype)
        if not std >= 0:
            raise RuntimeError(f"normal_ expects std >= 0.0, but found std {std}")
        numbers = self._many_normals(count, dtype) if count >= 16 and blocks else self._few_normals(count)
        return stretched(numbers, float(std), float(mean), dtype).reshape(sizes)

    def _many_normals(self, count: int, dtype: np.dtype[Any]) -> Array:
        """In blocks of 16: 8 units for the radius, 8 for the angle; then 8 cosines come before 8 sines."""
        whole = count - count % 16
        units = self._units(count if dtype.itemsize > 2 else whole, dtype)
        numbers = np.empty(count, units.dtype)
        box_muller(units[:whole], numbers[:whole])
        if whole < count:  # the last 16 are drawn again, over some that are already there
            box_muller(self._units(16, dtype), numbers[-16:])
        return numbers

    def _few_normals(self, count: int) -> Array:
        """One pair after the other, in double precision."""
        numbers = [] if self._kept_normal is None else [self._kept_normal]
        pairs = max(count - len(numbers) + 1, 0) // 2
        for turn, height in self._units(2 * pairs, FLOAT64).reshape(pairs, 2).tolist():
            angle, radius = 2 * math.pi * turn, math.sqrt(-2 * math.log1p(-height))
            numbers += [radius * math.cos(angle), radius * math.sin(angle)]
        self._kept_normal = numbers.pop() if len(numbers) > count else None
        return np.array(numbers, FLOAT64)

    def trunc_normal(
        self,
        shape: Shape,
        mean: float = 0.0,
        std: float = 1.0,
        low: float = -2.0,
        high: float = 2.0,
        dtype: DTypeLike = np.float32,
    ) -> Array:
        """Normal numbers within [low, high] (``torch.nn.init.trunc_normal_``).

        Normal numbers are redrawn until each lies in the interval. If that holds 30 % of the distribution or less,
        uniform numbers are redrawn until each is accepted, with probability density / peak density.
        """
        dtype = floating("trunc_normal_", dtype)

        def cdf(bound: float) -> float:
            return (1 + math.erf((bound - mean) / std / math.sqrt(2))) / 2

        if cdf(high) - cdf(low) > 0.3:
            numbers = self.normal(shape, mean, std, dtype)
            while (outside := (numbers < dtype.type(low)) | (numbers > dtype.type(high))).any():
                numbers = np.where(outside, self.normal(shape, mean, std, dtype), numbers)
            return numbers

        peak = -0.5 * ((max(low, min(mean, high)) - mean) / std) ** 2
        numbers = proposed = self.uniform(shape, low, high, dtype)
        rejected = np.ones_like(numbers, np.bool_)
        while True:
            log_density = ((proposed - mean) / std) ** 2 * -0.5 - peak
            with np.errstate(divide="ignore"):
                rejected &= np.log(self.rand(shape, dtype)) > log_density
            if not rejected.any():
                return numbers
            proposed = self.uniform(shape, low, high, dtype)
            numbers = np.where(rejected, proposed, numbers)

    def exponential(self, shape: Shape, lambd: float = 1.0, dtype: DTypeLike = np.float32) -> Array:
        """Exponential numbers of the rate `lambd` (``Tensor.exponential_``): -ln(1 - unit) / lambd.

        Raises:
            RuntimeError: if `lambd` is not above zero.
        """
        sizes, count = sized(shape)
        dtype = floating("exponential_", dtype, RuntimeError)
        if not lambd > 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
        numbers = np.log1p(-self._units(count, FLOAT64)) * (-1 / lambd)
        return numbers.astype(dtype, copy=False).reshape(sizes)

    def log_normal(self, shape: Shape, mean: float = 1.0, std: float = 2.0, dtype: DTypeLike = np.float32) -> Array:
        """Numbers with normal logarithms (``Tensor.log_normal_``).

        Raises:
            RuntimeError: if `std` is not above zero.
        """
        dtype = floating("log_normal_", dtype)
        if not std > 0:
            raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
        return np.exp(self.normal(shape, mean, std, FLOAT64, blocks=False)).astype(dtype)

    def cauchy(self, shape: Shape, median: float = 0.0, sigma: float = 1.0, dtype: DTypeLike = np.float32) -> Array:
        """Cauchy's distribution (``Tensor.cauchy_``): median + sigma · tan(π (unit - 1/2)).

        Raises:
            RuntimeError: if `sigma` is not above zero.
        """
        sizes, count = sized(shape)
        dtype = floating("cauchy_", dtype, RuntimeError)
        if not sigma > 0:
            raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
        numbers = median + sigma * np.tan(math.pi * (self._units(count, FLOAT64) - 0.5))
        return numbers.astype(dtype).reshape(sizes)

    # -- discrete draws

    def random(self, shape: Shape, dtype: DTypeLike = np.int64) -> Array:
        """Integers from 0 to the largest of the dtype; for floats to 2¹¹, 2²⁴ or 2⁵³ (``Tensor.random_()``).

        Raises:
            NotImplementedError: if tensors have no such dtype.
        """
        sizes, count = sized(shape)
        dtype = np.dtype(dtype)
        if dtype not in SPANS:
            raise NotImplementedError(f"random_ is not implemented for {dtype}")
        words = self._double_words(count) if dtype.itemsize == 8 else self._words(count)
        return (words % np.uint64(SPANS[dtype])).astype(dtype).reshape(sizes)

    def random63(self) -> int:
        """One integer from 0 to 2⁶³ - 1, as `random` draws it."""
        return int(self._double_words(1)[0]) % 2**63

    def randint(self, low: int, high: int, shape: Shape, dtype: DTypeLike = np.int64) -> Array:
        """Integers from `low` to `high` - 1 (``torch.randint``).

        Raises:
            RuntimeError: if the range is empty, or the dtype cannot hold it.

        >>> Generator().manual_seed(0).randint(0, 10, (5,)).tolist()
        [4, 9, 3, 0, 3]
        """
        sizes, count = sized(shape)
        dtype, low, high = np.dtype(dtype), index(low), index(high)
        if low >= high:
            raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
        low, high = held(low, high, dtype)
        span = high - low
        words = self._words(count) if span < WIDE_RANGE else self._double_words(count)
        words %= np.uint64(span)
        words += np.uint64(low % 2**64)  # a negative number in two's complement
        return words.view(np.int64).astype(dtype, copy=False).reshape(sizes)

    def randperm(self, n: int, dtype: DTypeLike = np.int64) -> Array:
        """The integers from 0 to n - 1 in random order, (n,) (``torch.randperm``).

        This is the Fisher-Yates shuffle: step i swaps the number at place i with one drawn from place i and
        after, its target. A Python loop over the steps would be slow. But what step i moves to place i is what
        the last earlier step j with the same target left there, which is what place j held at step j. So all
        targets are drawn at once and sorted, and the chains of such steps are followed for all places together.

        Raises:
            RuntimeError: if `n` is negative, or the dtype cannot hold the numbers.
            NotImplementedError: for bools.

        >>> Generator().manual_seed(0).randperm(6).tolist()
        [2, 5, 3, 0, 1, 4]
        """
        (n,), _ = sized(n)
        dtype = np.dtype(dtype)
        if dtype not in SPANS or dtype == np.bool_:
            raise NotImplementedError(f"randperm is not implemented for {dtype}")
        if n > SPANS[dtype]:
            raise RuntimeError(f"n cannot be greater than {SPANS[dtype]} for {dtype}")
        return self._permuted(n).astype(dtype, copy=False)

    def _permuted(self, n: int) -> Array:
        ahead = self._words(max(n - 1, 0)) % np.arange(n, 1, -1, dtype=np.uint64)
        step = np.flatnonzero(ahead)
        if not step.size:
            return np.arange(n)
        aim = step + ahead[step].astype(np.int64)
        order = stable_order(aim)
        step, aim = step[order], aim[order]
        changes = aim[1:] != aim[:-1]
        first, last = np.append(True, changes), np.append(changes, True)

        # what place i holds at step i: what place j held at step j, the last earlier step whose target is i
        held = np.arange(n)
        held[aim[last]] = step[last]
        while not np.array_equal(further := held[held], held):
            held = further

        result = held.copy()
        result[step[first]] = aim[first]
        again = np.flatnonzero(~first)
        result[step[again]] = held[step[again - 1]]
        return result

    def bernoulli(self, shape: Shape, p: float = 0.5, dtype: DTypeLike = np.bool_) -> Array:
        """True (or 1) with probability `p` (``Tensor.bernoulli_`` of a number; the mask of dropout).

        Raises:
            RuntimeError: if `p` is not in [0, 1].

        >>> Generator().manual_seed(0).bernoulli((4,), 0.5, dtype="float32").tolist()
        [0.0, 0.0, 1.0, 0.0]
        """
        sizes, count = sized(shape)
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
        below: Array = self._long_units(count) < np.uint64(math.ceil(p * 2**53))
        return below.astype(dtype, copy=False).reshape(sizes)

    def geometric(self, shape: Shape, p: float, dtype: DTypeLike = np.float32) -> Array:
        """The number of trials until success, which has probability `p` (``Tensor.geometric_``).

        Raises:
            RuntimeError: if `p` is not within (0, 1).
        """
        sizes, count = sized(shape)
        if not 0 < p < 1:
            raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
        with np.errstate(divide="ignore"):
            tries = np.ceil(np.log(self._units(count, FLOAT64)) / math.log1p(-p))
        return tries.astype(dtype).reshape(sizes)

    def poisson(self, rates: Array) -> Array:
        """Poisson's distribution with these rates, of their shape and dtype (``torch.poisson``).

        Rates from 10 on are drawn by transformed rejection (Hörmann 1993), lower ones by a product of units.

        Raises:
            RuntimeError: if a rate is negative.
        """
        dtype = floating("poisson", rates.dtype)
        if (rates < 0).any():
            raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
        draws = [self._poisson(rate) for rate in rates.astype(FLOAT64).ravel().tolist()]
        return np.array(draws, dtype).reshape(rates.shape)

    def _poisson(self, rate: float) -> float:
        if rate < 10:
            arrived, product = -1, 1.0
            while rate > 0 and product > math.exp(-rate):
                product *= float(self._units(1, FLOAT64)[0])
                arrived += 1
            return max(arrived, 0)
        b = 0.931 + 2.53 * math.sqrt(rate)
        a = -0.059 + 0.02483 * b
        while True:
            u, v = self._units(2, FLOAT64).tolist()
            us = 0.5 - abs(u - 0.5)
            k = math.floor((2 * a / us + b) * (u - 0.5) + rate + 0.43) if us else -1
            if us >= 0.07 and v <= 0.9277 - 3.6224 / (b - 2):
                return k
            if k < 0 or (us < 0.013 and v > us):
                continue
            density = k * math.log(rate) - rate - math.lgamma(k + 1)
            if math.log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / us**2 + b)) <= density:
                return k

    def bernoulli_from(self, p: Array) -> Array:
        """1 with the probability at its place in `p`, else 0; of its shape and dtype (``torch.bernoulli``).

        Raises:
            RuntimeError: if an entry is not in [0, 1].
            NotImplementedError: if `p` is not of a floating point dtype.
        """
        dtype = floating("bernoulli", p.dtype)
        if not ((p >= 0) & (p <= 1)).all():
            raise RuntimeError("bernoulli expects every entry of p to be in [0, 1]")
        return (self._units(p.size, dtype) < p.ravel()).astype(dtype).reshape(p.shape)

    def multinomial(self, weights: Array, num_samples: int, replacement: bool = False) -> Array:
        """Indices, drawn with these weights (``torch.multinomial``).

        Args:
            weights: (K,) or (N, K), floats, not negative; a row need not sum to 1.
            num_samples: S, how many indices to draw for each row.
            replacement: whether a row may get the same index more than once.

        Returns:
            (S,) or (N, S) of int64.

        Raises:
            RuntimeError: if the weights have another shape or dtype, are negative, not finite or a row of
                zeros, or if S is above K without `replacement`.

        >>> Generator().manual_seed(0).multinomial(np.array([0.1, 0.0, 3.0]), 2).tolist()
        [2, 0]
        """
        if weights.dtype.kind != "f":
            raise RuntimeError(f"multinomial only supports floating-point weights, got {weights.dtype}")
        if weights.ndim not in (1, 2):
            raise RuntimeError(f"multinomial expects weights of shape (K,) or (N, K), got {weights.shape}")
        if num_samples <= 0:
            raise RuntimeError(f"multinomial cannot sample num_samples={num_samples} <= 0 samples")
        if not replacement and num_samples > weights.shape[-1]:
            raise RuntimeError(
                f"multinomial cannot sample {num_samples} of {weights.shape[-1]} weights without replacement: cannot "
                "sample n_sample > prob_dist.size(-1) samples without replacement"
            )
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise RuntimeError("multinomial: the weights contain inf, nan or an element < 0")
        rows = np.atleast_2d(weights)
        if not rows.any(axis=1).all():
            raise RuntimeError("multinomial: invalid distribution (sum of weights <= 0)")
        draw = self._replaced if replacement and num_samples > 1 else self._raced
        return draw(rows, num_samples).reshape(*weights.shape[:-1], num_samples)

    def _raced(self, rows: Array, num_samples: int) -> Array:
        """The indices of the largest quotients of a weight and an exponential number."""
        with np.errstate(divide="ignore", invalid="ignore"):
            speed = rows / self.exponential(rows.shape, dtype=rows.dtype)
        return np.argsort(-speed, axis=1, kind="stable")[:, :num_samples]

    def _replaced(self, rows: Array, num_samples: int) -> Array:
        """The indices where units fall among the cumulative weights."""
        ends = np.cumsum(rows, axis=1, dtype=rows.dtype)
        ends /= ends[:, -1:].copy()
        units = self._units(len(rows) * num_samples, FLOAT64).reshape(len(rows), num_samples)
        return np.stack([np.searchsorted(end, unit) for end, unit in zip(ends, units, strict=True)])


def _restored(state: Array) -> Generator:
    return Generator().set_state(state)


def in_memory_order(draw: Callable[[tuple[int, ...]], Array], order: tuple[int, ...], shape: Shape) -> Array:
    """The result of `draw` for a shape, drawn in memory order, where `order` is that of the axes in memory."""
    sizes, _ = sized(shape)
    return draw(tuple(sizes[i] for i in order)).transpose(np.argsort(order))


def axes_in_torch(x: Tensor) -> tuple[int, ...]:
    """The axes of a tensor by decreasing stride, as they would be in torch.

    Results of convolutions, and what is computed from them, are channels-last here and row-major in torch.
    """
    origin = x if x.view_of is None else x.view_of.base
    return tuple(range(x.ndim)) if origin.loose else axes(x.array)


#: The stream used wherever no other generator is given. Without `manual_seed` it differs from run to run.
default_generator = Generator()
default_generator.seed()


def manual_seed(seed: Any) -> Generator:
    """Start the default stream from that seed (``torch.manual_seed``); returns `default_generator`.

    Raises:
        ValueError: if it is not from -2⁶³ to 2⁶⁴ - 1.
    """
    return default_generator.manual_seed(int(seed))


def initial_seed() -> int:
    """The seed that the default stream was started from."""
    return default_generator.initial_seed()


def seed() -> int:
    """Start the default stream from a seed that the operating system draws, and return that seed."""
    return default_generator.seed()


def get_rng_state() -> Tensor:
    """The default stream's state; see `Generator.get_state`."""
    return default_generator.get_state()


def set_rng_state(state: Tensor | ArrayLike) -> None:
    """Continue the default stream from that state; see `Generator.set_state`."""
    default_generator.set_state(state)


@contextmanager
def fork_rng(enabled: bool = True) -> Iterator[None]:
    """Restore the default stream's state at the end of the block (``torch.random.fork_rng``).

    >>> generator = manual_seed(1)
    >>> with fork_rng():
    ...     inside = generator.rand(2)
    >>> bool((inside == generator.rand(2)).all())
    True
    """
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
