"""Dropout: set elements to zero at random, so that a network can't rely on single ones (Srivastava et al. 2014).

The masks are the ones that torch draws from the same seed: one double word of the default stream for each
element, in memory order. The other elements are scaled by ``1 / (1 - p)``, which preserves the expected value.
https://docs.pytorch.org/docs/stable/nn.functional.html#dropout-functions
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from minigrad.dtypes import dtype
from minigrad.engine import Array
from minigrad.kernels.memory import axes, ordered
from minigrad.ops.comparison import where
from minigrad.ops.elementwise import mul
from minigrad.ops.record import Operand, composed, operation
from minigrad.random import axes_in_torch, default_generator
from minigrad.tensor import Tensor


def _certain(d: Any) -> tuple[float, bool]:
    """`p` and `training` of a test call whose result is not random."""
    return d.choice([(0.0, True), (1.0, True), (0.5, False)])  # type: ignore[no-any-return]


def _drop(input: Tensor, shape: tuple[int, ...], p: float, training: bool, inplace: bool) -> Any:
    """Dropout with a mask of that shape, which broadcasts against `input`.

    Raises:
        ValueError: if `p` is not in [0, 1].
        RuntimeError: for a tensor of integers.
    """
    _check_probability(p)
    if p == 0 or not training or input.array.size == 0:
        return input
    order = axes_in_torch(input) if shape == input.array.shape else tuple(range(input.ndim))
    result = mul(input, _dropout_mask(input, shape, p, order))
    return input.assign(result) if inplace else result


def _check_probability(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


@operation(sample=lambda d: (d.array((2, 3)), (2, 3), d.choice([0.0, 0.5, 1.0]), (0, 1)))
def _dropout_mask(
    input: Any, shape: tuple[int, ...], p: float, order: tuple[int, ...], *, out: Array | None = None
) -> Any:
    """``1 / (1 - p)`` with probability ``1 - p``, else 0; in the input's memory layout, for a fast product.

    The mask is drawn in memory order: the `order` of the axes in memory.
    """
    floating = input.dtype
    if floating.kind != "f" and p != 1:
        raise RuntimeError(
            f"dropout: result type Float can't be cast to the desired output type {dtype.known[floating].name}"
        )
    out = ordered(shape, axes(input), floating) if out is None else out
    if p == 1:  # nothing is drawn
        out[...] = 0
        return out
    drawn, scale = out.transpose(order), floating.type(1) / floating.type(1 - p)
    np.multiply(default_generator.bernoulli(drawn.shape, 1 - p), scale, out=drawn, dtype=floating)
    return out


@composed(torch="nn.functional.dropout", sample=lambda d: (d.array(), *_certain(d)))
def dropout(input: Operand, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Each element of `input` set to 0 with probability `p`, the rest scaled by ``1 / (1 - p)``.

    Args:
        input: any shape.
        p: the probability that an element is dropped.
        training: if not, `input` is returned unchanged.
        inplace: write the result into `input`.

    Raises:
        ValueError: if `p` is not between 0 and 1.

    >>> import minigrad
    >>> _ = minigrad.manual_seed(0)
    >>> minigrad.nn.functional.dropout(minigrad.ones(4))
    tensor([0., 0., 2., 0.])
    """
    return _drop(input, input.array.shape, p, training, inplace)


def _drop_channels(input: Tensor, single: bool, p: float, training: bool, inplace: bool) -> Any:
    """Dropout of whole channels: (N, C, …), or (C, …) if it is a `single` one."""
    _check_probability(p)
    if input.ndim < 2 and training and p > 0:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    shape = tuple(n if i <= 1 - single else 1 for i, n in enumerate(input.shape))
    return _drop(input, shape, p, training, inplace)


def _warn_unless(name: str, input: Any, ndims: tuple[int, ...]) -> None:
    if input.ndim not in ndims:
        warnings.warn(
            f"{name}: Received a {input.ndim}-D input to {name}, which is deprecated and will result in an error in a "
            "future release. To retain the behavior and silence this warning, please use dropout instead.",
            stacklevel=4,
        )


@composed(torch="nn.functional.dropout1d", sample=lambda d: (d.array(d.choice([(2, 3), (2, 3, 2)])), *_certain(d)))
def dropout1d(input: Operand, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels of (N, C, L) or (C, L).

    Raises:
        RuntimeError: for an input with another number of dimensions.
    """
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that dropout1d exists to "
            "provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional "
            "batch dimension (i.e. 2D or 3D inputs)."
        )
    return _drop_channels(input, input.ndim == 2, p, training, inplace)


@composed(torch="nn.functional.dropout2d", sample=lambda d: (d.array((2, 3, 2, 2)), *_certain(d)))
def dropout2d(input: Operand, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels of (N, C, H, W). An input (N, C, L) is accepted, with a warning."""
    _warn_unless("dropout2d", input, (3, 4))
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. To maintain the 1D channel-wise "
            "dropout behavior, please switch to using dropout1d instead.",
            stacklevel=3,
        )
    return _drop_channels(input, False, p, training, inplace)


@composed(
    torch="nn.functional.dropout3d", sample=lambda d: (d.array(d.choice([(2, 3, 1, 2), (2, 3, 1, 2, 2)])), *_certain(d))
)
def dropout3d(input: Operand, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    _warn_unless("dropout3d", input, (4, 5))
    return _drop_channels(input, input.ndim != 5, p, training, inplace)


@composed(torch="nn.functional.alpha_dropout", sample=lambda d: (d.array(), *_certain(d)))
def alpha_dropout(input: Operand, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """`dropout` for `selu`: dropped elements get its lower limit; keeps mean and variance (Klambauer et al. 2017).

    Raises:
        ValueError: if `p` is not between 0 and 1.
    """
    _check_probability(p)
    if p == 0 or not training or input.array.size == 0:
        return input
    limit = 1.7580993408473766  # minus selu(-inf)
    scale = 1 / math.sqrt((limit**2 * p + 1) * (1 - p)) if p < 1 else 0.0
    kept = _dropout_mask(input, input.array.shape, p, axes_in_torch(input)) != 0
    result = where(kept, input, -limit) * scale + limit * scale * p
    return input.assign(result) if inplace else result
