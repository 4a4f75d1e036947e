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

class Methods:
    def __hash__(self) -> builtins.int: ...
    @property
    def T(self) -> Tensor: ...
    def __abs__(self) -> Tensor:
        """The absolute value; its derivative at 0 is 0."""
    def __add__(self, other: Tensor | Number) -> Tensor:
        """``input + alpha * other``."""
    def __and__(self, other: Tensor | Number) -> Tensor:
        """Bitwise and of integers; logical of booleans."""
    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        """Whether elements are equal."""
    def __floordiv__(self, other: Tensor | Number) -> Tensor:
        """``input / other``, rounded down. It has no derivative; ``div(…, rounding_mode="floor")`` has one of zeros."""
    def __ge__(self, other: Tensor | Number) -> Tensor:
        """Whether `input` is at least `other`."""
    def __getitem__(self, other: Any) -> Tensor:
        """``input[index]``: slices give views, tensors of integers or booleans copies, as in NumPy and torch."""
    def __gt__(self, other: Tensor | Number) -> Tensor:
        """Whether `input` is greater than `other`."""
    def __iadd__(self, other: Tensor | Number) -> Self:
        """`minigrad.add`, in place."""
    def __iand__(self, other: Tensor | Number) -> Self:
        """`minigrad.bitwise_and`, in place."""
    def __ifloordiv__(self, other: Tensor | Number) -> Self:
        """`minigrad.floor_divide`, in place."""
    def __imod__(self, other: Tensor | Number) -> Self:
        """`minigrad.remainder`, in place."""
    def __imul__(self, other: Tensor | Number) -> Self:
        """`minigrad.mul`, in place."""
    def __invert__(self) -> Tensor:
        """Bitwise not of integers; logical of booleans."""
    def __ior__(self, other: Tensor | Number) -> Self:
        """`minigrad.bitwise_or`, in place."""
    def __ipow__(self, other: Tensor | Number) -> Self:
        """`minigrad.pow`, in place."""
    def __isub__(self, other: Tensor | Number) -> Self:
        """`minigrad.sub`, in place."""
    def __itruediv__(self, other: Tensor | Number) -> Self:
        """`minigrad.div`, in place."""
    def __ixor__(self, other: Tensor | Number) -> Self:
        """`minigrad.bitwise_xor`, in place."""
    def __le__(self, other: Tensor | Number) -> Tensor:
        """Whether `input` is at most `other`."""
    def __lt__(self, other: Tensor | Number) -> Tensor:
        """Whether `input` is less than `other`."""
    def __matmul__(self, other: Tensor) -> Tensor:
        """The matrix product (..., n, m) @ (..., m, k) → (..., n, k); vectors count as a row or a column."""
    def __mod__(self, other: Tensor | Number) -> Tensor:
        """The remainder of ``input / other`` rounded down; it has the sign of `other`, as in Python."""
    def __mul__(self, other: Tensor | Number) -> Tensor:
        """``input * other``."""
    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        """Whether elements differ."""
    def __neg__(self) -> Tensor:
        """``-input``."""
    def __or__(self, other: Tensor | Number) -> Tensor:
        """Bitwise or of integers; logical of booleans."""
    def __pow__(self, other: Tensor | Number) -> Tensor:
        """``input`` raised to the power `other`."""
    def __radd__(self, other: Number) -> Tensor: ...
    def __rand__(self, other: Number) -> Tensor: ...
    def __rdiv__(self, other: Tensor | Number) -> Tensor:
        """``number / self``; the gradient needs the result instead of `self`, which may then be modified in place."""
    def __rfloordiv__(self, other: Number) -> Tensor: ...
    def __rmatmul__(self, other: Number) -> Tensor: ...
    def __rmod__(self, other: Number) -> Tensor: ...
    def __rmul__(self, other: Number) -> Tensor: ...
    def __ror__(self, other: Number) -> Tensor: ...
    def __rpow__(self, other: Number) -> Tensor:
        """``2 ** x``: here a 0-d negative integer does not count as a number, which `pow` would refuse."""
    def __rsub__(self, other: Number) -> Tensor: ...
    def __rtruediv__(self, other: Number) -> Tensor:
        """``number / self``; the gradient needs the result instead of `self`, which may then be modified in place."""
    def __rxor__(self, other: Number) -> Tensor: ...
    def __setitem__(self, index: Any, value: Any) -> None:
        """``input[index] = value``, in place and recorded."""
    def __sub__(self, other: Tensor | Number) -> Tensor:
        """``input - alpha * other``."""
    def __truediv__(self, other: Tensor | Number) -> Tensor:
        """``input / other``; integers give float32. `rounding_mode`: None, ``"floor"`` or ``"trunc"``."""
    def __xor__(self, other: Tensor | Number) -> Tensor:
        """Bitwise xor of integers; logical of booleans."""
    def abs(self) -> Tensor:
        """The absolute value; its derivative at 0 is 0."""
    def abs_(self) -> Self:
        """`minigrad.abs`, in place."""
    def absolute(self) -> Tensor:
        """The absolute value; its derivative at 0 is 0."""
    def absolute_(self) -> Self:
        """`minigrad.absolute`, in place."""
    def acos(self) -> Tensor:
        """The angle (radians) whose cosine is `input`."""
    def acos_(self) -> Self:
        """`minigrad.acos`, in place."""
    def add(self, other: Tensor | complex, alpha: complex = 1) -> Tensor:
        """``input + alpha * other``."""
    def add_(self, other: Tensor | complex, alpha: complex = 1) -> Self:
        """`minigrad.add`, in place."""
    def addcmul(self, tensor1: Tensor, tensor2: Tensor, value: complex = 1) -> Tensor:
        """``input + value * tensor1 * tensor2``."""
    def addcmul_(self, tensor1: Tensor, tensor2: Tensor, value: complex = 1) -> Self:
        """`minigrad.addcmul`, in place."""
    def addmm(self, mat1: Tensor, mat2: Tensor, *, beta: complex = 1, alpha: complex = 1) -> Tensor:
        """``beta * input + alpha * (mat1 @ mat2)``."""
    def addmm_(self, mat1: Tensor, mat2: Tensor, *, beta: complex = 1, alpha: complex = 1) -> Self:
        """`minigrad.addmm`, in place."""
    def all(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False) -> Tensor:
        """Whether all elements are true (not 0)."""
    def amax(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False) -> Tensor:
        """The largest elements; ties share the gradient evenly."""
    def amin(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False) -> Tensor:
        """The smallest elements; ties share the gradient evenly."""
    def any(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False) -> Tensor:
        """Whether any element is true (not 0)."""
    def arccos(self) -> Tensor:
        """The angle (radians) whose cosine is `input`."""
    def arccos_(self) -> Self:
        """`minigrad.arccos`, in place."""
    def arcsin(self) -> Tensor:
        """The angle (radians) whose sine is `input`."""
    def arcsin_(self) -> Self:
        """`minigrad.arcsin`, in place."""
    def arctan(self) -> Tensor:
        """The angle (radians) whose tangent is `input`."""
    def arctan2(self, other: Tensor) -> Tensor:
        """The angle of the point (`other`, `input`), in radians."""
    def arctan2_(self, other: Tensor) -> Self:
        """`minigrad.arctan2`, in place."""
    def arctan_(self) -> Self:
        """`minigrad.arctan`, in place."""
    def argmax(self, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Tensor:
        """The position of the largest element, the first one of several."""
    def argmin(self, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Tensor:
        """The position of the smallest element, the first one of several."""
    def argsort(self, dim: builtins.int = -1, descending: builtins.bool = False, stable: builtins.bool = True) -> Tensor:
        """The indices that sort the elements along `dim`."""
    def asin(self) -> Tensor:
        """The angle (radians) whose sine is `input`."""
    def asin_(self) -> Self:
        """`minigrad.asin`, in place."""
    def astype(self, dtype: DTypeLike) -> Tensor:
        """`input` in another dtype; `input` itself if it already has that one."""
    def atan(self) -> Tensor:
        """The angle (radians) whose tangent is `input`."""
    def atan2(self, other: Tensor) -> Tensor:
        """The angle of the point (`other`, `input`), in radians."""
    def atan2_(self, other: Tensor) -> Self:
        """`minigrad.atan2`, in place."""
    def atan_(self) -> Self:
        """`minigrad.atan`, in place."""
    def bernoulli(self, p: builtins.float | None = None, *, generator: Generator | None = None, out: Any = None) -> Tensor:
        """1 with the probability in `input`, else 0; or with probability `p`, in the shape of `input`."""
    def bernoulli_(self, *args: Any, generator: Generator | None = None, **options: Any) -> Self:
        """Fill with 1 with probability p, else 0."""
    def bitwise_and(self, other: Tensor | complex) -> Tensor:
        """Bitwise and of integers; logical of booleans."""
    def bitwise_and_(self, other: Tensor | complex) -> Self:
        """`minigrad.bitwise_and`, in place."""
    def bitwise_not(self) -> Tensor:
        """Bitwise not of integers; logical of booleans."""
    def bitwise_not_(self) -> Self:
        """`minigrad.bitwise_not`, in place."""
    def bitwise_or(self, other: Tensor | complex) -> Tensor:
        """Bitwise or of integers; logical of booleans."""
    def bitwise_or_(self, other: Tensor | complex) -> Self:
        """`minigrad.bitwise_or`, in place."""
    def bitwise_xor(self, other: Tensor | complex) -> Tensor:
        """Bitwise xor of integers; logical of booleans."""
    def bitwise_xor_(self, other: Tensor | complex) -> Self:
        """`minigrad.bitwise_xor`, in place."""
    def bmm(self, mat2: Tensor) -> Tensor:
        """The products of two batches of matrices (b, n, m) @ (b, m, k) → (b, n, k)."""
    def bool(self, *, memory_format: Any = None) -> Tensor:
        """`input` as minigrad.bool."""
    def broadcast_to(self, size: Sequence[builtins.int]) -> Tensor:
        """`input` expanded to `size`."""
    def byte(self, *, memory_format: Any = None) -> Tensor:
        """`input` as minigrad.uint8."""
    def cauchy_(self, *args: Any, generator: Generator | None = None, **options: Any) -> Self:
        """Fill with numbers of Cauchy's distribution."""
    def ceil(self) -> Tensor:
        """The smallest integer at or above each element; its derivative is 0."""
    def ceil_(self) -> Self:
        """`minigrad.ceil`, in place."""
    def chunk(self, chunks: builtins.int, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Dimension `dim` split into at most `chunks` pieces of equal size (views)."""
    def clamp(self, min: Tensor | complex | None = None, max: Tensor | complex | None = None) -> Tensor:
        """`input` clamped to [`min`, `max`] (either may be None); the derivative is 1 at the bounds, 0 outside."""
    def clamp_(self, min: Tensor | complex | None = None, max: Tensor | complex | None = None) -> Self:
        """`minigrad.clamp`, in place."""
    def clamp_max(self, max: Tensor | complex) -> Tensor:
        """`input`, at most `max`."""
    def clamp_max_(self, max: Tensor | complex) -> Self:
        """`minigrad.clamp_max`, in place."""
    def clamp_min(self, min: Tensor | complex) -> Tensor:
        """`input`, at least `min`."""
    def clamp_min_(self, min: Tensor | complex) -> Self:
        """`minigrad.clamp_min`, in place."""
    def clip(self, min: Tensor | complex | None = None, max: Tensor | complex | None = None) -> Tensor:
        """`input` clamped to [`min`, `max`] (either may be None); the derivative is 1 at the bounds, 0 outside."""
    def clip_(self, min: Tensor | complex | None = None, max: Tensor | complex | None = None) -> Self:
        """`minigrad.clip`, in place."""
    def clone(self, memory_format: str | None = None) -> Tensor:
        """A copy with the same memory layout; row-major if a `memory_format` is given."""
    def contiguous(self) -> Tensor:
        """`input` with its elements in row-major order in memory; `input` itself if they already are."""
    def copy_(self, src: Tensor, non_blocking: builtins.bool = False) -> Self:
        """The values of `src`, converted and broadcast, into this tensor."""
    def cos(self) -> Tensor:
        """The cosine (radians)."""
    def cos_(self) -> Self:
        """`minigrad.cos`, in place."""
    def cosh(self) -> Tensor:
        """The hyperbolic cosine."""
    def cosh_(self) -> Self:
        """`minigrad.cosh`, in place."""
    def cumprod(self, dim: builtins.int, dtype: DTypeLike | None = None) -> Tensor:
        """The running product along `dim`."""
    def cumprod_(self, dim: builtins.int, dtype: DTypeLike | None = None) -> Self:
        """`minigrad.cumprod`, in place."""
    def cumsum(self, dim: builtins.int, dtype: DTypeLike | None = None) -> Tensor:
        """The running sum along `dim`."""
    def cumsum_(self, dim: builtins.int, dtype: DTypeLike | None = None) -> Self:
        """`minigrad.cumsum`, in place."""
    def diag(self, diagonal: builtins.int = 0) -> Tensor:
        """A matrix's diagonal, or the matrix with this diagonal."""
    def diagonal(self, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1) -> Tensor:
        """The diagonal along `dim1` and `dim2`, as the last dimension."""
    def div(self, other: Tensor | complex, rounding_mode: str | None = None) -> Tensor:
        """``input / other``; integers give float32. `rounding_mode`: None, ``"floor"`` or ``"trunc"``."""
    def div_(self, other: Tensor | complex, rounding_mode: str | None = None) -> Self:
        """`minigrad.div`, in place."""
    def divide(self, other: Tensor | complex, rounding_mode: str | None = None) -> Tensor:
        """``input / other``; integers give float32. `rounding_mode`: None, ``"floor"`` or ``"trunc"``."""
    def divide_(self, other: Tensor | complex, rounding_mode: str | None = None) -> Self:
        """`minigrad.divide`, in place."""
    def dot(self, other: Tensor) -> Tensor:
        """The inner product of two vectors (n,) · (n,) → ()."""
    def double(self, *, memory_format: Any = None) -> Tensor:
        """`input` as minigrad.float64."""
    def dsplit(self, indices_or_sections: builtins.int | Sequence[builtins.int] | Tensor) -> tuple[Tensor, ...]:
        """`tensor_split` along dimension 2 (views)."""
    def eq(self, other: Tensor | complex) -> Tensor:
        """Whether elements are equal."""
    def eq_(self, other: Tensor | complex) -> Self:
        """`minigrad.eq`, in place."""
    def erf(self) -> Tensor:
        """The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to `input`."""
    def erf_(self) -> Self:
        """`minigrad.erf`, in place."""
    def exp(self) -> Tensor:
        """``e`` to the power of each element."""
    def exp_(self) -> Self:
        """`minigrad.exp`, in place."""
    def expand(self, *shape: builtins.int | Sequence[builtins.int]) -> Tensor:
        """`input` repeated along dimensions of length 1, without a copy; -1 keeps a length."""
    def expand_as(self, other: Tensor) -> Tensor:
        """`input` expanded to the shape of `other`."""
    def expm1(self) -> Tensor:
        """``exp(input) - 1``, exact near 0."""
    def expm1_(self) -> Self:
        """`minigrad.expm1`, in place."""
    def exponential_(self, *args: Any, generator: Generator | None = None, **options: Any) -> Self:
        """Fill with exponential numbers of rate lambd."""
    def fill_(self, value: Any) -> Self:
        """Fill with one value; if it is a tensor, gradients flow to it."""
    def flatten(self, start_dim: builtins.int = 0, end_dim: builtins.int = -1) -> Tensor:
        """Dimensions `start_dim` to `end_dim` merged into one."""
    def flip(self, *axes: builtins.int | Sequence[builtins.int], dims: builtins.int | Sequence[builtins.int] | None = None) -> Tensor:
        """The elements in reverse order along `dims` (a copy)."""
    def float(self, *, memory_format: Any = None) -> Tensor:
        """`input` as minigrad.float32."""
    def float_power(self, exponent: Tensor | complex) -> Tensor:
        """`pow` in double precision, for operands of any dtype."""
    def float_power_(self, exponent: Tensor | complex) -> Self:
        """`minigrad.float_power`, in place."""
    def floor(self) -> Tensor:
        """The largest integer at or below each element; its derivative is 0."""
    def floor_(self) -> Self:
        """`minigrad.floor`, in place."""
    def floor_divide(self, other: Tensor | complex) -> Tensor:
        """``input / other``, rounded down. It has no derivative; ``div(…, rounding_mode="floor")`` has one of zeros."""
    def floor_divide_(self, other: Tensor | complex) -> Self:
        """`minigrad.floor_divide`, in place."""
    def gather(self, dim: builtins.int, index: Tensor, *, sparse_grad: builtins.bool = False) -> Tensor:
        """The elements that `index` names along dimension `dim`: ``out[i][j] = input[i][index[i][j]]`` for dim 1."""
    def ge(self, other: Tensor | complex) -> Tensor:
        """Whether `input` is at least `other`."""
    def ge_(self, other: Tensor | complex) -> Self:
        """`minigrad.ge`, in place."""
    def geometric_(self, *args: Any, generator: Generator | None = None, **options: Any) -> Self:
        """Fill with numbers of trials until success, of probability p."""
    def ger(self, vec2: Tensor) -> Tensor:
        """The outer product of two vectors (n,), (m,) → (n, m)."""
    def gt(self, other: Tensor | complex) -> Tensor:
        """Whether `input` is greater than `other`."""
    def gt_(self, other: Tensor | complex) -> Self:
        """`minigrad.gt`, in place."""
    def half(self, *, memory_format: Any = None) -> Tensor:
        """`input` as minigrad.float16."""
    def hardshrink(self, lambd: builtins.float = 0.5) -> Tensor:
        """0 from ``-lambd`` to `lambd`, else `input`."""
    def hsplit(self, indices_or_sections: builtins.int | Sequence[builtins.int] | Tensor) -> tuple[Tensor, ...]:
        """`tensor_split` along dimension 1 (views)."""
    def index_put(self, indices: Sequence[Tensor | None], values: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """A copy of `input` with `values` put (or added, if `accumulate`) at `indices`."""
    def index_put_(self, indices: Sequence[Tensor | None], values: Tensor, accumulate: builtins.bool = False) -> Self:
        """`minigrad.index_put`, in place."""
    def index_select(self, dim: builtins.int, index: Tensor) -> Tensor:
        """The slices of dimension `dim` at the positions in `index` (a copy)."""
    def int(self, *, memory_format: Any = None) -> Tensor:
        """`input` as minigrad.int32."""
    def isfinite(self) -> Tensor:
        """Whether elements are neither infinite nor nan."""
    def isinf(self) -> Tensor:
        """Whether elements are infinite."""
    def isnan(self) -> Tensor:
        """Whether elements are nan."""
    def le(self, other: Tensor | complex) -> Tensor:
        """Whether `input` is at most `other`."""
    def le_(self, other: Tensor | complex) -> Self:
        """`minigrad.le`, in place."""
    def lerp(self, end: Tensor, weight: Tensor | complex) -> Tensor:
        """``input + weight * (end - input)``, which is `end` for weight 1."""
    def lerp_(self, end: Tensor, weight: Tensor | complex) -> Self:
        """`minigrad.lerp`, in place."""
    def log(self) -> Tensor:
        """The natural logarithm; -inf at 0, nan below."""
    def log10(self) -> Tensor:
        """The logarithm to base 10."""
    def log10_(self) -> Self:
        """`minigrad.log10`, in place."""
    def log1p(self) -> Tensor:
        """``log(1 + input)``, exact near 0."""
    def log1p_(self) -> Self:
        """`minigrad.log1p`, in place."""
    def log2(self) -> Tensor:
        """The logarithm to base 2."""
    def log2_(self) -> Self:
        """`minigrad.log2`, in place."""
    def log_(self) -> Self:
        """`minigrad.log`, in place."""
    def log_normal_(self, *args: Any, generator: Generator | None = None, **options: Any) -> Self:
        """Fill with numbers whose logarithms are normal."""
    def log_softmax(self, dim: builtins.int, dtype: Any = None) -> Tensor:
        """``log(softmax(input, dim))``, exact also where the probability underflows."""
    def logaddexp(self, other: Tensor) -> Tensor:
        """``log(exp(input) + exp(other))``, without overflow."""
    def logical_and(self, other: Tensor) -> Tensor:
        """Whether both are true (not 0)."""
    def logical_and_(self, other: Tensor) -> Self:
        """`minigrad.logical_and`, in place."""
    def logical_not(self) -> Tensor:
        """Whether elements are false (0)."""
    def logical_not_(self) -> Self:
        """`minigrad.logical_not`, in place."""
    def logical_or(self, other: Tensor) -> Tensor:
        """Whether at least one is true (not 0)."""
    def logical_or_(self, other: Tensor) -> Self:
        """`minigrad.logical_or`, in place."""
    def logical_xor(self, other: Tensor) -> Tensor:
        """Whether exactly one is true (not 0)."""
    def logical_xor_(self, other: Tensor) -> Self:
        """`minigrad.logical_xor`, in place."""
    def logsumexp(self, dim: builtins.int | Sequence[builtins.int], keepdim: builtins.bool = False) -> Tensor:
        """``log(sum(exp(input)))``, without overflow."""
    def long(self, *, memory_format: Any = None) -> Tensor:
        """`input` as minigrad.int64."""
    def lt(self, other: Tensor | complex) -> Tensor:
        """Whether `input` is less than `other`."""
    def lt_(self, other: Tensor | complex) -> Self:
        """`minigrad.lt`, in place."""
    @property
    def mT(self) -> Tensor: ...
    def masked_fill(self, mask: Tensor, value: Tensor | complex) -> Tensor:
        """`input` with `value` where `mask` holds."""
    def masked_fill_(self, mask: Tensor, value: Tensor | complex) -> Self:
        """`minigrad.masked_fill`, in place."""
    def matmul(self, other: Tensor) -> Tensor:
        """The matrix product (..., n, m) @ (..., m, k) → (..., n, k); vectors count as a row or a column."""
    @overload
    def max(self) -> Tensor:
        """The largest element of all (ties share the gradient); ``max(input, dim)``: the largest along a dimension and
        its position (the first of several gets the gradient); ``max(input, other)``: `maximum`."""
    @overload
    def max(self, dim: builtins.int, keepdim: builtins.bool = False) -> MaxMin:
        """The largest element of all (ties share the gradient); ``max(input, dim)``: the largest along a dimension and
        its position (the first of several gets the gradient); ``max(input, other)``: `maximum`."""
    @overload
    def max(self, other: Tensor) -> Tensor:
        """The largest element of all (ties share the gradient); ``max(input, dim)``: the largest along a dimension and
        its position (the first of several gets the gradient); ``max(input, other)``: `maximum`."""
    def maximum(self, other: Tensor) -> Tensor:
        """The larger of two; a tie halves the gradient."""
    def mean(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: DTypeLike | None = None) -> Tensor:
        """The mean; nan for no elements."""
    @overload
    def median(self) -> Tensor:
        """The middle element (the lower one of two; nan if one is nan), of all or along `dim` with its position."""
    @overload
    def median(self, dim: builtins.int, keepdim: builtins.bool = False) -> MaxMin:
        """The middle element (the lower one of two; nan if one is nan), of all or along `dim` with its position."""
    @overload
    def min(self) -> Tensor:
        """The smallest element; see `max`."""
    @overload
    def min(self, dim: builtins.int, keepdim: builtins.bool = False) -> MaxMin:
        """The smallest element; see `max`."""
    @overload
    def min(self, other: Tensor) -> Tensor:
        """The smallest element; see `max`."""
    def minimum(self, other: Tensor) -> Tensor:
        """The smaller of two; a tie halves the gradient."""
    def mm(self, mat2: Tensor) -> Tensor:
        """The product of two matrices (n, m) @ (m, k) → (n, k)."""
    def moveaxis(self, source: builtins.int | Sequence[builtins.int], destination: builtins.int | Sequence[builtins.int]) -> Tensor:
        """Dimensions `source` moved to places `destination`."""
    def movedim(self, source: builtins.int | Sequence[builtins.int], destination: builtins.int | Sequence[builtins.int]) -> Tensor:
        """Dimensions `source` moved to places `destination`."""
    def mul(self, other: Tensor | complex) -> Tensor:
        """``input * other``."""
    def mul_(self, other: Tensor | complex) -> Self:
        """`minigrad.mul`, in place."""
    def multinomial(self, num_samples: builtins.int, replacement: builtins.bool = False, *, generator: Generator | None = None, out: Any = None) -> Tensor:
        """Indices drawn with the weights in `input` (C,) or (N, C)."""
    def multiply(self, other: Tensor | complex) -> Tensor:
        """``input * other``."""
    def multiply_(self, other: Tensor | complex) -> Self:
        """`minigrad.multiply`, in place."""
    def mv(self, vec: Tensor) -> Tensor:
        """The product of a matrix and a vector (n, m) @ (m,) → (n,)."""
    def narrow(self, dim: builtins.int, start: builtins.int, length: builtins.int) -> Tensor:
        """`length` slices of dimension `dim` from `start` on (a view)."""
    def ne(self, other: Tensor | complex) -> Tensor:
        """Whether elements differ."""
    def ne_(self, other: Tensor | complex) -> Self:
        """`minigrad.ne`, in place."""
    def neg(self) -> Tensor:
        """``-input``."""
    def neg_(self) -> Self:
        """`minigrad.neg`, in place."""
    def negative(self) -> Tensor:
        """``-input``."""
    def negative_(self) -> Self:
        """`minigrad.negative`, in place."""
    def new_empty(self, *args: Any, dtype: DTypeLike | None = None, **kwargs: Any) -> Tensor:
        """`empty` with this tensor's dtype."""
    def new_full(self, *args: Any, dtype: DTypeLike | None = None, **kwargs: Any) -> Tensor:
        """`full` with this tensor's dtype."""
    def new_ones(self, *args: Any, dtype: DTypeLike | None = None, **kwargs: Any) -> Tensor:
        """`ones` with this tensor's dtype."""
    def new_tensor(self, data: Any, dtype: Any = None, requires_grad: Any = False) -> Tensor: ...
    def new_zeros(self, *args: Any, dtype: DTypeLike | None = None, **kwargs: Any) -> Tensor:
        """`zeros` with this tensor's dtype."""
    def nonzero(self, *, as_tuple: builtins.bool = False) -> Tensor:
        """The places of the elements that are not 0: (n, dimensions) int64, or a tensor for each dimension."""
    def norm(self, p: builtins.float | str | None = 2, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False) -> Tensor:
        """The p-norm, ``(sum |x|^p)^(1/p)``; the gradient of the 2-norm at 0 is 0."""
    def normal_(self, *args: Any, generator: Generator | None = None, **options: Any) -> Self:
        """Fill with normal numbers."""
    def outer(self, vec2: Tensor) -> Tensor:
        """The outer product of two vectors (n,), (m,) → (n, m)."""
    def permute(self, *dims: builtins.int | Sequence[builtins.int]) -> Tensor:
        """The dimensions in another order (a view)."""
    def pow(self, other: Tensor | complex) -> Tensor:
        """``input`` raised to the power `other`."""
    def pow_(self, other: Tensor | complex) -> Self:
        """`minigrad.pow`, in place."""
    def prelu(self, weight: Tensor) -> Tensor:
        """`input` where positive, else ``weight * input``: input (N, C, …), weight (1,) or one for each channel (C,)."""
    def prod(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: DTypeLike | None = None) -> Tensor:
        """The product; integers and booleans are multiplied as int64. Its gradient is exact where elements are 0."""
    def random_(self, *args: Any, generator: Generator | None = None, **options: Any) -> Self:
        """Fill with random integers, in [from, to) if given."""
    def ravel(self) -> Tensor:
        """All elements in one dimension; a copy if they are not contiguous."""
    @property
    def real(self) -> Tensor: ...
    def reciprocal(self) -> Tensor:
        """``1 / input``."""
    def reciprocal_(self) -> Self:
        """`minigrad.reciprocal`, in place."""
    def relu(self) -> Tensor:
        """``max(input, 0)``; its derivative is 1 where the result is positive and 0 elsewhere, at 0 too."""
    def relu_(self) -> Self:
        """`minigrad.relu`, in place."""
    def remainder(self, other: Tensor | complex) -> Tensor:
        """The remainder of ``input / other`` rounded down; it has the sign of `other`, as in Python."""
    def remainder_(self, other: Tensor | complex) -> Self:
        """`minigrad.remainder`, in place."""
    def repeat(self, *repeats: builtins.int | Sequence[builtins.int]) -> Tensor:
        """`input` repeated along each dimension (a copy)."""
    def reshape(self, *shape: builtins.int | Sequence[builtins.int]) -> Tensor:
        """The same elements, in row-major order, in another shape; one length may be -1. A view if possible."""
    def reshape_as(self, other: Tensor) -> Tensor:
        """`input` in the shape of `other`."""
    def roll(self, shifts: builtins.int | Sequence[builtins.int], dims: builtins.int | Sequence[builtins.int] | None = None) -> Tensor:
        """The elements moved along `dims` by `shifts`, wrapping around at the ends."""
    def round(self, decimals: builtins.int = 0) -> Tensor:
        """The nearest integer (halves round to even), or rounded to `decimals` places; its derivative is 0."""
    def round_(self, decimals: builtins.int = 0) -> Self:
        """`minigrad.round`, in place."""
    def rsqrt(self) -> Tensor:
        """``1 / sqrt(input)``."""
    def rsqrt_(self) -> Self:
        """`minigrad.rsqrt`, in place."""
    def scatter(self, dim: builtins.int, index: Tensor, src: Tensor | complex | None = None, *, value: Tensor | complex | None = None, reduce: str | None = None) -> Tensor:
        """A copy of `input` with `src` (or one `value`) written where `gather` would read."""
    def scatter_(self, dim: builtins.int, index: Tensor, src: Tensor | complex | None = None, *, value: Tensor | complex | None = None, reduce: str | None = None) -> Self:
        """`minigrad.scatter`, in place."""
    def scatter_add(self, dim: builtins.int, index: Tensor, src: Tensor) -> Tensor:
        """A copy of `input` to which `src` is added where `gather` would read."""
    def scatter_add_(self, dim: builtins.int, index: Tensor, src: Tensor) -> Self:
        """`minigrad.scatter_add`, in place."""
    def select(self, dim: builtins.int, index: builtins.int) -> Tensor:
        """The slice at `index` of dimension `dim` (a view)."""
    def short(self, *, memory_format: Any = None) -> Tensor:
        """`input` as minigrad.int16."""
    def sigmoid(self) -> Tensor:
        """``1 / (1 + exp(-input))``, without overflow; its derivative is ``s (1 - s)``."""
    def sigmoid_(self) -> Self:
        """`minigrad.sigmoid`, in place."""
    def sign(self) -> Tensor:
        """-1, 0 or 1; 0 for nan."""
    def sign_(self) -> Self:
        """`minigrad.sign`, in place."""
    def sin(self) -> Tensor:
        """The sine (radians)."""
    def sin_(self) -> Self:
        """`minigrad.sin`, in place."""
    def sinh(self) -> Tensor:
        """The hyperbolic sine."""
    def sinh_(self) -> Self:
        """`minigrad.sinh`, in place."""
    def softmax(self, dim: builtins.int, dtype: DTypeLike | None = None) -> Tensor:
        """``exp(x_i) / sum_j exp(x_j)`` along `dim`: positive numbers that sum to 1."""
    def sort(self, dim: builtins.int = -1, descending: builtins.bool = False, stable: builtins.bool = True) -> MaxMin:
        """The sorted elements along `dim`, and their indices (stable)."""
    def split(self, split_size_or_sections: builtins.int | Sequence[builtins.int], dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """The pieces of dimension `dim`, of one size (the last may be smaller) or of given sizes (views)."""
    def sqrt(self) -> Tensor:
        """The square root; its derivative at 0 is inf, as in torch."""
    def sqrt_(self) -> Self:
        """`minigrad.sqrt`, in place."""
    def square(self) -> Tensor:
        """``input ** 2``."""
    def square_(self) -> Self:
        """`minigrad.square`, in place."""
    def squeeze(self, dim: builtins.int | Sequence[builtins.int] | None = None) -> Tensor:
        """Without the dimensions of length 1; or only those among `dim`."""
    def squeeze_(self, dim: Any = None) -> Self: ...
    def std(self, dim: builtins.int | Sequence[builtins.int] | None = None, unbiased: builtins.bool = True, keepdim: builtins.bool = False, *, correction: builtins.float | None = None) -> Tensor:
        """The standard deviation: the root of `var`; where it is 0, so is its gradient."""
    def sub(self, other: Tensor | complex, alpha: complex = 1) -> Tensor:
        """``input - alpha * other``."""
    def sub_(self, other: Tensor | complex, alpha: complex = 1) -> Self:
        """`minigrad.sub`, in place."""
    def subtract(self, other: Tensor | complex, alpha: complex = 1) -> Tensor:
        """``input - alpha * other``."""
    def subtract_(self, other: Tensor | complex, alpha: complex = 1) -> Self:
        """`minigrad.subtract`, in place."""
    def sum(self, dim: builtins.int | Sequence[builtins.int] | None = None, keepdim: builtins.bool = False, dtype: DTypeLike | None = None) -> Tensor:
        """The sum; integers and booleans are summed as int64."""
    def swapaxes(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Two dimensions exchanged (a view)."""
    def swapdims(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Two dimensions exchanged (a view)."""
    def t(self) -> Tensor:
        """The transpose of a matrix; vectors and 0-d tensors are unchanged."""
    def t_(self) -> Self: ...
    def take_along_dim(self, indices: Tensor, dim: builtins.int | None = None) -> Tensor:
        """`gather` whose operands broadcast, and whose indices wrap around, as in torch."""
    def tan(self) -> Tensor:
        """The tangent (radians)."""
    def tan_(self) -> Self:
        """`minigrad.tan`, in place."""
    def tanh(self) -> Tensor:
        """The hyperbolic tangent; its derivative is ``1 - tanh(x)**2``."""
    def tanh_(self) -> Self:
        """`minigrad.tanh`, in place."""
    def tensor_split(self, indices_or_sections: builtins.int | Sequence[builtins.int] | Tensor, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Dimension `dim` split into a number of nearly equal pieces, or at given indices (views)."""
    def tile(self, *dims: builtins.int | Sequence[builtins.int]) -> Tensor:
        """`repeat` with missing repeats taken as 1."""
    def to(self, *where: Any, **how: Any) -> Tensor:
        """`input` on a device (there is only the CPU), in another dtype, or both; `input` itself if nothing changes."""
    def topk(self, k: builtins.int, dim: builtins.int = -1, largest: builtins.bool = True, sorted: builtins.bool = True) -> MaxMin:
        """The `k` largest (or smallest) elements along `dim`, sorted, and their indices."""
    def trace(self) -> Tensor:
        """The sum of a matrix's diagonal."""
    def transpose(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Two dimensions exchanged (a view)."""
    def transpose_(self, dim0: Any, dim1: Any) -> Self: ...
    def tril(self, diagonal: builtins.int = 0) -> Tensor:
        """The lower triangle of each matrix; 0 above."""
    def tril_(self, diagonal: builtins.int = 0) -> Self:
        """`minigrad.tril`, in place."""
    def triu(self, diagonal: builtins.int = 0) -> Tensor:
        """The upper triangle of each matrix; 0 below."""
    def triu_(self, diagonal: builtins.int = 0) -> Self:
        """`minigrad.triu`, in place."""
    def true_divide(self, other: Tensor | complex, rounding_mode: str | None = None) -> Tensor:
        """``input / other``; integers give float32. `rounding_mode`: None, ``"floor"`` or ``"trunc"``."""
    def true_divide_(self, other: Tensor | complex, rounding_mode: str | None = None) -> Self:
        """`minigrad.true_divide`, in place."""
    def trunc(self) -> Tensor:
        """The integer part; its derivative is 0."""
    def trunc_(self) -> Self:
        """`minigrad.trunc`, in place."""
    def type(self, dtype: Any = None, non_blocking: builtins.bool = False) -> Tensor:
        """`input` in another dtype, or a type's name such as ``"torch.LongTensor"``; without arguments, its type's name."""
    def type_as(self, other: Tensor) -> Tensor:
        """`input` in the dtype of `other`."""
    def unbind(self, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """The slices of dimension `dim`, as a tuple (views)."""
    def unflatten(self, dim: builtins.int, sizes: tuple[builtins.int, ...]) -> Tensor:
        """Dimension `dim` split into `sizes`; one of them may be -1."""
    def unfold(self, dimension: builtins.int, size: builtins.int, step: builtins.int) -> Tensor:
        """Windows of `size` elements along `dimension`, `step` apart, in a new last dimension."""
    def uniform_(self, *args: Any, generator: Generator | None = None, **options: Any) -> Self:
        """Fill with uniform numbers in [a, b)."""
    def unsqueeze(self, dim: builtins.int) -> Tensor:
        """A new dimension of length 1 at `dim`."""
    def unsqueeze_(self, dim: Any) -> Self: ...
    def var(self, dim: builtins.int | Sequence[builtins.int] | None = None, unbiased: builtins.bool = True, keepdim: builtins.bool = False, *, correction: builtins.float | None = None) -> Tensor:
        """The variance: the sum of squared deviations from the mean, divided by n - `correction`."""
    def view(self, *shape: builtins.int | Sequence[builtins.int], dtype: Any = None) -> Tensor:
        """`reshape` that never copies, which `input`'s strides must allow. With a dtype: its bytes as that dtype."""
    def view_as(self, other: Tensor) -> Tensor:
        """`input` in the shape of `other`."""
    def vsplit(self, indices_or_sections: builtins.int | Sequence[builtins.int] | Tensor) -> tuple[Tensor, ...]:
        """`tensor_split` along dimension 0 (views)."""
    @overload
    def where(self) -> tuple[Tensor, ...]: ...
    @overload
    def where(self, input: Tensor | Number, other: Tensor | Number) -> Tensor: ...
    def zero_(self, *args: Any, **kwargs: Any) -> Self:
        """Fill with zeros."""
