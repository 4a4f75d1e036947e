"""Datasets: collections of samples."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import Any, Generic, TypeVar

import numpy as np

from minigrad.random import Generator, default_generator
from minigrad.tensor import Tensor
from minigrad.utils.data.collate import default_collate

__all__ = ["ChainDataset", "ConcatDataset", "Dataset", "IterableDataset", "StackDataset", "Subset"]
__all__ += ["TensorDataset", "random_split"]

T_co = TypeVar("T_co", covariant=True)


def counted(source: object) -> str:
    """A dataset or a sampler as text: ``"TensorDataset(4 samples)"``."""
    try:
        length = f"{len(source):,} samples"  # type: ignore[arg-type]
    except (TypeError, NotImplementedError):
        length = ""
    return f"{type(source).__name__}({length})"


class Dataset(Generic[T_co]):
    """The base class of datasets; a subclass has ``__getitem__(index)`` and ``__len__()``.

    Two more methods are optional, and make loading faster:

    * ``__getitems__(indices)``, as in torch: a list of the samples;
    * ``__getbatch__(indices)``, minigrad's own: the batch that `default_collate` would make from these samples, or
      None if it can't be made directly. A `DataLoader` without a ``collate_fn`` calls it. In a subclass that
      overrides ``__getitem__``, an inherited ``__getbatch__`` is not used.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ConcatDataset([self, other])

    def __repr__(self) -> str:
        return counted(self)


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """The base class of datasets that are a stream; a subclass has ``__iter__()``."""

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors of equal length; a sample is a tuple of their rows.

    Raises:
        AssertionError: if the lengths differ.
        TypeError: if an argument is not a tensor.
        IndexError: if it has no dimensions.

    >>> import minigrad
    >>> dataset = TensorDataset(minigrad.tensor([[1.0, 2.0], [3.0, 4.0]]), minigrad.tensor([0, 1]))
    >>> len(dataset), dataset[1]
    (2, (tensor([3., 4.]), tensor(1)))
    """

    def __init__(self, *tensors: Tensor) -> None:
        for i, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                raise TypeError(f"TensorDataset: argument {i} must be a tensor, but is {type(tensor).__name__}")
            if not tensor.array.ndim:
                raise IndexError(f"TensorDataset: argument {i} is a single number, without a dimension of samples")
        if len({tensor.size(0) for tensor in tensors}) > 1:
            sizes = ", ".join(str(list(tensor.shape)) for tensor in tensors)
            raise AssertionError(f"Size mismatch between tensors: {sizes} differ in the first dimension")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __getbatch__(self, indices: Sequence[Any]) -> list[Tensor] | None:
        """The rows at these indices of each tensor; None if an index is not a number."""
        rows = np.asarray(indices)
        if rows.dtype.kind not in "iu" or rows.ndim != 1:
            return None
        return [
            tensor[rows] if tensor.requires_grad else Tensor.wrap(tensor.array.take(rows, axis=0))
            for tensor in self.tensors
        ]

    def __len__(self) -> int:
        return len(self.tensors[0].array)


class ConcatDataset(Dataset[T_co]):
    """Datasets one after the other.

    Raises:
        AssertionError: if there are none, or one is an `IterableDataset`.

    >>> dataset = ConcatDataset(["ab", "cde"])
    >>> len(dataset), dataset[2], dataset[-1]
    (5, 'c', 'e')
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("ConcatDataset: datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(accumulate(len(dataset) for dataset in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: Any) -> T_co:
        if index < -len(self):
            raise ValueError(f"index {index} is out of range: the dataset has {len(self)} samples")
        if index >= len(self):
            raise IndexError(f"index {index} is out of range: the dataset has {len(self)} samples")
        index = index % len(self)
        part = bisect_right(self.cumulative_sizes, index)
        sample: T_co = self.datasets[part][index - ([0, *self.cumulative_sizes][part])]
        return sample


class StackDataset(Dataset[Any]):
    """Several datasets zipped: a sample is a tuple, or a dict, of one sample of each.

    Raises:
        ValueError: if the lengths differ, or for both positional and named datasets, or none.

    >>> StackDataset(range(3), "abc")[1], StackDataset(x=range(3), y="abc")[2]
    ((1, 'b'), {'x': 2, 'y': 'c'})
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError(
                "Supported either ``tuple``- (via ``args``) or``dict``- (via ``kwargs``) like input/output"
            )
        if not args and not kwargs:
            raise ValueError("At least one dataset should be passed")
        self.datasets: Any = args or kwargs
        parts = args or tuple(kwargs.values())
        self._length = len(parts[0])
        if any(len(part) != self._length for part in parts):
            raise ValueError("Size mismatch between datasets")

    def __getitem__(self, index: Any) -> Any:
        return self._side_by_side(lambda dataset: dataset[index])

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        """The samples at these indices.

        Raises:
            ValueError: if a dataset returns another number of them.
        """

        def of(dataset: Any) -> list[Any]:
            found = samples(dataset, indices)
            if len(found) != len(indices):
                raise ValueError(f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(found)}")
            return found

        columns = self._side_by_side(of)
        if isinstance(columns, tuple):
            return list(zip(*columns, strict=True))
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _side_by_side(self, of: Callable[[Any], Any]) -> Any:
        if isinstance(self.datasets, tuple):
            return tuple(map(of, self.datasets))
        return {name: of(dataset) for name, dataset in self.datasets.items()}

    def __len__(self) -> int:
        return self._length


class ChainDataset(IterableDataset[Any]):
    """Streams one after the other.

    Raises:
        AssertionError: if one is not an `IterableDataset`.
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not all(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ChainDataset only supports IterableDataset")

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self.datasets)

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self.datasets)


class Subset(Dataset[T_co]):
    """The samples of a dataset at some indices.

    Raises:
        NotImplementedError: if a subclass changes ``__getitem__`` but not ``__getitems__``, as in torch.

    >>> list(Subset("abcde", [1, 3]))
    ['b', 'd']
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        own = type(self)
        if own.__getitem__ is not Subset.__getitem__ and own.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{own.__name__} overrides Subset.__getitem__ but not __getitems__, which DataLoader calls. Add e.g.:\n"
                "    def __getitems__(self, indices):\n"
                "        return [self[index] for index in indices]"
            )
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[self._inner(index)]  # type: ignore[no-any-return]
        return self.dataset[self.indices[index]]  # type: ignore[no-any-return]

    def __getitems__(self, indices: Sequence[Any]) -> list[T_co]:
        """The samples at these indices."""
        return samples(self.dataset, self._inner(indices))

    def __getbatch__(self, indices: Sequence[Any]) -> Any:
        """The samples at these indices as a batch."""
        return collated(self.dataset, self._inner(indices))

    def _inner(self, indices: Sequence[Any]) -> list[Any]:
        return [self.indices[i] for i in indices]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Any, lengths: Sequence[int | float], generator: Generator | None = default_generator
) -> list[Subset[Any]]:
    """Split a dataset at random into parts of the given lengths.

    Args:
        dataset: N samples.
        lengths: of each part; or fractions that sum to 1: lengths are rounded down, and the remaining samples go one
            each to the first parts.
        generator: the source of random numbers. Default: the default stream.

    Raises:
        ValueError: if the lengths do not sum to N, or a fraction is not between 0 and 1.

    >>> [list(part) for part in random_split("abcde", [0.5, 0.5], Generator().manual_seed(0))]
    [['e', 'a', 'b'], ['d', 'c']]
    """
    n = len(dataset)
    sizes = list(lengths)
    if math.isclose(sum(sizes), 1) and sum(sizes) <= 1:
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"random_split: the fraction {fraction} at index {i} is not between 0 and 1")
        sizes = [math.floor(n * fraction) for fraction in lengths]
        for i in range(n - int(sum(sizes))):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warnings.warn(f"random_split: the part at index {i} is empty", stacklevel=2)
    if sum(sizes) != n:
        raise ValueError(
            "Sum of input lengths does not equal the length of the input dataset! "
            f"The lengths {list(lengths)} sum to {sum(sizes)}, the dataset has {n} samples."
        )
    order = (generator or default_generator).randperm(n).tolist()
    return [Subset(dataset, order[end - size : end]) for end, size in zip(accumulate(sizes), sizes, strict=True)]


def samples(dataset: Any, indices: Sequence[Any]) -> list[Any]:
    """The samples at these indices, by ``__getitems__`` if the dataset has one."""
    together = getattr(dataset, "__getitems__", None)
    return together(indices) if together else [dataset[i] for i in indices]


def collated(dataset: Any, indices: Sequence[Any]) -> Any:
    """The collated samples at these indices, by ``__getbatch__`` if the dataset has one."""
    batch = dataset.__getbatch__(indices) if _gathers(type(dataset)) else None
    return default_collate(samples(dataset, indices)) if batch is None else batch


def _gathers(cls: type) -> bool:
    """Whether a class has a ``__getbatch__`` that is not inherited from above its ``__getitem__``."""
    for base in cls.__mro__:
        if "__getbatch__" in vars(base):
            return True
        if "__getitem__" in vars(base) or "__getitems__" in vars(base):
            return False
    return False
