"""``out=``: the result of an operation is written into a given tensor."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minigrad import watch
from minigrad.engine import Array
from minigrad.grad_mode import grad_mode
from minigrad.tensor import Tensor

NONE = {"activation", "dropout", "recurrence", "shape"}  #: the families whose functions have no `out` in torch
SAME_DTYPE = {"gathering", "indexing", "linalg", "triangles"}  #: those whose `out` must have the result's dtype
APART = {"gathering", "indexing", "joining"}  #: those whose `out` must not be an input


def into(name: str, family: str, out: Any, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """``call(*args, **kwargs)``, written into `out`: a tensor, or a tuple of them for several results.

    Raises:
        TypeError: if `out` is anything else.
        RuntimeError: if a gradient is required, the dtype is wrong, or `out` overlaps an input.
    """
    given = out if isinstance(out, (tuple, list)) else (out,)
    for x in given:
        if not isinstance(x, Tensor):
            raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(x).__name__}")
    inputs = list(tensors((*args, *kwargs.values())))
    if grad_mode.enabled and any(x.requires_grad for x in (*inputs, *given)):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    result, apart = call(*args, **kwargs), family in APART
    results = result if isinstance(result, tuple) else (result,)
    if len(results) != len(given) or isinstance(result, tuple) != isinstance(out, (tuple, list)):
        raise TypeError(f"{name}(): argument 'out' must be {len(results)} Tensor{'s' * (len(results) > 1)}")
    for x, y in zip(given, results, strict=True):
        if family in SAME_DTYPE and x.dtype != y.dtype:
            raise RuntimeError(f"{name}(): Expected out tensor to have dtype {y.dtype}, but got {x.dtype} instead")
        if any(overlap(x.array, other.array, apart) or (x is other and apart) for other in inputs):
            raise RuntimeError(
                f"{name}(): unsupported operation: some elements of the input tensor and the written-to tensor refer "
                "to a single memory location. Please clone() the tensor before performing the operation."
            )
        write(x, y)
    return type(result)(*given) if hasattr(result, "_fields") else out


def tensors(values: Sequence[Any]) -> Iterator[Tensor]:
    """The tensors among arguments, including those in lists."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from tensors(value)


def overlap(out: Array, input: Array, apart: bool) -> bool:
    """Whether they share memory in a way that torch refuses: at all (`apart`), or partially."""
    if out.shape == input.shape and out.strides == input.strides and out.ctypes.data == input.ctypes.data:
        return apart
    return (apart or out.shape == input.shape) and np.shares_memory(out, input)


def write(out: Tensor, result: Tensor, warns: bool = True) -> Tensor:
    """Write `result` into `out`, which takes its shape.

    Raises:
        RuntimeError: if it has another shape, but shares its memory with other tensors.
    """
    if out.array.shape != result.array.shape and out.array.flags.writeable:
        if out.array.size and out.array.base is not None:
            raise RuntimeError(
                f"Trying to resize storage that is not resizable: others share it (for {list(out.shape)})"
            )
        if out.array.size and warns:
            warnings.warn(
                f"An output with one or more elements was resized since it had shape {list(out.shape)}, which does not "
                f"match the required output shape {list(result.shape)}. This behavior is deprecated, and in a future "
                "PyTorch release outputs will not be resized unless they have zero elements. You can explicitly reuse "
                "an out tensor t by resizing it, inplace, to zero elements with t.resize_(0).",
                stacklevel=4,
            )
        watch.read("out= takes another shape")
        out.array = np.empty(result.array.shape, out.array.dtype)
    return out.assign(result)
