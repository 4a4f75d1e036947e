"""Batch normalization on arrays (A, C, B): each channel shifted and scaled to mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.kernels.blas import one_thread

LONG = 4096  #: longer sums are added up in float64


class _ChannelsLast:
    """How to compute with (A, C, B) whose channels lie last in memory: as rows (A, B·C), as NumPy prefers long rows."""

    def __init__(self, x: Array) -> None:
        self.b, self.c = x.shape[2], x.shape[1]

    def view(self, x: Array) -> Any:
        """`x` in that layout; a copy if it has another one."""
        return x.transpose(0, 2, 1).reshape(len(x), self.b * self.c)

    def back(self, rows: Array) -> Array:
        """The inverse of `view`: (A, C, B)."""
        return rows.reshape(len(rows), self.b, self.c).transpose(0, 2, 1)

    def broadcast(self, v: Array) -> Any:
        """A number for each channel (C,), to broadcast against what `view` gives."""
        return np.tile(v, self.b)

    def total(self, x: Array) -> Any:
        """The sum over A and B. A matrix product is faster than `sum`, and exact enough in float32."""
        if len(x) > LONG:
            return self._per_channel(np.add.reduce(x, 0, dtype=np.float64).astype(x.dtype))
        return self._per_channel(np.ones(len(x), x.dtype) @ x)

    def dots(self, x: Array, y: Array) -> Any:
        """The sum of ``x * y`` over A and B."""
        wide = np.float64 if len(x) > LONG else x.dtype
        return self._per_channel(np.einsum("ai,ai->i", x, y, dtype=wide).astype(x.dtype, copy=False))

    def _per_channel(self, row: Array) -> Any:
        if self.b == 1:
            return row
        return row.reshape(self.b, self.c).sum(0, dtype=np.float64).astype(row.dtype)  # many terms, in sequence


class _ChannelsFirst:
    """The same for (A, C, B) that lies in memory in that order."""

    def view(self, x: Array) -> Any:
        return np.ascontiguousarray(x)

    def back(self, x: Array) -> Array:
        return x

    def broadcast(self, v: Array) -> Any:
        return v.reshape(-1, 1)

    def total(self, x: Array) -> Any:
        if max(len(x), x.shape[2]) > LONG:
            return np.add.reduce(x, (0, 2), dtype=np.float64).astype(x.dtype)
        return np.ones(len(x), x.dtype) @ (x @ np.ones(x.shape[2], x.dtype))

    def dots(self, x: Array, y: Array) -> Any:
        if max(len(x), x.shape[2]) > LONG:
            return np.einsum("acb,acb->c", x, y, dtype=np.float64).astype(x.dtype)
        return np.ones(len(x), x.dtype) @ np.einsum("acb,acb->ac", x, y)


def _layout(x: Array) -> _ChannelsLast | _ChannelsFirst:
    return _ChannelsLast(x) if x.transpose(0, 2, 1).flags.c_contiguous else _ChannelsFirst()


@one_thread
def standardize(input: Array, weight: Any, bias: Any, eps: float) -> tuple[Array, Array, Array]:
    """``weight (x - mean) / √(variance + eps) + bias``; and the means and variances (C,)."""
    n, layout = input.shape[0] * input.shape[2], _layout(input)
    x = layout.view(input)
    mean = layout.total(x) / n
    result = x - layout.broadcast(mean)
    variance = layout.dots(result, result) / n
    factor = 1 / np.sqrt(variance + eps)
    if weight is not None:
        factor = factor * weight
    shift = -mean * factor if bias is None else bias - mean * factor
    np.multiply(x, layout.broadcast(factor), out=result)
    result += layout.broadcast(shift)
    return layout.back(result), mean, variance


@one_thread
def standardize_back(
    wanted: Sequence[bool], g: Array, input: Array, weight: Any, mean: Array, variance: Array, eps: float
) -> tuple[Any, Any, Any]:
    """The gradients of input, weight and bias, as far as they are wanted.

    With x̂ the normalized input and s its scale, the input's is ``s w (g - mean(g) - x̂ mean(g x̂))``
    (Ioffe and Szegedy, arXiv:1502.03167, section 3).
    """
    n, layout = g.shape[0] * g.shape[2], _layout(input)
    x, given = layout.view(input), layout.view(g)
    scale = 1 / np.sqrt(variance + eps)
    total = layout.total(given)
    if not (wanted[0] or wanted[1]):
        return None, None, total
    result = x - layout.broadcast(mean)
    along = layout.dots(given, result)
    if wanted[0]:
        factor = scale if weight is None else scale * weight
        slope = factor * scale**2 * along / -n
        np.multiply(x, layout.broadcast(slope), out=result)
        result += layout.broadcast(factor * total / -n - mean * slope)
        result += given * layout.broadcast(factor)
    return layout.back(result) if wanted[0] else None, along * scale, total
