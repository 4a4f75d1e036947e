"""Resizing of images, sequences and volumes.

Each spatial dimension is resized separately: a new element is a weighted mean of a few old ones, so resizing is a
product with one matrix of weights for each dimension.
https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.engine import Array
from minigrad.kernels.pooling import means
from minigrad.ops.indexing import _index
from minigrad.ops.pooling import weighed
from minigrad.ops.record import Operand, composed

#: The modes that weight neighbours, and the number of spatial dimensions of each.
WEIGHING = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}
NEAREST = ("nearest", "nearest-exact")


def _sample(d: Any) -> Any:
    unweighted, size = d.choice([("nearest", (3, 5)), ("nearest-exact", (2, 5)), ("area", (2, 3))])
    mode = d.choice(["bilinear", "bicubic"])
    return d.choice(
        [
            (d.array((1, 2, 3, 4)), size, None, unweighted),
            (d.array((1, 2, 3, 4)), d.choice([(2, 7), (1, 4)]), None, mode, d.boolean()),
            (d.array((2, 1, 5)), None, d.choice([0.5, 1.7]), "linear", d.boolean()),
            (d.array((1, 1, 2, 2, 3)), 3, None, "trilinear"),
        ]
    )


@composed(torch="nn.functional.interpolate", sample=_sample)
def interpolate(
    input: Operand,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """`input` resized: (N, C, d1, …) → (N, C, o1, …), for one to three spatial dimensions.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: the new lengths, or one for all.
        scale_factor: the factors by which the lengths grow, instead of `size`.
        mode: ``"nearest"``, ``"nearest-exact"``, ``"area"`` (means of windows), ``"linear"``, ``"bilinear"``,
            ``"trilinear"`` or ``"bicubic"``.
        align_corners: whether the centres of the corner elements are aligned; else their outer edges are.
        recompute_scale_factor: recompute the factors from the rounded lengths.
        antialias: not supported.

    Raises:
        ValueError: unless exactly one of `size` and `scale_factor` is given, of the right length, or for
            `align_corners` with a mode that does not have this option.
        NotImplementedError: for an unknown mode, or one for another number of dimensions, or `antialias`.
        RuntimeError: if a length would be 0.

    >>> import minigrad
    >>> x = minigrad.tensor([[[0.0, 1.0]]])
    >>> minigrad.nn.functional.interpolate(x, 4, mode="linear")
    tensor([[[0.0000, 0.2500, 0.7500, 1.0000]]])
    """
    if not input.is_floating_point() and (mode not in NEAREST or input.dtype != dtypes.uint8):
        raise NotImplementedError(f"interpolate: mode {mode!r} is not implemented for {input.dtype}")
    lengths = [int(n) for n in input.shape[2:]]
    dims = len(lengths)
    if align_corners is not None and mode not in WEIGHING:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if antialias:
        raise NotImplementedError("interpolate: antialias=True is not supported")
    if dims not in (1, 2, 3) or WEIGHING.get(mode, dims) != dims or mode not in (*WEIGHING, *NEAREST, "area"):
        raise NotImplementedError(
            f"Input Error: mode {mode!r} is not for an input of {input.ndim} dimensions; there are nearest, "
            "nearest-exact and area for 3D to 5D, linear for 3D, bilinear and bicubic for 4D, trilinear for 5D"
        )
    factors = _one_each("scale_factor", scale_factor, lengths)
    wanted = _one_each("size", size, lengths)
    if wanted is not None and factors is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if recompute_scale_factor and wanted is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if wanted is None:
        if factors is None:
            raise ValueError("either size or scale_factor should be defined")
        wanted = [math.floor(n * f) for n, f in zip(lengths, factors, strict=True)]
        if recompute_scale_factor or mode == "area":
            factors = None
    if min(wanted) <= 0 or min(lengths) <= 0:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input (sizes: {lengths}) output (sizes: "
            f"{wanted})"
        )
    for i, (n, new) in reversed([*enumerate(zip(lengths, wanted, strict=True))]):
        step = n / new if factors is None else 1 / factors[i]  # from one new element to the next, in old ones
        dim = i + 2
        if mode in NEAREST:
            input = _index(input, (slice(None),) * dim + (_nearest(n, new, step, mode),))
            continue
        if mode == "area":
            weights = means(n, new).T
        else:
            places = _places(n, new, step, bool(align_corners))
            weights = _cubic(n, places) if mode == "bicubic" else _linear(n, places)
        input = weighed(input, weights, dim)
    return input


def _one_each(name: str, given: Any, lengths: list[int]) -> list[Any] | None:
    """One number for each dimension."""
    if given is None or not isinstance(given, (list, tuple)):
        return None if given is None else [given] * len(lengths)
    if len(given) != len(lengths):
        raise ValueError(
            f"Input and {name} must have the same number of spatial dimensions, but got input with spatial dimensions "
            f"of {lengths} and {name} of {list(given)}."
        )
    return list(given)


def _nearest(n: int, new: int, step: float, mode: str) -> Array:
    """The old element that each new one equals, computed in single precision, as in torch."""
    shift = np.float32(0.5 if mode == "nearest-exact" else 0.0)
    return np.minimum(((np.arange(new, dtype=np.float32) + shift) * np.float32(step)).astype(np.int64), n - 1)


def _places(n: int, new: int, step: float, align_corners: bool) -> Array:
    """The positions of the new elements' centres in units of the old ones."""
    i = np.arange(new)
    if align_corners:
        return i * ((n - 1) / (new - 1) if new > 1 else 0.0)
    return (i + 0.5) * step - 0.5


def _linear(n: int, places: Array) -> Array:
    """The matrix (old, new) of the weights of two neighbours, which fall with the distance."""
    places = np.maximum(places, 0)
    left = np.minimum(np.floor(places).astype(np.int64), n - 1)
    fraction = np.clip(places - left, 0, 1)
    weights = np.zeros((n, len(places)))
    np.add.at(weights, (left, np.arange(len(places))), 1 - fraction)
    np.add.at(weights, (np.minimum(left + 1, n - 1), np.arange(len(places))), fraction)
    return _marked(weights, left[:, None] + [0, 1])


def _cubic(n: int, places: Array, a: float = -0.75) -> Array:
    """The matrix (old, new) of the weights of four neighbours by cubic convolution (Keys 1981); the edge repeats."""
    left = np.floor(places).astype(np.int64)
    weights = np.zeros((n, len(places)))
    for k in range(-1, 3):
        d = np.abs(places - (left + k))
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        np.add.at(weights, (np.clip(left + k, 0, n - 1), np.arange(len(places))), np.where(d <= 1, near, far))
    return _marked(weights, left[:, None] + [-1, 0, 1, 2])


def _marked(weights: Array, seen: Array) -> Array:
    """The weights, with -0.0 for neighbours (`seen`) of weight 0: times inf or nan these give nan, as in torch."""
    n, new = weights.shape
    marks = np.zeros((n, new), bool)
    marks[np.clip(seen, 0, n - 1), np.arange(new)[:, None]] = True
    weights[marks & (weights == 0)] = -0.0
    return weights
