"""Reading data files as arrays: IDX (MNIST's format) and HDF5. Files with any deviation are refused.

`minigrad.vision.files` finds the files.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from minigrad.vision._extras import require

Keys: TypeAlias = Iterable[str] | Mapping[str, tuple[int | None, ...]]
PathLike: TypeAlias = "str | os.PathLike[str]"
Array: TypeAlias = NDArray[Any]

#: IDX type codes, from http://yann.lecun.com/exdb/mnist/; numbers are stored big-endian.
IDX_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

COURSE_SCALE = 256  # the course's files hold pixel/256, not pixel/255


class DataFileError(ValueError):
    """A data file is not as expected; the message says which, what was found and what was expected."""

    def __init__(self, path: PathLike, found: str, expected: str) -> None:
        super().__init__(path, found, expected)

    def __str__(self) -> str:
        path, found, expected = self.args
        return f"{os.fspath(path)}: found {found}; expected {expected}"


def read_idx(path: PathLike) -> Array:
    """Read an IDX file, gzipped or not (told by its first bytes), of any of the format's six data types.

    Raises:
        DataFileError: if the file is empty, truncated, followed by more bytes, corrupt or not an IDX file.
        OSError: if it can't be opened.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "three-idx1-ubyte")
    >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    >>> read_idx(path)
    array([7, 8, 9], dtype=uint8)
    """
    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            found = f"{len(data):,} bytes of broken gzip ({error})"
            raise DataFileError(path, found, "a whole gzip file") from error
    if not data:
        raise DataFileError(path, "an empty file", "an IDX file")
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in IDX_DTYPES or not 1 <= data[3] <= 32:
        codes = ", ".join(f"{code:02x}" for code in IDX_DTYPES)
        raise DataFileError(
            path,
            f"the first bytes {data[:4].hex(' ')} ({data[:4]!r})",
            f"an IDX file: 00 00, a type code ({codes}) and the number of dimensions (from 01)",
        )
    dtype, ndim = np.dtype(IDX_DTYPES[data[2]]), data[3]
    start = 4 + 4 * ndim
    if len(data) < start:
        raise DataFileError(path, f"a header cut off after {len(data)} bytes", f"{start} bytes of header")
    shape = tuple(int(n) for n in np.frombuffer(data, ">u4", ndim, offset=4))
    size = math.prod(shape) * dtype.itemsize
    if len(data) - start != size:
        state = "truncated" if len(data) - start < size else "followed by something else"
        raise DataFileError(
            path,
            f"{len(data) - start:,} bytes after the header",
            f"{size:,} for shape {shape} of {dtype.newbyteorder('=')} (the file is {state})",
        )
    return np.frombuffer(data, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def check_labels(labels: Array, classes: int, path: PathLike) -> NDArray[np.int64]:
    """The labels as int64, all within ``0 … classes - 1``.

    Raises:
        DataFileError: otherwise; names the first wrong label.
    """
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DataFileError(path, f"{labels.dtype} labels of shape {labels.shape}", "integers of shape (N,)")
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        raise DataFileError(
            path,
            f"label {labels[wrong[0]]} at index {wrong[0]} ({wrong.size} such labels)",
            f"labels from 0 to {classes - 1}",
        )
    return labels.astype(np.int64)


def read_idx_pair(
    images: PathLike, labels: PathLike, size: tuple[int, int] = (28, 28), classes: int = 10
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read images ``(N, H, W)`` uint8 and their labels ``(N,)``, and check that they match.

    Args:
        images: the IDX file of the images.
        labels: the IDX file of the labels.
        size: ``(H, W)``, the expected height and width in pixels.
        classes: labels go from 0 to ``classes - 1``.

    Raises:
        DataFileError: as `read_idx` does, and for another dtype, shape or count, or a label out of range.
    """
    pixels, marks = read_idx(images), read_idx(labels)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[1:] != size or not len(pixels):
        wanted = f"uint8 images of shape (N, {size[0]}, {size[1]})"
        raise DataFileError(images, f"{pixels.dtype} of shape {pixels.shape}", wanted)
    checked = check_labels(marks, classes, labels)
    if len(checked) != len(pixels):
        raise DataFileError(labels, f"{len(checked):,} labels", f"{len(pixels):,}, one for each image")
    return pixels, checked


def read_hdf5(path: PathLike, keys: Keys) -> dict[str, Array]:
    """Read numeric arrays from an HDF5 file.

    Args:
        path: the file.
        keys: the names of the arrays; a mapping also gives the required shape of each, where None stands for
            any length from 1.

    Raises:
        ImportError: if h5py is not installed; says how to install it.
        DataFileError: if the file is empty, truncated, damaged or not an HDF5 file, or if a key is missing or
            holds something of another shape or dtype.
        OSError: if it can't be opened.

    >>> import h5py, tempfile
    >>> path = Path(tempfile.mkdtemp(), "random.hdf5")
    >>> with h5py.File(path, "w") as file:
    ...     file["human"] = np.ones((3, 20))
    >>> read_hdf5(path, {"human": (None, 20)})["human"].shape
    (3, 20)
    """
    h5py = require("h5py")
    with open(path, "rb") as file:  # first, for the usual reasons why a file can't be read
        head = file.read(8)
    if not h5py.is_hdf5(path):
        found = f"the first bytes {head.hex(' ')} ({head!r})" if head else "an empty file"
        raise DataFileError(path, found, "an HDF5 file")
    try:
        with h5py.File(path, "r") as file:
            return {key: _read_key(path, file, key, keys) for key in keys}
    except (OSError, RuntimeError) as error:
        raise DataFileError(path, f"a truncated or damaged HDF5 file ({error})", "a whole one") from error


def _read_key(path: PathLike, file: Any, key: str, keys: Keys) -> Array:
    if key not in file:
        present = ", ".join(map(repr, file)) or "none"
        raise DataFileError(path, f"the keys {present}", f"a key {key!r}")
    shape, dtype = getattr(file[key], "shape", None), getattr(file[key], "dtype", None)
    if shape is None or dtype is None or dtype.kind not in "buif":
        what = "a group" if dtype is None else f"{dtype} values"
        raise DataFileError(path, f"{what} under key {key!r}", "an array of numbers")
    wanted = keys[key] if isinstance(keys, Mapping) else (None,) * len(shape)
    lengths = zip(shape, wanted, strict=False)
    if len(shape) != len(wanted) or not all(n > 0 if want is None else n == want for n, want in lengths):
        letters = ", ".join("N" if want is None else str(want) for want in wanted)
        letters += "," if len(wanted) == 1 else ""
        raise DataFileError(path, f"shape {shape} under key {key!r}", f"({letters})")
    return np.asarray(file[key][()])


def read_course(path: PathLike) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read a course file: ``xdata`` ``(N, 784)`` in pixel/256 (not 255), ``ydata`` ``(N, 10)`` one-hot.

    Returns:
        The pixels ``(N, 28, 28)`` and the labels ``(N,)``. Pixel/256 is exact in float32, so ``xdata`` can be
        restored bit for bit.

    Raises:
        DataFileError: as `read_hdf5` does, and for values that are not pixel/256, rows that are not one-hot,
            or different numbers of rows.
    """
    arrays = read_hdf5(path, {"xdata": (None, 784), "ydata": (None, 10)})
    x, y = arrays["xdata"], arrays["ydata"]
    if len(x) != len(y):
        raise DataFileError(path, f"{len(x):,} rows of 'xdata' and {len(y):,} of 'ydata'", "the same number")
    pixels = np.empty((len(x), 28, 28), dtype=np.uint8)
    for start in range(0, len(x), 1000):  # in pieces that stay in the cache
        piece, into = x[start : start + 1000], pixels[start : start + 1000].reshape(-1, 784)
        with np.errstate(invalid="ignore"):
            into[...] = piece * COURSE_SCALE
        wrong = np.flatnonzero((into / np.float32(COURSE_SCALE) != piece).any(axis=1))
        if wrong.size:
            raise DataFileError(
                path,
                f"other values in row {start + wrong[0]} of 'xdata'",
                f"pixel/{COURSE_SCALE}, from 0 to {255 / COURSE_SCALE}",
            )
    wrong = np.flatnonzero(~(((y == 0) | (y == 1)).all(axis=1) & (y.sum(axis=1) == 1)))
    if wrong.size:
        row = np.array2string(y[wrong[0]], max_line_width=200)
        found = f"row {wrong[0]} of 'ydata' is {row} ({wrong.size} such rows)"
        raise DataFileError(path, found, "one 1 and nine 0")
    return pixels, y.argmax(axis=1).astype(np.int64)
