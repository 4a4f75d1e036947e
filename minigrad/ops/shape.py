"""Operations that return the same elements in another shape or order: reshape, permute, expand, flip.

Where torch returns a view of the same memory, so does minigrad.
https://docs.pytorch.org/docs/stable/torch.html#indexing-slicing-joining-mutating-ops
"""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.dtypes import as_numpy
from minigrad.kernels.memory import copied
from minigrad.ops.record import Operand, composed, operation
from minigrad.tensor import Tensor, out_of_range
from minigrad.views import reshape_in_place


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
    """A shape given as one sequence or as several numbers: ``view(2, 3)`` or ``view((2, 3))``.

    Raises:
        TypeError: if they are not integers.
    """
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    try:
        return tuple(map(operator.index, shape))
    except TypeError:
        raise TypeError(f"a shape must consist of integers, but got {list(shape)}") from None


def filled_in(shape: tuple[int, ...], numel: int) -> tuple[int, ...]:
    """`shape` with its -1 replaced by the length for `numel` elements.

    Raises:
        RuntimeError: if no such shape exists.
    """
    known = math.prod(n for n in shape if n != -1)
    free = shape.count(-1)
    if free > 1:
        raise RuntimeError("only one dimension can be inferred")
    if free and known == 0 and numel == 0:
        raise RuntimeError(
            f"cannot reshape tensor of {numel} elements into shape {list(shape)} because the unspecified dimension "
            "size -1 can be any value and is ambiguous"
        )
    if (free and (not known or numel % known)) or (not free and known != numel) or any(n < -1 for n in shape):
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
    return tuple(numel // known if n == -1 else n for n in shape) if free else shape


def _regroup(d: Any) -> tuple[Any, ...]:
    x = d.array()
    return (x, d.choice([(-1,), (x.size,), (1, *x.shape), x.shape[::-1]] if x.size else [x.shape, (0, 3)]))


def _contiguous(d: Any) -> tuple[Any, ...]:
    return np.ascontiguousarray(d.array((2, 3))), d.choice([(6,), (3, -1), (1, 2, 3)])


@operation(
    {"input": lambda g, input_shape: _reshape(g, input_shape)},
    view=True,
    torch="reshape",
    grad_fn="ViewBackward0",
    sample=_regroup,
)
def _reshape(input: Any, shape: tuple[int, ...]) -> Any:
    """The same elements in another shape."""
    return input.reshape(filled_in(shape, input.size))


@composed(sample=_regroup)
def reshape(input: Operand, *shape: int | Sequence[int]) -> Any:
    """The same elements, in row-major order, in another shape; one length may be -1. A view if possible.

    Raises:
        RuntimeError: if the shape holds another number of elements.

    >>> import minigrad
    >>> minigrad.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return _reshape(input, sizes(shape))


@operation(sample=lambda d: (np.ascontiguousarray(d.array((2, 4))), np.dtype("uint8")))
def _of_dtype(input: Any, dtype: np.dtype[Any]) -> Any:
    """The same bytes as elements of another dtype; no gradient flows."""
    old, new = input.dtype.itemsize, dtype.itemsize
    if old == new:
        return input.view(dtype)
    view = f"to view {input.dtype} as {dtype} (different element sizes)"
    if not input.ndim:
        raise RuntimeError(f"self.dim() cannot be 0 {view}")
    if input.strides[-1] != old:
        raise RuntimeError(f"self.stride(-1) must be 1 {view}, but got {input.strides[-1] // old}")
    ratio = new // old
    if ratio:
        steps = {f"stride({i})": step // old for i, step in enumerate(input.strides[:-1])}
        offset = input.ctypes.data % new // old  # memory is aligned to all sizes
        for what, n in {"size(-1)": input.shape[-1], "storage_offset()": offset, **steps}.items():
            if n % ratio:
                raise RuntimeError(f"self.{what} must be divisible by {ratio} {view}, but got {n}")
    return input.view(dtype)


@composed(sample=_contiguous, torch="Tensor.view")
def view(input: Operand, *shape: int | Sequence[int], dtype: Any = None) -> Any:
    """`reshape` that never copies, which `input`'s strides must allow. With a dtype: its bytes as that dtype.

    Raises:
        RuntimeError: if it would have to copy.
    """
    if len(shape) == 1 and not isinstance(shape[0], (int, tuple, list, np.integer, Tensor)):
        dtype = shape[0]
    if dtype is not None:
        out = _of_dtype(input, as_numpy(dtype))
        input.version = out.version = input.version or [0]
        return out
    out = _reshape(input, sizes(shape))
    if input.numel() and not np.may_share_memory(out.array, input.array):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return out


@composed(sample=lambda d: (*_contiguous(d)[:1], d.array((3, 2))), torch="")
def view_as(input: Operand, other: Operand) -> Any:
    """`input` in the shape of `other`."""
    return view(input, *other.shape)


@composed(sample=lambda d: (d.array((2, 3)), d.array((3, 2))), torch="Tensor.reshape_as")
def reshape_as(input: Operand, other: Operand) -> Any:
    """`input` in the shape of `other`."""
    return reshape(input, *other.shape)


@composed(sample=lambda d: ((x := d.array(min_ndim=1)), 0, d.choice([-1, x.ndim - 1])))
def flatten(input: Operand, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Dimensions `start_dim` to `end_dim` merged into one.

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
    if first == last:
        return input
    merged = math.prod(shape[first : last + 1])
    return _reshape(input, (*shape[:first], merged, *shape[last + 1 :]))


@composed(sample=lambda d: (d.array((2, 6, 2)), 1, (2, 3)))
def unflatten(input: Operand, dim: int, sizes: tuple[int, ...]) -> Any:
    """Dimension `dim` split into `sizes`; one of them may be -1."""
    if not input.ndim:
        raise RuntimeError(f"unflatten: Dimension specified as {dim} but tensor has no dimensions")
    dim = one_dim(dim, input.ndim)
    return _reshape(input, (*input.shape[:dim], *filled_in(tuple(sizes), input.shape[dim]), *input.shape[dim + 1 :]))


@composed()
def ravel(input: Operand) -> Any:
    """All elements in one dimension; a copy if they are not contiguous."""
    return _reshape(input.contiguous(), (input.numel(),))


@composed(sample=lambda d: ((x := d.array()), d.integer(-x.ndim - 1, x.ndim)))
def unsqueeze(input: Operand, dim: int) -> Any:
    """A new dimension of length 1 at `dim`."""
    dim = one_dim(dim, input.ndim + 1)
    return _reshape(input, (*input.shape[:dim], 1, *input.shape[dim:]))


@composed(sample=lambda d: (d.array((1, 2, 1)), d.choice([0, 1, -1, (0, 2)])))
def squeeze(input: Operand, dim: int | Sequence[int] | None = None) -> Any:
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
    torch="permute",
    sample=_some_order,
)
def _permute(input: Any, dims: tuple[int, ...]) -> Any:
    """The dimensions in another order."""
    return input.transpose(dims)


@composed(sample=_some_order)
def permute(input: Operand, *dims: int | Sequence[int]) -> Any:
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
def transpose(input: Operand, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged (a view)."""
    order = list(range(input.ndim))
    a, b = one_dim(dim0, input.ndim), one_dim(dim1, input.ndim)
    if not order:
        return _reshape(input, ())
    order[a], order[b] = order[b], order[a]
    return _permute(input, tuple(order))


@composed(sample=lambda d: (d.array(max_ndim=2),))
def t(input: Operand) -> Any:
    """The transpose of a matrix; vectors and 0-d tensors are unchanged."""
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return transpose(input, 0, 1) if input.ndim == 2 else _reshape(input, tuple(input.shape))


@composed(
    methods=["movedim", "moveaxis"],
    sample=lambda d: (d.array((2, 3, 1)), *d.choice([(0, -1), (1, 0), ((0, 1), (2, 0)), ((-1,), (0,))])),
)
def movedim(input: Operand, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """Dimensions `source` moved to places `destination`."""
    sources = [source] if isinstance(source, int) else list(source)
    places = [destination] if isinstance(destination, int) else list(destination)
    if len(sources) != len(places):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({sources} dims) should contain the same number of "
            f"dims as destination ({places} dims)"
        )
    normal = [[one_dim(d, input.ndim) for d in dims] for dims in (sources, places)]
    for what, given, dims in zip(("source", "destination"), (sources, places), normal, strict=True):
        if len(set(dims)) < len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{what}` ({given})")
    if not input.ndim:
        return _reshape(input, ())
    order = [d for d in range(input.ndim) if d not in normal[0]]
    for place, s in sorted(zip(normal[1], normal[0], strict=True)):
        order.insert(place, s)
    return _permute(input, tuple(order))


def _stretchable(d: Any) -> tuple[Any, ...]:
    n, m, k = (d.integer(1, 3) for _ in range(3))
    pairs: list[tuple[Any, ...]] = [((1, m), (n, m)), ((m,), (k, n, m)), ((n, 1), (-1, m)), ((), (n,))]
    shape, wanted = d.choice(pairs)
    return d.array(shape), wanted


@operation({"input": lambda g: g}, view=True, torch="broadcast_to", sample=lambda d: (d.array((1, 2)), (3, 2)))
def _expand(input: Any, shape: tuple[int, ...]) -> Any:
    """`input` repeated without a copy; its gradient is summed on the edge, like every broadcast one."""
    out = np.broadcast_to(input, shape)
    if out.size == input.size and input.flags.writeable:  # nothing is repeated
        return input.reshape(shape)
    return out


@composed(sample=_stretchable, torch="Tensor.expand")
def expand(input: Operand, *shape: int | Sequence[int]) -> Any:
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
def broadcast_to(input: Operand, size: Sequence[int]) -> Any:
    """`input` expanded to `size`."""
    return expand(input, size)


@composed(sample=lambda d: (d.array((1, 2)), d.array((3, 2))), torch="Tensor.expand_as")
def expand_as(input: Operand, other: Operand) -> Any:
    """`input` expanded to the shape of `other`."""
    return expand(input, *other.shape)


@composed(sample=lambda d: (d.array((2, 3)), d.choice([(2, 1), (2, 2, 1)])), torch="Tensor.repeat")
def repeat(input: Operand, *repeats: int | Sequence[int]) -> Any:
    """`input` repeated along each dimension (a copy)."""
    times = sizes(repeats)
    if len(times) < input.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    shape = (1,) * (len(times) - input.ndim) + tuple(input.shape)
    spaced = _reshape(input, tuple(m for n in shape for m in (1, n)))
    stretched = _expand(spaced, tuple(m for r, n in zip(times, shape, strict=True) for m in (r, n)))
    return _reshape(stretched.clone(), tuple(r * n for r, n in zip(times, shape, strict=True)))


@composed(sample=lambda d: (d.array((2, 3)), d.choice([(2,), (2, 1), (2, 2, 1)])))
def tile(input: Operand, *dims: int | Sequence[int]) -> Any:
    """`repeat` with missing repeats taken as 1."""
    times = sizes(dims)
    return repeat(input, (1,) * (input.ndim - len(times)) + times)


@operation({"input": lambda g, dims: _flip(g, dims)}, torch="flip", sample=lambda d: (d.array((2, 3)), (0,)))
def _flip(input: Any, dims: tuple[int, ...]) -> Any:
    """The elements in reverse order along `dims`."""
    return copied(np.flip(input, dims if input.ndim else None))


@composed(sample=lambda d: (d.array((2, 3)), d.choice([(0,), (0, 1), (-1,)])))
def flip(input: Operand, *axes: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Any:
    """The elements in reverse order along `dims` (a copy)."""
    normal = tuple(one_dim(d, input.ndim) for d in sizes(axes if dims is None else (dims,)))
    if len(set(normal)) < len(normal):
        raise RuntimeError(f"dim {normal[0]} appears multiple times in the list of dims")
    return _flip(input, normal)


def _transposed(x: Tensor) -> Any:
    if x.ndim != 2:
        warnings.warn(NO_MATRIX if x.ndim else IDENTITY.format("T"), stacklevel=2)
    return permute(x, *range(x.ndim)[::-1])


def _matrices_transposed(x: Tensor) -> Any:
    if x.ndim == 1:
        raise RuntimeError("tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor.")
    if not x.ndim:
        warnings.warn(IDENTITY.format("mT"), stacklevel=2)
    return transpose(x, -2, -1) if x.ndim else x


NO_MATRIX = (
    "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw an "
    "error in a future release. Consider `x.mT` to transpose batches of matrices or "
    "`x.permute(*range(x.ndim)[::-1])` to reverse the dimensions of a tensor."
)
IDENTITY = "Tensor.{} is deprecated on 0-D tensors. This function is the identity in these cases."

for _name, _method in {
    "T": property(_transposed),
    "mT": property(_matrices_transposed),
    "unsqueeze_": lambda x, dim: reshape_in_place(x, unsqueeze, dim),
    "squeeze_": lambda x, dim=None: reshape_in_place(x, squeeze, dim),
    "t_": lambda x: reshape_in_place(x, t),
    "transpose_": lambda x, dim0, dim1: reshape_in_place(x, transpose, dim0, dim1),
    "real": property(lambda x: x),
}.items():
    setattr(Tensor, _name, _method)
