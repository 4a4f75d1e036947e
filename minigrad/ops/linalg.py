"""Matrix products, and operations that use them.

https://docs.pytorch.org/docs/stable/torch.html#blas-and-lapack-operations
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.dtypes import LEGACY, as_numpy
from minigrad.engine import Array
from minigrad.kernels.products import piece, product
from minigrad.ops.comparison import clamp_min
from minigrad.ops.elementwise import mul
from minigrad.ops.record import Operand, composed, operation
from minigrad.ops.reduction import amax, amin, sum
from minigrad.ops.shape import _permute, expand, movedim, reshape, squeeze, transpose, unsqueeze
from minigrad.ops.statistics import norm
from minigrad.tensor import Tensor


def same_dtype(what: str, a: Any, b: Any) -> None:
    """Check that dtypes are equal: products do not promote.

    Raises:
        RuntimeError: if the dtypes differ.
    """
    if a.dtype != b.dtype:
        names = " != ".join(as_numpy(x.dtype).name for x in (a, b))
        raise RuntimeError(f"expected {what} to have the same dtype, but got: {names}")


def _pair(d: Any) -> tuple[Any, ...]:
    n, m, k = (d.integer(0, 3) for _ in range(3))
    batch = d.choice([((), ()), ((2,), (2,)), ((1,), (2,)), ((3, 1), (2,))])
    return d.array((*batch[0], n, m)), d.array((*batch[1], m, k))


@operation(
    {"input": lambda g, other: _times(g, other.mT), "other": lambda g, input: _times(input.mT, g)},
    torch="matmul",
    grad_fn="MmBackward0",
    sample=_pair,
)
def _matmul(input: Any, other: Any) -> Any:
    """The product of matrices; leading dimensions are broadcast."""
    same_dtype("mat1 and mat2", input, other)
    if input.shape[-1] != other.shape[-2]:
        a, b = ("x".join(map(str, x.shape)) for x in (input, other))
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({a} and {b})")
    return product(input, other)


def _times(a: Any, b: Any) -> Any:
    return product(a, b) if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) else a @ b


def _any_pair(d: Any) -> tuple[Any, ...]:
    n = d.integer(1, 3)
    left = d.choice([(n,), (2, n), (2, 2, n)])
    right = d.choice([(n,), (n, 3), (2, n, 1)])
    return d.array(left), d.array(right)


@composed(methods=["matmul", "__matmul__"], sample=_any_pair)
def matmul(input: Operand, other: Operand) -> Any:
    """The matrix product (..., n, m) @ (..., m, k) → (..., n, k); vectors count as a row or a column.

    Raises:
        RuntimeError: if the inner lengths or the dtypes differ.

    >>> import minigrad
    >>> minigrad.ones(2, 3) @ minigrad.ones(3)
    tensor([3., 3.])
    """
    if input.ndim == 0 or other.ndim == 0:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {input.ndim}D and {other.ndim}D"
        )
    a = unsqueeze(input, 0) if input.ndim == 1 else input
    b = unsqueeze(other, 1) if other.ndim == 1 else other
    out = _matmul(a, b)
    if input.ndim > 1 and other.ndim > 1:
        return out
    shape = out.shape[: out.ndim - 2] + a.shape[-2:-1] * (input.ndim > 1) + b.shape[-1:] * (other.ndim > 1)
    return reshape(out, tuple(shape))


def _exactly(what: str, ndims: tuple[int, int], *operands: Any) -> None:
    for i, (x, n) in enumerate(zip(operands, ndims, strict=True)):
        if x.ndim != n:
            words = {1: "a vector", 2: "a matrix", 3: "a 3D tensor"}
            raise RuntimeError(f"{what}: argument {i + 1} must be {words[n]}, but it has shape {list(x.shape)}")


@composed(sample=lambda d: (d.array((2, 3)), d.array((3, 4))))
def mm(input: Operand, mat2: Operand) -> Any:
    """The product of two matrices (n, m) @ (m, k) → (n, k)."""
    _exactly("mm", (2, 2), input, mat2)
    return _matmul(input, mat2)


@composed(sample=lambda d: (d.array((2, 2, 3)), d.array((2, 3, 1))))
def bmm(input: Operand, mat2: Operand) -> Any:
    """The products of two batches of matrices (b, n, m) @ (b, m, k) → (b, n, k)."""
    _exactly("bmm", (3, 3), input, mat2)
    if input.shape[0] != mat2.shape[0]:
        raise RuntimeError(f"bmm: the batches have different sizes, {input.shape[0]} and {mat2.shape[0]}")
    return _matmul(input, mat2)


@composed(sample=lambda d: (d.array((2, 3)), d.array((3,))))
def mv(input: Operand, vec: Operand) -> Any:
    """The product of a matrix and a vector (n, m) @ (m,) → (n,)."""
    _exactly("mv", (2, 1), input, vec)
    return matmul(input, vec)


@composed(sample=lambda d: (d.array((3,)), d.array((3,))))
def dot(input: Operand, other: Operand) -> Any:
    """The inner product of two vectors (n,) · (n,) → ()."""
    _exactly("dot", (1, 1), input, other)
    if input.shape != other.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{input.shape[0]}] and src [{other.shape[0]}] to have the same "
            "number of elements"
        )
    return matmul(input, other)


@composed(methods=["outer", "ger"], sample=lambda d: (d.array((3,)), d.array((2,))))
def outer(input: Operand, vec2: Operand) -> Any:
    """The outer product of two vectors (n,), (m,) → (n, m)."""
    _exactly("outer", (1, 1), input, vec2)
    return mul(unsqueeze(input, 1), vec2)


@composed(sample=lambda d: (d.array((2, 4)), d.array((2, 3)), d.array((3, 4))), in_place=True)
def addmm(input: Operand, mat1: Operand, mat2: Operand, *, beta: complex = 1, alpha: complex = 1) -> Any:
    """``beta * input + alpha * (mat1 @ mat2)``."""
    product = mm(mat1, mat2)
    ours, theirs = (LEGACY[as_numpy(x.dtype).name] for x in (input, mat2))
    if ours != theirs:
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {ours} and {theirs}")
    input = expand(input, product.shape)
    return (input if beta == 1 else input * beta) + (product if alpha == 1 else product * alpha)


@composed(sample=lambda d: (d.array((3, 3)),), out=False)
def trace(input: Operand) -> Any:
    """The sum of a matrix's diagonal."""
    _exactly("trace", (2,), input)  # type: ignore[arg-type]
    return sum(input.diagonal())


def _nuclear_sample(d: Any) -> tuple[Any, ...]:
    return (np.diag(np.linspace(1.0, 2.0, 3)) + 0.2 * d.array((3, 3), low=-0.5, high=0.5, kinks=(0.0,)),)


@composed(
    methods=[], torch="linalg.matrix_norm", sample=lambda d: (*_nuclear_sample(d), d.choice(["nuc", 1, -math.inf]))
)
def matrix_norm(input: Operand, ord: float | str = "fro", dim: Sequence[int] = (-2, -1), keepdim: bool = False) -> Any:
    """The norm of matrices: ``"fro"``, the root of the sum of squares, or ``"nuc"``, the sum of the singular values;
    1 or -1, the largest or smallest sum of a column's absolute values; inf or -inf, that of a row's.

    The nuclear norm is ``<A, P>`` with A = P H the polar decomposition; P is found by the Newton-Schulz iteration
    X ← X (3 - Xᵀ X) / 2 (Higham, Functions of Matrices, section 8.3), which gradients pass through.

    Raises:
        RuntimeError: if `input` is not a matrix.
        NotImplementedError: for another norm.

    >>> import minigrad
    >>> minigrad.linalg.matrix_norm(minigrad.tensor([[3.0, 0.0], [0.0, -4.0]]), "nuc")
    tensor(7.)
    """
    if input.ndim < 2:
        raise RuntimeError(f"linalg.matrix_norm: The input tensor A must have at least 2 dimensions, not {input.ndim}")
    if len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {', '.join(map(str, dim))}")
    rows, columns = (d % input.ndim for d in dim)
    if ord == "fro":
        return norm(input, 2, (rows, columns), keepdim)
    if ord in (1, -1, math.inf, -math.inf):
        added, compared = (rows, columns) if ord in (1, -1) else (columns, rows)
        chosen = (amax if ord > 0 else amin)(sum(input.abs(), added, True), compared, True)
        return chosen if keepdim else squeeze(chosen, (rows, columns))
    if ord != "nuc":
        raise NotImplementedError(f"linalg.matrix_norm: ord={ord!r} is not supported")
    a = movedim(input, (rows, columns), (-2, -1))
    a = a if a.shape[-2] >= a.shape[-1] else transpose(a, -2, -1)
    x = a / clamp_min(norm(a, 2, (-2, -1), True), np.finfo(as_numpy(a.dtype)).tiny)
    identity = np.eye(a.shape[-1], dtype=as_numpy(a.dtype))
    for _ in range(POLAR_STEPS):
        x = _matmul(x, 1.5 * identity - 0.5 * _matmul(transpose(x, -2, -1), x))
    total = sum(a * x, (-2, -1))
    return unsqueeze(unsqueeze(total, min(rows, columns)), max(rows, columns)) if keepdim else total


POLAR_STEPS = 40  #: each makes small singular values 1.5 times larger: enough for values that differ by 10^5


def _rows(x: Any) -> Any:
    """All leading dimensions merged into one."""
    return x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))


def _linear_sample(d: Any) -> tuple[Any, ...]:
    n, m = d.integer(1, 3), d.integer(1, 4)
    return d.array((*d.shape(0, 2), n)), d.array((m, n)), d.choice([None, d.array((m,))])


def _weight_gradient(g: Any, input: Any) -> Any:
    if g.ndim != 2:
        g, input = _rows(g), _rows(input)
    if g.shape[0] == 1:  # NumPy computes products of length 1 in a slow loop
        return g.mT * input
    return _times(g.mT, input)


def affine(
    input: Array, weight: Array, bias: Array | None, turned: Array | None = None, out: Array | None = None
) -> Array:
    """``input @ weight.T + bias`` for a matrix of inputs; `turned` is an optional buffer for ``weight @ input.T``."""
    if len(input) >= len(weight) or piece(input, weight.T):
        out = product(input, weight.T, out)
        return out if bias is None else np.add(out, bias, out=out)
    turned = product(weight, input.T, turned)  # in this order up to a third faster
    out = np.empty(turned.shape[::-1], turned.dtype) if out is None else out
    if bias is None:
        out[...] = turned.T
        return out
    return np.add(turned.T, bias, out=out)


@functools.lru_cache(64)
def _ones(n: int, dtype: np.dtype[Any]) -> Array:
    return np.ones(n, dtype)


def _sum_of_rows(g: Any) -> Any:
    """The sum over rows, as the edge would compute it to undo broadcasting, but as a product: twice as fast."""
    return _ones(len(g), g.dtype) @ g


@operation(
    {
        "input": lambda g, weight: _times(g, weight),
        "weight": _weight_gradient,
        "bias": lambda g: _sum_of_rows(g) if isinstance(g, np.ndarray) and g.ndim == 2 else g,
    },
    methods=[],
    torch="nn.functional.linear",
    grad_fn="AddmmBackward0",
    sample=_linear_sample,
)
def linear(input: Operand, weight: Operand, bias: Operand = None) -> Any:
    """``input @ weight.T + bias``: input (..., in), weight (out, in), bias (out,) → (..., out).

    The gradients, for one matrix of inputs: ``dinput = g @ weight``, ``dweight = g.T @ input``, and ``dbias`` is the
    sum of ``g``'s rows (broadcasting is undone on the edge, as everywhere).

    Raises:
        RuntimeError: if the shapes do not match, or the dtypes differ.

    >>> import minigrad
    >>> minigrad.nn.functional.linear(minigrad.ones(1, 2), minigrad.ones(3, 2), minigrad.ones(3))
    tensor([[3., 3., 3.]])
    """
    if input.ndim == 0 or weight.ndim != 2 or input.shape[-1] != weight.shape[1]:
        a, b = ("x".join(map(str, s)) for s in (input.shape, weight.shape[::-1]))
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({a} and {b})")
    if input.dtype is not weight.dtype:
        same_dtype("mat1 and mat2", input, weight)
    if bias is not None:
        if input.dtype is not bias.dtype:
            same_dtype("input and bias", input, bias)
        if bias.shape != weight.shape[:1]:
            raise RuntimeError(f"linear: bias of shape {list(bias.shape)} for a weight of shape {list(weight.shape)}")
    if input.ndim == 2:
        return affine(input, weight, bias)
    out = np.matmul(input, weight.T)
    if bias is not None:
        out += bias
    return out


@composed(
    methods=[],
    sample=lambda d: d.choice(
        [
            ("ij,jk->ik", d.array((2, 3)), d.array((3, 4))),
            ("bij,bj->i", d.array((2, 3, 4)), d.array((2, 4))),
            ("ii->i", d.array((3, 3))),
            ("ij->ji", d.array((2, 3))),
            ("...i,i", d.array((2, 3)), d.array((3,))),
        ]
    ),
    out=False,
)
def einsum(equation: str, *operands: Any) -> Any:
    """Products summed over named dimensions (Einstein's convention).

    >>> import minigrad
    >>> minigrad.einsum("ij,j->i", minigrad.ones(2, 3), minigrad.ones(3))
    tensor([3., 3.])
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    for i, x in enumerate(operands):
        if not isinstance(x, Tensor):
            raise TypeError(f"einsum(): expected Tensor as element {i} in argument 1, but got {type(x).__name__}")
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        more = "more" if len(operands) > len(terms) else "fewer"
        raise RuntimeError(f"einsum(): {more} operands were provided than specified in the equation")
    spare = [x.ndim - len(term.replace("...", "")) for term, x in zip(terms, operands, strict=True)]
    hidden = [f"#{i}" for i in range(max(spare))]  # the dimensions that "..." stands for

    def letters(term: str, own: int) -> list[str]:
        head, dots, tail = term.partition("...")
        return [*head, *(hidden[len(hidden) - own :] if dots else []), *tail]

    labels = [letters(term, own) for term, own in zip(terms, spare, strict=True)]
    sizes = _lengths(labels, operands)
    flat = [name for names in labels for name in names]
    once = sorted(name for name in sizes if flat.count(name) == 1 and name not in hidden)
    target = letters(right, len(hidden)) if arrow else [*hidden] * ("..." in left) + once
    for name in target:
        if name not in sizes:
            raise RuntimeError(
                f"einsum(): output subscript {name} does not appear in the equation for any input operand"
            )
    result: Any = None
    names: list[str] = []
    for i, x in enumerate(operands):
        x, own = _take_diagonals(x, labels[i])
        full = tuple(sizes[name] for name in own)
        x = x if tuple(x.shape) == full else expand(x, full)
        later = {*target, *(name for rest in labels[i + 1 :] for name in rest)}
        result, names = _contract(result, names, x, own, later) if i else (x, own)
    gone = tuple(i for i, name in enumerate(names) if name not in target)
    if gone:
        result, names = sum(result, gone), [name for name in names if name in target]
    return _permute(result, tuple(names.index(name) for name in target)) if names != target else result


def _lengths(labels: list[list[str]], operands: tuple[Any, ...]) -> dict[str, int]:
    """The length of the dimension of each subscript."""
    sizes: dict[str, int] = {}
    for i, (names, x) in enumerate(zip(labels, operands, strict=True)):
        if len(names) != x.ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(names)}) does not match the number of "
                f"dimensions ({x.ndim}) for operand {i} and no ellipsis was given"
            )
        for name, n in zip(names, x.shape, strict=True):
            first, seen = x.shape[names.index(name)], sizes.get(name, 1)
            if n != first:
                raise RuntimeError(
                    f"einsum(): subscript {name} is repeated for operand {i} but the sizes don't match, {n} != {first}"
                )
            if 1 not in (n, seen) and n != seen:
                raise RuntimeError(
                    f"einsum(): subscript {name} has size {n} for operand {i} which does not broadcast with previously "
                    f"seen size {seen}"
                )
            sizes[name] = seen if n == 1 else n
        same_dtype("the operands of einsum()", operands[0], x)
    return sizes


def _take_diagonals(x: Any, names: list[str]) -> tuple[Any, list[str]]:
    """Take the diagonal for a repeated subscript, as in ``ii``."""
    for name in {n for n in names if names.count(n) > 1}:
        while names.count(name) > 1:
            i = names.index(name)
            j = names.index(name, i + 1)
            x = x.diagonal(0, i, j)
            names = [n for k, n in enumerate(names) if k not in (i, j)] + [name]
    return x, names


def _contract(a: Any, an: list[str], b: Any, bn: list[str], later: set[str]) -> tuple[Any, list[str]]:
    """Multiply two operands and sum over subscripts that neither the result nor a later operand has."""
    both = [n for n in an if n in bn]
    batch, inner = [n for n in both if n in later], [n for n in both if n not in later]
    left, right = [n for n in an if n not in bn], [n for n in bn if n not in an]

    def matrices(x: Any, names: list[str], rows: list[str], columns: list[str]) -> tuple[Any, list[int], list[int]]:
        x = _permute(x, tuple(names.index(n) for n in (*batch, *rows, *columns)))
        shape, nb, nr = list(x.shape), len(batch), len(batch) + len(rows)
        return reshape(x, (*shape[:nb], math.prod(shape[nb:nr]), math.prod(shape[nr:]))), shape[:nr], shape[nr:]

    a, heads, _ = matrices(a, an, left, inner)
    b, _, tails = matrices(b, bn, inner, right)
    return reshape(_matmul(a, b), (*heads, *tails)), [*batch, *left, *right]
