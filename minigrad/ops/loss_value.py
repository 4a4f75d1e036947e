"""Losses between numbers, or distributions, and their targets.

`reduction` is ``"mean"``, ``"sum"`` or ``"none"``. The functions are torch.nn.functional's.
https://docs.pytorch.org/docs/stable/nn.functional.html#loss-functions
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from minigrad.dtypes import promote_types
from minigrad.ops.comparison import where
from minigrad.ops.elementwise import abs, exp, log, pow
from minigrad.ops.loss import loss, reduced
from minigrad.ops.record import Operand, OperandOrNumber
from minigrad.ops.reduction import sum
from minigrad.ops.vectors import _shortfall
from minigrad.tensor import Tensor


def compared(input: Any, target: Any) -> Any:
    """``input - target``, with torch's warning if the shapes differ.

    Raises:
        RuntimeError: if the shapes do not broadcast.
    """
    if input.shape != target.shape:
        warnings.warn(
            f"Using a target size ({list(target.shape)}) that is different to the input size "
            f"({list(input.shape)}). This will likely lead to incorrect results due to broadcasting. Please ensure "
            "they have the same size.",
            stacklevel=4,
        )
    if input.dtype != target.dtype:  # both have all dimensions, so both determine the dtype
        dtype = promote_types(input.array.dtype, target.array.dtype)
        input, target = input.astype(dtype), target.astype(dtype)
    return input - target


def weighted(losses: Any, weight: Any, reduction: str, by_weights: bool = True) -> Any:
    """The losses times their weights, reduced; the mean divides by the weights' sum (or by the number of elements).

    Raises:
        ValueError: if the weights have another shape than the losses.
    """
    if weight is not None and weight.shape != losses.shape:
        raise ValueError(f"Weights and input must have the same size, not {list(weight.shape)}, {list(losses.shape)}")
    if weight is not None and reduction == "mean" and by_weights:
        return sum(losses * weight) / sum(weight)
    return reduced(losses, reduction, weight)


def _two_alike(d: Any) -> tuple[Any, ...]:
    shape = d.shape(min_size=1)
    return d.array(shape), d.array(shape)


def _two_apart(d: Any) -> tuple[Any, ...]:
    """Two arrays whose elements are 1.5 to 6 apart: on one side of a kink."""
    shape = d.shape(min_size=1)
    return d.array(shape, low=1.5), d.array(shape, high=0.0)


@loss(_two_alike, dtypes="f", promotes=True)
def mse_loss(input: Operand, target: Operand, reduction: str = "mean", weight: Operand = None) -> Any:
    """The squared error, times `weight` if given; the mean then divides by the sum of the weights.

    >>> import minigrad
    >>> minigrad.nn.functional.mse_loss(minigrad.tensor([1.0, 2.0]), minigrad.tensor([0.0, 0.0]))
    tensor(2.5000)
    """
    return weighted(pow(compared(input, target), 2), weight, reduction)


@loss(_two_alike)
def l1_loss(input: Operand, target: Operand, reduction: str = "mean", weight: Operand = None) -> Any:
    """The absolute error, weighted as in `mse_loss`; its derivative at 0 is 0.

    >>> import minigrad
    >>> minigrad.nn.functional.l1_loss(minigrad.tensor([1.0, 2.0]), minigrad.tensor([0.0, 0.0]))
    tensor(1.5000)
    """
    return weighted(abs(compared(input, target)), weight, reduction)


@loss(lambda d: (*_two_apart(d), {"beta": d.choice([1.0, 0.5])}), dtypes="f", promotes=True)
def smooth_l1_loss(input: Operand, target: Operand, reduction: str = "mean", beta: float = 1.0) -> Any:
    """``d²/(2 beta)`` where the error d is below `beta`, else ``d - beta/2`` (Girshick, arXiv:1504.08083).

    Raises:
        RuntimeError: if `beta` is negative.

    >>> import minigrad
    >>> F = minigrad.nn.functional
    >>> F.smooth_l1_loss(minigrad.tensor([0.5, 3.0]), minigrad.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, but got {beta}.")
    if beta == 0:
        return l1_loss(input, target, reduction)
    difference = compared(input, target)
    d = abs(difference)
    near = where(d >= beta, 0.0, difference)  # no square of an infinite error; nan is kept
    return reduced(where(d >= beta, d - 0.5 * beta, near * near * (0.5 / beta)), reduction)


@loss(lambda d: (*_two_apart(d), {"delta": d.choice([1.0, 6.5])}), functional=(), dtypes="f")
def huber_loss(
    input: Operand, target: Operand, reduction: str = "mean", delta: float = 1.0, weight: Operand = None
) -> Any:
    """``d²/2`` where the error d is at most `delta`, else ``delta (d - delta/2)``.

    Raises:
        RuntimeError: if `delta` is not above 0.
    """
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, but got {delta}.")
    difference = compared(input, target)
    d = abs(difference)
    near = where(d > delta, 0.0, difference)
    losses = where(d > delta, (d - 0.5 * delta) * delta, near * near * 0.5)
    return weighted(losses, weight, reduction, by_weights=False)


@loss(
    lambda d: (d.array((2, 3)), d.array((2, 3), low=0.1, high=0.9), {"log_target": d.boolean()}),
    reductions=("batchmean", "sum", "none"),
    dtypes="f",
)
def kl_div(input: Operand, target: Operand, reduction: str = "mean", log_target: bool = False) -> Any:
    """The Kullback-Leibler divergence: ``target * (log(target) - input)``, where `input` is a log-probability.

    Args:
        input: log-probabilities, any shape.
        target: probabilities (0 gives a loss of 0), or log-probabilities if `log_target`.
        reduction: ``"batchmean"`` divides the sum by the first dimension, ``"mean"`` by the number of elements.

    >>> import minigrad
    >>> F, half = minigrad.nn.functional, minigrad.tensor([[0.5, 0.5]])
    >>> F.kl_div(half.log(), minigrad.tensor([[1.0, 0.0]]), reduction="batchmean")
    tensor(0.6931)
    """
    if log_target:
        losses = exp(target) * (target - input)
    else:
        nothing = target == 0
        losses = where(nothing, 0.0, target * log(where(nothing, 1.0, target))) - target * input
    if reduction == "batchmean":
        return sum(losses) / input.shape[0] if input.ndim else losses
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.",
            stacklevel=3,
        )
    return reduced(losses, reduction)


@loss(lambda d: (d.array((3, 2), low=0.5), d.array((3, 2), low=0.5), d.boolean(), False))
def poisson_nll_loss(
    input: Operand,
    target: Operand,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of counts `target` under a Poisson distribution of rate `input`.

    Args:
        input: the rates, or their logarithms if `log_input`.
        target: counts, of the same shape.
        full: add Stirling's approximation of ``log(target!)``, for targets above 1.
        eps: added to the rates before their logarithm is taken.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """
    losses = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        counts = where(target > 1, target, 1.0)
        stirling = counts * log(counts) - counts + 0.5 * log(counts * (2 * math.pi))
        losses = losses + where(target > 1, stirling, 0.0)
    return reduced(losses, reduction)


@loss(
    lambda d: (d.array((3, 2)), d.array((3, 2)), d.array((3, 2), low=0.5), d.boolean()),
    functional=(),
    dtypes="f",
    promotes=True,
)
def gaussian_nll_loss(
    input: Operand,
    target: Operand,
    var: OperandOrNumber,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of `target` under normal distributions of mean `input` and variance `var`.

    Args:
        input: means, any shape.
        target: of the same shape (or one that broadcasts).
        var: variances: of the same shape, or with a last dimension of 1 or none, or one number.
        full: add the constant ``log(2π)/2``.
        eps: the variance is clamped to at least this; the gradient ignores the clamping.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: if a variance is negative, or the shapes differ.
    """
    if not isinstance(var, Tensor):
        var = input.detach() * 0 + var
    if var.shape != input.shape:
        if tuple(input.shape[:-1]) == tuple(var.shape):
            var = var.unsqueeze(-1)
        elif var.ndim != input.ndim or any(n not in (m, 1) for n, m in zip(var.shape, input.shape, strict=True)):
            raise ValueError(f"var is of incorrect size: {list(var.shape)} for an input of {list(input.shape)}")
    if (var < 0).any():
        raise ValueError("var has negative entry/entries")
    var = var + _shortfall(var, eps)
    losses = 0.5 * (log(var) + (input - target) ** 2 / var)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)
