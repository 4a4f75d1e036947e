"""Operations that split a dimension into views: split, chunk, unbind and others.

https://docs.pytorch.org/docs/stable/torch.html#indexing-slicing-joining-mutating-ops
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.ops.indexing import _index, select
from minigrad.ops.record import Operand, composed, renamed
from minigrad.ops.shape import one_dim
from minigrad.tensor import Tensor
from minigrad.views import several


@composed(sample=lambda d: (d.array((5, 2)), d.choice([2, (2, 3), (1, 4)]), 0), out=False)
def split(input: Operand, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """The pieces of dimension `dim`, of one size (the last may be smaller) or of given sizes (views)."""
    n, sections = _length(input, dim, "split"), None
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step < 0 or (step == 0 and n):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={step}")
        lengths = [min(step, n - i) for i in range(0, n, step)] if n else [0]
    else:
        lengths = sections = list(split_size_or_sections)
        if sum(lengths) != n:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {dim}), "
                f"but got split_sizes={lengths}"
            )
    ends = [sum(lengths[: i + 1]) for i in range(len(lengths) - 1)]
    return several(_between(input, ends, dim), "Split" if lengths is not sections else "SplitWithSizes")


def _length(input: Any, dim: int, what: str) -> int:
    """How long a dimension is."""
    if not input.ndim:
        raise RuntimeError(f"{what} expects at least a 1-dimensional tensor")
    return int(input.shape[one_dim(dim, input.ndim)])


def _between(input: Any, ends: Sequence[int], dim: int) -> tuple[Any, ...]:
    """The pieces of dimension `dim` between these indices."""
    whole = (slice(None),) * one_dim(dim, input.ndim)
    return tuple(
        _index(input, (*whole, slice(a, b))) for a, b in zip((0, *ends), (*ends, input.shape[dim]), strict=True)
    )


def _at_places(d: Any) -> tuple[Any, ...]:
    return d.array((5, 2)), d.choice([2, 3, 7, (1, 3), (2,), (-1,), (3, 1)]), d.choice([0, 1, -1])


@composed(sample=_at_places)
def tensor_split(input: Operand, indices_or_sections: int | Sequence[int] | Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Dimension `dim` split into a number of nearly equal pieces, or at given indices (views)."""
    if not input.ndim:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    n = input.shape[one_dim(dim, input.ndim)]
    places = indices_or_sections
    if isinstance(places, Tensor):
        places = places.tolist()
    if isinstance(places, int):
        if places <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {places}")
        length, longer = divmod(n, places)
        places = [i * length + min(i, longer) for i in range(1, places)]
    return _between(input, list(places), dim)


def _split_along(dim: int, word: str, least: int) -> Any:
    """`tensor_split` along one dimension; sections have to be of equal length."""

    def split(input: Operand, indices_or_sections: int | Sequence[int] | Tensor) -> tuple[Tensor, ...]:
        at = 0 if input.ndim == 1 and dim == 1 else dim
        if input.ndim < least:
            raise RuntimeError(
                f"torch.{word} requires a tensor with at least {least} dimension{'s' * (least > 1)}, but got a tensor "
                f"with {input.ndim} dimensions!"
            )
        n, sections = input.shape[at], indices_or_sections
        if isinstance(sections, int) and (sections == 0 or n % sections):
            raise RuntimeError(
                f"torch.{word} attempted to split along dimension {at}, but the size of the dimension {n} is not "
                f"divisible by the split_size {sections}!"
            )
        return tensor_split(input, sections, at)

    described = renamed(split, word, f"`tensor_split` along dimension {dim} (views).")
    return composed(sample=lambda d: (d.array((2, 4, 2)), d.choice([2, (1,)])))(described)


vsplit, hsplit, dsplit = _split_along(0, "vsplit", 2), _split_along(1, "hsplit", 1), _split_along(2, "dsplit", 3)


@composed(sample=lambda d: (d.array((5, 2)), d.integer(1, 6), 0), out=False)
def chunk(input: Operand, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Dimension `dim` split into at most `chunks` pieces of equal size (views)."""
    if chunks <= 0:
        raise RuntimeError("chunk expects `chunks` to be greater than 0, got: " + str(chunks))
    n = _length(input, dim, "chunk")
    return split(input, max(-(-n // chunks), 1), dim)


@composed(sample=lambda d: (d.array((3, 2)), d.choice([0, 1, -1])), out=False)
def unbind(input: Operand, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices of dimension `dim`, as a tuple (views)."""
    return several((select(input, dim, i) for i in range(input.shape[one_dim(dim, input.ndim)])), "Unbind")
