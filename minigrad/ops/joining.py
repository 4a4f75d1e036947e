"""Operations that join tensors: cat, stack, roll.

https://docs.pytorch.org/docs/stable/torch.html#indexing-slicing-joining-mutating-ops
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.dtypes import promote_types
from minigrad.kernels.memory import channels_last
from minigrad.ops.indexing import narrow
from minigrad.ops.record import Operand, composed, operation
from minigrad.ops.shape import one_dim, ravel, reshape, unsqueeze
from minigrad.tensor import Tensor


def _cat_gradients(wanted: Sequence[Any], g: Any, dim: int, saved: list[int]) -> list[Any]:
    starts = itertools.accumulate(saved, initial=0)
    return [
        narrow(g, dim, start, length) if asked else None
        for asked, start, length in zip(wanted, starts, saved, strict=False)
    ]


@operation(
    _cat_gradients, variadic=True, saves=True, torch="cat", sample=lambda d: ((d.array((2, 3)), d.array((1, 3))), 0)
)
def _cat(tensors: Any, dim: int) -> Any:
    """The tensors one after another along `dim`."""
    result = np.concatenate(tensors, axis=dim)
    if not (result.ndim == 4 and channels_last(result)):  # NumPy keeps the order of transposed matrices; torch does not
        result = np.ascontiguousarray(result)
    return result, [t.shape[dim] for t in tensors]


@composed(methods=[], sample=lambda d: ((d.array((2, 3)), d.array((1, 3)), d.array((0, 3))), d.choice([0, -2])))
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Any:
    """The tensors one after another along dimension `dim`.

    Raises:
        RuntimeError: if the other dimensions differ.

    >>> import minigrad
    >>> minigrad.cat([minigrad.ones(1, 2), minigrad.zeros(1, 2)])
    tensor([[1., 1.],
            [0., 0.]])
    """
    tensors = _listed("cat", tensors)
    if not tensors:
        raise ValueError("expected a non-empty list of Tensors")
    dtype = functools.reduce(promote_types, map(_raw_dtype, tensors))
    tensors = [x if _raw_dtype(x) == dtype else x.astype(dtype) for x in tensors]
    first = next((x for x in tensors if x.shape != (0,)), tensors[0])
    if first.ndim == 0:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    at = one_dim(dim, first.ndim)
    if first.shape != (0,):  # an empty vector joins with anything, as in torch
        nothing = (*first.shape[:at], 0, *first.shape[at + 1 :])
        tensors = [x.reshape(nothing) if x.shape == (0,) else x for x in tensors]
    for i, x in enumerate(tensors):
        if x.ndim != first.ndim:
            raise RuntimeError(f"Tensors must have same number of dimensions: got {first.ndim} and {x.ndim}")
        for j, (n, m) in enumerate(zip(first.shape, x.shape, strict=True)):
            if j != at and n != m:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {at}. Expected size {n} but got size {m} for "
                    f"tensor number {i} in the list."
                )
    return _cat(tensors, at)


def _listed(operation: str, tensors: Any) -> list[Any]:
    """The tensors as a list.

    Raises:
        TypeError: if one of them is not a tensor.
    """
    if not isinstance(tensors, (list, tuple)):
        what = type(tensors).__name__
        raise TypeError(f"{operation}(): argument 'tensors' (position 1) must be tuple of Tensors, not {what}")
    for i, x in enumerate(tensors):
        if not isinstance(x, (Tensor, np.ndarray)):
            raise TypeError(
                f"{operation}(): expected Tensor as element {i} in argument 0 (tensors), but got {type(x).__name__}"
            )
    return list(tensors)


def _raw_dtype(x: Any) -> np.dtype[Any]:
    found: np.dtype[Any] = (x.array if isinstance(x, Tensor) else x).dtype
    return found


@composed(methods=[], sample=lambda d: ((d.array((2, 3)), d.array((2, 3))), d.choice([0, 1, -1])))
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Any:
    """The tensors, all of one shape, along a new dimension `dim`."""
    tensors = _listed("stack", tensors)
    for i, x in enumerate(tensors):
        if x.shape != tensors[0].shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(tensors[0].shape)} at entry 0 and "
                f"{list(x.shape)} at entry {i}"
            )
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    return cat([unsqueeze(x, dim) for x in tensors], dim)


@composed(sample=lambda d: (d.array((3, 2)), d.integer(-4, 4), d.choice([None, 0, 1])), out=False)
def roll(input: Operand, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Any:
    """The elements moved along `dims` by `shifts`, wrapping around at the ends."""
    by, along = ([v] if isinstance(v, int) else list(v) for v in (shifts, () if dims is None else dims))
    if not by:
        raise RuntimeError("`shifts` required")
    if not along and len(by) == 1:
        return reshape(roll(ravel(input), shifts, 0), tuple(input.shape))
    if len(by) != len(along):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(by)}, dims:{len(along)}")
    for shift, dim in zip(by, along, strict=True):
        n = input.shape[one_dim(dim, input.ndim)]
        cut = n - shift % n if n else 0
        input = cat([narrow(input, dim, cut, n - cut), narrow(input, dim, 0, cut)], dim)
    return input
