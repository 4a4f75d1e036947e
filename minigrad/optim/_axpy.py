"""``x + a·y`` in one pass over memory.

NumPy takes two ufuncs and a scratch array for it. The BLAS library that NumPy multiplies matrices with has it as
one routine, axpy: twice as fast on large arrays, and rounded once (a fused multiply-add), as torch rounds it. It
is called where it can be found and proves to work; everywhere else, and for small arrays, the ufuncs do it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.engine import Array

LARGE = 8192  #: elements from which the call pays


def _find(letter: str, kind: Any) -> tuple[Callable[..., None], Any] | None:
    """BLAS's axpy for a C type, from the library that NumPy is linked with, tried on an example."""
    try:
        library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
    for name in ("scipy_cblas_{}axpy64_", "cblas_{}axpy64_", "scipy_cblas_{}axpy", "cblas_{}axpy"):
        axpy = getattr(library, name.format(letter), None)
        if axpy is None:
            continue
        integer, pointer = ctypes.c_int64, ctypes.POINTER(kind)
        axpy.argtypes = [integer, kind, pointer, integer, pointer, integer]
        axpy.restype = None
        x, y = np.array([1, 2, 3], kind), np.array([5, 7, 11], kind)
        axpy(3, 2, kind.from_buffer(x), 1, kind.from_buffer(y), 1)
        if y.tolist() == [7, 11, 17]:
            return axpy, kind.from_buffer
    return None


AXPY = {
    np.dtype(kind): found
    for kind, letter in ((ctypes.c_float, "s"), (ctypes.c_double, "d"))
    if (found := _find(letter, kind))
}


def add_scaled(x: Array, y: Array, a: Array | float, out: Array, scratch: Array) -> Array:
    """``out = x + a·y``, all of one shape and dtype. `out` may be `x`, `scratch` may be `y` (and is then lost)."""
    size = out.size
    if (
        size >= LARGE
        and (found := AXPY.get(out.dtype))
        and y.dtype == out.dtype
        and y.shape == out.shape
        and out.flags.c_contiguous
        and y.flags.c_contiguous
        and y.flags.writeable
    ):
        axpy, pointer = found
        if out is not x:
            np.copyto(out, x)
        axpy(size, a, pointer(y), 1, pointer(out), 1)
        return out
    np.multiply(y, a, scratch)
    return np.add(x, scratch, out)
