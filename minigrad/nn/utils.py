"""Gradient clipping, and all parameters as one vector: torch.nn.utils."""

from __future__ import annotations

import math
import types
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.autograd.derivatives import listed
from minigrad.engine import Array
from minigrad.ops.joining import cat
from minigrad.tensor import Tensor, writes_to_tensors

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]
__all__ += ["parameters_to_vector", "vector_to_parameters"]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients of `parameters`, in place and by one factor, so that their norm is at most `max_norm`.

    Args:
        parameters: one or several; those without a gradient are skipped.
        max_norm: the largest norm allowed.
        norm_type: p of the p-norm of all gradients as one vector; may be ``inf``.
        error_if_nonfinite: raise an error for a norm of nan or inf (which otherwise makes the gradients nan or 0).
        foreach: accepted and ignored.

    Returns:
        The norm before scaling, a tensor of shape ().

    Raises:
        RuntimeError: see `error_if_nonfinite`.

    >>> import minigrad
    >>> w = minigrad.tensor([0.0, 0.0], requires_grad=True)
    >>> w.grad = minigrad.tensor([3.0, 4.0])
    >>> clip_grad_norm_(w, max_norm=1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    params = listed(parameters)
    if not params and isinstance(parameters, types.GeneratorType):
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    return _clip(params, max_norm, norm_type, error_if_nonfinite)


@writes_to_tensors
def _clip(params: list[Tensor], max_norm: float, norm_type: float, error_if_nonfinite: bool) -> Tensor:
    gradients = [p.grad for p in params if p.grad is not None]
    total = _total([g.array for g in gradients], norm_type, error_if_nonfinite)
    _scale(gradients, max_norm, total)
    return Tensor.wrap(total)


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of the norms of `tensors`, a tensor of shape (); see `clip_grad_norm_`."""
    return Tensor.wrap(_total([t.detach().numpy() for t in listed(tensors)], norm_type, error_if_nonfinite))


def _total(arrays: list[Array], norm_type: float, error_if_nonfinite: bool) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        norms = [_norm(a, float(norm_type)) for a in arrays if a.size]
        total: Array = _norm(np.stack(norms), float(norm_type)) if norms else np.zeros((), np.float32)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {float(norm_type)} for gradients from `parameters` is non-finite "
            f"({float(total)}), so it cannot be clipped. To disable this error and scale the gradients by the "
            "non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale the gradients by ``max_norm / total_norm`` where that is less than 1; see `clip_grad_norm_`."""
    gradients = [p.grad for p in listed(parameters) if p.grad is not None]
    _scale(gradients, max_norm, total_norm.detach().numpy())


def _scale(gradients: list[Tensor], max_norm: float, total: Array) -> None:
    scale = np.minimum(float(max_norm) / (total + total.dtype.type(1e-6)), 1)
    if scale == 1:
        return
    for gradient in gradients:
        g = gradient.array
        with np.errstate(invalid="ignore"):
            np.multiply(g, scale.astype(g.dtype), g)
        gradient.bump()


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Clamp every element of the gradients of `parameters` to ±`clip_value`, in place.

    >>> import minigrad
    >>> w = minigrad.tensor([0.0, 0.0], requires_grad=True)
    >>> w.grad = minigrad.tensor([3.0, -0.5])
    >>> clip_grad_value_(w, 1.0)
    >>> w.grad
    tensor([ 1.0000, -0.5000])
    """
    _clip_values(listed(parameters), float(clip_value))


@writes_to_tensors
def _clip_values(params: list[Tensor], bound: float) -> None:
    for p in params:
        if p.grad is not None:
            np.clip(p.grad.array, -bound, bound, out=p.grad.array)
            p.grad.bump()


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters, flattened and joined; gradients flow through it.

    >>> import minigrad
    >>> parameters_to_vector([minigrad.ones(2, 2), minigrad.zeros(1)])
    tensor([1., 1., 1., 1., 0.])
    """
    vector: Tensor = cat([p.reshape(-1) for p in parameters])
    return vector


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make each parameter a view of its part of `vec`; the inverse of `parameters_to_vector`.

    Raises:
        TypeError: if `vec` is not a tensor.
        RuntimeError: if it does not have as many elements as the parameters.

    >>> import minigrad
    >>> w = minigrad.zeros(2, 2)
    >>> vector_to_parameters(minigrad.arange(4.0), [w])
    >>> w
    tensor([[0., 1.],
            [2., 3.]])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected a Tensor, but got: {type(vec).__name__}")
    params = list(parameters)
    sizes = [p.array.size for p in params]
    if sum(sizes) != vec.array.size:
        raise RuntimeError(f"vec has {vec.array.size} elements, but the parameters have {sum(sizes)}")
    parts = np.split(vec.array, np.cumsum(sizes)[:-1])
    for p, part in zip(params, parts, strict=True):
        p.data = Tensor.wrap(part.reshape(p.array.shape))


def _norm(a: Array, order: float) -> Any:
    return np.asarray(np.linalg.norm(a.ravel(order="K"), order))
