"""Losses that ask for a margin: between scores, or between distances.

Targets are 1 or -1 unless said otherwise; `reduction` is ``"mean"``, ``"sum"`` or ``"none"``.
https://docs.pytorch.org/docs/stable/nn.functional.html#loss-functions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.ops.activation import logsigmoid
from minigrad.ops.elementwise import clamp_min, minimum, softplus, where
from minigrad.ops.loss import reduced
from minigrad.ops.record import composed, public
from minigrad.ops.reduction import mean
from minigrad.ops.vectors import cosine_similarity, pairwise_distance

REDUCTIONS = ("mean", "sum", "none")


def _signs(d: Any, shape: tuple[int, ...]) -> Any:
    return np.sign(d.constant(shape, -1.0, 1.0) + 1e-3)


@composed(
    methods=[],
    torch="nn.functional.margin_ranking_loss",
    sample=lambda d: (d.array((4,), low=1.0), d.array((4,), high=0.5), _signs(d, (4,)), 0.3, None, None,
                      d.choice(REDUCTIONS)),
)  # fmt: skip
def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """``max(0, -target * (input1 - input2) + margin)``: 1 wants `input1` to be larger, -1 `input2`."""
    return reduced(clamp_min(-target * (input1 - input2) + margin, 0.0), reduction)


@composed(
    methods=[],
    torch="nn.functional.hinge_embedding_loss",
    sample=lambda d: (d.array((4,), kinks=(1.0,)), _signs(d, (4,)), 1.0, None, None, d.choice(REDUCTIONS)),
)
def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """`input` where the target is 1, ``max(0, margin - input)`` where it is -1."""
    return reduced(where(target == 1, input, clamp_min(margin - input, 0.0)), reduction)


@composed(
    methods=[],
    torch="nn.functional.cosine_embedding_loss",
    sample=lambda d: (
        d.array((3, 2), low=0.5), d.array((3, 2), low=0.3), _signs(d, (3,)), -0.5, None, None, d.choice(REDUCTIONS)
    ),
)  # fmt: skip
def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """``1 - cos`` of the angle between two vectors that belong together, ``max(0, cos - margin)`` of others.

    input1, input2 (N, D) and target (N,), or (D,) and ().
    """
    cos = cosine_similarity(input1, input2, -1)
    return reduced(where(target == 1, 1 - cos, clamp_min(cos - margin, 0.0)), reduction)


@composed(
    methods=[],
    torch="nn.functional.triplet_margin_loss",
    sample=lambda d: (
        d.array((2, 3), low=2.0), d.array((2, 3), low=0.5, high=1.5), d.array((2, 3), high=0.0), 9.0, 2.0, 1e-6,
        d.boolean(), None, None, d.choice(REDUCTIONS),
    ),
)  # fmt: skip
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` with the p-norm as d: (N, D) each → (N,).

    With `swap` the negative's distance is the smaller of those to the anchor and to the positive.
    """
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(clamp_min(near - far + margin, 0.0), reduction)


@composed(
    methods=[],
    torch="nn.functional.soft_margin_loss",
    sample=lambda d: (d.array((4,)), _signs(d, (4,)), None, None, d.choice(REDUCTIONS)),
)
def soft_margin_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """``log(1 + exp(-target * input))``."""
    return reduced(softplus(-target * input, 1.0, np.inf), reduction)


@composed(
    methods=[],
    torch="nn.functional.multilabel_soft_margin_loss",
    sample=lambda d: (
        d.array((2, 3)), d.constant((2, 3), 0.0, 1.0), d.choice([None, d.array((3,))]), None, None, d.choice(REDUCTIONS)
    ),
)  # fmt: skip
def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """The binary cross-entropy of scores (N, C) with labels 0 or 1, averaged over the classes: → (N,)."""
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    return reduced(mean(losses if weight is None else losses * weight, -1), reduction)


if not TYPE_CHECKING:  # type checkers take all public names
    __all__ = public(globals())
