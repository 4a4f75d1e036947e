"""Margin losses, between scores or between distances.

Targets are 1 or -1 unless said otherwise; `reduction` is ``"mean"``, ``"sum"`` or ``"none"``.
https://docs.pytorch.org/docs/stable/nn.functional.html#loss-functions
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import int64
from minigrad.ops.activation import logsigmoid
from minigrad.ops.comparison import clamp_min, minimum, where
from minigrad.ops.elementwise import exp, log1p
from minigrad.ops.loss import checked, loss, reduced
from minigrad.ops.record import Operand, operation
from minigrad.ops.reduction import mean, sum
from minigrad.ops.vectors import cosine_similarity, pairwise_distance
from minigrad.tensor import Tensor


def _signs(d: Any, shape: tuple[int, ...]) -> Any:
    return np.sign(d.constant(shape, -1.0, 1.0) + 1e-3)


@loss(lambda d: (d.array((4,), low=1.0), d.array((4,), high=0.5), _signs(d, (4,)), 0.3))
def margin_ranking_loss(
    input1: Operand, input2: Operand, target: Operand, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """``max(0, -target * (input1 - input2) + margin)``: for target 1 `input1` should be larger, for -1 `input2`."""
    return reduced(clamp_min(-target * (input1 - input2) + margin, 0.0), reduction)


@loss(lambda d: (d.array((4,), kinks=(1.0,)), _signs(d, (4,)), 1.0))
def hinge_embedding_loss(input: Operand, target: Operand, margin: float = 1.0, reduction: str = "mean") -> Any:
    """`input` where the target is 1, ``max(0, margin - input)`` where it is -1."""
    apart = where(target != 1, clamp_min(margin - input, 0.0), 0.0)
    return reduced(apart + where(target != -1, input, 0.0), reduction)


@loss(lambda d: (d.array((3, 2), low=0.5), d.array((3, 2), low=0.3), _signs(d, (3,)), -0.5))
def cosine_embedding_loss(
    input1: Operand, input2: Operand, target: Operand, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """``1 - cos`` of the angle between two vectors where the target is 1, ``max(0, cos - margin)`` where it is -1.

    input1, input2 (N, D) and target (N,), or (D,) and ().
    """
    cos = cosine_similarity(input1, input2, -1)
    apart = where(target == -1, clamp_min(cos - margin, 0.0), 0.0)
    return reduced(where(target == 1, 1 - cos, apart), reduction)


def _triplet(d: Any) -> tuple[Any, ...]:
    near = d.array((2, 3), low=2.0), d.array((2, 3), low=0.5, high=1.5)
    return *near, d.array((2, 3), high=0.0), 9.0, 2.0, 1e-6, d.boolean()


@loss(_triplet)
def triplet_margin_loss(
    anchor: Operand,
    positive: Operand,
    negative: Operand,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` with the p-norm as d: (N, D) each → (N,).

    With `swap` the negative's distance is the smaller of those to the anchor and to the positive.

    Raises:
        ValueError: if `margin` is not positive.
    """
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(clamp_min(near - far + margin, 0.0), reduction)


@loss(lambda d: (d.array((4,)), _signs(d, (4,))), dtypes="f")
def soft_margin_loss(input: Operand, target: Operand, reduction: str = "mean") -> Any:
    """``log(1 + exp(-target * input))``.

    Raises:
        RuntimeError: if the target requires a gradient.
    """
    if isinstance(target, Tensor) and target.requires_grad:
        raise RuntimeError(
            "The function 'soft_margin_loss' is not differentiable with respect to argument 'target'. "
            "This input cannot have requires_grad True."
        )
    return reduced(log1p(exp(-target * input)), reduction)


@loss(lambda d: (d.array((2, 3)), d.constant((2, 3), 0.0, 1.0), d.choice([None, d.array((3,))])), dtypes="f")
def multilabel_soft_margin_loss(
    input: Operand, target: Operand, weight: Operand = None, reduction: str = "mean"
) -> Any:
    """The binary cross-entropy of scores (N, C) with labels 0 or 1, averaged over the classes: → (N,)."""
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    return reduced(mean(losses if weight is None else losses * weight, -1), reduction)


def _rows(input: Any) -> Any:
    """Scores (C,), or () for one class, as those of one sample (1, C)."""
    if input.ndim > 2 or not math.prod(input.shape[input.ndim - 1 :]):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}"
        )
    return input if input.ndim == 2 else input.reshape(1, -1)


def _need_classes(target: Any) -> None:
    if target.dtype is not int64:
        raise RuntimeError(f"expected scalar type Long but found {target.dtype}")


def _scores(d: Any) -> tuple[Any, ...]:
    weight = d.choice([None, d.constant((4,), 0.5, 2.0)])
    return d.array((3, 4), low=-0.4, high=0.4), d.integers((3,), 4), d.choice([1, 2]), 1.0, weight


@loss(_scores, dtypes="f")
def multi_margin_loss(
    input: Operand, target: Operand, p: int = 1, margin: float = 1.0, weight: Operand = None, reduction: str = "mean"
) -> Any:
    """``sum_j max(0, margin - x[y] + x[j])^p / C`` over the classes j except the correct one y (Crammer, Singer 2001).

    Args:
        input: scores (N, C) or (C,).
        target: classes (N,) or ().
        p: 1 or 2.
        margin: by how much the correct class's score should be larger.
        weight: a weight for each correct class (C,).
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: for another `p` or `reduction`, or a weight that is not a vector.
        RuntimeError: if the shape of the input, the target or the weight, or the target's dtype, is wrong.
    """
    checked(reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    scores = _rows(input)
    n, classes = scores.shape
    if target.numel() != n or target.ndim > 1:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size {[n]}, but got {list(target.shape)}. Input has shape {list(input.shape)}, "
            f"inconsistent target size, expected {n}"
        )
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    if weight is not None and weight.numel() != classes:
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got {list(weight.shape)}")
    _need_classes(target)
    right = target.reshape(n, 1)
    gaps = margin - scores.gather(1, right) + scores
    counted = (gaps > 0) & (Tensor.wrap(np.arange(classes)) != right)  # a nan does not count, as in torch
    gaps = gaps if p == 1 else gaps * gaps
    if weight is not None:
        gaps = gaps * weight[right]
    losses = sum(where(counted, gaps, 0.0), 1) / classes
    return reduced(losses.reshape(()) if target.ndim == 0 else losses, reduction)


@operation(sample=lambda d: (np.array([[3, 0, -1, 1], [2, -1, 0, 1]]),))
def _counted_labels(target: Any) -> Any:
    """Whether a label comes before the row's first -1."""
    return np.logical_and.accumulate(target >= 0, axis=1)


@operation(sample=lambda d: (np.array([[3, 0, 0, 0]]), np.array([[True, True, False, False]])))
def _right_and_wrong(labels: Any, counted: Any) -> Any:
    """The pairs of a counted label and a class to compare: those of a correct class and a wrong one."""
    right = (labels[:, :, None] == np.arange(labels.shape[1])) & counted[:, :, None]
    return counted[:, :, None] & ~right.any(axis=1, keepdims=True)


@loss(lambda d: (d.array((2, 4), low=-0.4, high=0.4), np.array([[3, 0, -1, 1], [2, -1, 0, 1]])), dtypes="f")
def multilabel_margin_loss(input: Operand, target: Operand, reduction: str = "mean") -> Any:
    """``sum_ij max(0, 1 - x[i] + x[j]) / C`` over the correct classes i and the wrong classes j.

    Args:
        input: scores (N, C) or (C,).
        target: the correct classes of each row; entries after the first -1 are ignored.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: for another `reduction`.
        RuntimeError: if the shapes differ, or the target's dtype is not int64.
    """
    checked(reduction)
    scores = _rows(input)
    if input.shape != target.shape:
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for an input of size {list(input.shape)}")
    _need_classes(target)
    classes = scores.shape[1]
    labels = target.reshape(-1, classes)
    counted = _counted_labels(labels)
    labels = where(counted, labels, 0)
    gaps = 1 - scores.gather(1, labels).unsqueeze(2) + scores.unsqueeze(1)  # (N, right, wrong)
    losses = sum(where(_right_and_wrong(labels, counted) & (gaps > 0), gaps, 0.0), (1, 2)) / classes
    return reduced(losses.reshape(()) if input.ndim < 2 else losses, reduction)
