"""Data types under torch's names, and the rules by which operations mix them.

Each wraps a NumPy dtype (``float32.numpy``). Floats are 32-bit unless a call, or `set_default_dtype`, asks for another
dtype.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, TypeAlias

import numpy as np


class dtype:  # noqa: N801 (torch's name)
    """A data type: ``minigrad.float32`` and its siblings.

    >>> import minigrad
    >>> minigrad.float32.is_floating_point, minigrad.float32.itemsize
    (True, 4)
    """

    __slots__ = ("is_complex", "is_floating_point", "itemsize", "name", "numpy")
    known: ClassVar[dict[np.dtype[Any], dtype]] = {}

    def __init__(self, name: str) -> None:
        self.name = name
        self.numpy: np.dtype[Any] = np.dtype(name)
        self.is_floating_point = self.numpy.kind == "f"
        self.is_complex = self.numpy.kind == "c"
        self.itemsize = self.numpy.itemsize
        dtype.known[self.numpy] = self

    def __repr__(self) -> str:
        return f"minigrad.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return named, (self.name,)


bool_ = dtype("bool")
uint8 = dtype("uint8")
int8 = dtype("int8")
int16 = dtype("int16")
int32 = dtype("int32")
int64 = dtype("int64")
float16 = dtype("float16")
float32 = dtype("float32")
float64 = dtype("float64")
complex64 = dtype("complex64")
complex128 = dtype("complex128")

short, long, half, double = int16, int64, float16, float64
default = float32

DTypeLike: TypeAlias = "dtype | np.dtype[Any] | type"


def set_default_dtype(d: dtype) -> None:
    """Set the dtype of new tensors of floats, and of parameters of new layers, for which none is given.

    Raises:
        TypeError: if it is not a floating-point dtype.

    >>> import minigrad
    >>> minigrad.set_default_dtype(minigrad.float64)
    >>> minigrad.nn.Linear(1, 1).weight.dtype
    minigrad.float64
    >>> minigrad.set_default_dtype(minigrad.float32)
    """
    global default
    if not (isinstance(d, dtype) and d.is_floating_point):
        raise TypeError(f"only floating-point types are supported as the default type, not {d}")
    default = d


def get_default_dtype() -> dtype:
    """The dtype of new tensors of floats: float32, unless `set_default_dtype` said otherwise."""
    return default


def named(name: str) -> dtype:
    """The dtype of that name (used by pickle)."""
    return dtype.known[np.dtype(name)]


def as_numpy(wanted: DTypeLike) -> np.dtype[Any]:
    """The NumPy dtype for a dtype of ours, NumPy's, or Python's ``float``, ``int`` and ``bool``.

    Raises:
        TypeError: if it is no data type, or one that tensors do not have.
    """
    if isinstance(wanted, dtype):
        return wanted.numpy
    if wanted is float:
        return float64.numpy
    if wanted is int:
        return int64.numpy
    found = np.dtype(wanted)
    if found not in dtype.known:
        raise TypeError(
            f"can't convert to a tensor of type {found}; the supported types are: {list(dtype.known.values())}"
        )
    return found


def result_type(operands: list[Any]) -> np.dtype[Any]:
    """The dtype that an operation on `operands` (arrays and Python numbers) computes in, by torch's rules.

    Arrays with dimensions determine it; 0-d arrays, then Python numbers, only count if they are of a higher category
    (bool < int < float < complex). https://docs.pytorch.org/docs/stable/tensor_attributes.html

    >>> import numpy as np
    >>> str(result_type([np.ones(2, np.int64), 2.5]))
    'float32'
    """
    ranks: list[list[np.dtype[Any]]] = [[], [], []]
    for operand in operands:
        if isinstance(operand, (np.ndarray, np.generic)):
            ranks[0 if operand.ndim else 1].append(operand.dtype)
        elif isinstance(operand, bool):
            ranks[2].append(bool_.numpy)
        elif isinstance(operand, int):
            ranks[2].append(int64.numpy)
        else:
            ranks[2].append(complex64.numpy if isinstance(operand, complex) else default.numpy)
    result: np.dtype[Any] | None = None
    for rank in ranks:
        for other in rank[1:]:
            rank[0] = promote_types(rank[0], other)
        if rank and (result is None or category(rank[0]) > category(result)):
            result = rank[0] if result is None else promote_types(result, rank[0])
    assert result is not None
    return result


def promote_types(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The smaller dtype that holds both; an integer never widens a float, as in torch."""
    if a == b or (category(a) != category(b) and (a.kind in "fc" or b.kind in "fc") and "c" not in a.kind + b.kind):
        return a if category(a) >= category(b) else b
    return np.promote_types(a, b)


def number(value: Any, dtype: np.dtype[Any]) -> Any:
    """A Python number in a dtype; a negative one as uint8 wraps modulo 256, as in torch.

    Raises:
        RuntimeError: if the dtype can't hold it.
    """
    if isinstance(value, (np.ndarray, np.generic)) or dtype.kind not in "iuf":
        return np.asarray(value).astype(dtype)
    if dtype.kind != "f" or math.isfinite(value):
        need_to_fit(value, value, dtype, isinstance(value, float))
    return np.array(value).astype(dtype)


def need_to_fit(least: Any, largest: Any, dtype: np.dtype[Any], floats: bool) -> None:
    """Raise torch's error if a dtype can't hold these numbers; negative integers wrap as uint8.

    Raises:
        RuntimeError: in words that are torch's.
    """
    limit = (np.finfo if dtype.kind == "f" else np.iinfo)(dtype).max
    lower = 0 if dtype.kind == "u" and floats else -limit - (dtype.kind == "i")
    if not (lower <= least and largest <= limit):
        raise RuntimeError(f"value cannot be converted to type {dtype} without overflow")


def not_implemented(operation: str, dtype_: np.dtype[Any]) -> NotImplementedError:
    """Torch's error for a dtype that an operation does not take."""
    return NotImplementedError(f"\"{operation}\" not implemented for '{LEGACY[dtype_.name]}'")


def category(dtype_: np.dtype[Any]) -> int:
    """0 for bool, 1 for integers, 2 for floats, 3 for complex."""
    return "biufc".index(dtype_.kind) - (dtype_.kind in "ufc")


#: torch's old names of the dtypes, as in `LongTensor` and in its messages.
LEGACY = {"float64": "Double", "float32": "Float", "float16": "Half", "uint8": "Byte", "int8": "Char", "int16": "Short"}
LEGACY |= {"int32": "Int", "int64": "Long", "bool": "Bool", "complex64": "ComplexFloat", "complex128": "ComplexDouble"}
