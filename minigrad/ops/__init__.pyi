# ruff: noqa
# fmt: off
"""Made from the operations' records by `make docs`."""

import builtins
from collections.abc import Sequence
from typing import Any, Literal, Self, overload

import numpy as np

from minigrad import dtypes
from minigrad.dtypes import DTypeLike
from minigrad.ops.record import registry as registry
from minigrad.ops.recurrence import State
from minigrad.ops.reduction import MaxMin
from minigrad.random import Generator
from minigrad.tensor import Tensor

Number = complex | np.number[Any] | np.bool

def abs(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The absolute value; its derivative at 0 is 0."""
def abs_(input: Tensor) -> Tensor:
    """`minigrad.abs`, in place."""
def absolute(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The absolute value; its derivative at 0 is 0."""
def acos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle (radians) whose cosine is `input`."""
def acos_(input: Tensor) -> Tensor:
    """`minigrad.acos`, in place."""
def add(input: Tensor | complex, other: Tensor | complex, alpha: complex = 1, *, out: Tensor | None = None) -> Tensor:
    """``input + alpha * other``."""
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, value: complex = 1, *, out: Tensor | None = None) -> Tensor:
    """``input + value * tensor1 * tensor2``."""
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: complex = 1, alpha: complex = 1, out: Tensor | None = None) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``."""
def all(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """Whether all elements are true (not 0)."""
def amax(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The largest elements; ties share the gradient evenly."""
def amin(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The smallest elements; ties share the gradient evenly."""
def any(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """Whether any element is true (not 0)."""
def arccos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle (radians) whose cosine is `input`."""
def arccos_(input: Tensor) -> Tensor:
    """`minigrad.arccos`, in place."""
def arcsin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle (radians) whose sine is `input`."""
def arcsin_(input: Tensor) -> Tensor:
    """`minigrad.arcsin`, in place."""
def arctan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle (radians) whose tangent is `input`."""
def arctan2(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle of the point (`other`, `input`), in radians."""
def arctan_(input: Tensor) -> Tensor:
    """`minigrad.arctan`, in place."""
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The position of the largest element, the first one of several."""
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The position of the smallest element, the first one of several."""
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The indices that sort the elements along `dim`."""
def asin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle (radians) whose sine is `input`."""
def asin_(input: Tensor) -> Tensor:
    """`minigrad.asin`, in place."""
def atan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle (radians) whose tangent is `input`."""
def atan2(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle of the point (`other`, `input`), in radians."""
def atan_(input: Tensor) -> Tensor:
    """`minigrad.atan`, in place."""
def bitwise_and(input: Tensor | complex, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """Bitwise and of integers; logical of booleans."""
def bitwise_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Bitwise not of integers; logical of booleans."""
def bitwise_or(input: Tensor | complex, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """Bitwise or of integers; logical of booleans."""
def bitwise_xor(input: Tensor | complex, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """Bitwise xor of integers; logical of booleans."""
def bmm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The products of two batches of matrices (b, n, m) @ (b, m, k) → (b, n, k)."""
def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """`input` expanded to `size`."""
def cat(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The tensors one after another along dimension `dim`."""
def ceil(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smallest integer at or above each element; its derivative is 0."""
def ceil_(input: Tensor) -> Tensor:
    """`minigrad.ceil`, in place."""
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Dimension `dim` split into at most `chunks` pieces of equal size (views)."""
def clamp(input: Tensor, min: Tensor | complex | None = None, max: Tensor | complex | None = None, *, out: Tensor | None = None) -> Tensor:
    """`input` clamped to [`min`, `max`] (either may be None); the derivative is 1 at the bounds, 0 outside."""
def clamp_(input: Tensor, min: Tensor | complex | None = None, max: Tensor | complex | None = None) -> Tensor:
    """`minigrad.clamp`, in place."""
def clamp_max(input: Tensor, max: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """`input`, at most `max`."""
def clamp_max_(input: Tensor, max: Tensor | complex) -> Tensor:
    """`minigrad.clamp_max`, in place."""
def clamp_min(input: Tensor, min: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """`input`, at least `min`."""
def clamp_min_(input: Tensor, min: Tensor | complex) -> Tensor:
    """`minigrad.clamp_min`, in place."""
def clip(input: Tensor, min: Tensor | complex | None = None, max: Tensor | complex | None = None, *, out: Tensor | None = None) -> Tensor:
    """`input` clamped to [`min`, `max`] (either may be None); the derivative is 1 at the bounds, 0 outside."""
def clip_(input: Tensor, min: Tensor | complex | None = None, max: Tensor | complex | None = None) -> Tensor:
    """`minigrad.clip`, in place."""
def clone(input: Tensor, memory_format: str | None = None) -> Tensor:
    """A copy with the same memory layout; row-major if a `memory_format` is given."""
def cos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The cosine (radians)."""
def cos_(input: Tensor) -> Tensor:
    """`minigrad.cos`, in place."""
def cosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The hyperbolic cosine."""
def cosh_(input: Tensor) -> Tensor:
    """`minigrad.cosh`, in place."""
def cumprod(input: Tensor, dim: int, dtype: DTypeLike | None = None, *, out: Tensor | None = None) -> Tensor:
    """The running product along `dim`."""
def cumsum(input: Tensor, dim: int, dtype: DTypeLike | None = None, *, out: Tensor | None = None) -> Tensor:
    """The running sum along `dim`."""
def detach(self: Any) -> Tensor:
    """The same values, detached from the graph (shares memory)."""
def detach_(self: Any) -> Tensor:
    """Detach this tensor from the graph."""
def diag(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """A matrix's diagonal, or the matrix with this diagonal."""
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal along `dim1` and `dim2`, as the last dimension."""
def div(input: Tensor | complex, other: Tensor | complex, rounding_mode: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """``input / other``; integers give float32. `rounding_mode`: None, ``"floor"`` or ``"trunc"``."""
def divide(input: Tensor | complex, other: Tensor | complex, rounding_mode: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """``input / other``; integers give float32. `rounding_mode`: None, ``"floor"`` or ``"trunc"``."""
def dot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inner product of two vectors (n,) · (n,) → ()."""
def dsplit(input: Tensor, indices_or_sections: int | Sequence[int] | Tensor, *, out: Tensor | None = None) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 2 (views)."""
def einsum(equation: str, *operands: Any) -> Tensor:
    """Products summed over named dimensions (Einstein's convention)."""
def eq(input: Tensor, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """Whether elements are equal."""
def erf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to `input`."""
def erf_(input: Tensor) -> Tensor:
    """`minigrad.erf`, in place."""
def exp(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``e`` to the power of each element."""
def exp_(input: Tensor) -> Tensor:
    """`minigrad.exp`, in place."""
def expm1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(input) - 1``, exact near 0."""
def expm1_(input: Tensor) -> Tensor:
    """`minigrad.expm1`, in place."""
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions `start_dim` to `end_dim` merged into one."""
def flip(input: Tensor, *axes: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """The elements in reverse order along `dims` (a copy)."""
def float_power(input: Tensor | complex, exponent: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """`pow` in double precision, for operands of any dtype."""
def floor(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The largest integer at or below each element; its derivative is 0."""
def floor_(input: Tensor) -> Tensor:
    """`minigrad.floor`, in place."""
def floor_divide(input: Tensor | complex, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """``input / other``, rounded down. It has no derivative; ``div(…, rounding_mode="floor")`` has one of zeros."""
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False, out: Tensor | None = None) -> Tensor:
    """The elements that `index` names along dimension `dim`: ``out[i][j] = input[i][index[i][j]]`` for dim 1."""
def ge(input: Tensor, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """Whether `input` is at least `other`."""
def ger(input: Tensor, vec2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The outer product of two vectors (n,), (m,) → (n, m)."""
def gru(input: Tensor, hx: Any, params: Sequence[Any], has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool, batch_first: bool) -> State:
    """All layers of an `nn.GRU`: the outputs of the last, and each part of all last states."""
def gt(input: Tensor, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """Whether `input` is greater than `other`."""
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """0 from ``-lambd`` to `lambd`, else `input`."""
def hsplit(input: Tensor, indices_or_sections: int | Sequence[int] | Tensor, *, out: Tensor | None = None) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 1 (views)."""
def index_put(input: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of `input` with `values` put (or added, if `accumulate`) at `indices`."""
def index_put_(input: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False) -> Tensor:
    """`minigrad.index_put`, in place."""
def index_select(input: Tensor, dim: int, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The slices of dimension `dim` at the positions in `index` (a copy)."""
def is_floating_point(self: Any) -> bool:
    """Whether the elements are floats."""
def isfinite(input: Tensor) -> Tensor:
    """Whether elements are neither infinite nor nan."""
def isinf(input: Tensor) -> Tensor:
    """Whether elements are infinite."""
def isnan(input: Tensor) -> Tensor:
    """Whether elements are nan."""
def le(input: Tensor, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """Whether `input` is at most `other`."""
def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`input` where positive, else ``negative_slope * input``."""
def lerp(input: Tensor, end: Tensor, weight: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """``input + weight * (end - input)``, which is `end` for weight 1."""
def log(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The natural logarithm; -inf at 0, nan below."""
def log10(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The logarithm to base 10."""
def log10_(input: Tensor) -> Tensor:
    """`minigrad.log10`, in place."""
def log1p(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(1 + input)``, exact near 0."""
def log1p_(input: Tensor) -> Tensor:
    """`minigrad.log1p`, in place."""
def log2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The logarithm to base 2."""
def log2_(input: Tensor) -> Tensor:
    """`minigrad.log2`, in place."""
def log_(input: Tensor) -> Tensor:
    """`minigrad.log`, in place."""
def log_softmax(input: Tensor, dim: int, dtype: Any = None, *, out: Tensor | None = None) -> Tensor:
    """``log(softmax(input, dim))``, exact also where the probability underflows."""
def logaddexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(exp(input) + exp(other))``, without overflow."""
def logical_and(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether both are true (not 0)."""
def logical_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether elements are false (0)."""
def logical_or(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether at least one is true (not 0)."""
def logical_xor(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether exactly one is true (not 0)."""
def logsumexp(input: Tensor, dim: int | Sequence[int], keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """``log(sum(exp(input)))``, without overflow."""
def lstm(input: Tensor, hx: Any, params: Sequence[Any], has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool, batch_first: bool) -> State:
    """All layers of an `nn.LSTM`: the outputs of the last, and each part of all last states."""
def lt(input: Tensor, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """Whether `input` is less than `other`."""
def masked_fill(input: Tensor, mask: Tensor, value: Tensor | complex) -> Tensor:
    """`input` with `value` where `mask` holds."""
def matmul(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The matrix product (..., n, m) @ (..., m, k) → (..., n, k); vectors count as a row or a column."""
@overload
def max(input: Tensor) -> Tensor:
    """The largest element of all (ties share the gradient); ``max(input, dim)``: the largest along a dimension and
    its position (the first of several gets the gradient); ``max(input, other)``: `maximum`."""
@overload
def max(input: Tensor, dim: int, keepdim: bool = False) -> MaxMin:
    """The largest element of all (ties share the gradient); ``max(input, dim)``: the largest along a dimension and
    its position (the first of several gets the gradient); ``max(input, other)``: `maximum`."""
@overload
def max(input: Tensor, other: Tensor) -> Tensor:
    """The largest element of all (ties share the gradient); ``max(input, dim)``: the largest along a dimension and
    its position (the first of several gets the gradient); ``max(input, other)``: `maximum`."""
def maximum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The larger of two; a tie halves the gradient."""
def mean(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, dtype: DTypeLike | None = None, *, out: Tensor | None = None) -> Tensor:
    """The mean; nan for no elements."""
@overload
def median(input: Tensor) -> Tensor:
    """The middle element (the lower one of two; nan if one is nan), of all or along `dim` with its position."""
@overload
def median(input: Tensor, dim: int, keepdim: bool = False) -> MaxMin:
    """The middle element (the lower one of two; nan if one is nan), of all or along `dim` with its position."""
@overload
def min(input: Tensor) -> Tensor:
    """The smallest element; see `max`."""
@overload
def min(input: Tensor, dim: int, keepdim: bool = False) -> MaxMin:
    """The smallest element; see `max`."""
@overload
def min(input: Tensor, other: Tensor) -> Tensor:
    """The smallest element; see `max`."""
def minimum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smaller of two; a tie halves the gradient."""
def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of two matrices (n, m) @ (m, k) → (n, k)."""
def moveaxis(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Dimensions `source` moved to places `destination`."""
def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Dimensions `source` moved to places `destination`."""
def mul(input: Tensor | complex, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """``input * other``."""
def multiply(input: Tensor | complex, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """``input * other``."""
def mv(input: Tensor, vec: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of a matrix and a vector (n, m) @ (m,) → (n,)."""
def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` slices of dimension `dim` from `start` on (a view)."""
def ne(input: Tensor, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """Whether elements differ."""
def neg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``-input``."""
def neg_(input: Tensor) -> Tensor:
    """`minigrad.neg`, in place."""
def negative(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``-input``."""
def negative_(input: Tensor) -> Tensor:
    """`minigrad.negative`, in place."""
def nonzero(input: Tensor, *, as_tuple: bool = False, out: Tensor | None = None) -> Tensor:
    """The places of the elements that are not 0: (n, dimensions) int64, or a tensor for each dimension."""
def norm(input: Tensor, p: float | str | None = 2, dim: int | Sequence[int] | None = None, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The p-norm, ``(sum |x|^p)^(1/p)``; the gradient of the 2-norm at 0 is 0."""
def numel(self: Any) -> int:
    """The number of elements."""
def outer(input: Tensor, vec2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The outer product of two vectors (n,), (m,) → (n, m)."""
def permute(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """The dimensions in another order (a view)."""
def pow(input: Tensor | complex, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """``input`` raised to the power `other`."""
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """`input` where positive, else ``weight * input``: input (N, C, …), weight (1,) or one for each channel (C,)."""
def prod(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, dtype: DTypeLike | None = None, *, out: Tensor | None = None) -> Tensor:
    """The product; integers and booleans are multiplied as int64. Its gradient is exact where elements are 0."""
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension; a copy if they are not contiguous."""
def reciprocal(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 / input``."""
def reciprocal_(input: Tensor) -> Tensor:
    """`minigrad.reciprocal`, in place."""
def relu(input: Tensor) -> Tensor:
    """``max(input, 0)``; its derivative is 1 where the result is positive and 0 elsewhere, at 0 too."""
def relu_(input: Tensor) -> Tensor:
    """`minigrad.relu`, in place."""
def remainder(input: Tensor | complex, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
    """The remainder of ``input / other`` rounded down; it has the sign of `other`, as in Python."""
def reshape(input: Tensor, *shape: int | Sequence[int]) -> Tensor:
    """The same elements, in row-major order, in another shape; one length may be -1. A view if possible."""
def rnn_tanh(input: Tensor, hx: Any, params: Sequence[Any], has_biases: bool, num_layers: int, dropout: float, train: bool, bidirectional: bool, batch_first: bool) -> State:
    """All layers of an `nn.RNN`: the outputs of the last, and each part of all last states."""
def roll(input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """The elements moved along `dims` by `shifts`, wrapping around at the ends."""
def round(input: Tensor, decimals: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The nearest integer (halves round to even), or rounded to `decimals` places; its derivative is 0."""
def round_(input: Tensor, decimals: int = 0) -> Tensor:
    """`minigrad.round`, in place."""
def rsqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 / sqrt(input)``."""
def rsqrt_(input: Tensor) -> Tensor:
    """`minigrad.rsqrt`, in place."""
def scatter(input: Tensor, dim: int, index: Tensor, src: Tensor | complex | None = None, *, value: Tensor | complex | None = None, reduce: str | None = None, out: Tensor | None = None) -> Tensor:
    """A copy of `input` with `src` (or one `value`) written where `gather` would read."""
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of `input` to which `src` is added where `gather` would read."""
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice at `index` of dimension `dim` (a view)."""
def sigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 / (1 + exp(-input))``, without overflow; its derivative is ``s (1 - s)``."""
def sigmoid_(input: Tensor) -> Tensor:
    """`minigrad.sigmoid`, in place."""
def sign(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """-1, 0 or 1; 0 for nan."""
def sin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The sine (radians)."""
def sin_(input: Tensor) -> Tensor:
    """`minigrad.sin`, in place."""
def sinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The hyperbolic sine."""
def sinh_(input: Tensor) -> Tensor:
    """`minigrad.sinh`, in place."""
def softmax(input: Tensor, dim: int, dtype: DTypeLike | None = None, *, out: Tensor | None = None) -> Tensor:
    """``exp(x_i) / sum_j exp(x_j)`` along `dim`: positive numbers that sum to 1."""
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * input)) / beta``; the identity where ``beta * input > threshold``."""
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True, *, out: Tensor | None = None) -> MaxMin:
    """The sorted elements along `dim`, and their indices (stable)."""
def split(input: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """The pieces of dimension `dim`, of one size (the last may be smaller) or of given sizes (views)."""
def sqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The square root; its derivative at 0 is inf, as in torch."""
def sqrt_(input: Tensor) -> Tensor:
    """`minigrad.sqrt`, in place."""
def square(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``input ** 2``."""
def square_(input: Tensor) -> Tensor:
    """`minigrad.square`, in place."""
def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Without the dimensions of length 1; or only those among `dim`."""
def stack(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The tensors, all of one shape, along a new dimension `dim`."""
def std(input: Tensor, dim: int | Sequence[int] | None = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None, out: Tensor | None = None) -> Tensor:
    """The standard deviation: the root of `var`; where it is 0, so is its gradient."""
def std_mean(input: Tensor, dim: int | Sequence[int] | None = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean."""
def sub(input: Tensor | complex, other: Tensor | complex, alpha: complex = 1, *, out: Tensor | None = None) -> Tensor:
    """``input - alpha * other``."""
def subtract(input: Tensor | complex, other: Tensor | complex, alpha: complex = 1, *, out: Tensor | None = None) -> Tensor:
    """``input - alpha * other``."""
def sum(input: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False, dtype: DTypeLike | None = None, *, out: Tensor | None = None) -> Tensor:
    """The sum; integers and booleans are summed as int64."""
def swapaxes(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged (a view)."""
def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged (a view)."""
def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; vectors and 0-d tensors are unchanged."""
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None, *, out: Tensor | None = None) -> Tensor:
    """`gather` whose operands broadcast, and whose indices wrap around, as in torch."""
def tan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The tangent (radians)."""
def tan_(input: Tensor) -> Tensor:
    """`minigrad.tan`, in place."""
def tanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The hyperbolic tangent; its derivative is ``1 - tanh(x)**2``."""
def tanh_(input: Tensor) -> Tensor:
    """`minigrad.tanh`, in place."""
def tensor_split(input: Tensor, indices_or_sections: int | Sequence[int] | Tensor, dim: int = 0, *, out: Tensor | None = None) -> tuple[Tensor, ...]:
    """Dimension `dim` split into a number of nearly equal pieces, or at given indices (views)."""
def tile(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """`repeat` with missing repeats taken as 1."""
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True, *, out: Tensor | None = None) -> MaxMin:
    """The `k` largest (or smallest) elements along `dim`, sorted, and their indices."""
def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal."""
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged (a view)."""
def tril(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The lower triangle of each matrix; 0 above."""
def triu(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The upper triangle of each matrix; 0 below."""
def true_divide(input: Tensor | complex, other: Tensor | complex, rounding_mode: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """``input / other``; integers give float32. `rounding_mode`: None, ``"floor"`` or ``"trunc"``."""
def trunc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The integer part; its derivative is 0."""
def trunc_(input: Tensor) -> Tensor:
    """`minigrad.trunc`, in place."""
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices of dimension `dim`, as a tuple (views)."""
def unflatten(input: Tensor, dim: int, sizes: tuple[int, ...]) -> Tensor:
    """Dimension `dim` split into `sizes`; one of them may be -1."""
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A new dimension of length 1 at `dim`."""
def var(input: Tensor, dim: int | Sequence[int] | None = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None, out: Tensor | None = None) -> Tensor:
    """The variance: the sum of squared deviations from the mean, divided by n - `correction`."""
def var_mean(input: Tensor, dim: int | Sequence[int] | None = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None) -> tuple[Tensor, Tensor]:
    """The variance and the mean."""
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` in the shape of `other`."""
def vsplit(input: Tensor, indices_or_sections: int | Sequence[int] | Tensor, *, out: Tensor | None = None) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 0 (views)."""
@overload
def where(condition: Tensor) -> tuple[Tensor, ...]:
    """`input` where `condition` holds, else `other`; all three broadcast."""
@overload
def where(condition: Tensor, input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """`input` where `condition` holds, else `other`; all three broadcast."""

__all__ = ['abs', 'abs_', 'absolute', 'acos', 'acos_', 'add', 'addcmul', 'addmm', 'all', 'amax', 'amin', 'any', 'arccos', 'arccos_', 'arcsin', 'arcsin_', 'arctan', 'arctan2', 'arctan_', 'argmax', 'argmin', 'argsort', 'asin', 'asin_', 'atan', 'atan2', 'atan_', 'bitwise_and', 'bitwise_not', 'bitwise_or', 'bitwise_xor', 'bmm', 'broadcast_to', 'cat', 'ceil', 'ceil_', 'chunk', 'clamp', 'clamp_', 'clamp_max', 'clamp_max_', 'clamp_min', 'clamp_min_', 'clip', 'clip_', 'clone', 'cos', 'cos_', 'cosh', 'cosh_', 'cumprod', 'cumsum', 'detach', 'detach_', 'diag', 'diagonal', 'div', 'divide', 'dot', 'dsplit', 'einsum', 'eq', 'erf', 'erf_', 'exp', 'exp_', 'expm1', 'expm1_', 'flatten', 'flip', 'float_power', 'floor', 'floor_', 'floor_divide', 'gather', 'ge', 'ger', 'gru', 'gt', 'hardshrink', 'hsplit', 'index_put', 'index_put_', 'index_select', 'is_floating_point', 'isfinite', 'isinf', 'isnan', 'le', 'leaky_relu', 'lerp', 'log', 'log10', 'log10_', 'log1p', 'log1p_', 'log2', 'log2_', 'log_', 'log_softmax', 'logaddexp', 'logical_and', 'logical_not', 'logical_or', 'logical_xor', 'logsumexp', 'lstm', 'lt', 'masked_fill', 'matmul', 'max', 'maximum', 'mean', 'median', 'min', 'minimum', 'mm', 'moveaxis', 'movedim', 'mul', 'multiply', 'mv', 'narrow', 'ne', 'neg', 'neg_', 'negative', 'negative_', 'nonzero', 'norm', 'numel', 'outer', 'permute', 'pow', 'prelu', 'prod', 'ravel', 'reciprocal', 'reciprocal_', 'registry', 'relu', 'relu_', 'remainder', 'reshape', 'rnn_tanh', 'roll', 'round', 'round_', 'rsqrt', 'rsqrt_', 'scatter', 'scatter_add', 'select', 'sigmoid', 'sigmoid_', 'sign', 'sin', 'sin_', 'sinh', 'sinh_', 'softmax', 'softplus', 'sort', 'split', 'sqrt', 'sqrt_', 'square', 'square_', 'squeeze', 'stack', 'std', 'std_mean', 'sub', 'subtract', 'sum', 'swapaxes', 'swapdims', 't', 'take_along_dim', 'tan', 'tan_', 'tanh', 'tanh_', 'tensor_split', 'tile', 'topk', 'trace', 'transpose', 'tril', 'triu', 'true_divide', 'trunc', 'trunc_', 'unbind', 'unflatten', 'unsqueeze', 'var', 'var_mean', 'view_as', 'vsplit', 'where']
