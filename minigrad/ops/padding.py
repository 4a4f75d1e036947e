"""`pad`: a tensor with elements added around it.

https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.dtypes import as_numpy, number
from minigrad.ops.indexing import _index, _index_put, _place
from minigrad.ops.record import Operand, composed

#: Where each padded position reads from, by mode: NumPy's name for it.
NUMPY_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _pad_sample(d: Any) -> Any:
    return d.choice(
        [
            (d.array((2, 3)), (1, 2)),
            (d.array((2, 3)), (1, 0, 0, 2), "constant", 0.5),
            (d.array((3, 4)), (-1, 1, 2, -2)),
            (d.array((3, 4)), (-1, 0, 0, 2), "constant", -1.0),
            (d.array((1, 2, 4)), (2, 1), d.choice(["reflect", "replicate", "circular"])),
            (d.array((1, 2, 3, 3)), (2, 1, 0, 2), d.choice(["reflect", "replicate", "circular"])),
        ]
    )


@composed(torch="nn.functional.pad", sample=_pad_sample)
def pad(input: Operand, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """`input` with ``pad = (left, right, top, bottom, …)`` elements around it, the last dimension first.

    Args:
        input: (..., H, W).
        pad: how many elements before and after each dimension, starting from the last; negative numbers crop.
        mode: what is added: ``"constant"`` (`value`, 0 by default), ``"reflect"``, ``"replicate"`` or
            ``"circular"``.
        value: the constant.

    Raises:
        RuntimeError: for an odd number of lengths, or too many.
        NotImplementedError: for another mode.

    >>> import minigrad
    >>> minigrad.nn.functional.pad(minigrad.ones(1, 2), (1, 0))
    tensor([[0., 1., 1.]])
    """
    widths = tuple(int(n) for n in pad)
    if len(widths) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, but got pad={list(widths)}")
    dims = len(widths) // 2
    if dims > input.ndim:
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension. Got padding length "
            f"{len(widths)} and input of dimension {input.ndim}"
        )
    pairs = [(0, 0)] * (input.ndim - dims) + [(widths[2 * i], widths[2 * i + 1]) for i in reversed(range(dims))]
    for i, ((before, after), n) in enumerate(zip(pairs, input.shape, strict=True)):
        if n + before + after < 0:
            raise RuntimeError(
                f"The input size {n}, plus negative padding {before} and {after} resulted in a negative output size, "
                f"which is invalid. Check dimension {i} of your input."
            )
    if mode == "constant":
        return _constant(input, pairs, 0.0 if value is None else value)
    if mode not in NUMPY_MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}; there are constant, {', '.join(NUMPY_MODES)}")
    for dim, ((before, after), n) in enumerate(zip(pairs, input.shape, strict=True)):
        if before or after:
            if max(before, after) > (n - 1 if mode == "reflect" else n) and mode != "replicate":
                raise RuntimeError(
                    f"Padding size should be less than the corresponding input dimension, but got: padding "
                    f"({before}, {after}) at dimension {dim} of input {list(input.shape)}"
                )
            crop = slice(max(-before, 0), n - max(-after, 0))
            places = np.arange(n)
            if mode == "circular":  # cropped elements are not used for padding
                places, crop = places[crop], slice(None)
            around: Any = (max(before, 0), max(after, 0))
            source: Any = np.pad(places, around, NUMPY_MODES[mode])  # type: ignore[call-overload]
            source = source[crop.start : len(source) - max(-after, 0)] if mode != "circular" else source
            input = _index(input, (slice(None),) * dim + (source,))
    return input


def _constant(input: Any, pairs: list[tuple[int, int]], value: float) -> Any:
    crop = tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pairs, input.shape, strict=True))
    inner = tuple(slice(max(a, 0), max(a, 0) + c.stop - c.start) for (a, _), c in zip(pairs, crop, strict=True))
    shape = tuple(n + a + b for (a, b), n in zip(pairs, input.shape, strict=True))
    if any(min(p) < 0 for p in pairs):
        input = _index(input, crop)
    if value == 0:
        return _place(input, shape, inner)
    return _index_put(np.full(shape, number(value, as_numpy(input.dtype))), inner, input)
