"""Operations that compare elements, or select some of them.

Values at ties and edges are torch's: ``maximum`` halves a tie, ``clamp'`` is 1 at its bounds.
https://docs.pytorch.org/docs/stable/torch.html#comparison-ops
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.dtypes import as_numpy
from minigrad.engine import Node, edge_to
from minigrad.grad_mode import grad_mode, recording
from minigrad.kernels.memory import masked
from minigrad.ops.convert import contiguous
from minigrad.ops.record import Draw, F, Operand, OperandOrNumber, composed, operation, renamed
from minigrad.tensor import Tensor
from minigrad.views import blank


@operation(
    {"input": lambda g, condition: where(condition, g, 0.0), "other": lambda g, condition: where(condition, 0.0, g)},
    promotes=True,
    methods=[],
    sample=lambda d: (d.mask(shape := d.shape()), d.array(shape), d.array(shape)),
)
def where(condition: Operand, input: OperandOrNumber, other: OperandOrNumber) -> Any:
    """`input` where `condition` holds, else `other`; all three broadcast.

    >>> import minigrad
    >>> x = minigrad.tensor([-1.0, 2.0])
    >>> minigrad.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if condition.dtype != bool:
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype}"
        )
    if _is_zero(other) and isinstance(input, np.ndarray):
        return masked(input, condition)
    if _is_zero(input) and isinstance(other, np.ndarray):
        return masked(other, ~condition)
    return np.where(condition, input, other)


def _is_zero(x: Any) -> bool:
    return isinstance(x, float) and x == 0 and math.copysign(1.0, x) > 0


@composed(in_place=True, sample=lambda d: (d.array(shape := d.shape()), d.mask(shape), 2.0), out=False)
def masked_fill(input: Operand, mask: Operand, value: OperandOrNumber) -> Any:
    """`input` with `value` where `mask` holds.

    Raises:
        RuntimeError: if the value is not a scalar, or `input`'s dtype can't hold it.
    """
    dtype = input.dtype
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    if not dtype.is_complex and (value.dtype.is_complex if isinstance(value, Tensor) else isinstance(value, complex)):
        raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow")
    fill = value.astype(dtype) if isinstance(value, Tensor) else dtypes.number(value, as_numpy(dtype)).item()
    return where(contiguous(mask), fill, contiguous(input))


# ---- maximum, minimum, clamp -----------------------------------------------------------------------------


def binary(input: Any, other: Any, *methods: str, sample: Any = None, **options: Any) -> Callable[[F], F]:
    """An operation on two operands of one dtype: the gradient of each, further names, and `operation`'s options."""

    def register(forward: F) -> F:
        settings = {"promotes": True, "sample": sample or (lambda d: d.operands(2)), **options}
        rules, own = {"input": input, "other": other}, [forward.__name__, *methods]
        return operation(rules, methods=own, **settings)(forward)

    return register


def _to_winner(g: Any, winner: Any, loser: Any) -> Any:
    return where(winner < loser, 0.0, where(winner == loser, g * 0.5, g))


def _apart(d: Draw) -> tuple[Any, ...]:
    return d.operands(2, distinct=True)


@binary(
    lambda g, input, other: _to_winner(g, input, other),
    lambda g, input, other: _to_winner(g, other, input),
    sample=_apart,
)
def maximum(input: Operand, other: Operand) -> Any:
    """The larger of two; a tie halves the gradient.

    >>> import minigrad
    >>> minigrad.maximum(minigrad.tensor([1.0, 5.0]), minigrad.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """
    return np.maximum(input, other)


@binary(
    lambda g, input, other: _to_winner(g, other, input),
    lambda g, input, other: _to_winner(g, input, other),
    sample=_apart,
)
def minimum(input: Operand, other: Operand) -> Any:
    """The smaller of two; a tie halves the gradient."""
    return np.minimum(input, other)


@operation(
    {
        "input": lambda g, input, min, max: where(_inside(input, min, max), g, 0.0),
        "min": lambda g, input, min, max: where(_binds_below(input, min, max), g, 0.0),
        "max": lambda g, input, min, max: where(_binds_above(input, min, max), g, 0.0),
    },
    methods=["clamp", "clip"],
    in_place=True,
    sample=lambda d: (d.array(kinks=(-1.0, 1.0)), d.choice([-1.0, None]), 1.0),
)
def clamp(input: Operand, min: OperandOrNumber = None, max: OperandOrNumber = None) -> Any:
    """`input` clamped to [`min`, `max`] (either may be None); the derivative is 1 at the bounds, 0 outside.

    >>> import minigrad
    >>> minigrad.tensor([-2.0, 0.5, 2.0]).clamp(-1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    dtype = dtypes.result_type([b for b in (input, min, max) if b is not None])
    result = input.astype(dtype, copy=False)
    for bound, bounded in ((min, np.maximum), (max, np.minimum)):
        if bound is not None:
            result = bounded(result, dtypes.number(bound, dtype))
    return result


def _inside(input: Any, low: Any, high: Any) -> Any:
    if low is None:
        return input <= high
    return input >= low if high is None else (input >= low) & (input <= high)


def _binds_below(input: Any, low: Any, high: Any) -> Any:
    return input < low if high is None else (input < low) & (low < high)


def _binds_above(input: Any, low: Any, high: Any) -> Any:
    return input > high if low is None else (input > high) | (high < low)


@composed(sample=lambda d: (d.array(kinks=(0.5,)), 0.5), in_place=True)
def clamp_min(input: Operand, min: OperandOrNumber) -> Any:
    """`input`, at least `min`."""
    return clamp(input, min, None)


@composed(sample=lambda d: (d.array(kinks=(0.5,)), 0.5), in_place=True)
def clamp_max(input: Operand, max: OperandOrNumber) -> Any:
    """`input`, at most `max`."""
    return clamp(input, None, max)


# ---- predicates ------------------------------------------------------------------------------------------


def predicate(function: Any, *methods: str, **options: Any) -> Callable[[Any], Any]:
    """A NumPy function of one or two arguments, without a gradient, as an operation with these further `methods`."""

    def register(declared: Any) -> Any:
        def unary(input: Any) -> Any:
            return function(input)

        def binary(input: Any, other: Any) -> Any:
            return function(input, other)

        two = declared.__code__.co_argcount == 2
        settings: dict[str, Any] = {"promotes": ("input", "other"), "sample": lambda d: d.operands(2)} if two else {}
        record = operation(methods=[declared.__name__, *methods], **{**settings, **options})
        return record(functools.wraps(declared)(binary if two else unary))

    return register


def _nothing(wanted: Any, g: Any) -> list[Any]:
    return [want and blank(g) for want in wanted]


def _in_place(name: str, compare: Any, composed: bool) -> Any:
    """In place, so that floats stay floats: gradients of 0 flow to both, or (as torch has it) nothing is recorded."""
    recorded = not name.startswith("logical")

    @functools.wraps(compare)
    def method(self: Tensor, *other: Any) -> Tensor:
        result = compare(self, *other)
        edges = [edge_to(x) for x in (self, *other) if isinstance(x, Tensor) and x.requires_grad]
        if recorded and edges and self.is_floating_point():
            result = Tensor.wrap(result.array.astype(self.array.dtype), Node("CopyBackwards", _nothing, edges))
        with recording(recorded and grad_mode.enabled):
            return self.assign(result)

    return renamed(method, f"{name}_", f"`minigrad.{name}`, in place.")


@predicate(np.equal, "__eq__", in_place=_in_place)
def eq(input: Operand, other: OperandOrNumber) -> Any:
    """Whether elements are equal."""


@predicate(np.not_equal, "__ne__", in_place=_in_place)
def ne(input: Operand, other: OperandOrNumber) -> Any:
    """Whether elements differ."""


@predicate(np.less, "__lt__", in_place=_in_place)
def lt(input: Operand, other: OperandOrNumber) -> Any:
    """Whether `input` is less than `other`."""


@predicate(np.less_equal, "__le__", in_place=_in_place)
def le(input: Operand, other: OperandOrNumber) -> Any:
    """Whether `input` is at most `other`."""


@predicate(np.greater, "__gt__", in_place=_in_place)
def gt(input: Operand, other: OperandOrNumber) -> Any:
    """Whether `input` is greater than `other`."""


@predicate(np.greater_equal, "__ge__", in_place=_in_place)
def ge(input: Operand, other: OperandOrNumber) -> Any:
    """Whether `input` is at least `other`."""


@predicate(np.logical_and, in_place=_in_place)
def logical_and(input: Operand, other: Operand) -> Any:
    """Whether both are true (not 0)."""


@predicate(np.logical_or, in_place=_in_place)
def logical_or(input: Operand, other: Operand) -> Any:
    """Whether at least one is true (not 0)."""


@predicate(np.logical_xor, in_place=_in_place)
def logical_xor(input: Operand, other: Operand) -> Any:
    """Whether exactly one is true (not 0)."""


@predicate(np.logical_not, in_place=_in_place)
def logical_not(input: Operand) -> Any:
    """Whether elements are false (0)."""


@predicate(np.isnan, out=False)
def isnan(input: Operand) -> Any:
    """Whether elements are nan."""


@predicate(np.isinf, out=False)
def isinf(input: Operand) -> Any:
    """Whether elements are infinite."""


@predicate(np.isfinite, out=False)
def isfinite(input: Operand) -> Any:
    """Whether elements are neither infinite nor nan."""


# ---- bits ------------------------------------------------------------------------------------------------


def _masks(d: Draw) -> tuple[Any, ...]:
    shape = d.shape()
    return d.mask(shape), d.mask(shape)


@predicate(np.bitwise_and, "__and__", in_place=True, sample=_masks)
def bitwise_and(input: OperandOrNumber, other: OperandOrNumber) -> Any:
    """Bitwise and of integers; logical of booleans."""


@predicate(np.bitwise_or, "__or__", in_place=True, sample=_masks)
def bitwise_or(input: OperandOrNumber, other: OperandOrNumber) -> Any:
    """Bitwise or of integers; logical of booleans."""


@predicate(np.bitwise_xor, "__xor__", in_place=True, sample=_masks)
def bitwise_xor(input: OperandOrNumber, other: OperandOrNumber) -> Any:
    """Bitwise xor of integers; logical of booleans."""


@predicate(np.invert, "__invert__", sample=lambda d: _masks(d)[:1], in_place=True)
def bitwise_not(input: Operand) -> Any:
    """Bitwise not of integers; logical of booleans."""
