"""Normalization: shift and scale values to mean 0 and variance 1, separately for each channel, row or group.

All of them are one operation on (A, C, …), `_standardize`, which normalizes each C: for batch norm (N, C, L), for
layer norm (1, rows, length), for group norm (1, N·groups, length).
https://docs.pytorch.org/docs/stable/nn.html#normalization-layers
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.kernels import normalization as kernels
from minigrad.ops.convert import contiguous
from minigrad.ops.elementwise import rsqrt
from minigrad.ops.record import Operand, OperandOrNone, composed, operation
from minigrad.ops.reduction import mean, sum
from minigrad.ops.shape import reshape
from minigrad.views import loosened


def _of_nothing(input: Any, *params: Any) -> Any:
    """The result for an empty input; the parameters' gradients are zeros."""
    result = input.clone()
    for param in params:
        if param is not None:
            result = result + sum(param) * 0.0
    return result


def _flat(x: Any) -> Any:
    """(A, C, …) → (A, C, B)."""
    return x.reshape(*x.shape[:2], -1)


def _standardize_gradients(
    wanted: Sequence[bool], g: Any, input: Any, weight: Any, bias: Any, eps: float, saved: Any
) -> Sequence[Any]:
    """With x̂ the normalized input and s its scale, the input's is ``s w (g - mean(g) - x̂ mean(g x̂))``.

    Source: Ioffe and Szegedy, arXiv:1502.03167, section 3.
    """
    if isinstance(g, np.ndarray):
        half, shape = input.dtype == np.float16, input.shape
        wide, x = (_flat(a.astype(np.float32) if half else a) for a in (g, input))
        own, *rest = kernels.standardize_back(wanted, wide, x, weight, saved[0], saved[1], eps)
        found = [None if own is None else own.reshape(shape), *rest]
        return [None if x is None else x.astype(g.dtype, copy=False) for x in found]
    dims = (0, *range(2, g.ndim))
    apart = input - mean(input, dims, True)
    scale = rsqrt(mean(apart * apart, dims, True) + eps)
    normal = apart * scale
    across = g - mean(g, dims, True) - normal * mean(g * normal, dims, True)
    factor = scale if weight is None else scale * reshape(weight, (-1, *[1] * (g.ndim - 2)))
    return across * factor, sum(g * normal, dims), sum(g, dims)


def _standardize_sample(d: Any) -> tuple[Any, ...]:
    c = d.integer(1, 3)
    # a range of values that keeps the variance well above 0, where the third derivative explodes
    x = d.array((d.integer(2, 3), c, *d.choice([(), (d.integer(1, 3),), (1, 2)])), distinct=True, ties=False)
    weight, bias = d.choice([(None, None), (d.array((c,)), d.array((c,))), (d.array((c,)), None)])
    return x, weight, bias, d.choice([0.1, 1.0])


@operation(
    _standardize_gradients,
    inputs=("input", "weight", "bias"),
    saves=True,
    writes=("running_mean", "running_var"),
    grad_fn="NativeBatchNormBackward0",
    sample=_standardize_sample,
)
def _standardize(
    input: Any,
    weight: Any,
    bias: Any,
    eps: float,
    running_mean: Any = None,
    running_var: Any = None,
    momentum: float = 0.0,
) -> Any:
    """(A, C, …) with mean 0 and variance 1 for each C, times weight (C,), plus bias (C,).

    The running statistics move towards those of the input by the fraction `momentum`.
    """
    wide = input.astype(np.float32) if input.dtype == np.float16 else input
    out, center, variance = kernels.standardize(_flat(wide), weight, bias, eps)
    n = input.size // input.shape[1]
    if running_mean is not None:
        running_mean += momentum * (center - running_mean)
    if running_var is not None:  # with the unbiased variance, as in torch
        running_var += momentum * (variance * (n / (n - 1)) - running_var)
    return out.reshape(input.shape).astype(input.dtype, copy=False), (center, variance)


def _batch_norm_sample(d: Any) -> tuple[Any, ...]:
    shape = d.choice([(4, 2), (2, 3, 4), (3, 2, 2, 2)])
    c = shape[1]
    weight, bias = d.choice([(None, None), (d.array((c,)), d.array((c,)))])
    training = d.boolean()
    running = (None, None) if training else (d.constant((c,), -1, 1), d.constant((c,), 0.5, 2))
    return d.array(shape, distinct=True, ties=False), *running, weight, bias, training, 0.1, d.choice([0.1, 1.0])


@composed(torch="nn.functional.batch_norm", sample=_batch_norm_sample, dtypes="f")
def batch_norm(
    input: Operand,
    running_mean: OperandOrNone,
    running_var: OperandOrNone,
    weight: Operand = None,
    bias: Operand = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel of (N, C), (N, C, L), (N, C, H, W) … with mean 0 and variance 1, times `weight`, plus `bias`.

    Args:
        input: two dimensions or more; the second one is that of the channels.
        running_mean: (C,) or None; while training it moves towards the batch's mean, else it is the mean.
        running_var: (C,) or None; the same for the variance (unbiased here, biased for normalizing).
        weight: (C,) or None.
        bias: (C,) or None.
        training: whether to normalize by the mean and variance of this batch.
        momentum: the weight of the batch in the running statistics.
        eps: added to the variance.

    Source: Ioffe and Szegedy, arXiv:1502.03167.

    Raises:
        ValueError: while training, if there is one value per channel, or `eps` is not positive.
        RuntimeError: if a tensor does not have C elements, or the statistics that evaluation needs are missing.

    >>> import minigrad
    >>> minigrad.nn.functional.batch_norm(minigrad.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    shape = tuple(input.shape)
    if training:
        if eps <= 0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
        _need_more_than_one(shape, input)
    channels = shape[1] if len(shape) > 1 else 0
    parts = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for name, part in parts.items():
        if part is None and name.startswith("running") and not training:
            raise RuntimeError(f"{name} must be defined in evaluation mode")
        if part is not None and part.numel() != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {part.numel()}")
    if not input.numel():
        return _of_nothing(input, weight, bias)
    if not training:
        column = (channels,) + (1,) * (len(shape) - 2)
        scale = rsqrt(running_var + eps)
        if weight is not None:
            scale = weight * scale
        shift = -running_mean * scale if bias is None else bias - running_mean * scale
        out = input * reshape(scale, column) + reshape(shift, column)
        return loosened(out) if len(shape) == 3 else out
    out = _standardize(input, weight, bias, eps, running_mean, running_var, momentum)
    return loosened(out) if len(shape) == 3 else out


def _need_more_than_one(shape: tuple[int, ...], shown: Any) -> None:
    """Refuse to normalize single values: the result would always be 0."""
    if math.prod((*shape[:1], *shape[2:])) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {shown.shape}")


def _layer_norm_sample(d: Any) -> tuple[Any, ...]:
    shape = d.choice([(3,), (2, 3)])
    affine = d.choice([(None, None), (d.array(shape), None), (d.array(shape), d.array(shape))])
    return d.array((*d.shape(0, 2, 1), *shape), distinct=True, ties=False), shape, *affine, d.choice([0.1, 1.0])


@composed(torch="nn.functional.layer_norm", sample=_layer_norm_sample, dtypes="f")
def layer_norm(
    input: Operand, normalized_shape: Sequence[int], weight: Operand = None, bias: Operand = None, eps: float = 1e-5
) -> Any:
    """The last dimensions, together, with mean 0 and variance 1; then times `weight`, plus `bias`.

    Args:
        input: (…, *normalized_shape).
        normalized_shape: the dimensions to normalize.
        weight: of shape `normalized_shape`, or None.
        bias: of shape `normalized_shape`, or None.
        eps: added to the variance.

    Source: Ba, Kiros and Hinton, arXiv:1607.06450.

    Raises:
        RuntimeError: if the shapes do not match.

    >>> import minigrad
    >>> minigrad.nn.functional.layer_norm(minigrad.tensor([[1.0, 3.0]]), (2,))
    tensor([[-1.0000,  1.0000]])
    """
    last, shape = tuple(normalized_shape), tuple(input.shape)
    if not last:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for name, part in {"weight": weight, "bias": bias}.items():
        if part is not None and tuple(part.shape) != last:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(part.shape)} "
                f"and normalized_shape = {list(last)}"
            )
    if shape[-len(last) :] != last:
        wanted = ", ".join(["*", *map(str, last)])
        raise RuntimeError(
            f"Given normalized_shape={list(last)}, expected input with shape [{wanted}], but got input of "
            f"size{list(shape)}"
        )
    if not input.numel():
        return _of_nothing(input, weight, bias)
    out = reshape(_standardize(reshape(contiguous(input), (1, -1, math.prod(last))), None, None, eps), shape)
    return _affine(out, weight, bias)


def _affine(out: Any, weight: Any, bias: Any) -> Any:
    """``out * weight + bias``, where given."""
    if weight is not None:
        out = out * weight
    return out if bias is None else out + bias


def _group_norm_sample(d: Any) -> tuple[Any, ...]:
    affine = d.choice([(None, None), (d.array((4,)), d.array((4,)))])
    shape = (d.integer(1, 3), 4, *d.choice([(2,), (2, 3)]))
    return d.array(shape, distinct=True, ties=False), d.choice([1, 2, 4]), *affine, d.choice([0.1, 1.0])


@composed(torch="nn.functional.group_norm", sample=_group_norm_sample, dtypes="f")
def group_norm(input: Operand, num_groups: int, weight: Operand = None, bias: Operand = None, eps: float = 1e-5) -> Any:
    """Each group of channels of each sample (N, C, …) with mean 0 and variance 1; then times `weight`, plus `bias`.

    Args:
        input: (N, C, …).
        num_groups: the number of groups of C / num_groups neighbouring channels.
        weight: (C,) or None.
        bias: (C,) or None.
        eps: added to the variance.

    Source: Wu and He, arXiv:1803.08494.

    Raises:
        RuntimeError: if the shapes do not match.
        ValueError: if there is only one value.

    >>> import minigrad
    >>> minigrad.nn.functional.group_norm(minigrad.tensor([[1.0, 3.0, 5.0, 5.0]]), 2)
    tensor([[-1.0000,  1.0000,  0.0000,  0.0000]])
    """
    shape = tuple(input.shape)
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    if math.prod((shape[0], shape[1] // num_groups if num_groups else 0, *shape[2:])) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {list(shape)}")
    if num_groups <= 0 or shape[1] % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {list(shape)} "
            f"and num_groups={num_groups}"
        )
    column = (shape[1],) + (1,) * (len(shape) - 2)
    for name, part in {"weight": weight, "bias": bias}.items():
        if part is not None and tuple(part.shape) != shape[1:2]:
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {list(part.shape)} and input of shape {list(shape)}"
            )
    if not input.numel():
        return _of_nothing(input, weight, bias)
    groups = (1, shape[0] * num_groups, math.prod(shape[1:]) // num_groups)
    out = reshape(_standardize(reshape(contiguous(input), groups), None, None, eps), shape)
    return _affine(out, *(None if part is None else reshape(part, column) for part in (weight, bias)))
