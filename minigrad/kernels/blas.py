"""OpenBLAS, by which NumPy multiplies matrices: its threads, and what it multiplies without copies."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

# what OpenBLAS multiplies without copies (kernel/x86_64/sgemm_small_kernel_permit_skylakex.c)
CORES = ("SkylakeX", "Cooperlake", "SapphireRapids")
SMALL = 1_000_000  #: multiplications
SMALL_DOTS = 1200  #: elements of the result, if both matrices are read along the sum


class Library(NamedTuple):
    """What OpenBLAS can be asked and told."""

    set_num_threads: Callable[[int], None]
    copies_all: bool  #: even of small matrices


@functools.cache
def library() -> Library | None:
    """The OpenBLAS that NumPy computes with; None if it is another library."""
    import ctypes

    try:
        core = importlib.import_module("numpy._core._multiarray_umath")
        found = ctypes.CDLL(core.__file__)  # already loaded; it knows the libraries it is linked to
    except (ImportError, OSError):
        return None
    for form in ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}"):
        try:
            put = getattr(found, form.format("set_num_threads"))
            name = getattr(found, form.format("get_corename"))
        except AttributeError:
            continue
        name.restype = ctypes.c_char_p
        return Library(put, name().decode() not in CORES)
    return None


@functools.cache
def products_on_one_thread() -> None:
    """Let OpenBLAS keep to the thread that asks it; `minigrad.kernels.threads` gives several threads their parts.

    Called when the first tensor is made, or the first work is shared; not at the import.
    """
    if (blas := library()) is not None:
        blas.set_num_threads(1)


def as_they_lie(kind: np.dtype[Any]) -> bool:
    """Whether small matrices of a dtype are multiplied without copies."""
    return kind == np.float32 and (blas := library()) is not None and not blas.copies_all


def small(multiplications: int, kind: np.dtype[Any]) -> bool:
    """Whether a product of so many multiplications is made so (unless both matrices are read along the sum)."""
    return multiplications <= SMALL and as_they_lie(kind)
