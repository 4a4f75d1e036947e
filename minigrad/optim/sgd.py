"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.optim.optimizer import Optimizer, ParamsT, check_rates, chosen
from minigrad.optim.rules import Group, Rule, Scratch
from minigrad.tensor import Tensor


class SGD(Optimizer):
    r"""Stochastic gradient descent, with momentum.

    With the gradient :math:`g` (plus ``weight_decay``·θ), velocity :math:`b ← μ b + (1 − dampening) g` (at first
    :math:`b = g`), the parameter moves by :math:`θ ← θ − lr · b`; with ``nesterov`` by ``lr``·(g + μ b).
    Source: torch.optim.SGD; Sutskever et al., *On the importance of initialization and momentum* (2013).

    Args:
        params: see `Optimizer`.
        lr: learning rate.
        momentum: μ; 0 keeps no velocity.
        dampening: the fraction of the gradient that the velocity leaves out.
        weight_decay: λ of a penalty λ/2‖θ‖².
        nesterov: look ahead along the velocity.
        maximize: maximize instead of minimize.
        foreach, fused: accepted and ignored.
        differentiable: must be False.

    Raises:
        ValueError: for a negative option, or Nesterov momentum without momentum or with dampening.

    >>> import minigrad
    >>> w = minigrad.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_rates(lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        names = "lr momentum dampening weight_decay nesterov maximize foreach differentiable fused"
        super().__init__(params, chosen(locals(), names))

    def rule(self, group: Group, dtype: np.dtype[Any]) -> Rule:
        """``θ −= lr·b``; see the class."""
        lr, momentum = np.array(-float(group["lr"]), dtype), group["momentum"]
        if momentum == 0:

            def descend(p: Tensor, w: Array, g: Array, t: Scratch) -> None:
                np.multiply(g, lr, t.a)
                np.add(w, t.a, w)

            return descend

        mu, dampening, nesterov = np.array(momentum, dtype), group["dampening"], group["nesterov"]
        first: set[Tensor] = set()  # first steps; as in torch, a parameter that is given twice starts again

        def descend_with_momentum(p: Tensor, w: Array, g: Array, t: Scratch) -> None:
            state = self.state[p]
            if "momentum_buffer" not in state or p in first:
                first.add(p)
                b = np.empty_like(w)
                b[...] = g
                state["momentum_buffer"] = Tensor.wrap(b)
            else:
                b = state["momentum_buffer"].array
                np.multiply(b, mu, b)
                np.add(b, np.multiply(g, 1 - dampening, t.a) if dampening else g, b)
            if nesterov:
                np.multiply(b, mu, t.a)
                b = np.add(g, t.a, t.a)
            np.multiply(b, lr, t.a)
            np.add(w, t.a, w)

        return descend_with_momentum
