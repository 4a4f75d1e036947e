"""How a tensor prints: four digits, aligned columns, ``...`` in the middle of large ones, as torch prints it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

DIGITS, THRESHOLD, EDGE, WIDTH = 4, 1000, 3, 80  # torch.set_printoptions' defaults


def format_tensor(array: np.ndarray[Any, Any], grad_fn: str | None, requires_grad: bool) -> str:
    """The text of a tensor: its values, then what is not the default (size, dtype, grad_fn).

    >>> import numpy as np
    >>> format_tensor(np.float32([1, 2.5]), None, True)
    'tensor([1.0000, 2.5000], requires_grad=True)'
    """
    dtype = str(array.dtype)
    suffixes = []
    if array.size == 0:
        body = "[]"
        if array.ndim != 1:
            suffixes.append(f"size={array.shape}")
        unusual = dtype != "float32"
    else:
        body = body_of(array)
        unusual = dtype not in ("float32", "int64", "bool")
    if unusual:
        suffixes.append(f"dtype=minigrad.{dtype}")
    if grad_fn:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    text = "tensor(" + body
    for suffix in suffixes:
        line = len(text) - (text.rfind("\n") + 1)
        text += (",\n       " if line + len(suffix) + 2 > WIDTH else ", ") + suffix
    return text + ")"


def body_of(array: np.ndarray[Any, Any]) -> str:
    """The values in brackets."""
    shown = array
    short = array.size > THRESHOLD
    if short:
        for axis, n in enumerate(array.shape):
            if n > 2 * EDGE:
                shown = np.take(shown, [*range(EDGE), *range(n - EDGE, n)], axis)
    write, width = formatter(shown.ravel())
    if array.ndim == 0:
        return write(array.item())
    return rows(shown, array.shape, len("tensor("), short, write, width)


def rows(
    a: np.ndarray[Any, Any], shape: tuple[int, ...], indent: int, short: bool, write: Callable[[Any], str], width: int
) -> str:
    """One bracketed dimension; `a` holds only the edges where `short` cuts the middle out."""
    cut = short and shape[0] > 2 * EDGE
    if len(shape) > 1:
        parts = [rows(row, shape[1:], indent + 1, short, write, width) for row in a]
        if cut:
            parts.insert(EDGE, "...")
        return "[" + ("," + "\n" * (len(shape) - 1) + " " * (indent + 1)).join(parts) + "]"
    cells = [write(v).rjust(width) for v in a.tolist()]
    if cut:
        cells.insert(EDGE, " ...")
    per_line = max(1, (WIDTH - indent) // (width + 2))
    lines = [", ".join(cells[i : i + per_line]) for i in range(0, len(cells), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def formatter(values: np.ndarray[Any, Any]) -> tuple[Callable[[Any], str], int]:
    """The function that writes one of `values`, and the width of the widest."""
    if values.dtype.kind != "f":
        return str, max(len(str(v)) for v in values.tolist())
    write = float_writer(values.astype(np.float64))
    ordinary = values[np.isfinite(values) & (values != 0)]
    return write, max((len(write(v)) for v in ordinary.tolist()), default=0)


def float_writer(values: np.ndarray[Any, Any]) -> Callable[[float], str]:
    """Whole numbers as ``1.``, ordinary ones with four digits, anything else in scientific notation."""
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    if sizes.size == 0:
        return lambda v: f"{v:.0f}." if math.isfinite(v) else str(v)
    low, high = sizes.min(), sizes.max()
    whole = bool((sizes == np.ceil(sizes)).all())
    if high / low > 1000 or high > 1e8 or (not whole and low < 1e-4):
        return lambda v: f"{v:.{DIGITS}e}" if math.isfinite(v) else str(v)
    if whole:
        return lambda v: f"{v:.0f}." if math.isfinite(v) else str(v)
    return lambda v: f"{v:.{DIGITS}f}" if math.isfinite(v) else str(v)
