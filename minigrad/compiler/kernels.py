"""Operations written into buffers: the same ufuncs and products as in `minigrad.ops`, with ``out=``.

A kernel gets the `Builder`, the result's place and the arguments, and writes lines. It returns False, having written
none, where it does not apply. Here is what the operation's own text does not show (`minigrad.compiler.tracing`), or
what can be done better once buffers stay in their place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minigrad.compiler.builder import Builder
from minigrad.compiler.recorder import Call, Value
from minigrad.compiler.tracing import traced
from minigrad.engine import Array
from minigrad.kernels import products
from minigrad.ops.dropout import draw_mask
from minigrad.ops.linalg import affine
from minigrad.ops.record import registry

Kernel: TypeAlias = Callable[..., bool]  #: ``kernel(builder, *results, *args)``
KERNELS: dict[Callable[..., Any], Kernel] = {}


def written(b: Builder, call: Call) -> bool:
    """Write the lines of a call, if there is a way to do it in buffers."""
    kernel = KERNELS.get(call.function)
    return (kernel is not None and kernel(b, *call.results, *call.args)) or traced(b, call)


def kernel(*functions: Callable[..., Any]) -> Callable[[Kernel], Kernel]:
    """Register the kernel of some functions."""

    def register(write: Kernel) -> Kernel:
        KERNELS.update(dict.fromkeys(functions, write))
        return write

    return register


def forward(name: str) -> Callable[..., Any]:
    """The function of an operation."""
    return registry[name].forward


def rule(name: str, input: str) -> Callable[..., Any]:
    """The gradient rule of one of its inputs."""
    return registry[name].gradients[input]


# ---- shapes -------------------------------------------------------------------------------------------------


@kernel(forward("clone"))
def _clone(b: Builder, out: Value, x: Value) -> bool:
    b.line(np.copyto, b.out(out), x)
    return True


@kernel(forward("_reshape"), rule("_reshape", "input"))
def _reshape(b: Builder, out: Value, x: Value, shape: Any) -> bool:
    array = b.fixed(x)
    if array is not None and np.shares_memory(view := array.reshape(out.example.shape), array):
        b.fix(out, view, of=x)
        return True
    if np.may_share_memory(out.example, x.example):
        return False
    b.line(np.copyto, b.view(b.out(out).reshape(x.example.shape)), x)
    return True


@kernel(forward("_cat"))
def _cat(b: Builder, out: Value, saved: Value, tensors: list[Value], dim: int) -> bool:
    b.fix(saved, saved.example)
    b.line(np.concatenate, tensors, dim, b.out(out))
    return True


# ---- products -----------------------------------------------------------------------------------------------


@kernel(forward("linear"))
def _linear(b: Builder, out: Value, x: Value, weight: Value, bias: Value | None) -> bool:
    if x.example.ndim != 2 or not alike_dtypes(out, x, weight):
        return False
    y = b.out(out)
    # laid out as `affine` does it: OpenBLAS rounds otherwise into another order
    turned = b.room(np.empty(y.shape[::-1], y.dtype)) if len(x.example) < len(weight.example) else None
    if products.piece(x.example, weight.example.T):
        b.line(affine, x, weight, bias, turned, out=y)
    elif turned is None:
        b.line(np.matmul, x, b.transposed(weight), out=y)
        if bias is not None:
            b.line(np.add, y, bias, out=y)
    else:
        b.line(np.matmul, weight, b.transposed(x), out=turned)
        if bias is None:
            b.line(np.copyto, y, b.view(turned.T))
        else:
            b.line(np.add, b.view(turned.T), bias, out=y)
    if turned is not None:
        b.give(turned)
    return True


@kernel(rule("linear", "input"))
def _linear_input(b: Builder, out: Value, g: Value, weight: Value) -> bool:
    if g.example.ndim != 2 or not alike_dtypes(out, g, weight):
        return False
    b.line(product(g.example, weight.example), g, weight, out=b.out(out))
    return True


@kernel(rule("linear", "weight"))
def _linear_weight(b: Builder, out: Value, g: Value, x: Value) -> bool:
    if g.example.ndim != 2 or not alike_dtypes(out, g, x):
        return False
    function = np.multiply if len(g.example) == 1 else product(g.example.T, x.example)
    b.line(function, b.transposed(g), x, out=b.out(out))
    return True


@kernel(rule("linear", "bias"))
def _linear_bias(b: Builder, out: Value, g: Value) -> bool:
    if g.example.ndim != 2 or not alike_dtypes(out, g):
        return False
    b.line(np.matmul, b.view(np.ones(len(g.example), g.example.dtype)), g, out=b.out(out))
    return True


# ---- losses -------------------------------------------------------------------------------------------------


@kernel(np.ones_like)
def _ones_like(b: Builder, out: Value, x: Value) -> bool:
    b.fix(out, np.ones_like(out.example))
    return True


@kernel(np.zeros)
def _zeros(b: Builder, out: Value, shape: Any, kind: Any) -> bool:
    b.line(np.copyto, b.out(out), np.zeros((), out.example.dtype))
    return True


class Softmax(NamedTuple):
    """What the kernel of `_softmax_nll` keeps, in the place of ``saved``."""

    probabilities: Array
    places: Array  #: where the targets lie among them, flattened


@kernel(forward("_softmax_nll"))
def _softmax_nll(b: Builder, out: Value, saved: Value, x: Value, target: Value, count: int) -> bool:
    if not alike_dtypes(out, x):
        return False
    n, classes = x.example.shape
    kind = x.example.dtype
    z, e = np.empty((n, classes), kind), np.empty((n, classes), kind)
    column, losses, picked = np.empty((n, 1), kind), np.empty(n, kind), np.empty(n, kind)
    starts, places = np.arange(0, n * classes, classes), np.empty(n, np.int64)
    b.fix(saved, Softmax(e, places))
    b.line(np.maximum.reduce, x, axis=1, keepdims=True, out=column)
    b.line(np.subtract, x, column, out=z)
    b.line(np.exp, z, out=e)
    b.line(np.add.reduce, e, axis=1, keepdims=True, out=column)
    b.line(np.log, b.view(column[:, 0]), out=losses)
    b.line(np.add, starts, target, out=places)
    b.line(np.take, b.view(z.reshape(-1)), places, None, picked, "clip")
    b.line(np.subtract, losses, picked, out=losses)
    b.line(np.divide, e, column, out=e)
    total = b.out(out)
    b.line(np.add.reduce, losses, out=total)
    b.line(np.divide, total, kind.type(count), out=total)
    return True


@kernel(rule("_softmax_nll", "input"))
def _softmax_nll_input(b: Builder, out: Value, g: Value, x: Value, target: Value, count: int, saved: Value) -> bool:
    kept = b.fixed(saved)
    if not isinstance(kept, Softmax) or not alike_dtypes(out, g) or b.used_again(saved):
        return False  # (a second walk of the same graph needs the probabilities once more)
    share = np.empty((), out.example.dtype)
    b.line(np.divide, g, count, out=share)
    b.line(np.multiply, kept.probabilities, share, out=kept.probabilities)
    b.line(subtract_at, kept.probabilities.reshape(-1), kept.places, share)
    b.fix(out, kept.probabilities)
    return True


def check_probabilities(p: Array, losses: Array) -> None:
    """Object to numbers outside [0, 1], as the operation does: of these a logarithm is nan."""
    suspect = math.isnan(np.add.reduce(losses, axis=None))
    if suspect and not (np.minimum.reduce(p, axis=None) >= 0 and np.maximum.reduce(p, axis=None) <= 1):
        raise RuntimeError("all elements of input should be between 0 and 1")


def subtract_at(x: Array, places: Array, share: Array) -> None:
    """``x[places] -= share``."""
    x[places] -= share


@kernel(forward("_binary_cross_entropy"))
def _bce(b: Builder, out: Value, p: Value, target: Value) -> bool:
    if not alike(out, p, target) or not p.example.size:
        return False
    losses, others = b.out(out), b.room(out.example)
    b.line(np.negative, p, out=losses)
    b.line(np.log1p, losses, out=losses)
    b.line(np.maximum, losses, np.asarray(-100, losses.dtype), out=losses)
    b.line(np.subtract, target, one(p), out=others)
    b.line(np.multiply, others, losses, out=losses)
    b.line(np.log, p, out=others)
    b.line(np.maximum, others, np.asarray(-100, losses.dtype), out=others)
    b.line(np.multiply, target, others, out=others)
    b.line(np.subtract, losses, others, out=losses)
    b.line(check_probabilities, p, losses)
    b.give(others)
    return True


# ---- dropout ------------------------------------------------------------------------------------------------


@kernel(forward("_dropout_mask"))
def _mask(b: Builder, out: Value, x: Value, shape: Any, p: float) -> bool:
    b.line(draw_mask, p, b.out(out))
    return True


# ---- what they ask ------------------------------------------------------------------------------------------


def one(like: Value) -> Array:
    """1 in the dtype of a value: ufuncs take it faster than Python's number."""
    return np.ones((), like.example.dtype)


def product(a: Array, b: Array) -> Callable[..., Array]:
    """What multiplies such matrices; `products.product` takes a moment to decide how."""
    return products.product if products.piece(a, b) else np.matmul


def alike(*values: Any) -> bool:
    """Whether all are arrays of floats of one dtype and shape."""
    return alike_dtypes(*values) and len({v.example.shape for v in values}) == 1


def alike_dtypes(*values: Any) -> bool:
    """Whether all are arrays of floats of one dtype."""
    return all(isinstance(v, Value) for v in values) and (
        len({v.example.dtype for v in values}) == 1 and values[0].example.dtype.kind == "f"
    )
