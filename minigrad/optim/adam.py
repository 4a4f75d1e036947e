"""Adam and AdamW."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.optim.optimizer import Optimizer, ParamsT, check_rates, chosen
from minigrad.optim.rules import Group, Rule, Scratch, count, running_average, running_average_of_squares, scalars
from minigrad.tensor import Tensor


class Adam(Optimizer):
    r"""Adaptive moments: every weight's step is scaled by the recent size of its gradient.

    With the gradient :math:`g` (plus ``weight_decay``·θ): :math:`m ← β₁ m + (1 − β₁) g`,
    :math:`v ← β₂ v + (1 − β₂) g²`, and :math:`θ ← θ − lr · m̂ / (√v̂ + ε)` with :math:`m̂ = m/(1 − β₁ᵗ)`,
    :math:`v̂ = v/(1 − β₂ᵗ)`. Source: torch.optim.Adam; Kingma and Ba, arXiv:1412.6980.

    Args:
        params: see `Optimizer`.
        lr: learning rate.
        betas: (β₁, β₂), the decay rates of the two running averages.
        eps: ε, keeps the quotient finite.
        weight_decay: λ of a penalty λ/2‖θ‖² (it enters the averages; in `AdamW` it does not).
        amsgrad: divide by the largest v so far (Reddi et al., 2018).
        foreach, fused: accepted and ignored.
        maximize: maximize instead of minimize.
        capturable, differentiable: must be False.
        decoupled_weight_decay: apply weight decay as in `AdamW`.

    Raises:
        ValueError: for an option out of its range.

    >>> import minigrad
    >>> w = minigrad.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if foreach and isinstance(lr, Tensor):
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check_rates(lr, epsilon=eps, weight_decay=weight_decay)
        for i, beta in enumerate(betas):
            if not 0 <= float(beta) < 1:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        if not (all(isinstance(b, float) for b in betas) or all(isinstance(b, Tensor) for b in betas)):
            raise ValueError("betas must be either both floats or both Tensors")
        if foreach and isinstance(betas[0], Tensor):
            raise ValueError("betas[0] as a Tensor is not supported for capturable=False and foreach=True")
        betas = (float(betas[0]), float(betas[1]))
        names = (
            "lr betas eps weight_decay amsgrad maximize foreach capturable differentiable fused decoupled_weight_decay"
        )
        super().__init__(params, chosen(locals(), names))

    def rule(self, group: Group, dtype: np.dtype[Any]) -> Rule:
        """``θ −= lr·m̂/(√v̂ + ε)``; see the class."""
        lr, (beta1, beta2) = float(group["lr"]), group["betas"]
        (eps,) = scalars(dtype, group["eps"])
        average, average_of_squares = running_average(beta1, dtype), running_average_of_squares(beta2, dtype)
        amsgrad = group["amsgrad"]
        names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")[: 3 if amsgrad else 2]
        shrink = 1 - lr * group["weight_decay"] if group["decoupled_weight_decay"] else 1

        def descend(p: Tensor, w: Array, g: Array, scratch: Scratch) -> None:
            state = self.state[p] or self.begin(p, *names)
            t, m, v = count(state), state["exp_avg"].array, state["exp_avg_sq"].array
            if shrink != 1:
                np.multiply(w, shrink, w)
            average(m, g, scratch.a)
            average_of_squares(v, g, scratch.a)
            if amsgrad:
                largest = state["max_exp_avg_sq"].array
                v = np.maximum(largest, v, out=largest)
            size = np.sqrt(v, scratch.a)
            np.divide(size, np.array((1 - beta2**t) ** 0.5, dtype), size)
            np.add(size, eps, size)
            move = np.multiply(m, np.array(lr / (1 - beta1**t), dtype), scratch.b)
            np.divide(move, size, move)
            np.subtract(w, move, w)

        return descend


class AdamW(Adam):
    r"""Adam with decoupled weight decay: θ shrinks by ``lr``·``weight_decay``·θ, outside the averages.

    The arguments are those of `Adam`. Source: torch.optim.AdamW; Loshchilov and Hutter, arXiv:1711.05101.

    >>> import minigrad
    >>> w = minigrad.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.8500, -1.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        names = "params lr betas eps weight_decay amsgrad maximize foreach capturable differentiable fused"
        super().__init__(**chosen(locals(), names), decoupled_weight_decay=True)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True  # also after loading the state of an Adam
