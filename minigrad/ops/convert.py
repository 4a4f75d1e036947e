"""Conversions between dtypes, and copies; gradients flow through both."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.dtypes import LEGACY, DTypeLike, as_numpy
from minigrad.kernels.memory import copied
from minigrad.ops.record import Operand, operation, renamed
from minigrad.tensor import Tensor, device


@operation(
    {"input": lambda g, source: g.astype(source)},
    grad_fn="ToCopyBackward0",
    sample=lambda d: (d.array(), np.dtype("float64"), np.dtype("float64")),
)
def _cast(input: Any, dtype: Any, source: Any) -> Any:
    """`input` in another NumPy dtype; its gradient has the old one."""
    return copied(input, dtype) if 0 in input.strides else input.astype(dtype)


@operation(sample=lambda d: (d.array(), np.dtype("int64")))
def _rounded(input: Any, dtype: Any) -> Any:
    """`input` in a NumPy dtype of integers: no gradient passes."""
    return copied(input, dtype) if 0 in input.strides else input.astype(dtype)


@operation({"input": lambda g: g}, out=False)
def clone(input: Operand, memory_format: str | None = None) -> Any:
    """A copy with the same memory layout; row-major if a `memory_format` is given.

    >>> import minigrad
    >>> minigrad.ones(2).clone()
    tensor([1., 1.])
    """
    return np.array(input, order="C") if memory_format and "preserve" not in str(memory_format) else copied(input)


def astype(input: Tensor, dtype: DTypeLike) -> Tensor:
    """`input` in another dtype; `input` itself if it already has that one."""
    wanted = as_numpy(dtype)
    if input.array.dtype == wanted:
        return input
    result: Tensor = _cast(input, wanted, input.array.dtype) if wanted.kind in "fc" else _rounded(input, wanted)
    return result


def wanted_dtype(where: tuple[Any, ...], how: dict[str, Any]) -> DTypeLike | None:
    """The dtype among the arguments of ``to``, if there is one; a device among them must be the CPU."""
    dtype: DTypeLike | None = how.get("dtype")
    if how.get("device") is not None:
        device(how["device"])
    for w in where:
        if isinstance(w, Tensor):
            dtype = w.dtype
        elif isinstance(w, str):
            device(w)
        elif isinstance(w, (dtypes.dtype, type, np.dtype)):
            dtype = w
    return dtype


def to(input: Tensor, *where: Any, **how: Any) -> Tensor:
    """`input` on a device (there is only the CPU), in another dtype, or both; `input` itself if nothing changes.

    >>> import minigrad
    >>> minigrad.arange(2).to(minigrad.float32)
    tensor([0., 1.])
    """
    dtype = wanted_dtype(where, how)
    result = input if dtype is None else astype(input, dtype)
    if "contiguous_format" in str(how.get("memory_format")):
        result = contiguous(result)
    return clone(result) if how.get("copy") and result is input else result


def type_(input: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """`input` in another dtype, or a type's name such as ``"torch.LongTensor"``; without arguments, its type's name.

    Raises:
        ValueError: if there is no type of that name.
    """
    if dtype is None:
        return f"minigrad.{LEGACY.get(input.dtype.name, input.dtype.name.capitalize())}Tensor"
    if isinstance(dtype, str):
        named = {f"{word}Tensor": name for name, word in LEGACY.items()}
        package, _, type_name = dtype.rpartition(".")
        if package not in ("torch", "minigrad") or type_name not in named:
            raise ValueError(f"invalid type: {dtype!r}")
        dtype = np.dtype(named[type_name])
    return astype(input, dtype)


def contiguous(input: Tensor) -> Tensor:
    """`input` with its elements in row-major order in memory; `input` itself if they already are."""
    return input if isinstance(input, np.ndarray) or input.is_contiguous() else clone(input, "contiguous_format")


def type_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` in the dtype of `other`."""
    return astype(input, other.dtype)


def _converter(name: str, dtype: dtypes.dtype) -> Any:
    def method(input: Tensor, *, memory_format: Any = None) -> Tensor:
        return to(input, dtype, memory_format=memory_format)

    return renamed(method, name, f"`input` as {dtype!r}.")


CONVERTERS = {
    "float": dtypes.float32,
    "double": dtypes.float64,
    "half": dtypes.float16,
    "long": dtypes.int64,
    "int": dtypes.int32,
    "short": dtypes.int16,
    "byte": dtypes.uint8,
    "bool": dtypes.bool_,
}
METHODS = {"astype": astype, "to": to, "type": type_, "contiguous": contiguous, "type_as": type_as}

for _name, _function in (METHODS | {name: _converter(name, dtype) for name, dtype in CONVERTERS.items()}).items():
    setattr(Tensor, _name, _function)
