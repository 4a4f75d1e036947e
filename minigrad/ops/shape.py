"""Operations that move elements about: reshape, transpose, index, join, gather, scatter.

Where torch returns a view of the same memory, so does minigrad.
https://docs.pytorch.org/docs/stable/torch.html#indexing-slicing-joining-mutating-ops
"""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.ops.elementwise import where
from minigrad.ops.record import composed, operation, public
from minigrad.tensor import Tensor, out_of_range


def one_dim(dim: int, ndim: int) -> int:
    """`dim` counted from the front.

    Raises:
        IndexError: if the tensor has no such dimension.
    """
    span = max(ndim, 1)
    if not -span <= dim < span:
        raise IndexError(out_of_range(dim, ndim))
    return dim % span


def sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """A shape given as one sequence or as several numbers: ``view(2, 3)`` or ``view((2, 3))``."""
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    return tuple(int(n) for n in shape)


def filled_in(shape: tuple[int, ...], numel: int) -> tuple[int, ...]:
    """`shape` with its -1 replaced by what makes it hold `numel` elements.

    Raises:
        RuntimeError: if no such shape exists.
    """
    known = math.prod(n for n in shape if n != -1)
    free = shape.count(-1)
    if free > 1:
        raise RuntimeError("only one dimension can be inferred")
    if free and known == 0:
        raise RuntimeError(
            f"cannot reshape tensor of {numel} elements into shape {list(shape)} because the unspecified dimension "
            "size -1 can be any value and is ambiguous"
        )
    if (free and numel % known) or (not free and known != numel) or any(n < -1 for n in shape):
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
    return tuple(numel // known if n == -1 else n for n in shape) if free else shape


# ---- shape and order ---------------------------------------------------------------------------------------


def _regroup(d: Any) -> tuple[Any, ...]:
    x = d.array()
    return (x, d.choice([(-1,), (x.size,), (1, *x.shape), x.shape[::-1]] if x.size else [x.shape, (0, 3)]))


def _contiguous(d: Any) -> tuple[Any, ...]:
    return np.ascontiguousarray(d.array((2, 3))), d.choice([(6,), (3, -1), (1, 2, 3)])


@operation(
    {"input": lambda g, input_shape: _reshape(g, input_shape)},
    view=True,
    methods=[],
    torch="reshape",
    grad_fn="ViewBackward0",
    sample=_regroup,
)
def _reshape(input: Any, shape: tuple[int, ...]) -> Any:
    """The same elements in another shape."""
    return input.reshape(filled_in(shape, input.size))


@composed(sample=_regroup)
def reshape(input: Any, *shape: Any) -> Any:
    """The same elements, in row-major order, in another shape; one length may be -1. A view if possible.

    Raises:
        RuntimeError: if the shape holds another number of elements.

    >>> import minigrad
    >>> minigrad.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return _reshape(input, sizes(shape))


@composed(methods=["view"], sample=_contiguous, torch="Tensor.view")
def view(input: Any, *shape: Any) -> Any:
    """`reshape` that never copies: `input` must lie contiguously enough in memory.

    Raises:
        RuntimeError: if it would have to copy.
    """
    if len(shape) == 1 and not isinstance(shape[0], (int, tuple, list, np.integer, Tensor)):
        return input.to(shape[0])
    out = _reshape(input, sizes(shape))
    if input.numel() and not np.may_share_memory(out.array, input.array):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return out


@composed(sample=lambda d: (*_contiguous(d)[:1], d.array((3, 2))), torch="")
def view_as(input: Any, other: Any) -> Any:
    """`input` in the shape of `other`."""
    return view(input, *other.shape)


@composed(methods=["reshape_as"], sample=lambda d: (d.array((2, 3)), d.array((3, 2))), torch="Tensor.reshape_as")
def reshape_as(input: Any, other: Any) -> Any:
    """`input` in the shape of `other`."""
    return reshape(input, *other.shape)


@composed(sample=lambda d: ((x := d.array(min_ndim=1)), 0, d.choice([-1, x.ndim - 1])))
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Dimensions `start_dim` to `end_dim` made one.

    >>> import minigrad
    >>> minigrad.zeros(2, 3, 4).flatten(1).shape
    minigrad.Size([2, 12])
    """
    shape = input.shape
    first, last = one_dim(start_dim, len(shape)), one_dim(end_dim, len(shape))
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return _reshape(input, (1,))
    merged = math.prod(shape[first : last + 1])
    return _reshape(input, (*shape[:first], merged, *shape[last + 1 :]))


@composed(sample=lambda d: (d.array((2, 6, 2)), 1, (2, 3)))
def unflatten(input: Any, dim: int, sizes: tuple[int, ...]) -> Any:
    """Dimension `dim` split into `sizes`; one of them may be -1."""
    dim = one_dim(dim, input.ndim)
    return _reshape(input, (*input.shape[:dim], *filled_in(tuple(sizes), input.shape[dim]), *input.shape[dim + 1 :]))


@composed(sample=lambda d: (d.array(),))
def ravel(input: Any) -> Any:
    """All elements in one dimension."""
    return _reshape(input, (-1,)) if input.numel() else _reshape(input, (0,))


@composed(in_place=False, sample=lambda d: ((x := d.array()), d.integer(-x.ndim - 1, x.ndim)))
def unsqueeze(input: Any, dim: int) -> Any:
    """A new dimension of length 1 at `dim`."""
    dim = one_dim(dim, input.ndim + 1)
    return _reshape(input, (*input.shape[:dim], 1, *input.shape[dim:]))


@composed(sample=lambda d: (d.array((1, 2, 1)), d.choice([0, 1, -1, (0, 2)])))
def squeeze(input: Any, dim: Any = None) -> Any:
    """Without the dimensions of length 1; or only those among `dim`.

    >>> import minigrad
    >>> minigrad.zeros(1, 3, 1).squeeze().shape
    minigrad.Size([3])
    """
    shape = input.shape
    dims = range(len(shape)) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    gone = {one_dim(d, len(shape)) for d in dims}
    return _reshape(input, tuple(n for i, n in enumerate(shape) if n != 1 or i not in gone))


def _some_order(d: Any) -> tuple[Any, ...]:
    x = d.array(min_ndim=1)
    return x, d.choice([tuple(range(x.ndim))[::-1], tuple(range(-1, x.ndim - 1))])


@operation(
    {"input": lambda g, dims: _permute(g, tuple(np.argsort([d % g.ndim for d in dims]).tolist()))},
    view=True,
    methods=[],
    torch="permute",
    grad_fn="PermuteBackward0",
    sample=_some_order,
)
def _permute(input: Any, dims: tuple[int, ...]) -> Any:
    """The dimensions in another order."""
    return input.transpose(dims)


@composed(sample=_some_order)
def permute(input: Any, *dims: Any) -> Any:
    """The dimensions in another order (a view).

    >>> import minigrad
    >>> minigrad.zeros(2, 3, 4).permute(2, 0, 1).shape
    minigrad.Size([4, 2, 3])
    """
    order = sizes(dims)
    if len(order) != input.ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {input.ndim} is not equal to len(dims) = {len(order)}"
        )
    positive = tuple(one_dim(d, input.ndim) for d in order)
    if len(set(positive)) < len(positive):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _permute(input, positive)


@composed(
    methods=["transpose", "swapaxes", "swapdims"],
    sample=lambda d: ((x := d.array(min_ndim=1)), d.dim(x.ndim), d.dim(x.ndim)),
)
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged (a view)."""
    order = list(range(input.ndim))
    a, b = one_dim(dim0, input.ndim), one_dim(dim1, input.ndim)
    if not order:
        return _reshape(input, ())
    order[a], order[b] = order[b], order[a]
    return _permute(input, tuple(order))


@composed(sample=lambda d: (d.array(max_ndim=2),))
def t(input: Any) -> Any:
    """The transpose of a matrix; vectors and numbers as they are."""
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return transpose(input, 0, 1) if input.ndim == 2 else _reshape(input, tuple(input.shape))


@composed(
    methods=["movedim", "moveaxis"],
    sample=lambda d: (d.array((2, 3, 1)), *d.choice([(0, -1), (1, 0), ((0, 1), (2, 0)), ((-1,), (0,))])),
)
def movedim(input: Any, source: Any, destination: Any) -> Any:
    """Dimensions `source` moved to places `destination`."""
    sources = [source] if isinstance(source, int) else list(source)
    places = [destination] if isinstance(destination, int) else list(destination)
    sources = [one_dim(s, input.ndim) for s in sources]
    order = [d for d in range(input.ndim) if d not in sources]
    for place, s in sorted(zip([one_dim(p, input.ndim) for p in places], sources, strict=True)):
        order.insert(place, s)
    return _permute(input, tuple(order))


def _stretchable(d: Any) -> tuple[Any, ...]:
    n, m, k = (d.integer(1, 3) for _ in range(3))
    pairs: list[tuple[Any, ...]] = [((1, m), (n, m)), ((m,), (k, n, m)), ((n, 1), (-1, m)), ((), (n,))]
    shape, wanted = d.choice(pairs)
    return d.array(shape), wanted


@operation(
    {"input": lambda g: g},
    view=True,
    methods=[],
    torch="broadcast_to",
    grad_fn="ExpandBackward0",
    sample=lambda d: (d.array((1, 2)), (3, 2)),
)
def _expand(input: Any, shape: tuple[int, ...]) -> Any:
    """`input` repeated without a copy; its gradient is summed where every gradient is: on the edge."""
    return np.broadcast_to(input, shape)


@composed(sample=_stretchable, torch="Tensor.expand")
def expand(input: Any, *shape: Any) -> Any:
    """`input` repeated along dimensions of length 1, without a copy; -1 keeps a length.

    >>> import minigrad
    >>> minigrad.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    wanted = sizes(shape)
    extra = len(wanted) - input.ndim
    if extra < 0:
        raise RuntimeError(
            f"expand({list(input.shape)}, size={list(wanted)}): the number of sizes provided ({len(wanted)}) must be "
            f"greater or equal to the number of dimensions in the tensor ({input.ndim})"
        )
    full = tuple(input.shape[i - extra] if n == -1 else n for i, n in enumerate(wanted))
    for i, (n, have) in enumerate(zip(full[extra:], input.shape, strict=True), extra):
        if have not in (1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({have}) at non-singleton "
                f"dimension {i}. Target sizes: {list(full)}. Tensor sizes: {list(input.shape)}"
            )
    return _expand(input, full)


@composed(sample=lambda d: (d.array((1, 2)), (3, 2)))
def broadcast_to(input: Any, size: Any) -> Any:
    """`input` expanded to `size`."""
    return expand(input, size)


@composed(sample=lambda d: (d.array((1, 2)), d.array((3, 2))), torch="Tensor.expand_as")
def expand_as(input: Any, other: Any) -> Any:
    """`input` expanded to the shape of `other`."""
    return expand(input, *other.shape)


@composed(sample=lambda d: (d.array((2, 3)), d.choice([(2, 1), (2, 2, 1)])), torch="Tensor.repeat")
def repeat(input: Any, *repeats: Any) -> Any:
    """`input` laid out repeatedly along each dimension (a copy)."""
    times = sizes(repeats)
    if len(times) < input.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    shape = (1,) * (len(times) - input.ndim) + tuple(input.shape)
    spaced = _reshape(input, tuple(m for n in shape for m in (1, n)))
    stretched = _expand(spaced, tuple(m for r, n in zip(times, shape, strict=True) for m in (r, n)))
    return _reshape(stretched, tuple(r * n for r, n in zip(times, shape, strict=True)))


@composed(sample=lambda d: (d.array((2, 3)), d.choice([(2,), (2, 1), (2, 2, 1)])))
def tile(input: Any, *dims: Any) -> Any:
    """`repeat` with missing repeats taken as 1."""
    times = sizes(dims)
    return repeat(input, (1,) * (input.ndim - len(times)) + times)


@operation(
    {"input": lambda g, dims: _flip(g, dims)}, methods=[], torch="flip", sample=lambda d: (d.array((2, 3)), (0,))
)
def _flip(input: Any, dims: tuple[int, ...]) -> Any:
    """The elements in reverse order along `dims`."""
    return np.flip(input, dims).copy()


@composed(sample=lambda d: (d.array((2, 3)), d.choice([(0,), (0, 1), (-1,)])))
def flip(input: Any, *dims: Any) -> Any:
    """The elements in reverse order along `dims` (a copy)."""
    return _flip(input, tuple(one_dim(d, input.ndim) for d in sizes(dims)))


@composed(sample=lambda d: (d.array((3, 2)), d.integer(-4, 4), d.choice([None, 0, 1])))
def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """The elements moved along `dims` by `shifts`; what falls off one end comes back at the other."""
    if dims is None:
        return reshape(roll(ravel(input), shifts, 0), tuple(input.shape))
    for shift, dim in zip(*([v] if isinstance(v, int) else v for v in (shifts, dims)), strict=True):
        n = input.shape[one_dim(dim, input.ndim)]
        if n:
            cut = n - shift % n
            input = cat([narrow(input, dim, cut, n - cut), narrow(input, dim, 0, cut)], dim)
    return input


# ---- parts -----------------------------------------------------------------------------------------------


def raw(index: Any) -> Any:
    """An index with its tensors as arrays, and lists as arrays too (torch reads them so)."""
    if isinstance(index, Tensor):
        return index.array
    if isinstance(index, tuple):
        return tuple(raw(i) for i in index)
    if isinstance(index, list):
        return np.array([raw(i) for i in index])
    return index


def is_basic(index: Any) -> bool:
    """Whether an index only slices, so that no element is taken twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        p is None or p is Ellipsis or (isinstance(p, (int, slice, np.integer)) and not isinstance(p, bool))
        for p in parts
    )


@operation(
    {"input": lambda g, input_shape, index: _place(g, input_shape, index)},
    view=True,
    methods=[],
    torch="Tensor.__getitem__",
    grad_fn="IndexBackward0",
    sample=lambda d: (
        d.array((3, 2)),
        d.choice([0, (slice(None), 1), (slice(0, 3, 2),), (..., None), np.array([0, 0, 2])]),
    ),
)
def _index(input: Any, index: Any) -> Any:
    """``input[index]``."""
    out = input[index]
    if not isinstance(out, np.ndarray):  # one number: ask for it as a view of no dimensions
        return input[(*index, ...) if isinstance(index, tuple) else (index, ...)]
    return out


@operation(
    {"input": lambda g, index: _index(g, index)},
    methods=[],
    torch="",
    grad_fn="IndexPutBackward0",
    sample=lambda d: d.choice([(d.array((2,)), (3, 2), 0), (d.array((3, 2)), (2, 2), np.array([0, 1, 0]))]),
)
def _place(input: Any, shape: tuple[int, ...], index: Any) -> Any:
    """Zeros of `shape` to which `input` is added at `index`: the gradient of ``[index]``."""
    out = np.zeros(shape, dtype=input.dtype)
    if is_basic(index):
        out[index] = input
    else:
        np.add.at(out, index, input)
    return out


def index(input: Any, index: Any) -> Any:
    """``input[index]``: slices give views, tensors of integers or booleans copies, as in NumPy and torch.

    Raises:
        IndexError: for too many indices, or one out of bounds.

    >>> import minigrad
    >>> x = minigrad.arange(6).reshape(2, 3)
    >>> x[:, 1], x[x > 3]
    (tensor([1, 4]), tensor([4, 5]))
    """
    key = index if is_basic(index) else raw(index)
    parts = key if isinstance(key, tuple) else (key,)
    named = sum(p is not None and p is not Ellipsis and not isinstance(p, bool) for p in parts)
    if named > input.ndim and not any(isinstance(p, np.ndarray) for p in parts):
        if input.ndim == 0:
            raise IndexError("invalid index of a 0-dim tensor. Use `tensor.item()` to convert it to a number")
        raise IndexError(f"too many indices for tensor of dimension {input.ndim}")
    for p in parts:
        if isinstance(p, slice) and p.step is not None and p.step <= 0:
            raise ValueError("step must be greater than zero")
    return _index(input, key)


builtin_sum = builtins.sum


def set_index(input: Tensor, index: Any, value: Any) -> None:
    """``input[index] = value``, in place and recorded."""
    key = index if is_basic(index) else raw(index)
    fill = value.astype(input.array.dtype) if isinstance(value, Tensor) else np.asarray(value, dtype=input.array.dtype)
    array = fill.array if isinstance(fill, Tensor) else fill
    region = input.array[key].shape
    extra = array.ndim - len(region)
    if extra > 0 and all(n == 1 for n in array.shape[:extra]):
        fill = fill.reshape(array.shape[extra:])
        array = array.reshape(array.shape[extra:])
    try:
        np.broadcast_shapes(array.shape, region)
        if np.broadcast_shapes(array.shape, region) != region:
            raise ValueError
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(array.shape)} cannot be broadcast to indexing result of "
            f"shape {list(region)}"
        ) from None
    input.assign(_index_put(input, key, fill))


def _outside(g: Any, index: Any) -> Any:
    """`g` with zeros at `index`."""
    keep = np.ones(g.shape, dtype=bool)
    keep[index] = False
    return where(keep, g, 0.0)


@operation(
    {"input": _outside, "value": lambda g, index: _index(g, index)},
    methods=[],
    torch="",
    grad_fn="IndexPutBackward0",
    sample=lambda d: d.choice([(d.array((3, 2)), 0, d.array((2,))), (d.array((3,)), np.array([0, 2]), d.array(()))]),
)
def _index_put(input: Any, index: Any, value: Any) -> Any:
    """A copy of `input` with `value` at `index`."""
    out = input.copy()
    out[index] = value
    return out


@composed(in_place=True, sample=lambda d: (d.array((3, 2)), (d.integers((4,), 3),), d.array((4, 2)), True))
def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy of `input` with `values` put (or added, if `accumulate`) at `indices`."""
    key = tuple(raw(i) for i in indices)
    if not accumulate:
        return _index_put(input, key, values)
    region = np.broadcast_shapes(np.empty(input.shape, dtype=bool)[key].shape)
    return input + _place(expand(values, region), tuple(input.shape), key)


@composed(sample=lambda d: (d.array((3, 2)), d.integer(-2, 1), d.integer(0, 1)))
def select(input: Any, dim: int, index: int) -> Any:
    """The slice at `index` of dimension `dim` (a view)."""
    at = one_dim(dim, input.ndim)
    if not -input.shape[at] <= index < input.shape[at]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {at}"
        )
    return _index(input, (slice(None),) * at + (index,))


@composed(sample=lambda d: (d.array((4, 3)), d.choice([0, 1, -1]), d.integer(0, 1), d.integer(0, 2)))
def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """`length` slices of dimension `dim` from `start` on (a view)."""
    at = one_dim(dim, input.ndim)
    n = input.shape[at]
    if start < 0:
        start += n
    if start < 0 or length < 0 or start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return _index(input, (slice(None),) * at + (slice(start, start + length),))


@composed(sample=lambda d: (d.array((5, 2)), d.choice([2, (2, 3), (1, 4)]), 0))
def split(input: Any, split_size_or_sections: Any, dim: int = 0) -> Any:
    """The pieces of dimension `dim`, of one size (the last may be smaller) or of given sizes (views)."""
    n = input.shape[one_dim(dim, input.ndim)]
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step < 0 or (step == 0 and n):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={step}")
        lengths = [min(step, n - i) for i in range(0, n, step)] if n else [0]
    else:
        lengths = list(split_size_or_sections)
        if builtin_sum(lengths) != n:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {dim}), "
                f"but got split_sizes={lengths}"
            )
    starts = [builtin_sum(lengths[:i]) for i in range(len(lengths))]
    return tuple(narrow(input, dim, s, length) for s, length in zip(starts, lengths, strict=True))


@composed(sample=lambda d: (d.array((5, 2)), d.integer(1, 6), 0))
def chunk(input: Any, chunks: int, dim: int = 0) -> Any:
    """Dimension `dim` in at most `chunks` pieces of equal size (views)."""
    if chunks <= 0:
        raise RuntimeError("chunk expects `chunks` to be greater than 0, got: " + str(chunks))
    n = input.shape[one_dim(dim, input.ndim)]
    return split(input, max(-(-n // chunks), 1), dim)


@composed(sample=lambda d: (d.array((3, 2)), d.choice([0, 1, -1])))
def unbind(input: Any, dim: int = 0) -> Any:
    """The slices of dimension `dim`, as a tuple (views)."""
    return tuple(select(input, dim, i) for i in range(input.shape[one_dim(dim, input.ndim)]))


@composed(sample=lambda d: (d.array((3, 2)), d.choice([0, -2]), d.integers((4,), 3)))
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices of dimension `dim` at the positions in `index` (a copy)."""
    at = one_dim(dim, input.ndim)
    return (
        _index(input, (slice(None),) * at + (raw(index),))
        if input.ndim
        else reshape(_index(reshape(input, 1), raw(index)), ())
    )


@composed(sample=lambda d: (d.array((5,)), 0, 2, 2), torch="Tensor.unfold")
def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """Windows of `size` elements along `dimension`, `step` apart, in a new last dimension."""
    at = one_dim(dimension, input.ndim)
    starts = np.arange(0, input.shape[at] - size + 1, step)
    windows = _index(input, (slice(None),) * at + (starts[:, None] + np.arange(size),))
    return movedim(windows, at + 1, -1)


# ---- joining -----------------------------------------------------------------------------------------------


def _part(g: Any, position: int, lengths: list[int], dim: int) -> Any:
    return narrow(g, dim, builtin_sum(lengths[:position]), lengths[position])


@operation(
    {"tensors": lambda g, dim, saved, *, position: _part(g, position, saved, dim)},
    variadic=True,
    saves=True,
    methods=[],
    torch="cat",
    grad_fn="CatBackward0",
    sample=lambda d: ((d.array((2, 3)), d.array((1, 3))), 0),
)
def _cat(tensors: Any, dim: int) -> Any:
    """The tensors one after another along `dim`."""
    return np.concatenate(tensors, axis=dim), [t.shape[dim] for t in tensors]


@composed(methods=[], sample=lambda d: ((d.array((2, 3)), d.array((1, 3)), d.array((0, 3))), d.choice([0, -2])))
def cat(tensors: Any, dim: int = 0) -> Any:
    """The tensors one after another along dimension `dim`.

    Raises:
        RuntimeError: if the other dimensions differ.

    >>> import minigrad
    >>> minigrad.cat([minigrad.ones(1, 2), minigrad.zeros(1, 2)])
    tensor([[1., 1.],
            [0., 0.]])
    """
    tensors = list(tensors)
    if not tensors:
        raise ValueError("expected a non-empty list of Tensors")
    kind = np.dtype(_common(tensors))
    if any(x.shape != (0,) for x in tensors):  # an empty vector joins with anything, as in torch
        tensors = [x for x in tensors if x.shape != (0,)]
    tensors = [x if _raw_dtype(x) == kind else x.astype(kind) for x in tensors]
    first = tensors[0]
    if first.ndim == 0:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    at = one_dim(dim, first.ndim)
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


def _raw_dtype(x: Any) -> np.dtype[Any]:
    found: np.dtype[Any] = (x.array if isinstance(x, Tensor) else x).dtype
    return found


def _common(tensors: list[Any]) -> np.dtype[Any]:
    """The dtype of several tensors joined."""
    from minigrad.dtypes import promote_types

    kind = _raw_dtype(tensors[0])
    for x in tensors[1:]:
        kind = promote_types(kind, _raw_dtype(x))
    return kind


@composed(methods=[], sample=lambda d: ((d.array((2, 3)), d.array((2, 3))), d.choice([0, 1, -1])))
def stack(tensors: Any, dim: int = 0) -> Any:
    """The tensors, all of one shape, along a new dimension `dim`."""
    tensors = list(tensors)
    for i, x in enumerate(tensors):
        if not hasattr(x, "shape"):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}")
        if x.shape != tensors[0].shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(tensors[0].shape)} at entry 0 and "
                f"{list(x.shape)} at entry {i}"
            )
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    return cat([unsqueeze(x, dim) for x in tensors], dim)


# ---- gather and scatter --------------------------------------------------------------------------------------


def _grid(index: Array, dim: int) -> tuple[Any, ...]:
    """The full NumPy index for torch's `gather`: `index` along `dim`, positions along the rest."""
    grid = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[dim] = index
    return tuple(grid)


def _gatherable(d: Any) -> tuple[Any, ...]:
    dim = d.choice([0, 1, -1])
    return d.array((3, 4)), dim, d.integers((2, 3), 3)


@operation(
    {"input": lambda g, input_shape, dim, index: _scatter_add(g, input_shape, dim, index)},
    methods=[],
    torch="gather",
    grad_fn="GatherBackward0",
    sample=lambda d: (d.array((3, 4)), 1, d.integers((2, 3), 3)),
)
def _gather(input: Any, dim: int, index: Any) -> Any:
    """``out[i][j] = input[index[i][j]][j]`` (for dim 0)."""
    return input[_grid(index, dim)]


@operation(
    {"input": lambda g, dim, index: _gather(g, dim, index)},
    methods=[],
    torch="",
    grad_fn="ScatterAddBackward0",
    sample=lambda d: (d.array((2, 3)), (3, 4), 1, d.integers((2, 3), 4)),
)
def _scatter_add(input: Any, shape: tuple[int, ...], dim: int, index: Any) -> Any:
    """Zeros of `shape` to which `input` is added where `gather` would read."""
    out = np.zeros(shape, dtype=input.dtype)
    np.add.at(out, _grid(index, dim), input[tuple(slice(n) for n in index.shape)])
    return out


def _indices(input: Any, dim: int, index: Any, what: str) -> tuple[int, Array]:
    at, where_ = one_dim(dim, input.ndim), np.asarray(raw(index))
    if where_.dtype.kind not in "iu":
        raise RuntimeError(f"{what}(): Expected dtype int64 for index, but got {where_.dtype}")
    if input.ndim != where_.ndim and where_.size:
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    n = input.shape[at] if input.ndim else 1
    if where_.size and not (where_.min() >= 0 and where_.max() < n):
        bad = int(where_.min() if where_.min() < 0 else where_.max())
        raise RuntimeError(f"index {bad} is out of bounds for dimension {at} with size {n} ({what})")
    return at, where_


@composed(sample=_gatherable)
def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """The elements that `index` names along dimension `dim`: ``out[i][j] = input[i][index[i][j]]`` for dim 1.

    >>> import minigrad
    >>> scores = minigrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> scores.gather(1, minigrad.tensor([[1], [0]]))
    tensor([[2.],
            [3.]])
    """
    at, where_ = _indices(input, dim, index, "gather")
    if input.ndim == 0:
        return reshape(_gather(reshape(input, 1), 0, where_.reshape(-1)), where_.shape)
    for i, (n, m) in enumerate(zip(where_.shape, input.shape, strict=False)):
        if i != at and n > m:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(where_.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {at}"
            )
    return _gather(input, at, where_)


@composed(in_place=True, sample=lambda d: (d.array((3, 4)), 1, np.array([[0, 2, 1], [1, 3, 0]]), d.array((2, 3))))
def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """A copy of `input` with `src` (or one `value`) written where `gather` would read."""
    at, where_ = _indices(input, dim, index, "scatter")
    if reduce == "add":
        return scatter_add(input, dim, index, src)
    if reduce is not None:
        raise NotImplementedError(f"scatter: reduce must be None or 'add', not {reduce!r}")
    fill = src if value is None else value
    if isinstance(fill, Tensor):
        fill = _index(fill, tuple(slice(n) for n in where_.shape))
    elif not isinstance(fill, np.ndarray):
        fill = np.asarray(fill, dtype=_raw_dtype(input))
    return _index_put(input, _grid(where_, at), fill)


@composed(in_place=True, sample=lambda d: (d.array((3, 4)), 1, d.integers((2, 3), 4), d.array((2, 3))))
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy of `input` to which `src` is added where `gather` would read."""
    at, where_ = _indices(input, dim, index, "scatter_add")
    region = tuple(slice(n) for n in where_.shape)
    return input + _scatter_add(_index(src, region), tuple(input.shape), at, where_)


@composed(methods=["take_along_dim"], sample=lambda d: (d.array((3, 4)), d.integers((3, 2), 4), 1))
def take_along_dim(input: Any, indices: Any, dim: int) -> Any:
    """`gather` with the arguments in NumPy's order."""
    return gather(input, dim, indices)


# ---- matrices ------------------------------------------------------------------------------------------------


def _lower(input: Any, diagonal: int) -> Any:
    rows, columns = input.shape[-2:]
    return np.tri(rows, columns, diagonal).astype(bool)


@composed(sample=lambda d: (d.array((3, 4)), d.integer(-3, 3)))
def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle of each matrix; 0 above."""
    return where(_lower(input, diagonal), input, False)


@composed(sample=lambda d: (d.array((3, 4)), d.integer(-3, 3)))
def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle of each matrix; 0 below."""
    return where(~_lower(input, diagonal - 1), input, False)


@composed(sample=lambda d: (d.array((3, 4)), d.integer(-2, 2)))
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of dimensions `dim1` and `dim2`, as the last dimension."""
    x = movedim(input, (dim1, dim2), (-2, -1))
    rows, cols = x.shape[-2:]
    n = max(min(rows + min(offset, 0), cols - max(offset, 0)), 0)
    i = np.arange(n)
    return _index(x, (..., i + max(-offset, 0), i + max(offset, 0)))


@composed(sample=lambda d: (d.array((3, 3)) if d.boolean() else d.array((3,)), d.integer(-1, 1)))
def diag(input: Any, diagonal: int = 0) -> Any:
    """A matrix's diagonal, or the matrix with this diagonal."""
    if input.ndim == 2:
        return _diagonal(input, diagonal)
    n = input.shape[0] + builtins.abs(diagonal)
    i = np.arange(input.shape[0])
    return _place(input, (n, n), (i + max(-diagonal, 0), i + max(diagonal, 0)))


_diagonal = diagonal

for _name, _method in {
    "__getitem__": index,
    "__setitem__": set_index,
    "T": property(lambda x: permute(x, *range(x.ndim)[::-1])),
    "mT": property(lambda x: transpose(x, -2, -1)),
    "unsqueeze_": lambda x, dim: _reshaped_in_place(x, unsqueeze(x, dim)),
    "squeeze_": lambda x, dim=None: _reshaped_in_place(x, squeeze(x, dim)),
}.items():
    setattr(Tensor, _name, _method)


def _reshaped_in_place(x: Tensor, y: Tensor) -> Tensor:
    x.array, x.node = y.array, y.node
    return x


__all__ = [
    name for name in public(globals()) if name not in ("raw", "sizes", "index", "is_basic", "one_dim", "filled_in")
]
