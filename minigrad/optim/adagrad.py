"""Adagrad."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.optim.optimizer import Optimizer, ParamsT, check_rates, chosen
from minigrad.optim.rules import Group, Rule, Scratch, count
from minigrad.tensor import Tensor


class Adagrad(Optimizer):
    r"""Divide the gradient by the root of the sum of all its squares so far.

    With the gradient :math:`g` (plus ``weight_decay``·θ): :math:`s ← s + g²` and
    :math:`θ ← θ − lr/(1 + (t − 1)·lr\_decay) · g / (√s + ε)`.
    Source: torch.optim.Adagrad; Duchi, Hazan and Singer, JMLR 12 (2011).

    Args:
        params: see `Optimizer`.
        lr: learning rate.
        lr_decay: how fast the learning rate falls with the number of steps t.
        weight_decay: λ of a penalty λ/2‖θ‖².
        initial_accumulator_value: what s starts from.
        eps: ε, keeps the quotient finite.
        foreach, fused: accepted and ignored.
        maximize: maximize instead of minimize.
        differentiable: must be False.

    Raises:
        ValueError: for a negative option.

    >>> import minigrad
    >>> w = minigrad.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_rates(
            lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            epsilon=eps,
        )
        names = "lr lr_decay eps weight_decay initial_accumulator_value foreach maximize differentiable fused"
        super().__init__(params, chosen(locals(), names))

    def add_param_group(self, param_group: Group) -> None:
        """See `Optimizer`; the sums exist from the start."""
        super().add_param_group(param_group)
        for p in param_group["params"]:
            self.begin(p, "sum")

    def begin(self, p: Tensor, *names: str) -> dict[str, Any]:
        """See `Optimizer`; the sum starts from `initial_accumulator_value`."""
        state = super().begin(p, *names)
        state["sum"].array[...] = self.defaults["initial_accumulator_value"]
        return state

    def rule(self, group: Group, dtype: np.dtype[Any]) -> Rule:
        """``θ −= lr·g/(√s + ε)``; see the class."""
        lr, lr_decay = float(group["lr"]), group["lr_decay"]
        eps = np.array(group["eps"], dtype)

        def descend(p: Tensor, w: Array, g: Array, scratch: Scratch) -> None:
            state = self.state[p] or self.begin(p, "sum")
            t, total = count(state), state["sum"].array
            np.add(total, np.multiply(g, g, scratch.a), total)
            size = np.sqrt(total, out=scratch.a)
            np.add(size, eps, size)
            move = np.multiply(g, lr / (1 + (t - 1) * lr_decay), out=scratch.b)
            np.divide(move, size, move)
            np.subtract(w, move, w)

        return descend
