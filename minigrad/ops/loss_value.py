"""Losses that say how far numbers, or distributions, are from their targets.

`reduction` is ``"mean"``, ``"sum"`` or ``"none"``. The functions are torch.nn.functional's.
https://docs.pytorch.org/docs/stable/nn.functional.html#loss-functions
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.ops.elementwise import abs, exp, log, where
from minigrad.ops.loss import compared, l1_loss, reduced, weighted
from minigrad.ops.record import composed, public
from minigrad.ops.reduction import sum
from minigrad.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


def _two_alike(d: Any) -> tuple[Any, ...]:
    shape = d.shape(min_size=1)
    return d.array(shape, low=1.5), d.array(shape, high=0.0), None, None, d.choice(REDUCTIONS)


@composed(methods=[], torch="nn.functional.smooth_l1_loss", sample=lambda d: (*_two_alike(d), d.choice([1.0, 0.5])))
def smooth_l1_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", beta: float = 1.0
) -> Any:
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
        return l1_loss(input, target, None, None, reduction)
    d = abs(compared(input, target))
    return reduced(where(d < beta, d * d * (0.5 / beta), d - 0.5 * beta), reduction)


@composed(
    methods=[],
    torch="nn.functional.huber_loss",
    # differences lie between 1.5 and 6: on one side of the kink
    sample=lambda d: (d.array((3,), low=1.5), d.array((3,), high=0.0), d.choice(REDUCTIONS), d.choice([1.0, 6.5])),
)
def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """``d²/2`` where the error d is at most `delta`, else ``delta (d - delta/2)``.

    Raises:
        RuntimeError: if `delta` is not above 0.
    """
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, but got {delta}.")
    d = abs(compared(input, target))
    losses = where(d <= delta, d * d * 0.5, (d - 0.5 * delta) * delta)
    return weighted(losses, weight, reduction, by_weights=False)


@composed(
    methods=[],
    torch="nn.functional.kl_div",
    sample=lambda d: (
        d.array((2, 3)),
        d.array((2, 3), low=0.1, high=0.9),
        None,
        None,
        d.choice(["batchmean", "sum", "none"]),
        d.boolean(),
    ),
)
def kl_div(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """The Kullback-Leibler divergence: ``target * (log(target) - input)``, where `input` is a log-probability.

    Args:
        input: log-probabilities, any shape.
        target: probabilities (0 counts as nothing), or log-probabilities if `log_target`.
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
        losses = where(nothing, 0.0, target * (log(where(nothing, 1.0, target)) - input))
    if reduction == "batchmean":
        return sum(losses) / input.shape[0] if input.ndim else losses
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.",
            stacklevel=3,
        )
    return reduced(losses, reduction)


@composed(
    methods=[],
    torch="nn.functional.poisson_nll_loss",
    sample=lambda d: (
        d.array((3, 2), low=0.5), d.array((3, 2), low=0.5), d.boolean(), False, None, 1e-8, None, d.choice(REDUCTIONS)
    ),
)  # fmt: skip
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: Any = None,
    eps: float = 1e-8,
    reduce: Any = None,
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


@composed(
    methods=[],
    torch="nn.functional.gaussian_nll_loss",
    sample=lambda d: (
        d.array((3, 2)), d.array((3, 2)), d.array((3, 2), low=0.5), d.boolean(), 1e-6, d.choice(REDUCTIONS)
    ),
)  # fmt: skip
def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """The negative log-likelihood of `target` under normal distributions of mean `input` and variance `var`.

    Args:
        input: means, any shape.
        target: of the same shape (or one that broadcasts).
        var: variances: of the same shape, or with a last dimension of 1 or none, or one number.
        full: add the constant ``log(2π)/2``.
        eps: the variance is taken as at least this; the gradient goes on as if it were not.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: if a variance is negative, or the shapes differ.
    """
    if not isinstance(var, Tensor):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = Tensor.wrap(input.array * 0 + input.array.dtype.type(var))
    if var.shape != input.shape:
        if tuple(input.shape[:-1]) == tuple(var.shape):
            var = var.unsqueeze(-1)
        elif var.ndim != input.ndim or any(n not in (m, 1) for n, m in zip(var.shape, input.shape, strict=True)):
            raise ValueError(f"var is of incorrect size: {list(var.shape)} for an input of {list(input.shape)}")
    if (var < 0).any():
        raise ValueError("var has negative entry/entries")
    var = var + Tensor.wrap(np.maximum(var.array, eps) - var.array)
    losses = 0.5 * (log(var) + (input - target) ** 2 / var)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


if not TYPE_CHECKING:  # type checkers take all public names
    __all__ = public(globals())
