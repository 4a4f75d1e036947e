"""OpenBLAS, by which NumPy multiplies matrices: its threads, and the products that it is given in pieces.

Before OpenBLAS multiplies, it copies both matrices into the order in which its kernel reads them. On processors with
AVX-512 it leaves that out for products of a million multiplications or fewer. Where one matrix is thin, or the sums are
very long or short, the copies take up to half of the time; such a product is faster as many small ones.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine import Array

# what OpenBLAS multiplies without copies (kernel/x86_64/sgemm_small_kernel_permit_skylakex.c)
CORES = ("SkylakeX", "Cooperlake", "SapphireRapids")
SMALL = 1_000_000  #: multiplications
SMALL_DOTS = 1200  #: elements of the result, if both matrices are read along the sum

# where pieces are faster (measured)
THIN = 64  #: columns of the result, or fewer
SHORT = 128  #: elements of the sums, or fewer
LONG = 256  #: elements of the sums, or more, if both matrices are read along them
FEW, LONG_OF_FEW = 10, 64  #: the same for so many columns, or fewer
WIDTH = 20  #: columns of a piece, if both matrices are read along the sum
ROWS = 8  #: of a piece, or more
LEAST = SMALL_DOTS * LONG_OF_FEW  #: multiplications of a product that may be worth it


class Library(NamedTuple):
    """What OpenBLAS can be asked and told."""

    get_num_threads: Callable[[], int]
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
            get, put = getattr(found, form.format("get_num_threads")), getattr(found, form.format("set_num_threads"))
            name = getattr(found, form.format("get_corename"))
        except AttributeError:
            continue
        name.restype = ctypes.c_char_p
        return Library(get, put, name().decode() not in CORES)
    return None


def products_on(n: int) -> int | None:
    """Let matrix products use `n` threads; returns how many they used before, None if that can't be set."""
    if (blas := library()) is None:
        return None
    before = blas.get_num_threads()
    if before != n:
        blas.set_num_threads(n)
    return before


def shared() -> bool:
    """Whether several threads compute a large product."""
    blas = library()
    return blas is None or blas.get_num_threads() > 1


def as_they_lie(kind: np.dtype[Any]) -> bool:
    """Whether small matrices of a dtype are multiplied without copies."""
    return kind == np.float32 and (blas := library()) is not None and not blas.copies_all


def small(multiplications: int, kind: np.dtype[Any]) -> bool:
    """Whether a product of so many multiplications is made so (unless both matrices are read along the sum)."""
    return multiplications <= SMALL and as_they_lie(kind)


@functools.lru_cache(1024)
def _piece(m: int, k: int, n: int, dots: bool) -> tuple[int, int] | None:
    """Rows and columns of the pieces of (m, k) @ (k, n); `dots` if both matrices are read along the sum."""
    if m * k * n <= SMALL and not (dots and m * n > SMALL_DOTS):
        return None
    if dots:
        worth = k >= (LONG_OF_FEW if n <= FEW else LONG)
        width = _part(n, 4, WIDTH) or _part(n, 1, WIDTH)
    else:
        worth = n <= THIN or k <= SHORT
        width = _part(n, 16, THIN) or _part(n, 4, 2 * THIN) or _part(n, 1, THIN)
    most = min(SMALL // max(k, 1), SMALL_DOTS if dots else SMALL)
    if not worth or not 0 < width * ROWS <= most:
        return None
    return -(-m // -(-m // (most // width))), width  # about as many rows in each


def _part(n: int, unit: int, most: int) -> int:
    """The largest part of `n` columns that divides them, in units, and is not larger than `most`; 0 if there is none.

    >>> _part(784, 16, 64), _part(200, 16, 64), _part(200, 4, 128)
    (16, 0, 100)
    """
    return max((w for w in range(unit, min(n, most) + 1, unit) if n % w == 0 and w > 1), default=0)


def piece(a: Array, b: Array) -> tuple[int, int] | None:
    """Rows and columns of the pieces in which one thread computes ``a @ b`` faster, None if there are none."""
    if a.ndim != 2 or b.ndim != 2 or not as_they_lie(a.dtype) or a.dtype != b.dtype:
        return None
    if not a.flags.forc or not b.flags.forc:
        return None
    return _piece(*a.shape, b.shape[1], a.flags.c_contiguous and b.flags.f_contiguous)


def in_pieces(a: Array, b: Array) -> tuple[int, int] | None:
    """Rows and columns of the pieces in which `product` computes ``a @ b``, None if it does so at once."""
    if len(a) * b.size < LEAST:
        return None
    found = piece(a, b)
    return None if found is None or shared() else found


def product(a: Array, b: Array, out: Array | None = None) -> Array:
    """The matrices' product ``a @ b``, (m, k) @ (k, n) → (m, n), in pieces where that is faster.

    >>> product(np.ones((2, 3)), np.ones((3, 1))).tolist()
    [[3.0], [3.0]]
    """
    found = in_pieces(a, b)
    if found is None:
        return np.matmul(a, b, out=out)
    (m, k), n, (rows, columns) = a.shape, b.shape[1], found
    if out is None:
        out = np.empty((m, n), a.dtype)
    whole = m // rows * rows
    left = a[:whole].reshape(-1, 1, rows, k)
    right = b.reshape(k, -1, columns).transpose(1, 0, 2)
    np.matmul(left, right, out=out[:whole].reshape(len(left), rows, -1, columns).transpose(0, 2, 1, 3))
    if whole < m:
        np.matmul(a[whole:], b, out=out[whole:])
    return out
