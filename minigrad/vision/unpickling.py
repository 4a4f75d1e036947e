"""Reading untrusted pickles: plain values and NumPy arrays of numbers, and nothing that could run code.

`pickle.load` calls any function that a pickle names. Here a pickle may name only what NumPy's arrays are made of, and
even for that our own stand-ins are called, which only store and check values.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def unpickle(data: bytes) -> Any:
    """The value of a pickle of plain values: a dict of arrays and lists, say.

    The dict's keys are str, also where they were bytes or Python 2's strings; other strings of Python 2 are
    bytes. Arrays are read where they are the pickle's value or one of its dict's values.

    Raises:
        pickle.UnpicklingError: if the pickle is incomplete, or names anything else, which is not run.

    >>> unpickle(pickle.dumps({b"labels": [3, 1], "data": np.eye(2)}))["labels"]
    [3, 1]
    >>> unpickle(pickle.dumps(print))
    Traceback (most recent call last):
    _pickle.UnpicklingError: builtins.print is not allowed in a data file
    """
    try:
        value = _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # broken pickles end in errors of about any type
        raise pickle.UnpicklingError(f"{type(error).__name__}: {error}") from error
    if isinstance(value, dict):
        return {_text(key): _plain(item) for key, item in value.items()}
    return _plain(value)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        function = ALLOWED.get((module, name))
        if function is None:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a data file")
        return lambda *args: function(*args)  # a new function: a pickle can set attributes of it


class _DType:
    """Stands in for `numpy.dtype`."""

    def __init__(self, code: Any, align: Any = False, copy: Any = False) -> None:
        self.code, self.order = _text(code), "="

    def __setstate__(self, state: Any) -> None:
        self.order = _text(state[1])

    @property
    def numpy(self) -> np.dtype[Any]:
        dtype = np.dtype(self.code)
        if dtype.kind not in "buif":
            raise pickle.UnpicklingError(f"arrays of {self.code!r} are not allowed in a data file")
        return dtype.newbyteorder(">" if self.order == ">" else "<" if self.order == "<" else "=")


class _Array:
    """Stands in for `numpy.ndarray`."""

    array: NDArray[Any] | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, raw = state
        self.fill(raw, dtype, shape, "F" if fortran else "C")

    def fill(self, raw: bytes | bytearray, dtype: _DType, shape: tuple[int, ...], order: Any) -> None:
        stored = dtype.numpy
        if min(shape, default=0) < 0 or math.prod(shape) * stored.itemsize != len(raw):
            raise pickle.UnpicklingError(f"{len(raw):,} bytes for an array {shape} of {stored}")
        self.array = np.frombuffer(raw, stored).reshape(shape, order="F" if order == "F" else "C")


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _frombuffer(raw: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    result = _Array()
    result.fill(raw, dtype, shape, order)
    return result


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"the encoding {encoding!r} is not allowed in a data file")
    return text.encode("latin1")


def _text(value: Any) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    if not isinstance(value, _Array):
        return value
    if value.array is None:
        raise pickle.UnpicklingError("an array without values")
    return value.array


#: What a pickle may name: Python 2's and 3's way to write bytes, NumPy 1's and 2's to write arrays.
ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    ("_codecs", "encode"): _encode,
    ("numpy", "dtype"): _DType,
    ("numpy", "ndarray"): _reconstruct,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _frombuffer for core in ("core", "_core")},
}
