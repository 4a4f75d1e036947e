"""Indexing: operations that read and write parts of a tensor.

Where torch returns a view of the same memory, so does minigrad.
https://docs.pytorch.org/docs/stable/torch.html#indexing-slicing-joining-mutating-ops
"""

from __future__ import annotations

import builtins
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.dtypes import number
from minigrad.engine import Array
from minigrad.ops.comparison import where
from minigrad.ops.record import Operand, composed, operation
from minigrad.ops.shape import expand, movedim, one_dim, reshape
from minigrad.tensor import Tensor
from minigrad.views import blank


def raw(index: Any) -> Any:
    """An index in NumPy's form: tensors and lists as arrays, a single integer as a number, bytes as a mask."""
    if isinstance(index, Tensor):
        if not index.ndim and index.array.dtype.kind in "iu" and index.array.dtype != np.uint8:
            return int(index)  # one element: a view, as in torch
        if index.array.dtype == np.uint8:
            warnings.warn(
                "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
                stacklevel=4,
            )
            return index.array.astype(bool)
        return index.array
    if isinstance(index, tuple):
        return tuple(raw(i) for i in index)
    if isinstance(index, (list, range)):
        array = np.array([raw(i) for i in index])
        return array if array.size else array.astype(np.int64)
    return index


def parsed(index: Any) -> Any:
    """An index as a number, a slice or an array, or a tuple of these."""
    if is_basic(index):
        return index
    if isinstance(index, list) and any(isinstance(i, (list, tuple, Tensor, slice, type(None))) for i in index):
        warnings.warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch "
            "2.9; use x[tuple(seq)] instead of x[seq].",
            stacklevel=3,
        )
        index = tuple(index)
    return raw(index)


def in_two_steps(key: Any, ndim: int) -> tuple[Any, Any]:
    """An index of numbers and arrays, as one of numbers and slices, and a second one that is applied to the result.

    NumPy treats numbers next to arrays as arrays, and then orders dimensions differently; torch selects first.
    """
    parts = key if isinstance(key, tuple) else (key,)
    arrays = [isinstance(p, np.ndarray) for p in parts]
    if not any(arrays) or not any(is_number(p) for p in parts):
        return None, key
    used = [p.ndim if isinstance(p, np.ndarray) and p.dtype == bool else p is not None for p in parts]
    rest = ndim - builtins.sum(int(n) for n, p in zip(used, parts, strict=True) if p is not Ellipsis)
    whole = [slice(None)]
    first: list[Any] = []
    second: list[Any] = []
    for part, n, is_array in zip(parts, used, arrays, strict=True):
        if part is Ellipsis:
            first += whole * rest
            second += whole * rest
        elif is_array:
            first += whole * int(n)
            second.append(part)
        else:
            first.append(part)
            second += [] if is_number(part) else whole
    return tuple(first), tuple(second)


def is_number(part: Any) -> bool:
    """Whether this part of an index selects one element of a dimension."""
    return isinstance(part, (int, np.integer)) and not isinstance(part, bool)


def is_basic(index: Any) -> bool:
    """Whether an index only slices, so that no element is taken twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(p is None or p is Ellipsis or isinstance(p, slice) or is_number(p) for p in parts)


@operation(
    {"input": lambda g, input_shape, index: _place(g, input_shape, index)},
    view=True,
    torch="Tensor.__getitem__",
    sample=lambda d: (
        d.array((3, 2)),
        d.choice([0, (slice(None), 1), (slice(0, 3, 2),), (..., None), np.array([0, 0, 2])]),
    ),
)
def _index(input: Any, index: Any) -> Any:
    """``input[index]``."""
    out = input[index]
    if not isinstance(out, np.ndarray):  # one number: as a 0-d view
        return input[(*index, ...) if isinstance(index, tuple) else (index, ...)]
    return out if is_basic(index) else np.ascontiguousarray(out)


@operation(
    {"input": lambda g, index: _index(g, index)},
    grad_fn="IndexPutBackward0",
    sample=lambda d: d.choice([(d.array((2,)), (3, 2), 0), (d.array((3, 2)), (2, 2), np.array([0, 1, 0]))]),
)
def _place(input: Any, shape: tuple[int, ...], index: Any) -> Any:
    """Zeros of `shape` to which `input` is added at `index`: the gradient of ``[index]``."""
    out = np.zeros(shape, input.dtype)
    if is_basic(index):
        out[index] = input
    else:
        _add_at(out, index, input)
    return out


def _add_at(out: Array, index: Any, values: Array) -> None:
    """``np.add.at``, with flat indices where that is faster: only for these does NumPy have a fast loop."""
    places: Array | None = None
    if isinstance(index, np.ndarray) and index.dtype.kind in "iu" and out.ndim:
        width = math.prod(out.shape[1:])
        places = (index.reshape(-1, 1) % len(out)) * width + np.arange(width)  # whole rows; negative from the end
    elif out.size <= 4 * values.size:
        places = np.arange(out.size).reshape(out.shape)[index]
    if places is None:
        np.add.at(out, index, values)
    else:
        np.add.at(out.reshape(-1), places.reshape(-1), values.reshape(-1))


def index(input: Any, index: Any) -> Any:
    """``input[index]``: slices give views, tensors of integers or booleans copies, as in NumPy and torch.

    Raises:
        IndexError: for too many indices, or one out of bounds.

    >>> import minigrad
    >>> x = minigrad.arange(6).reshape(2, 3)
    >>> x[:, 1], x[x > 3]
    (tensor([1, 4]), tensor([4, 5]))
    """
    key = parsed(index)
    parts = key if isinstance(key, tuple) else (key,)
    named = sum(p is not None and p is not Ellipsis and not isinstance(p, bool) for p in parts)
    if named > input.ndim and not any(isinstance(p, np.ndarray) for p in parts):
        if input.ndim == 0:
            raise IndexError("invalid index of a 0-dim tensor. Use `tensor.item()` to convert it to a number")
        raise IndexError(f"too many indices for tensor of dimension {input.ndim}")
    for p in parts:
        if isinstance(p, slice) and p.step is not None and p.step <= 0:
            raise ValueError("step must be greater than zero")
    first, key = in_two_steps(key, input.ndim)
    return _index(input if first is None else _index(input, first), key)


def set_index(input: Tensor, index: Any, value: Any) -> None:
    """``input[index] = value``, in place and recorded."""
    first, key = in_two_steps(parsed(index), input.ndim)
    if first is not None:
        return set_index(_index(input, first), key, value)
    dtype = input.array.dtype
    fill = value if isinstance(value, Tensor) else number(value, dtype)
    region = input.array[key].shape
    if isinstance(value, Tensor) and not is_basic(key) and value.array.dtype != dtype:
        one_mask = isinstance(key, np.ndarray) and key.dtype == bool and not value.ndim  # then it counts as a number
        if not one_mask:
            raise RuntimeError(
                "Index put requires the source and destination dtypes match, got "
                f"{input.dtype} for the destination and {value.dtype} for the source."
            )
    fill = fill.astype(dtype)
    lead = builtins.max(fill.ndim - len(region), 0)
    if all(n == 1 for n in fill.shape[:lead]):
        fill, lead = fill.reshape(tuple(fill.shape[lead:])) if lead else fill, 0
    if lead or any(n not in (1, m) for n, m in zip(fill.shape[::-1], region[::-1], strict=False)):
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(fill.shape)} cannot be broadcast to indexing result of "
            f"shape {list(region)}"
        )
    input.assign(_index_put(input, key, fill))
    return None


def _outside(g: Any, index: Any) -> Any:
    """`g` with zeros at `index`."""
    keep = np.ones(g.shape, dtype=bool)
    keep[index] = False
    whole = all(p is Ellipsis or isinstance(p, slice) for p in (index if isinstance(index, tuple) else (index,)))
    return blank(g) if whole and not keep.any() else where(keep, g, 0.0)


@operation(
    {"input": _outside, "value": lambda g, index: _index(g, index)},
    sample=lambda d: d.choice([(d.array((3, 2)), 0, d.array((2,))), (d.array((3,)), np.array([0, 2]), d.array(()))]),
)
def _index_put(input: Any, index: Any, value: Any) -> Any:
    """A copy of `input` with `value` at `index`."""
    out = input.copy()
    out[index] = value
    return out


@composed(in_place=True, sample=lambda d: (d.array((3, 2)), (d.integers((4,), 3),), d.array((4, 2)), True), out=False)
def index_put(input: Operand, indices: Sequence[Tensor | None], values: Operand, accumulate: bool = False) -> Any:
    """A copy of `input` with `values` put (or added, if `accumulate`) at `indices`."""
    key = tuple(raw(i) for i in indices)
    if not accumulate:
        return _index_put(input, key, values)
    region = np.broadcast_shapes(np.empty(input.shape, dtype=bool)[key].shape)
    return input + _place(expand(values, region), tuple(input.shape), key)


@composed(sample=lambda d: (d.array((3, 2)), d.integer(-2, 1), d.integer(0, 1)), out=False)
def select(input: Operand, dim: int, index: int) -> Any:
    """The slice at `index` of dimension `dim` (a view)."""
    if not input.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    at = one_dim(dim, input.ndim)
    if not -input.shape[at] <= index < input.shape[at]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {at}"
        )
    return _index(input, (slice(None),) * at + (index,))


@composed(sample=lambda d: (d.array((4, 3)), d.choice([0, 1, -1]), d.integer(0, 1), d.integer(0, 2)), out=False)
def narrow(input: Operand, dim: int, start: int, length: int) -> Any:
    """`length` slices of dimension `dim` from `start` on (a view)."""
    if not input.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    at = one_dim(dim, input.ndim)
    n = input.shape[at]
    if isinstance(start, Tensor):
        if start.ndim or start.array.dtype.kind not in "iu":
            raise RuntimeError("start must be an 0-dim integral Tensor.")
        start = int(start)
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    if start < 0:
        start += n
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return _index(input, (slice(None),) * at + (slice(start, start + length),))


@composed(sample=lambda d: (d.array((3, 2)), d.choice([0, -2]), d.integers((4,), 3)))
def index_select(input: Operand, dim: int, index: Operand) -> Any:
    """The slices of dimension `dim` at the positions in `index` (a copy)."""
    at = one_dim(dim, input.ndim)
    if input.ndim and not input.shape[at] and raw(index).size:
        raise RuntimeError("index_select(): self indexing axis dim should be positive")
    return (
        _index(input, (slice(None),) * at + (raw(index),))
        if input.ndim
        else reshape(_index(reshape(input, 1), raw(index)), ())
    )


@composed(sample=lambda d: (d.array((5,)), 0, 2, 2), torch="Tensor.unfold")
def unfold(input: Operand, dimension: int, size: int, step: int) -> Any:
    """Windows of `size` elements along `dimension`, `step` apart, in a new last dimension."""
    at = one_dim(dimension, input.ndim)
    if not input.ndim:
        return narrow(reshape(input, 1), 0, 0, size)
    if not 0 <= size <= input.shape[at]:
        raise RuntimeError(f"maximum size for tensor at dimension {at} is {input.shape[at]} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return _unfold(input, at, size, step)


def _windows(n: int, dim: int, size: int, step: int) -> tuple[Any, ...]:
    """The index that selects these windows of dimension `dim`, of length `n`."""
    starts = np.arange(0, n - size + 1, step)
    return (slice(None),) * dim + (starts[:, None] + np.arange(size),)


@operation(
    {
        "input": lambda g, input_shape, dim, size, step: _place(
            movedim(g, -1, dim + 1), tuple(input_shape), _windows(input_shape[dim], dim, size, step)
        )
    },
    view=True,
    sample=lambda d: (d.array((5, 2)), 0, 2, d.choice([1, 2, 3])),
)
def _unfold(input: Any, dim: int, size: int, step: int) -> Any:
    """`unfold` of checked arguments; overlapping windows can't be written to."""
    apart = step >= size or input.shape[dim] < size + step
    windows = np.lib.stride_tricks.sliding_window_view(input, size, dim, writeable=apart)
    return windows[(slice(None),) * dim + (slice(None, None, step),)]


setattr(Tensor, "__getitem__", index)  # noqa: B010
setattr(Tensor, "__setitem__", set_index)  # noqa: B010
