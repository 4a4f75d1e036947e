"""The order in which a `DataLoader` takes samples.

A sampler is any iterable that yields indices, or lists of them for batches. Each iteration draws a new order, when its
first index is requested.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import chain, islice
from typing import Any, Generic, TypeVar

import numpy as np

from minigrad.random import Generator, default_generator
from minigrad.tensor import Tensor
from minigrad.utils.data.dataset import counted

__all__ = ["BatchSampler", "Sampler"]
__all__ += ["RandomSampler", "SequentialSampler", "SubsetRandomSampler", "WeightedRandomSampler"]

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """The base class of samplers; a subclass has ``__iter__``, and ``__len__`` where its length is known."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError

    def __repr__(self) -> str:
        return counted(self)


class SequentialSampler(Sampler[int]):
    """0, 1, 2 … to the end.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """All indices in random order, or `num_samples` of them.

    Args:
        data_source: what the indices are for.
        replacement: draw each one from all.
        num_samples: how many to draw; default: as many as there are. Without replacement, further random orders
            follow the first.
        generator: the source of random numbers. Default: a new one, seeded by a draw from the default stream.

    Raises:
        TypeError: if `replacement` is not a bool.
        ValueError: if there are no samples to draw.

    >>> list(RandomSampler("abcd", generator=Generator().manual_seed(0)))
    [0, 1, 3, 2]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = num_samples
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        _check_count("num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices one iteration yields."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(self._draws())

    def _draws(self) -> Iterator[list[int]]:
        n, count = len(self.data_source), self.num_samples
        generator = self.generator or Generator().manual_seed(default_generator.random63())
        if self.replacement:
            for _ in range(count // 32):
                yield generator.randint(0, n, 32).tolist()
            yield generator.randint(0, n, count % 32).tolist()
        else:
            for _ in range(count // n):
                yield generator.randperm(n).tolist()
            if count % n or self.generator:  # torch draws from a given generator even if no indices are left to take
                yield generator.randperm(n)[: count % n].tolist()

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[Any]):
    """The given indices in random order.

    >>> list(SubsetRandomSampler([10, 20, 30, 40], generator=Generator().manual_seed(0)))
    [10, 20, 40, 30]
    """

    def __init__(self, indices: Sequence[Any], generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[Any]:
        for i in (self.generator or default_generator).randperm(len(self.indices)).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with the given weights.

    Args:
        weights: (K,), one for each index; they need not sum to 1.
        num_samples: how many to draw.
        replacement: whether an index can come more than once.
        generator: the source of random numbers. Default: the default stream.

    Raises:
        ValueError: if the weights are not 1-D, or `num_samples` or `replacement` has the wrong type.

    >>> list(WeightedRandomSampler([0.1, 0.0, 3.0], 5, generator=Generator().manual_seed(0)))
    [2, 2, 2, 2, 2]
    """

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True, generator: Generator | None = None
    ) -> None:
        _check_count("num_samples", num_samples)
        _check_bool("replacement", replacement)
        self.weights = Tensor.wrap(np.array(weights, np.float64))
        if self.weights.ndim != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        generator = self.generator or default_generator
        yield from generator.multinomial(self.weights.array, self.num_samples, self.replacement).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[Any]]):
    """Lists of `batch_size` indices of another sampler.

    Args:
        sampler: any iterable over indices.
        batch_size: indices in a batch.
        drop_last: leave out a last batch that is not full.

    Raises:
        ValueError: if `batch_size` is not a positive int, or `drop_last` no bool.

    >>> list(BatchSampler(range(5), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        _check_count("batch_size", batch_size)
        _check_bool("drop_last", drop_last)
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[Any]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]  # raises Python's error if it has no length
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


def _check_count(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")


def _check_bool(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name} should be a boolean value, but got {name}={value}")
