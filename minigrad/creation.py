"""Creation of tensors: from data, filled, ranges. (Random ones: `minigrad.drawing`.)

https://docs.pytorch.org/docs/stable/torch.html#creation-ops

Making an array is an operation without gradients, so that watchers (`minigrad.watch`) see it.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np

from minigrad import dtypes
from minigrad.dtypes import DTypeLike, as_numpy
from minigrad.engine import Array
from minigrad.kernels.memory import keep_freed
from minigrad.ops.dispatch import Primitive
from minigrad.ops.output import write
from minigrad.ops.record import Operand, composed, public, refusal, renamed
from minigrad.ops.shape import sizes
from minigrad.random import axes_in_torch
from minigrad.tensor import Size, Tensor
from minigrad.tensor import device as device_type


class Options(TypedDict, total=False):
    """The arguments that all functions here have in common."""

    device: Any
    requires_grad: bool
    out: Tensor | None
    layout: Any


def _finished(
    result: Tensor,
    requires_grad: bool = False,
    device: Any = None,
    out: Tensor | None = None,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    if device is not None:
        device_type(device)
    keep_freed()
    if out is not None:
        return write(out, result.to(out.dtype), warns=False)
    if requires_grad:
        result.requires_grad = True
    return result


def _creates(forward: Callable[..., Array], label: str = "", *inputs: str) -> Callable[..., Tensor]:
    """A function that makes an array, as an operation. The gradients of its `inputs` are zeros."""
    return Primitive(forward, dict.fromkeys(inputs, lambda g: g * 0), label, creates=True).run


@functools.cache
def _operation(name: str) -> Callable[..., Tensor]:
    def forward(make: Callable[..., Array], args: tuple[Any, ...]) -> Array:
        return make(*args)

    forward.__name__ = name
    return _creates(forward)


def _made(make: Callable[..., Array], *args: Any) -> Tensor:
    """``make(*args)`` as an operation of that name."""
    return _operation(make.__name__)(make, args)


def _numpy_dtype(dtype: DTypeLike | None, default: dtypes.dtype | None = None) -> np.dtype[Any]:
    return as_numpy(default or dtypes.default if dtype is None else dtype)


# ---- from data ---------------------------------------------------------------------------------------------


def tensor(
    data: Any, *, dtype: DTypeLike | None = None, pin_memory: bool = False, **options: Unpack[Options]
) -> Tensor:
    """A tensor with a copy of `data`: a number, nested lists, an array or a tensor.

    Python floats become float32, integers int64; arrays keep their dtype.

    Raises:
        ValueError: if the lists are ragged.
        TypeError: if `data` holds anything but numbers.

    >>> import minigrad
    >>> minigrad.tensor([[1, 2], [3, 4]], dtype=minigrad.float64)
    tensor([[1., 2.],
            [3., 4.]], dtype=minigrad.float64)
    """
    try:
        return _finished(_array_of(data, None if dtype is None else as_numpy(dtype)), **options)
    except RuntimeError as error:  # how operations report shapes that do not match
        raise error.__cause__ or error from None


@_creates
def _array_of(data: Any, dtype: np.dtype[Any] | None) -> Array:
    array = np.array(data) if isinstance(data, (np.ndarray, np.generic)) else _from_lists(data, dtype)
    if dtype is not None:
        if dtype.kind in "iu" and array.size and isinstance(data, (int, float, list, tuple)):
            dtypes.need_to_fit(array.min(), array.max(), dtype, array.dtype.kind == "f")
        array = array.astype(dtype, copy=False)
    as_numpy(array.dtype)
    return array  # in the memory layout of `data`, as in torch


def _from_lists(data: Any, dtype: np.dtype[Any] | None) -> Array:
    def plain(x: Any) -> Any:
        if isinstance(x, Tensor) and x is not data:
            if x.numel() != 1:
                raise ValueError("only one element tensors can be converted to Python scalars")
            return x.array.reshape(())
        if isinstance(x, Tensor):
            return x.array
        return [plain(y) for y in x] if isinstance(x, (list, tuple)) else x

    values = plain(data)
    try:
        array = np.array(values)
    except ValueError as error:
        raise ValueError(f"tensor(): the lists in data are not of equal length at some depth ({error})") from None
    if array.dtype.kind not in "biufc":
        raise TypeError(f"tensor(): data must be numbers, but it holds {array.dtype.name}: {data!r:.80}")
    if dtype is None and array.dtype == np.float64 and not _holds_float64(data):
        array = array.astype(dtypes.default.numpy)
    return array


def _holds_float64(data: Any) -> bool:
    """Whether the first element in nested lists is a float64 array, tensor or NumPy number."""
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, (np.ndarray, np.generic, Tensor)) and str(data.dtype).endswith("float64")


def as_tensor(data: Any, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """`data` as a tensor, without a copy if it is a tensor or an array of the right dtype."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray) and (dtype is None or data.dtype == as_numpy(dtype)):
        return from_numpy(data)
    return tensor(data, dtype=dtype, device=device)


asarray = as_tensor


def from_numpy(ndarray: Array) -> Tensor:
    """A tensor that shares the memory of an array, and its dtype.

    Raises:
        TypeError: if it is not an array, or not of numbers.

    >>> import minigrad, numpy as np
    >>> minigrad.from_numpy(np.ones(2))
    tensor([1., 1.], dtype=minigrad.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    as_numpy(ndarray.dtype)
    return Tensor.wrap(ndarray.view())


class _Typed(type):
    """The type of the legacy constructors; tensors of their dtype are their instances."""

    dtype: np.dtype[Any]

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor) and x.array.dtype == cls.dtype

    def __call__(cls, *content: Any) -> Tensor:
        """From sizes, an uninitialised tensor; else one with that content."""
        if not content:
            content = (0,)
        if isinstance(content[0], (int, np.integer, Size)):
            return empty(*content, dtype=cls.dtype)
        if isinstance(content[0], (float, bool)):
            raise TypeError(f"new(): data must be a sequence (got {type(content[0]).__name__})")
        if isinstance(content[0], Tensor) and content[0].array.dtype != cls.dtype:
            raise TypeError(f"expected a tensor of {cls.dtype}, but got one of {content[0].dtype}")
        return tensor(content[0], dtype=cls.dtype)


def _typed(name: str, dtype: dtypes.dtype) -> _Typed:
    return _Typed(name, (), {"dtype": dtype.numpy, "__module__": __name__, "__doc__": f"Makes tensors of {dtype!r}."})


FloatTensor, DoubleTensor = _typed("FloatTensor", dtypes.float32), _typed("DoubleTensor", dtypes.float64)
HalfTensor, BoolTensor = _typed("HalfTensor", dtypes.float16), _typed("BoolTensor", dtypes.bool_)
LongTensor, IntTensor = _typed("LongTensor", dtypes.int64), _typed("IntTensor", dtypes.int32)
ShortTensor, CharTensor = _typed("ShortTensor", dtypes.int16), _typed("CharTensor", dtypes.int8)
ByteTensor = _typed("ByteTensor", dtypes.uint8)


# ---- filled, and ranges ------------------------------------------------------------------------------------


def zeros(*shape: Any, size: Any = None, dtype: DTypeLike | None = None, **options: Unpack[Options]) -> Tensor:
    """A tensor of zeros.

    >>> import minigrad
    >>> minigrad.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return _finished(_made(np.zeros, _size(shape, size), _numpy_dtype(dtype)), **options)


def ones(*shape: Any, size: Any = None, dtype: DTypeLike | None = None, **options: Unpack[Options]) -> Tensor:
    """Ones."""
    return _finished(_made(np.ones, _size(shape, size), _numpy_dtype(dtype)), **options)


def empty(*shape: Any, size: Any = None, dtype: DTypeLike | None = None, **options: Unpack[Options]) -> Tensor:
    """A tensor whose values are not set."""
    return _finished(_made(np.empty, _size(shape, size), _numpy_dtype(dtype)), **options)


def full(size: Any, fill_value: Any, *, dtype: DTypeLike | None = None, **options: Unpack[Options]) -> Tensor:
    """A tensor filled with one value, whose type determines the dtype."""
    if isinstance(fill_value, Tensor):
        dtype, fill_value = dtype or fill_value.dtype, fill_value.item()
    dtype = dtypes.result_type([fill_value]) if dtype is None else as_numpy(dtype)
    value = dtypes.number(_value(fill_value), dtype)
    return _finished(_made(np.full, _size((), size), value, dtype), **options)


def _size(given: tuple[Any, ...], size: Any = None) -> tuple[int, ...]:
    if (not given) == (size is None):
        raise TypeError(f"{'multiple values' if given else 'missing'} for argument 'size'")
    shape = sizes(given or (size,))
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {list(shape)}")
    return shape


LIKE = "`{}` with the shape, dtype and order in memory of `input`."


def _like(make: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    def like(
        input: Tensor, *args: Any, dtype: DTypeLike | None = None, memory_format: Any = None, **options: Any
    ) -> Tensor:
        order = axes_in_torch(input)
        result = make([input.shape[i] for i in order], *args, dtype=dtype or input.dtype, **options)
        return result if order == tuple(range(input.ndim)) else result.permute(*np.argsort(order).tolist())

    return renamed(like, f"{name}_like", LIKE.format(name))


def arange(
    start: Any, end: Any = None, step: Any = 1, *, dtype: DTypeLike | None = None, **options: Unpack[Options]
) -> Tensor:
    """Numbers from `start` (0 if left out) up to, not including, `end`.

    >>> import minigrad
    >>> minigrad.arange(3), minigrad.arange(0, 1, 0.5)
    (tensor([0, 1, 2]), tensor([0.0000, 0.5000]))
    """
    if end is None:
        start, end = 0, start
    start, end, step = (x.item() if isinstance(x, Tensor) else x for x in (start, end, step))
    whole = all(isinstance(x, (int, np.integer)) for x in (start, end, step))
    if dtype is None and (out := options.get("out")) is not None:
        dtype = out.dtype
    dtype = _numpy_dtype(dtype, dtypes.int64 if whole else None)
    if not (np.isfinite(start) and np.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if dtype.kind in "iu" and int(step) == 0 != step:
        raise ValueError("step must be nonzero")
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError(
            "upper bound and lower bound inconsistent with step sign" if step else "step must be nonzero"
        )
    if dtype.kind in "iu":
        start, end, step, whole = int(start), int(end), int(step), True
    n = -(-(end - start) // step) if whole else int(np.ceil((end - start) / step))
    return _finished(_made(_counted, start, step, n, dtype), **options)


def _counted(start: Any, step: Any, n: int, dtype: np.dtype[Any]) -> Array:
    return (start + np.arange(n) * step).astype(dtype)  # type: ignore[no-any-return]


def linspace(
    start: float, end: float, steps: int, *, dtype: DTypeLike | None = None, **options: Unpack[Options]
) -> Tensor:
    """`steps` numbers from `start` to `end`, both included, equally far apart.

    Raises:
        TypeError: if `steps` is not an integer.
        RuntimeError: if it is negative, or if `start` or `end` is a tensor with dimensions.
    """
    return _finished(_made(_spaced, *_ends("linspace", start, end, steps), _numpy_dtype(dtype)), **options)


def _ends(name: str, start: Any, end: Any, steps: Any) -> tuple[Any, Any, int]:
    """The arguments of `linspace` and `logspace` as numbers."""
    for what, x in (("start", start), ("end", end)):
        if isinstance(x, Tensor) and x.ndim:
            raise RuntimeError(
                f"{name} only supports 0-dimensional start and end tensors, but got {what} with {x.ndim} dimension(s)."
            )
    start, end, steps = (x.item() if isinstance(x, Tensor) else x for x in (start, end, steps))
    if not isinstance(steps, (int, np.integer)) or isinstance(steps, bool):
        raise TypeError(f"{name}(): argument 'steps' (position 3) must be int, not {type(steps).__name__}")
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    return start, end, int(steps)


def _spaced(start: float, end: float, steps: int, dtype: np.dtype[Any]) -> Array:
    if steps == 1:
        return np.full(1, start, dtype)
    if dtype.kind in "iu":
        start, end = int(start), int(end)
    step = (end - start) / max(steps - 1, 1)
    step = step if dtype.kind in "iu" else np.float64(np.asarray(step, dtype=dtype))
    i = np.arange(steps)  # counted from both ends, as torch does
    return np.where(i < steps // 2, start + step * i, end - step * (steps - 1 - i)).astype(dtype)


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DTypeLike | None = None,
    **options: Unpack[Options],
) -> Tensor:
    """`base` to the powers of a `linspace`."""
    exponents = linspace(*_ends("logspace", start, end, steps), dtype=dtypes.float64).array
    return _finished(Tensor.wrap(np.power(base, exponents).astype(_numpy_dtype(dtype))), **options)


def eye(n: int, m: int | None = None, *, dtype: DTypeLike | None = None, **options: Unpack[Options]) -> Tensor:
    """The identity matrix (n, m).

    Raises:
        RuntimeError: for a negative length.
    """
    for name, length in (("n", n), ("m", m)):
        if length is not None and length < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {length}")
    return _finished(_made(np.eye, n, m, 0, _numpy_dtype(dtype)), **options)


@composed(methods=[], differentiable=False, torch="nn.functional.one_hot", sample=lambda d: (d.integers((3,), 4), 4))
def one_hot(tensor: Operand, num_classes: int = -1) -> Tensor:
    """Each class as a row of zeros with a 1 at its index: (…) → (…, C), int64.

    Raises:
        RuntimeError: if a number is negative, or not below `num_classes`.

    >>> import minigrad
    >>> minigrad.nn.functional.one_hot(minigrad.tensor([1, 0]))
    tensor([[0, 1],
            [1, 0]])
    """
    if tensor.dtype is not dtypes.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    classes = tensor.array
    if classes.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    n = int(classes.max()) + 1 if num_classes == -1 else num_classes
    if classes.size and not (classes.min() >= 0 and classes.max() < n):
        raise RuntimeError(f"Class values must be non-negative and smaller than num_classes ({n}); they are in "
                           f"[{classes.min()}, {classes.max()}].")  # fmt: skip
    return Tensor.wrap((classes[..., None] == np.arange(n)).astype(np.int64))


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """The coordinates of a grid whose axes are `tensors`: views of these, with ``"xy"`` the second axis first.

    Raises:
        RuntimeError: if `indexing` is not ``"ij"`` or ``"xy"``, for matrices, or if the dtypes differ.
    """
    vectors = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    if not vectors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for v in vectors:
        if v.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {list(v.shape)}")
        if v.dtype != vectors[0].dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if indexing is None:
        indexing = "ij"
        _warn_of_indexing()
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    places = [i if indexing == "ij" or i > 1 or len(vectors) < 2 else 1 - i for i in range(len(vectors))]
    shape = [vectors[i].numel() for i in places]
    return tuple(
        v.reshape([-1 if j == at else 1 for j in range(len(shape))]).expand(shape)
        for at, v in zip(places, vectors, strict=True)
    )


@functools.cache  # once, as torch does
def _warn_of_indexing() -> None:
    warnings.warn(
        "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.", stacklevel=3
    )


zeros_like, ones_like = _like(zeros, "zeros"), _like(ones, "ones")
empty_like, full_like = _like(empty, "empty"), _like(full, "full")


# ---- methods -----------------------------------------------------------------------------------------------


def _filler(name: str, fill: Callable[..., Any], doc: str) -> Callable[..., Tensor]:
    """An in-place method that overwrites all elements."""

    def values(x: Array, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Array:
        return np.full(x.shape, dtypes.number(fill(x, *args, **kwargs), x.dtype))

    operation = _creates(values)

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return self.assign(operation(self, args, kwargs))

    return renamed(method, name, doc)


def _value(x: Any) -> Any:
    return x.array if isinstance(x, Tensor) else x


_constant = _filler("fill_", lambda x, value: value, "Fill with one value.")


def _fill(self: Tensor, value: Any) -> Tensor:
    """Fill with one value; if it is a tensor, gradients flow to it."""
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions.")
    return self.copy_(value) if isinstance(value, Tensor) else _constant(self, value)


def new_like(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A method that makes a tensor of this tensor's dtype."""

    def method(self: Tensor, *args: Any, dtype: DTypeLike | None = None, **kwargs: Any) -> Tensor:
        return make(*args, dtype=dtype or self.dtype, **kwargs)

    return renamed(method, f"new_{make.__name__}", f"`{make.__name__}` with this tensor's dtype.")


def _copy(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """The values of `src`, converted and broadcast, into this tensor."""
    if not isinstance(src, Tensor):
        raise refusal("copy_", "other", 1, src)
    src = src.to(self.dtype).expand(*self.shape)
    if src.tracked and self.requires_grad:
        self[...] = src  # which sends a gradient of 0 to what was there
        return self
    return self.assign(src)


_methods: dict[str, Callable[..., Any]] = {
    "zero_": _filler("zero_", lambda x: 0, "Fill with zeros."),
    "fill_": _fill,
    "copy_": _copy,
    "new_zeros": new_like(zeros),
    "new_ones": new_like(ones),
    "new_empty": new_like(empty),
    "new_full": new_like(full),
    "new_tensor": lambda self, data, dtype=None, requires_grad=False: tensor(
        data, dtype=dtype or self.dtype, requires_grad=requires_grad
    ),
}
for _name, _function in _methods.items():
    setattr(Tensor, _name, _function)
fill_, zero_ = _fill, _methods["zero_"]

if not TYPE_CHECKING:  # type checkers take all public names
    __all__ = [name for name in public(globals()) if name not in ("Options", "new_like")]
