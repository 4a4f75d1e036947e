"""`DataLoader`, which iterates over batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, repeat
from typing import Any, Generic, TypeVar

from minigrad.random import Generator, default_generator
from minigrad.utils.data.collate import default_collate, default_convert
from minigrad.utils.data.dataset import Dataset, IterableDataset, collated, counted, samples
from minigrad.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)


def get_worker_info() -> None:
    """None: there are no worker processes."""
    return


class DataLoader(Generic[T_co]):
    """Iterates over a dataset in batches; torch's batches, in torch's order, for the same seed.

    Every iteration draws a number from the default stream, with which torch would seed its workers, and then the order
    of the samples. Batches are made in this process: the arguments for worker processes and pinned memory are checked,
    and otherwise ignored.

    Args:
        dataset: a `Dataset`, or anything with ``__getitem__`` and ``__len__``; or an `IterableDataset`.
        batch_size: samples in a batch; None: single samples instead of batches.
        shuffle: a new random order for each iteration.
        sampler: yields the indices of the samples, instead of `shuffle`.
        batch_sampler: yields lists of indices, instead of `batch_size`, `shuffle`, `sampler` and `drop_last`.
        num_workers, pin_memory, timeout, worker_init_fn, multiprocessing_context, prefetch_factor,
        persistent_workers, pin_memory_device, in_order: see above.
        collate_fn: makes a batch from a list of samples. Default: `default_collate`.
        drop_last: leave out a last batch that is not full.
        generator: the source of random numbers. Default: the default stream.

    Raises:
        ValueError: if an argument is out of range, or two exclude each other.

    >>> import minigrad
    >>> dataset = minigrad.utils.data.TensorDataset(minigrad.arange(5))
    >>> [x.tolist() for (x,) in DataLoader(dataset, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers, multiprocessing_context)
        if isinstance(dataset, IterableDataset):
            _check_unspecified(shuffle=shuffle or None, sampler=sampler, batch_sampler=batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")

        if sampler is None:
            if isinstance(dataset, IterableDataset):
                sampler = repeat(None)
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.dataset, self.sampler, self.batch_sampler = dataset, sampler, batch_sampler
        self.batch_size, self.drop_last = batch_size, drop_last
        self.collate_fn, self.generator = collate_fn, generator
        self.num_workers, self.worker_init_fn, self.multiprocessing_context = (
            num_workers, worker_init_fn, multiprocessing_context,
        )  # fmt: skip
        self.pin_memory, self.pin_memory_device, self.timeout = pin_memory, pin_memory_device, timeout
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.persistent_workers, self.in_order = persistent_workers, in_order
        self._workers_seeded = False
        self._complete = True

    def __setattr__(self, name: str, value: Any) -> None:
        fixed = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
        if name in fixed and "_complete" in self.__dict__:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        how = {"batch_size": self.batch_size, "sampler": self.sampler, "drop_last": self.drop_last}
        dataset = self.dataset if isinstance(self.dataset, Dataset) else counted(self.dataset)
        return f"DataLoader({dataset!s}, {', '.join(f'{name}={value}' for name, value in how.items())})"

    def __iter__(self) -> Iterator[Any]:
        indices = iter(self.sampler if self.batch_sampler is None else self.batch_sampler)
        if not (self.persistent_workers and self._workers_seeded):
            (self.generator or default_generator).random63()  # the seed of torch's workers
            self._workers_seeded = True
        if isinstance(self.dataset, IterableDataset):
            return Batches(self, self._stream(iter(self.dataset)))
        if self.num_workers > 0:  # torch's workers take their first indices at once
            sent = list(islice(indices, self.num_workers * (self.prefetch_factor or 0)))
            indices = chain(sent, indices)
        return Batches(self, map(self._fetch, indices))

    def _fetch(self, index: Any) -> Any:
        """The sample, or the batch of the samples, at that index."""
        if self.batch_sampler is None:
            return self.collate_fn(self.dataset[index])
        if self.collate_fn is not default_collate:
            return self.collate_fn(samples(self.dataset, index))
        batch = collated(self.dataset, index)
        return list(batch) if type(batch) is tuple else batch

    def _stream(self, stream: Iterator[Any]) -> Iterator[Any]:
        if self.batch_size is None:
            yield from map(self.collate_fn, stream)
            return
        while batch := list(islice(stream, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)

    def __len__(self) -> int:
        """How many batches one iteration has.

        Raises:
            TypeError: if the dataset or the sampler has no length.
        """
        if not isinstance(self.dataset, IterableDataset):
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]
        count = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return count
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


class Batches:
    """The iteration over a loader's batches; its length is the loader's."""

    def __init__(self, loader: DataLoader[Any], batches: Iterator[Any]) -> None:
        self.loader, self.batches = loader, batches

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self.batches)

    def __len__(self) -> int:
        return len(self.loader)


def _check_workers(
    num_workers: int,
    timeout: float,
    prefetch_factor: int | None,
    persistent_workers: bool,
    multiprocessing_context: Any,
) -> None:
    numbers = {"num_workers": num_workers, "timeout": timeout, "prefetch_factor": prefetch_factor or 0}
    for name, number in numbers.items():
        if number < 0:
            raise ValueError(f"{name} option should be non-negative, but got {name}={number}")
    if num_workers == 0:
        for name, given in (
            ("prefetch_factor", prefetch_factor is not None),
            ("persistent_workers", persistent_workers),
            ("multiprocessing_context", multiprocessing_context is not None),
        ):
            if given:
                raise ValueError(f"{name} option needs num_workers > 0")


def _check_unspecified(**options: Any) -> None:
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
            )
