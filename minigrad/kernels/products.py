"""Matrix products in pieces, and on several threads.

Before OpenBLAS multiplies, it copies both matrices into the order in which its kernel reads them. On processors with
AVX-512 it leaves that out for products of a million multiplications or fewer. Where one matrix is thin, or the sums are
very long or short, the copies take up to half of the time; such a product is faster as many small ones.

Large products are shared by minigrad's own threads (`minigrad.kernels.threads`).
"""

from __future__ import annotations

import functools
import itertools
from typing import TypeAlias

import numpy as np

from minigrad.engine import Array
from minigrad.kernels.blas import SMALL, SMALL_DOTS, as_they_lie
from minigrad.kernels.threads import available, cuts, together

Size: TypeAlias = tuple[int, int] | None  #: rows and columns of pieces, None if there are none

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
def _piece(m: int, k: int, n: int, dots: bool | None) -> Size:
    """Rows and columns of the pieces of (m, k) @ (k, n); for `dots` see `_dots`."""
    if dots is None or (m * k * n <= SMALL and not (dots and m * n > SMALL_DOTS)):
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


def _dots(a: Array, b: Array) -> bool | None:
    """Whether both matrices are read along the sum; None if they can't be multiplied in pieces."""
    if a.ndim != 2 or b.ndim != 2 or not as_they_lie(a.dtype) or a.dtype != b.dtype:
        return None
    if not (a.flags.forc and b.flags.forc):
        return None
    return a.flags.c_contiguous and b.flags.f_contiguous


def piece(a: Array, b: Array) -> Size:
    """Rows and columns of the pieces in which ``a @ b`` is computed faster, None if it is faster whole."""
    if len(a) * b.size < LEAST or (dots := _dots(a, b)) is None:
        return None
    return _piece(*a.shape, b.shape[1], dots)


@functools.lru_cache(1024)
def _shares(m: int, k: int, n: int, dots: bool | None, threads: int) -> tuple[tuple[slice, Size], ...]:
    """The columns of each thread, or its rows if there are more of these, and the size of its pieces."""
    size, count = _piece(m, k, n, dots), max(m, n)
    unit = size[0] if size and m > n else UNIT
    ends = [min(unit * cut, count) for cut in cuts(-(-count // unit), threads, WAKING / (unit * min(m, n) * k))]
    places = [slice(start, end) for start, end in itertools.pairwise(ends)]
    lengths = [place.stop - place.start for place in places]
    sizes = [_piece(m, k, length, dots) if n >= m else _piece(length, k, n, dots) for length in lengths]
    return tuple(zip(places, sizes, strict=True))


def product(a: Array, b: Array, out: Array | None = None) -> Array:
    """The matrices' product ``a @ b``, (m, k) @ (k, n) → (m, n), by several threads if it is large.

    >>> product(np.ones((2, 3)), np.ones((3, 1))).tolist()
    [[3.0], [3.0]]
    """
    if a.ndim != 2 or b.ndim != 2 or len(a) * b.size < SHARED or (threads := available()) == 1:
        return on_one_thread(a, b, out)
    (m, k), n = a.shape, b.shape[1]
    result = np.empty((m, n), a.dtype) if out is None else out
    shares = _shares(m, k, n, _dots(a, b), threads)
    if n >= m:
        together([functools.partial(_multiply, a, b[:, part], result[:, part], size) for part, size in shares])
    else:
        together([functools.partial(_multiply, a[part], b, result[part], size) for part, size in shares])
    return result


def decides(a: Array, b: Array) -> bool:
    """Whether `product` may do anything else than multiply the matrices at once."""
    return a.ndim == b.ndim == 2 and (len(a) * b.size >= SHARED or piece(a, b) is not None)


def on_one_thread(a: Array, b: Array, out: Array | None = None) -> Array:
    """The same by one thread, in pieces where that is faster."""
    return _multiply(a, b, out, piece(a, b))


def _multiply(a: Array, b: Array, out: Array | None, size: Size) -> Array:
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
