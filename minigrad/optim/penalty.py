"""Penalties on chosen parameters, in addition to the optimizers' ``weight_decay``, for any optimizer.

PyTorch has none of these. The functions take its tensors and optimizers too, so that a program that uses them runs in
either framework.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["l1", "l2", "soft_threshold"]


def l1(parameters: Iterable[Any], strength: float) -> Any:
    """``strength · Σ|w|``, to be added to a loss. At w = 0 its gradient is exactly 0, as that of `abs` is.

    Gradient steps move a weight back and forth across zero and hardly ever set it to zero; see `soft_threshold`.

    Args:
        parameters: tensors of any shapes, such as the weights of the layers without their biases.
        strength: λ.

    Returns:
        A tensor of shape (), or 0 without parameters.

    >>> import minigrad
    >>> w = minigrad.tensor([3.0, -2.0, 0.0], requires_grad=True)
    >>> l1([w], 0.1).backward()
    >>> w.grad
    tensor([ 0.1000, -0.1000,  0.0000])
    """
    return strength * sum(p.abs().sum() for p in parameters)


def l2(parameters: Iterable[Any], strength: float) -> Any:
    """``strength/2 · Σw²``, to be added to a loss: the penalty of ``weight_decay``, on these parameters alone.

    >>> import minigrad
    >>> l2([minigrad.tensor([3.0, -2.0])], 0.1)
    tensor(0.6500)
    """
    return strength / 2 * sum(p.square().sum() for p in parameters)


def soft_threshold(optimizer: Any, parameters: Iterable[Any], strength: float) -> Any:
    """Make each step of an optimizer end with ``w ← sign(w) · max(|w| − lr · strength, 0)``, which gives exact zeros.

    This is the proximal step of `l1`, which must not be added to the loss as well. With plain gradient descent it
    minimises loss + strength · Σ|w|. An optimizer that scales each weight's gradient, such as Adam, does not scale the
    threshold, as AdamW does not scale its decay. Source: Duchi & Singer, *Efficient online and batch learning using
    forward backward splitting* (2009).

    Args:
        optimizer: of minigrad or PyTorch; lr is the current one of a parameter's group.
        parameters: those of the optimizer's parameters to shrink; those without a gradient are skipped.
        strength: λ; it is kept in the parameter groups, as ``"soft_threshold"``, and can be changed there.

    Returns:
        A handle, whose ``remove()`` turns it off.

    >>> import minigrad
    >>> w = minigrad.tensor([3.0, -2.0, 0.05], requires_grad=True)
    >>> optimizer = minigrad.optim.SGD([w], lr=0.5)
    >>> handle = soft_threshold(optimizer, [w], 0.2)
    >>> (0 * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 2.9000, -1.9000,  0.0000], requires_grad=True)
    """
    chosen = set(parameters)
    for group in optimizer.param_groups:
        if not chosen.isdisjoint(group["params"]):
            group["soft_threshold"] = strength

    def shrink(optimizer: Any, *_: Any) -> None:
        for group in optimizer.param_groups:
            threshold = float(group["lr"]) * group.get("soft_threshold", strength)
            for p in group["params"]:
                if p in chosen and p.grad is not None:
                    w = p.detach()
                    w.sub_(w.clamp(-threshold, threshold))

    return optimizer.register_step_post_hook(shrink)
