"""Operations on the vectors along one dimension: lengths, angles, distances.

https://docs.pytorch.org/docs/stable/nn.functional.html#distance-functions
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.ops.comparison import clamp_min
from minigrad.ops.linalg import matmul, same_dtype
from minigrad.ops.record import Operand, composed, operation
from minigrad.ops.reduction import sum
from minigrad.ops.shape import expand, permute, reshape, unsqueeze
from minigrad.ops.statistics import norm


@composed(torch="nn.functional.normalize", sample=lambda d: (d.array((2, 3), low=0.3), 2.0, d.integer(0, 1)))
def normalize(input: Operand, p: float = 2.0, dim: int | Sequence[int] = 1, eps: float = 1e-12) -> Any:
    """The vectors along `dim` divided by their p-norm (by `eps` if that is smaller).

    >>> import minigrad
    >>> minigrad.nn.functional.normalize(minigrad.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return input / clamp_min(norm(input, p, dim, True), eps)


@composed(
    torch="nn.functional.cosine_similarity",
    sample=lambda d: (d.array((2, 3), low=0.3), d.array((2, 3), low=0.3), d.integer(0, 1)),
)
def cosine_similarity(x1: Operand, x2: Operand, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between the vectors along `dim` (norms are at least `eps`); the rest broadcasts.

    >>> import minigrad
    >>> F = minigrad.nn.functional
    >>> F.cosine_similarity(minigrad.tensor([1.0, 0.0]), minigrad.tensor([1.0, 1.0]), dim=0)
    tensor(0.7071)
    """
    x1, x2 = (x if x.is_floating_point() else x.float() for x in (x1, x2))
    shape = np.broadcast_shapes(tuple(x1.shape), tuple(x2.shape))
    x1, x2 = (x if tuple(x.shape) == shape else expand(x, shape) for x in (x1, x2))
    return sum(_unit(x1, dim, eps) * _unit(x2, dim, eps), dim)


@operation(sample=lambda d: (d.array(low=0.0), 0.5))
def _shortfall(input: Any, low: float) -> Any:
    """The amount to add so that numbers are at least `low`; it has no gradient."""
    return np.maximum(low - input, 0)


def _unit(x: Any, dim: int, eps: float) -> Any:
    """The vectors along `dim` divided by their norm, or by `eps` if larger, which torch's gradient ignores."""
    length = norm(x, 2, dim, True)
    return x / (length + _shortfall(length, eps))


@composed(
    torch="nn.functional.pairwise_distance",
    sample=lambda d: (
        d.array((2, 3), low=0.5),
        d.array((2, 3), high=0.0),
        d.choice([1.0, 2.0, 3.0]),
        1e-6,
        d.boolean(),
    ),
)
def pairwise_distance(x1: Operand, x2: Operand, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The p-norm of ``x1 - x2 + eps`` along the last dimension: (N, D), (N, D) → (N,).

    >>> import minigrad
    >>> minigrad.nn.functional.pairwise_distance(minigrad.tensor([[3.0, 0.0]]), minigrad.tensor([[0.0, 4.0]]))
    tensor([5.])
    """
    return norm(x1 - x2 + eps, p, -1, keepdim)


@composed(
    torch="nn.functional.bilinear",
    sample=lambda d: (
        *d.choice([(d.array((2, 3)), d.array((2, 4))), (d.array((2, 1, 3)), d.array((2, 1, 4)))]),
        d.array((2, 3, 4)),
        d.choice([None, d.array((2,))]),
    ),
)
def bilinear(input1: Operand, input2: Operand, weight: Operand, bias: Operand = None) -> Any:
    """``input1 @ weight[k] @ input2 + bias[k]``: (..., in1), (..., in2), weight (out, in1, in2) → (..., out).

    Raises:
        RuntimeError: if the shapes do not match, or the dtypes differ.
    """
    for i, (x, features) in enumerate(zip((input1, input2), weight.shape[1:], strict=True), 1):
        if x.shape[-1] != features:
            raise RuntimeError(
                f"bilinear(): input{i} size does not match weight size: got {x.shape[-1]} but expected {features}"
            )
        same_dtype(f"input{i} and weight", x, weight)
    if input1.ndim != input2.ndim:
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {input1.ndim} and {input2.ndim}")
    for i, (n, m) in enumerate(zip(input1.shape[:-1], input2.shape[:-1], strict=True)):
        if n != m:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {i}: got {n} and {m}")
    out, in1, in2 = weight.shape
    left = matmul(input1, reshape(permute(weight, (1, 0, 2)), (in1, out * in2)))
    result = sum(reshape(left, (*input1.shape[:-1], out, in2)) * unsqueeze(input2, -2), -1)
    return result if bias is None else result + bias
