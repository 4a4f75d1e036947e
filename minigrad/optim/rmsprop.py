"""RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.optim.optimizer import Optimizer, ParamsT, check_rates, chosen
from minigrad.optim.rules import (
    Group,
    Rule,
    Scratch,
    add_scaled,
    count,
    running_average,
    running_average_of_squares,
    scalars,
)
from minigrad.tensor import Tensor


class RMSprop(Optimizer):
    r"""Divide the gradient by the root of its running mean square.

    With the gradient :math:`g` (plus ``weight_decay``·θ): :math:`v ← α v + (1 − α) g²` and
    :math:`θ ← θ − lr · g / (√v + ε)`. ``centered`` subtracts the squared running mean of :math:`g` from :math:`v`;
    with momentum the quotient enters a velocity first. Source: torch.optim.RMSprop; Hinton, lecture 6e of
    *Neural Networks for Machine Learning*; Graves, arXiv:1308.0850.

    Args:
        params: see `Optimizer`.
        lr: learning rate.
        alpha: α, the decay rate of the average.
        eps: ε, keeps the quotient finite.
        weight_decay: λ of a penalty λ/2‖θ‖².
        momentum: the fraction of the velocity that is kept.
        centered: divide by the standard deviation instead.
        capturable, differentiable: must be False.
        foreach: accepted and ignored.
        maximize: maximize instead of minimize.

    Raises:
        ValueError: for a negative option.

    >>> import minigrad
    >>> w = minigrad.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = RMSprop([w], lr=0.1, alpha=0.75)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.8000, -1.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rates(lr, epsilon=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        names = "lr momentum alpha eps centered weight_decay capturable foreach maximize differentiable"
        super().__init__(params, chosen(locals(), names))

    def rule(self, group: Group, dtype: np.dtype[Any]) -> Rule:
        """``θ −= lr·g/(√v + ε)``; see the class."""
        alpha, momentum, centered = group["alpha"], group["momentum"], group["centered"]
        names = ("square_avg", *["momentum_buffer"] * (momentum > 0), *["grad_avg"] * centered)
        rate, eps = scalars(dtype, -float(group["lr"]), group["eps"])
        average, average_of_squares = running_average(alpha, dtype), running_average_of_squares(alpha, dtype)

        def descend(p: Tensor, w: Array, g: Array, scratch: Scratch) -> None:
            state = self.state[p] or self.begin(p, *names)
            count(state)
            v = state["square_avg"].array
            average_of_squares(v, g, scratch.a)
            if centered:
                mean = state["grad_avg"].array
                average(mean, g, scratch.a)
                np.multiply(mean, mean, scratch.a)
                v = np.subtract(v, scratch.a, scratch.a)
            size = np.sqrt(v, out=scratch.a)
            np.add(size, eps, size)
            if momentum > 0:
                velocity = state["momentum_buffer"].array
                np.multiply(velocity, momentum, velocity)
                np.add(velocity, np.divide(g, size, size), velocity)
                add_scaled(w, velocity, rate, w, scratch.a)
            else:
                move = np.multiply(g, rate, scratch.b)
                np.divide(move, size, move)
                np.add(w, move, w)

        return descend
