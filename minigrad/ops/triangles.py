"""Operations on the diagonals and triangles of matrices.

https://docs.pytorch.org/docs/stable/torch.html#blas-and-lapack-operations
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.ops.comparison import where
from minigrad.ops.convert import contiguous
from minigrad.ops.indexing import _place
from minigrad.ops.record import Operand, composed, operation
from minigrad.ops.shape import movedim, one_dim


def _lower(input: Any, diagonal: int, name: str) -> Any:
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions, not shape {list(input.shape)}")
    rows, columns = input.shape[-2:]
    return np.tri(rows, columns, diagonal).astype(bool)


@composed(sample=lambda d: (d.array((3, 4)), d.integer(-3, 3)), in_place=True)
def tril(input: Operand, diagonal: int = 0) -> Any:
    """The lower triangle of each matrix; 0 above."""
    return where(_lower(input, diagonal, "tril"), contiguous(input), False)


@composed(sample=lambda d: (d.array((3, 4)), d.integer(-3, 3)), in_place=True)
def triu(input: Operand, diagonal: int = 0) -> Any:
    """The upper triangle of each matrix; 0 below."""
    return where(~_lower(input, diagonal - 1, "triu"), contiguous(input), False)


@composed(sample=lambda d: (d.array((3, 4)), d.integer(-2, 2)), out=False)
def diagonal(input: Operand, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal along `dim1` and `dim2`, as the last dimension."""
    first, second = one_dim(dim1, input.ndim), one_dim(dim2, input.ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return _diagonal_of(input, offset, first, second)


def _on_diagonal(g: Any, shape: Any, offset: int, dim1: int, dim2: int) -> Any:
    """Zeros of `shape` with `g` on the diagonal."""
    rest = [n for i, n in enumerate(shape) if i not in (dim1, dim2)]
    i = np.arange(g.shape[-1])
    placed = _place(g, (*rest, shape[dim1], shape[dim2]), (..., i + max(-offset, 0), i + max(offset, 0)))
    return movedim(placed, (-2, -1), (dim1, dim2))


@operation(
    {"input": lambda g, input_shape, offset, dim1, dim2: _on_diagonal(g, input_shape, offset, dim1, dim2)},
    view=True,
    grad_fn="DiagonalBackward0",
    sample=lambda d: (d.array((3, 2, 4)), d.integer(-2, 2), *d.choice([(0, 1), (2, 0)])),
)
def _diagonal_of(input: Any, offset: int, dim1: int, dim2: int) -> Any:
    """`diagonal` of checked arguments."""
    out = np.diagonal(input, offset, dim1, dim2)
    out.flags.writeable = input.flags.writeable
    return out


@composed(sample=lambda d: (d.array((3, 3)) if d.boolean() else d.array((3,)), d.integer(-1, 1)))
def diag(input: Operand, diagonal: int = 0) -> Any:
    """A matrix's diagonal, or the matrix with this diagonal."""
    if input.ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    if input.ndim == 2:
        return _diagonal(input, diagonal)
    n = input.shape[0] + abs(diagonal)
    i = np.arange(input.shape[0])
    return _place(input, (n, n), (i + max(-diagonal, 0), i + max(diagonal, 0)))


_diagonal = diagonal
