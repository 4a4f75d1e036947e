"""Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.optim.optimizer import Optimizer, ParamsT, check_rates, chosen
from minigrad.optim.rules import Group, Rule, Scratch, add_scaled, count, running_average_of_squares, scalars
from minigrad.tensor import Tensor


class Adadelta(Optimizer):
    r"""Scale the gradient by the ratio of the running root mean squares of updates and gradients.

    With the gradient :math:`g` (plus ``weight_decay``·θ): :math:`v ← ρ v + (1 − ρ) g²`,
    :math:`Δ = √(u + ε) / √(v + ε) · g`, :math:`u ← ρ u + (1 − ρ) Δ²` and :math:`θ ← θ − lr · Δ`.
    Source: torch.optim.Adadelta; Zeiler, arXiv:1212.5701.

    Args:
        params: see `Optimizer`.
        lr: learning rate.
        rho: ρ, the decay rate of both running averages.
        eps: ε, keeps the quotient finite and the first updates from being 0.
        weight_decay: λ of a penalty λ/2‖θ‖².
        foreach: accepted and ignored.
        capturable, differentiable: must be False.
        maximize: maximize instead of minimize.

    Raises:
        ValueError: for an option out of its range.

    >>> import minigrad
    >>> w = minigrad.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adadelta([w], rho=0.75, eps=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.8010, -1.8002], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_rates(lr, epsilon=eps, weight_decay=weight_decay)
        if not 0 <= rho <= 1:
            raise ValueError(f"Invalid rho value: {rho}")
        names = "lr rho eps weight_decay maximize capturable foreach differentiable"
        super().__init__(params, chosen(locals(), names))

    def rule(self, group: Group, dtype: np.dtype[Any]) -> Rule:
        """``θ −= lr·Δ``; see the class."""
        rate, eps = scalars(dtype, -float(group["lr"]), group["eps"])
        average_of_squares = running_average_of_squares(group["rho"], dtype)

        def descend(p: Tensor, w: Array, g: Array, scratch: Scratch) -> None:
            state = self.state[p] or self.begin(p, "square_avg", "acc_delta")
            count(state)
            v, u = state["square_avg"].array, state["acc_delta"].array
            average_of_squares(v, g, scratch.a)
            size = np.add(v, eps, scratch.a)
            np.sqrt(size, size)
            move = np.add(u, eps, scratch.b)
            np.sqrt(move, move)
            np.divide(move, size, move)
            np.multiply(move, g, move)
            average_of_squares(u, move, scratch.a)
            add_scaled(w, move, rate, w, scratch.a)

        return descend
