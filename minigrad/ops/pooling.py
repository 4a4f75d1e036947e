"""Pooling: the largest element, or the mean, of each window of an image.

The computations on arrays are in `minigrad.kernels.pooling`.

https://docs.pytorch.org/docs/stable/nn.functional.html#pooling-functions
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.dtypes import as_numpy
from minigrad.kernels import pooling as kernels
from minigrad.kernels.im2col import positions
from minigrad.kernels.pooling import Window
from minigrad.ops.convert import contiguous
from minigrad.ops.convolution import pair
from minigrad.ops.curve import in_float32
from minigrad.ops.record import Operand, composed, operation
from minigrad.ops.shape import movedim, squeeze, unsqueeze
from minigrad.tensor import Tensor
from minigrad.views import inside, passed_on


def _sample(d: Any) -> tuple[tuple[int, ...], Window]:
    kernel, stride, dilation = ((d.integer(1, high), d.integer(1, high)) for high in (3, 3, 2))
    before = d.integer(0, kernel[0] // 2), d.integer(0, kernel[1] // 2)
    extent = [dilation[i] * (kernel[i] - 1) + 1 + d.integer(0, 2) for i in (0, 1)]
    size = [positions(extent[i] + 2 * before[i], kernel[i], stride[i], dilation[i]) for i in (0, 1)]
    return (d.integer(1, 2), d.integer(1, 2), *extent), Window(kernel, stride, dilation, before, (size[0], size[1]))


def _sum_sample(d: Any, back: bool) -> tuple[Any, ...]:
    """The arguments of `_pool_sum`, or of `_unpool`, its gradient."""
    shape, window = _sample(d)
    results = (*shape[:2], *window.size)
    masks = d.choice([None, d.mask((window.kernel[0] * window.kernel[1], *results))])
    return (d.array(results), shape, window, masks) if back else (d.array(shape), window, masks)


@operation(
    {"input": lambda g, input_shape, window, masks: _unpool(g, tuple(input_shape), window, masks)},
    grad_fn="AvgPool2DBackward0",
    sample=lambda d: _sum_sample(d, False),
)
def _pool_sum(input: Any, window: Window, masks: Any = None) -> Any:
    """The sum of each window; with `masks` only of the taps that they select."""
    return kernels.pool_sum(input, window, masks)


@operation(
    {"input": lambda g, window, masks: _pool_sum(g, window, masks)},
    grad_fn="AvgPool2DBackward0Backward0",
    sample=lambda d: _sum_sample(d, True),
)
def _unpool(input: Any, shape: tuple[int, ...], window: Window, masks: Any = None) -> Any:
    """Each window's number added to its elements; with `masks` only to the taps that they select."""
    return kernels.unpool(input, shape, window, masks)


def _max_pool2d_gradient(g: Any, input: Any, out: Any, window: Window) -> Any:
    x, largest = (t.array if isinstance(t, Tensor) else t for t in (input, out))  # the masks have no gradient
    return _unpool(g, tuple(input.shape), window, kernels.winners(x, largest, window))


def _max_pool_sample(d: Any) -> tuple[Any, ...]:
    shape, window = _sample(d)
    return d.array(shape, distinct=True), window


@operation({"input": _max_pool2d_gradient}, grad_fn="MaxPool2DWithIndicesBackward0", sample=_max_pool_sample)
def _max_pool2d(input: Any, window: Window) -> Any:
    """The largest element of each window."""
    return kernels.max_pool(input, window)


@operation(sample=_max_pool_sample)
def _max_pool2d_indices(input: Any, window: Window) -> Any:
    """The place of each window's largest element in its image: row · W + column."""
    return kernels.max_pool_indices(input, window)


# ---- public functions ------------------------------------------------------------------------------------


def _count(n: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    """How many windows fit. With `ceil_mode` the last may extend over the end, but must start before it."""
    span = n + 2 * padding - dilation * (kernel - 1) - 1
    windows = (-(-span // stride) if ceil_mode else span // stride) + 1
    return windows - 1 if ceil_mode and (windows - 1) * stride >= n + padding else windows


def _check_dims(name: str, input: Any, n: int) -> None:
    """One sample has `n` dimensions; no dimension but the batch may be empty where there is a maximum to find."""
    if input.ndim not in (n, n + 1) or (name.startswith("max") and 0 in input.shape[-n:]):
        raise RuntimeError(
            f"{name}: Expected {n}D or {n + 1}D (batch mode) tensor with optional 0 dim batch size for input, but got:"
            f"{list(input.shape)}"
        )


def _window(name: str, input: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Window:
    """The windows over the last two dimensions of `input`.

    Raises:
        RuntimeError: if none fits, or the arguments are invalid.
    """
    _check_dims(name, input, 3)
    k = pair(kernel, "kernel_size")
    s = k if stride is None or stride in ([], ()) else pair(stride, "stride")
    p, d = pair(padding, "padding"), pair(dilation, "dilation")
    for what, values in (("kernel size", k), ("stride", s), ("dilation", d)):
        if min(values) <= 0:
            raise RuntimeError(f"{what} should be greater than zero, but got {list(values)} ({name})")
    for a, b, c in zip(p, k, d, strict=True):
        if a < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {a}")
        if a > ((b - 1) * c + 1) // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={a}, kernel_size={b} and "
                f"dilation={c}"
            )
    size = [_count(input.shape[i - 2], k[i], s[i], p[i], d[i], ceil_mode) for i in (0, 1)]
    if min(size) <= 0:
        c, h, w = input.shape[-3:]
        raise RuntimeError(
            f"Given input size: ({c}x{h}x{w}). Calculated output size: ({c}x{size[0]}x{size[1]}). Output size is too "
            f"small ({name} with kernel_size {list(k)})"
        )
    return Window((k[0], k[1]), (s[0], s[1]), (d[0], d[1]), (p[0], p[1]), (size[0], size[1]))


def _as_image(input: Any, name: str) -> Any:
    """(N, C, L) as images of one row."""
    _check_dims(name, input, 2)
    return inside(input, unsqueeze, -2)


def _in_a_row(kernel_size: Any, stride: Any, padding: Any) -> tuple[Any, Any, Any]:
    """The same windows in images of one row; a stride of None is kept."""
    steps = stride if stride is None or stride in ([], ()) else (1, *pair(stride, "stride", 1))
    return (1, *pair(kernel_size, "kernel_size", 1)), steps, (0, *pair(padding, "padding", 1))


def _pool_arguments(d: Any, dims: int, dilated: bool) -> tuple[Any, ...]:
    """Input, kernel_size, stride, padding (and dilation) for a pooling over `dims` dimensions."""
    shape, window = _sample(d)
    if not dilated:
        window = window._replace(dilation=(1, 1))
    shape = tuple(max(n, 1) for n in shape)
    rest = (window.kernel, window.stride, window.before, *((window.dilation,) if dilated else ()))
    if dims == 1:
        shape, rest = (*shape[:2], shape[3]), tuple(p[1] for p in rest)
    elif d.boolean():
        rest = tuple(p[0] for p in rest)
        shape = (*shape[:2], shape[2], shape[2] + d.integer(0, 2))
    x = d.array(shape[1:] if d.integer(0, 3) == 0 else shape, distinct=True)
    return (x, rest[0], d.choice([None, rest[1]]), *rest[2:])


@composed(torch="nn.functional.max_pool2d", sample=lambda d: (*_pool_arguments(d, 2, True), d.boolean(), d.boolean()))
def max_pool2d(
    input: Operand,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window: (N, C, H, W) or (C, H, W) → (N, C, H', W'). The first wins a tie.

    Args:
        input: the images.
        kernel_size: the size of a window; one number or (rows, columns), like the next three.
        stride: steps between windows; by default the kernel's size.
        padding: how far windows extend over each side; elements there count as -inf.
        dilation: steps between the elements of a window.
        ceil_mode: also take windows that extend over the far end.
        return_indices: also return the places of the largest elements in their image, as ``row · W + column``.

    Raises:
        RuntimeError: if no window fits, or the padding exceeds half a kernel.

    >>> import minigrad
    >>> minigrad.nn.functional.max_pool2d(minigrad.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    window = _window("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)
    out = _max_pool2d(input, window)
    return (out, _max_pool2d_indices(input, window)) if return_indices else out


@composed(
    torch="nn.functional.max_pool1d",
    sample=lambda d: (*_pool_arguments(d, 1, True), d.boolean(), d.boolean()),
)
def max_pool1d(
    input: Operand,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """`max_pool2d` over one dimension: (N, C, L) or (C, L) → (N, C, L').

    >>> import minigrad
    >>> minigrad.nn.functional.max_pool1d(minigrad.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    image, (k, s, p) = _as_image(input, "max_pool1d"), _in_a_row(kernel_size, stride, padding)
    if not return_indices and as_numpy(input.dtype).kind != "f":
        raise dtypes.not_implemented("max_pool1d", as_numpy(input.dtype))
    out = max_pool2d(image, k, s, p, (1, *pair(dilation, "dilation", 1)), ceil_mode, return_indices)
    return tuple(passed_on(x, squeeze, -2) for x in out) if return_indices else passed_on(out, squeeze, -2)


@composed(
    torch="nn.functional.avg_pool2d",
    dtypes="fi",
    sample=lambda d: (*_pool_arguments(d, 2, False), d.boolean(), d.boolean(), d.choice([None, 3])),
)
def avg_pool2d(
    input: Operand,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window: (N, C, H, W) or (C, H, W) → (N, C, H', W').

    Args:
        input: the images.
        kernel_size: the size of a window; one number or (rows, columns), like the next two.
        stride: steps between windows; by default the kernel's size.
        padding: zeros on each side.
        ceil_mode: also take windows that extend over the far end.
        count_include_pad: whether the zeros of the padding count in the number of elements that a sum is divided by.
        divisor_override: divide by this number instead.

    Raises:
        RuntimeError: if no window fits, the padding exceeds half a kernel, or the divisor is 0.

    >>> import minigrad
    >>> minigrad.nn.functional.avg_pool2d(minigrad.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    window = _window("avg_pool2d", input, kernel_size, stride, padding, 1, ceil_mode)
    if input.dtype.itemsize == 2 and input.dtype in (np.float16, dtypes.float16):  # summed in float32
        options = (stride, padding, ceil_mode, count_include_pad, divisor_override)
        return avg_pool2d(input.astype(np.float32), kernel_size, *options).astype(np.float16)
    if not input.is_floating_point():  # rounded towards 0
        options = (stride, padding, ceil_mode, count_include_pad, divisor_override)
        return avg_pool2d(input.astype(np.float64), kernel_size, *options).astype(input.dtype)
    out = _pool_sum(input, window, None)
    if divisor_override is not None:
        if divisor_override == 0:
            raise RuntimeError("divisor must be not zero")
        return out / divisor_override
    counts = []
    for i in (0, 1):
        n, p = input.shape[i - 2], window.before[i]
        starts = np.arange(window.size[i]) * window.stride[i] - p
        low, high = (-p, n + p) if count_include_pad else (0, n)
        counts.append(np.minimum(starts + window.kernel[i], high) - np.maximum(starts, low))
    divisors = np.outer(*counts)
    first = int(divisors.flat[0])
    if (divisors == first).all():
        return out / first
    return out / Tensor.wrap(divisors.astype(input.dtype.numpy if isinstance(input, Tensor) else input.dtype))


@composed(
    torch="nn.functional.avg_pool1d",
    dtypes="fi",
    sample=lambda d: (*_pool_arguments(d, 1, False), d.boolean(), d.boolean()),
)
def avg_pool1d(
    input: Operand,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """`avg_pool2d` over one dimension: (N, C, L) or (C, L) → (N, C, L').

    >>> import minigrad
    >>> minigrad.nn.functional.avg_pool1d(minigrad.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    image, (k, s, p) = _as_image(input, "avg_pool1d"), _in_a_row(kernel_size, stride, padding)
    return passed_on(avg_pool2d(image, k, s, p, ceil_mode, count_include_pad), squeeze, -2)


@composed(
    torch="nn.functional.adaptive_avg_pool2d",
    sample=lambda d: (
        d.array((*d.choice([(), (2,)]), 2, d.integer(1, 5), d.integer(1, 5))),
        d.choice([1, 2, (2, 3), (None, 1), (3, 4)]),
    ),
    dtypes="f",
)
def adaptive_avg_pool2d(input: Operand, output_size: int | Sequence[int | None] | None) -> Any:
    """The means of an `output_size` grid of parts, as equal as possible: (N, C, H, W) → (N, C, \\*output_size).

    Args:
        input: images (N, C, H, W) or (C, H, W).
        output_size: one number or (rows, columns); None keeps the input's size.

    Raises:
        RuntimeError: if the input has another number of dimensions, or `output_size` is not two numbers.
        ValueError: if the input has fewer than three, and `output_size` is a sequence (as in torch).

    >>> import minigrad
    >>> minigrad.nn.functional.adaptive_avg_pool2d(minigrad.arange(8.0).reshape(1, 2, 4), (1, 2))
    tensor([[[2.5000, 4.5000]]])
    """
    if input.ndim < 3 and isinstance(output_size, (tuple, list)):
        raise ValueError(f"Input dimension should be at least 3, but got input of shape {list(input.shape)}")
    if input.ndim not in (3, 4):
        raise RuntimeError(
            f"adaptive_avg_pool2d(): Expected 3D or 4D tensor, but got input of shape {list(input.shape)}"
        )
    wanted = (output_size, output_size) if output_size is None or isinstance(output_size, int) else tuple(output_size)
    if len(wanted) != 2:
        raise RuntimeError(f"adaptive_avg_pool2d: output_size must be 2, but got {list(wanted)}")
    h, w = input.shape[-2:]
    rows, columns = (n if m is None else int(m) for n, m in zip((h, w), wanted, strict=True))
    if min(rows, columns) < 0:
        raise RuntimeError(
            f"adaptive_avg_pool2d(): elements of output_size must not be negative, but got {output_size}"
        )
    if rows and columns and h and w and not (h % rows or w % columns):
        return avg_pool2d(input, (h // rows, w // columns))
    return weighed(weighed(input, kernels.means(w, columns).T, -1), kernels.means(h, rows).T, -2)


@operation(
    {"input": lambda g, weights: _weighed(g, weights.T)},
    sample=lambda d: (d.array((2, 3)), np.array([[1, 0], [2, 1], [0, 3]])),
)
def _weighed(input: Any, weights: Any) -> Any:
    """Weighted sums of the last dimension."""
    return in_float32(lambda x: kernels.weigh(x, weights.astype(x.dtype)), input)


def weighed(input: Any, weights: Any, dim: int) -> Any:
    """Weighted sums along a dimension: its n elements times `weights` (n, m)."""
    return contiguous(movedim(_weighed(movedim(input, dim, -1), weights), -1, dim))


@composed(
    torch="nn.functional.adaptive_avg_pool1d",
    sample=lambda d: (d.array((*d.choice([(), (2,)]), 2, d.integer(1, 5))), d.choice([1, 2, 3])),
    dtypes="f",
)
def adaptive_avg_pool1d(input: Operand, output_size: int | Sequence[int | None] | None) -> Any:
    """`adaptive_avg_pool2d` over one dimension: (N, C, L) or (C, L) → (N, C, output_size).

    >>> import minigrad
    >>> minigrad.nn.functional.adaptive_avg_pool1d(minigrad.tensor([[1.0, 3.0, 2.0, 0.0]]), 1)
    tensor([[1.5000]])
    """
    image, size = _as_image(input, "adaptive_avg_pool1d"), pair(output_size, "output_size", 1)
    return passed_on(adaptive_avg_pool2d(image, (1, *size)), squeeze, -2)
