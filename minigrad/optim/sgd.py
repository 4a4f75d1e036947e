"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.optim.optimizer import Group, Optimizer, ParamsT, Rule, Scratch, add_scaled, check_rates
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
        dampening: how much of the gradient the velocity leaves out.
        weight_decay: λ of a penalty λ/2‖θ‖².
        nesterov: look ahead along the velocity.
        maximize: climb instead of descend.
        foreach, fused: accepted; there is one way to compute a step here.
        differentiable: only False.

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
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def rule(self, group: Group, dtype: np.dtype[Any]) -> Rule:
        """``θ −= lr·b``; see the class."""
        rate = np.array(-float(group["lr"]), dtype)  # 0-d arrays: a ufunc takes them faster than Python's floats

        def descend(p: Tensor, w: Array, g: Array, scratch: Scratch) -> None:
            add_scaled(w, g, rate, w, scratch.a)

        if group["momentum"] == 0:
            return descend

        momentum = np.array(group["momentum"], dtype)
        share = np.array(1 - group["dampening"], dtype)
        nesterov, undamped = group["nesterov"], group["dampening"] == 0

        def descend_with_momentum(p: Tensor, w: Array, g: Array, scratch: Scratch) -> None:
            state = self.state[p]
            if (buffer := state.get("momentum_buffer")) is None:
                velocity = np.empty_like(w)
                velocity[...] = g
                state["momentum_buffer"] = Tensor.wrap(velocity)
            else:
                velocity = buffer.array
                np.multiply(velocity, momentum, velocity)
                if undamped:
                    np.add(velocity, g, velocity)
                else:
                    add_scaled(velocity, g, share, velocity, scratch.a)
            if nesterov:
                velocity = add_scaled(g, velocity, momentum, scratch.gradient, scratch.a)
            descend(p, w, velocity, scratch)

        return descend_with_momentum
