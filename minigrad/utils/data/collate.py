"""Collating a list of samples into a batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from minigrad.creation import from_numpy, tensor
from minigrad.ops.joining import stack
from minigrad.tensor import Tensor

__all__ = ["default_collate", "default_convert"]


def default_collate(batch: Sequence[Any]) -> Any:
    """The samples as one batch, with a new first dimension.

    Tensors and arrays of one shape ``(*)`` become a tensor ``(N, *)``, numbers one of shape ``(N,)``: ints int64,
    floats float64. Each entry of (nested) tuples, lists and mappings is collated separately; tuples become
    lists, named tuples keep their type. Strings and bytes stay a list.

    Raises:
        RuntimeError: if the samples differ in shape or in length.
        TypeError: if they hold anything else.

    >>> default_collate([(0.5, 1), (1.5, 2)])
    [tensor([0.5000, 1.5000], dtype=minigrad.float64), tensor([1, 2])]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        for i, sample in enumerate(batch):
            if not isinstance(sample, Tensor):
                raise TypeError(f"default_collate: expected Tensor as sample {i}, but got {type(sample).__name__}")
        if any(sample.requires_grad for sample in batch):
            return stack(list(batch))
        return _stacked([sample.array for sample in batch])
    if isinstance(first, (np.ndarray, np.generic)) and first.dtype.kind in "biufc":
        return _stacked([np.asarray(sample) for sample in batch])
    if isinstance(first, float):
        return tensor(batch, dtype=np.float64)
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _like_mapping(first, {key: default_collate([sample[key] for sample in batch]) for key in first})
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError(
                "each element in list of batch should be of equal size, "
                f"but their lengths are {sorted({len(sample) for sample in batch})}"
            )
        return _like_sequence(first, [default_collate(entries) for entries in zip(*batch, strict=True)])
    what = first.dtype if isinstance(first, np.ndarray) else type(first)
    raise TypeError(f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {what}")


def _stacked(arrays: list[Any]) -> Tensor:
    """`stack`, with a fast path for the usual case."""
    first = arrays[0]
    shape, dtype = first.shape, first.dtype
    if all(array.shape == shape and array.dtype == dtype for array in arrays):
        return Tensor.wrap(np.array(arrays))
    return stack([from_numpy(array) for array in arrays])  # type: ignore[no-any-return]


def default_convert(data: Any) -> Any:
    """A single sample with its arrays as tensors; anything else is unchanged (`DataLoader` without batches).

    >>> default_convert((np.ones(2, np.float32), "label"))
    [tensor([1., 1.]), 'label']
    """
    if isinstance(data, (np.ndarray, np.generic)) and data.dtype.kind in "biufc":
        return from_numpy(np.asarray(data))
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like_sequence(data, [default_convert(entry) for entry in data])
    return data


def _like_mapping(model: Mapping[Any, Any], entries: dict[Any, Any]) -> Any:
    if isinstance(model, MutableMapping):  # may have state besides its entries
        clone = copy.copy(model)
        clone.update(entries)
        return clone
    return _made_by(type(model), entries)


def _like_sequence(model: Sequence[Any], entries: list[Any]) -> Any:
    if isinstance(model, tuple):
        return type(model)(*entries) if hasattr(model, "_fields") else entries
    return _made_by(type(model), entries)


def _made_by(cls: Callable[[Any], Any], entries: Any) -> Any:
    """The entries in a collection of this class, or unchanged if it can't be made from entries (a range)."""
    try:
        return cls(entries)
    except TypeError:
        return entries
