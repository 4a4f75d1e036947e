"""Matrix products in pieces, where that is faster on one thread.

Before OpenBLAS multiplies, it copies both matrices into the order in which its kernel reads them. On processors with
AVX-512 it does not for products of a million multiplications or fewer. Where one matrix is thin, or the sums are
very long or short, the copies take up to half of the time; such a product is faster as many small ones.

If OpenBLAS has several threads, products are not split.
"""

from __future__ import annotations

import functools
from typing import TypeAlias

import numpy as np

from minigrad.engine import Array
from minigrad.kernels import blas

Size: TypeAlias = tuple[int, int] | None  #: rows and columns of pieces, None if there are none

# what OpenBLAS multiplies without copies
SMALL = 1_000_000  #: multiplications
SMALL_DOTS = 1200  #: elements of the result, if both matrices are read along the sum

# where pieces are faster, by measurements of GFLOP/s
THIN = 64  #: columns of the result, or fewer
SHORT = 128  #: elements of the sums, or fewer
LONG = 256  #: elements of the sums, or more, if both matrices are read along them
FEW, LONG_OF_FEW = 10, 64  #: for so many columns, or fewer, elements of the sums, or more
WIDTH = 20  #: columns of a piece, if both matrices are read along the sum
ROWS = 8  #: of a piece, or more
LEAST = SMALL_DOTS * LONG_OF_FEW  #: multiplications of a product that may be worth splitting


@functools.lru_cache(1024)
def _piece(m: int, k: int, n: int, dots: bool) -> Size:
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


def piece(a: Array, b: Array) -> Size:
    """Rows and columns of the pieces in which ``a @ b`` is computed faster, None if it is faster whole."""
    if len(a) * b.size < LEAST or a.ndim != 2 or b.ndim != 2 or not a.dtype == b.dtype == np.float32:
        return None
    if not (a.flags.forc and b.flags.forc):
        return None
    if (library := blas.library()) is None or library.copies_all or library.get_num_threads() > 1:
        return None
    return _piece(*a.shape, b.shape[1], a.flags.c_contiguous and b.flags.f_contiguous)


def product(a: Array, b: Array, out: Array | None = None) -> Array:
    """The matrices' product ``a @ b``, (m, k) @ (k, n) → (m, n), in pieces where that is faster.

    >>> product(np.ones((2, 3)), np.ones((3, 1))).tolist()
    [[3.0], [3.0]]
    """
    size = piece(a, b)
    if size is None:
        return np.matmul(a, b, out=out)
    (m, k), n, (rows, columns) = a.shape, b.shape[1], size
    if out is None:
        out = np.empty((m, n), a.dtype)
    whole = m // rows * rows
    left = a[:whole].reshape(-1, 1, rows, k)
    right = b.reshape(k, -1, columns).transpose(1, 0, 2)
    np.matmul(left, right, out=out[:whole].reshape(len(left), rows, -1, columns).transpose(0, 2, 1, 3))
    if whole < m:
        np.matmul(a[whole:], b, out=out[whole:])
    return out
