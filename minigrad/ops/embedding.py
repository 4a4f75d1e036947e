"""Embeddings: rows of a table, looked up by index.

https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import dtype
from minigrad.ops.comparison import where
from minigrad.ops.indexing import _index
from minigrad.ops.record import Operand, composed


def refuse(max_norm: float | None, scale_grad_by_freq: bool, sparse: bool) -> None:
    """Refuse options of torch's embeddings that are not supported.

    Raises:
        NotImplementedError: if one is used.
    """
    for name, value in {"max_norm": max_norm, "scale_grad_by_freq": scale_grad_by_freq, "sparse": sparse}.items():
        if value is not None and value is not False:
            raise NotImplementedError(f"embedding: {name}={value} is not supported")


@composed(
    torch="nn.functional.embedding",
    sample=lambda d: (  # the padding row gets no gradient, unlike in a numerical one
        d.integers(d.shape(0, 2), 3),
        d.array((3, 2)),
        None if d.smooth else d.choice([None, 1, -1]),
    ),
)
def embedding(
    input: Operand,
    weight: Operand,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of `weight` (n, d) with the indices `input` (…) → (…, d); a row's gradient is summed over its uses.

    Args:
        input: integers in [0, n).
        weight: the table.
        padding_idx: the row that gets no gradient; negative counts from the end.
        max_norm: not supported, nor are `norm_type`, `scale_grad_by_freq` and `sparse`.

    Raises:
        IndexError: for an index that is not in [0, n).
        RuntimeError: if `input` does not hold integers, or `weight` is not a matrix.
        NotImplementedError: for an option that is not supported.

    >>> import minigrad
    >>> table = minigrad.tensor([[0.0, 0.0], [1.0, 2.0]])
    >>> minigrad.nn.functional.embedding(minigrad.tensor([1, 0, 1]), table)
    tensor([[1., 2.],
            [0., 0.],
            [1., 2.]])
    """
    refuse(max_norm, scale_grad_by_freq, sparse)
    numbers = input.array
    if numbers.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{dtype.known[numbers.dtype].name} instead (while checking arguments for embedding)"
        )
    if weight.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, but it has shape {list(weight.shape)}")
    n = weight.shape[0]
    if padding_idx is not None:
        if not -n <= padding_idx < n:
            raise AssertionError(f"Padding_idx must be within num_embeddings, but it is {padding_idx} of {n}")
        padding_idx %= n
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < n:
        wrong = numbers.min() if numbers.min() < 0 else numbers.max()
        raise IndexError(f"index out of range in self: {wrong} in an embedding of {n} rows")
    rows = _index(weight, input)
    if padding_idx is None or not weight.requires_grad:
        return rows
    return where(input.unsqueeze(-1) == padding_idx, rows.detach(), rows)
