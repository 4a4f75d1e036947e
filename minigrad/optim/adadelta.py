"""Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.optim.optimizer import (
    Group,
    Optimizer,
    ParamsT,
    Rule,
    Scratch,
    add_scaled,
    check_rates,
    counter,
    move_towards_square,
    zeros,
)
from minigrad.tensor import Tensor


class Adadelta(Optimizer):
    r"""Scale the gradient by the ratio of the recent sizes of the moves and of the gradients.

    With the gradient :math:`g` (plus ``weight_decay``·θ): :math:`v ← ρ v + (1 − ρ) g²`,
    :math:`Δ = √(u + ε) / √(v + ε) · g`, :math:`u ← ρ u + (1 − ρ) Δ²` and :math:`θ ← θ − lr · Δ`.
    Source: torch.optim.Adadelta; Zeiler, arXiv:1212.5701.

    Args:
        params: see `Optimizer`.
        lr: learning rate.
        rho: ρ, the memory of both averages.
        eps: ε, keeps the quotient finite and the first moves from being 0.
        weight_decay: λ of a penalty λ/2‖θ‖².
        foreach: accepted; there is one way to compute a step here.
        capturable, differentiable: only False.
        maximize: climb instead of descend.

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
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def rule(self, group: Group, dtype: np.dtype[Any]) -> Rule:
        """``θ −= lr·Δ``; see the class."""
        rate, eps = np.array(-float(group["lr"]), dtype), np.array(group["eps"], dtype)
        rest = 1 - group["rho"]

        def descend(p: Tensor, w: Array, g: Array, scratch: Scratch) -> None:
            state = self.state[p]
            if not state:
                state |= {"step": counter(), "square_avg": zeros(p), "acc_delta": zeros(p)}
            state["step"].array += 1
            v, u = state["square_avg"].array, state["acc_delta"].array
            move_towards_square(v, g, rest, scratch.a)
            size = np.add(v, eps, scratch.a)
            np.sqrt(size, size)
            move = np.add(u, eps, scratch.b)
            np.sqrt(move, move)
            np.divide(move, size, move)
            np.multiply(move, g, move)
            move_towards_square(u, move, rest, scratch.a)
            add_scaled(w, move, rate, w, scratch.a)

        return descend
