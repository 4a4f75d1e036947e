"""Operations that read and write elements at places given by a tensor of indices: gather, scatter and others.

https://docs.pytorch.org/docs/stable/torch.html#indexing-slicing-joining-mutating-ops
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import watch
from minigrad.dtypes import as_numpy, number
from minigrad.engine import Array
from minigrad.ops.comparison import where
from minigrad.ops.indexing import _add_at, _index, _index_put
from minigrad.ops.record import Operand, OperandOrNumber, checked, composed, operation, registry
from minigrad.ops.shape import expand, one_dim, reshape
from minigrad.tensor import Tensor


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
    torch="gather",
    sample=lambda d: (d.array((3, 4)), 1, d.integers((2, 3), 3)),
    row_major=True,
)
def _gather(input: Any, dim: int, index: Any) -> Any:
    """``out[i][j] = input[index[i][j]][j]`` (for dim 0)."""
    return input[_grid(index, dim)]


@operation(
    {"input": lambda g, dim, index: _gather(g, dim, index)},
    sample=lambda d: (d.array((2, 3)), (3, 4), 1, d.integers((2, 3), 4)),
)
def _scatter_add(input: Any, shape: tuple[int, ...], dim: int, index: Any) -> Any:
    """Zeros of `shape` to which `input` is added where `gather` would read."""
    out = np.zeros(shape, dtype=input.dtype)
    _add_at(out, _grid(index, dim), input[tuple(slice(n) for n in index.shape)])
    return out


def _indices(input: Any, dim: int, index: Any, what: str) -> tuple[int, Array]:
    at, where_ = one_dim(dim, input.ndim), np.asarray(index.array if isinstance(index, Tensor) else index)
    if where_.dtype.kind not in "iu":
        raise RuntimeError(f"{what}(): Expected dtype int64 for index, but got {where_.dtype}")
    if max(input.ndim, 1) != max(where_.ndim, 1) and where_.size:
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    for i, (n, m) in enumerate(zip(where_.shape, input.shape, strict=False)):
        if i != at and n > m and where_.size:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(where_.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {at}"
            )
    n = input.shape[at] if input.ndim else 1
    if where_.size and not (where_.min() >= 0 and where_.max() < n):
        bad = int(where_.min() if where_.min() < 0 else where_.max())
        raise RuntimeError(f"index {bad} is out of bounds for dimension {at} with size {n} ({what})")
    return at, where_


@composed(sample=_gatherable)
def gather(input: Operand, dim: int, index: Operand, *, sparse_grad: bool = False) -> Any:
    """The elements that `index` names along dimension `dim`: ``out[i][j] = input[i][index[i][j]]`` for dim 1.

    >>> import minigrad
    >>> scores = minigrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> scores.gather(1, minigrad.tensor([[1], [0]]))
    tensor([[2.],
            [3.]])
    """
    at, where_ = _indices(input, dim, index, "gather")
    if not (input.ndim and where_.ndim and where_.size):
        return reshape(_gather(reshape(input, -1), 0, where_.reshape(-1).astype(np.int64)), where_.shape)
    return _gather(input, at, where_)


@composed(in_place=True, sample=lambda d: (d.array((3, 4)), 1, np.array([[0, 2, 1], [1, 3, 0]]), d.array((2, 3))))
def scatter(
    input: Operand,
    dim: int,
    index: Operand,
    src: OperandOrNumber = None,
    *,
    value: OperandOrNumber = None,
    reduce: str | None = None,
) -> Any:
    """A copy of `input` with `src` (or one `value`) written where `gather` would read."""
    at, where_ = _indices(input, dim, index, "scatter")
    if isinstance(src, Tensor) and src.array.dtype != as_numpy(input.dtype):
        raise RuntimeError(f"scatter(): Expected self.dtype to be equal to src.dtype, not {input.dtype}, {src.dtype}")
    if not (input.ndim and where_.ndim):
        full = reshape(src, -1) if isinstance(src, (Tensor, np.ndarray)) else src
        result = scatter(reshape(input, -1), 0, where_.reshape(-1), full, value=value, reduce=reduce)
        return reshape(result, tuple(input.shape))
    if reduce == "add":
        return scatter_add(input, dim, index, src)
    if reduce is not None:
        raise NotImplementedError(f"scatter: reduce must be None or 'add', not {reduce!r}")
    fill = src if value is None else value
    if isinstance(fill, Tensor):
        fill = _index(fill, tuple(slice(n) for n in where_.shape)) if fill.ndim else expand(fill, where_.shape)
    elif not isinstance(fill, np.ndarray):
        fill = number(fill, as_numpy(input.dtype))
    return _index_put(input, _grid(where_, at), fill)


@composed(in_place=True, sample=lambda d: (d.array((3, 4)), 1, d.integers((2, 3), 4), d.array((2, 3))))
def scatter_add(input: Operand, dim: int, index: Operand, src: Operand) -> Any:
    """A copy of `input` to which `src` is added where `gather` would read."""
    at, where_ = _indices(input, dim, index, "scatter_add")
    if as_numpy(src.dtype) != as_numpy(input.dtype):
        raise RuntimeError(f"scatter(): Expected self.dtype to be equal to src.dtype, not {input.dtype}, {src.dtype}")
    if not (input.ndim and where_.ndim):
        result = scatter_add(reshape(input, -1), 0, where_.reshape(-1), reshape(src, -1))
        return reshape(result, tuple(input.shape))
    region = tuple(slice(n) for n in where_.shape)
    return input + _scatter_add(_index(src, region), tuple(input.shape), at, where_)


@composed(sample=lambda d: (d.array((3, 4)), d.integers((3, 2), 4), 1))
def take_along_dim(input: Operand, indices: Operand, dim: int | None = None) -> Any:
    """`gather` whose operands broadcast, and whose indices wrap around, as in torch.

    Without a `dim`, it takes elements of the flattened tensor; these indices must be in range.

    Raises:
        RuntimeError: if the indices are not of int64, or have another number of dimensions.
    """
    if as_numpy(indices.dtype) != np.int64:
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype}")
    if dim is None:
        return gather(reshape(input, -1), 0, reshape(indices, -1))
    if input.ndim != indices.ndim:
        raise RuntimeError(
            f"torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    at = one_dim(dim, input.ndim)
    rest = [tuple(1 if i == at else n for i, n in enumerate(x.shape)) for x in (input, indices)]
    shape = np.broadcast_shapes(*rest)
    source, where_ = (expand(x, (*shape[:at], x.shape[at], *shape[at + 1 :])) for x in (input, indices))
    return gather(source, at, where_ % input.shape[at] if input.shape[at] else where_)


@composed(differentiable=False, sample=lambda d: (d.mask((3, 4)),))
def nonzero(input: Operand, *, as_tuple: bool = False) -> Any:
    """The places of the elements that are not 0: (n, dimensions) int64, or a tensor for each dimension.

    >>> import minigrad
    >>> minigrad.nonzero(minigrad.tensor([0.0, 3.0, 2.0]), as_tuple=True)
    (tensor([1, 2]),)
    """
    watch.read("the values of a tensor are read")
    array = input.array if isinstance(input, Tensor) else input
    if as_tuple:
        return tuple(map(Tensor.wrap, np.nonzero(np.atleast_1d(array))))
    return Tensor.wrap(np.argwhere(array))


def _of_three(condition: Operand, input: OperandOrNumber = None, other: OperandOrNumber = None) -> Any:
    return nonzero(condition, as_tuple=True) if input is None and other is None else where(condition, input, other)


_of_three.__name__, _of_three.__doc__ = "where", where.__doc__
registry["where"].public = checked(registry["where"], _of_three)
setattr(Tensor, "where", lambda self, condition, other: registry["where"].public(condition, self, other))  # noqa: B010
