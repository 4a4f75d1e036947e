"""Matrix products in pieces, and on several threads.

Before OpenBLAS multiplies, it copies both matrices into the order in which its kernel reads them. On processors with
AVX-512 it leaves that out for products of a million multiplications or fewer. Where one matrix is thin, or the sums are
very long or short, the copies take up to half of the time; such a product is faster as many small ones.

Large products are shared by minigrad's own threads (`minigrad.threads`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from minigrad.blas import SMALL, SMALL_DOTS, as_they_lie
from minigrad.engine import Array
from minigrad.threads import get_num_threads, share

# where pieces are faster (python -m benchmarks.products)
THIN = 64  #: columns of the result, or fewer
SHORT = 128  #: elements of the sums, or fewer
LONG = 256  #: elements of the sums, or more, if both matrices are read along them
FEW, LONG_OF_FEW = 10, 64  #: the same for so many columns, or fewer
WIDTH = 20  #: columns of a piece, if both matrices are read along the sum
ROWS = 8  #: of a piece, or more

SHARED = 5_000_000  #: multiplications, or more, of a product that several threads share
WAKING = 1_500_000  #: multiplications in the time in which another thread wakes
UNIT = 16  #: rows or columns that stay together then

LEAST = SMALL_DOTS * LONG_OF_FEW  #: multiplications of a product that may be worth it


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
    """Rows and columns of the pieces in which ``a @ b`` is computed faster, None if it is faster whole."""
    if a.ndim != 2 or b.ndim != 2 or len(a) * b.size < LEAST or not as_they_lie(a.dtype) or a.dtype != b.dtype:
        return None
    by_row = [x.strides[1] == x.itemsize for x in (a, b)]
    if not all(along or x.strides[0] == x.itemsize for along, x in zip(by_row, (a, b), strict=True)):
        return None
    return _piece(*a.shape, b.shape[1], by_row[0] and not by_row[1])


def product(a: Array, b: Array, out: Array | None = None) -> Array:
    """The matrices' product ``a @ b``, (m, k) @ (k, n) → (m, n), by several threads if it is large.

    >>> product(np.ones((2, 3)), np.ones((3, 1))).tolist()
    [[3.0], [3.0]]
    """
    if a.ndim != 2 or b.ndim != 2 or len(a) * b.size < SHARED or get_num_threads() == 1:
        return on_one_thread(a, b, out)
    (m, k), n = a.shape, b.shape[1]
    result = np.empty((m, n), a.dtype) if out is None else out
    found = piece(a, b)
    unit = UNIT if n >= m or found is None else found[0]

    def work(numbers: Sequence[int]) -> None:
        part = slice(unit * numbers[0], unit * (numbers[-1] + 1))
        if n >= m:
            on_one_thread(a, b[:, part], result[:, part])
        else:
            on_one_thread(a[part], b, result[part])

    share(work, range(-(-max(m, n) // unit)), ahead=WAKING / (unit * min(m, n) * k))
    return result


def decides(a: Array, b: Array) -> bool:
    """Whether `product` may do anything else than multiply the matrices at once."""
    return a.ndim == b.ndim == 2 and (len(a) * b.size >= SHARED or piece(a, b) is not None)


def on_one_thread(a: Array, b: Array, out: Array | None = None) -> Array:
    """The same by one thread, in pieces where that is faster."""
    found = piece(a, b)
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
