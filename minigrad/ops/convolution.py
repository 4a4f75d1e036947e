"""Convolutions, as matrix products.

Three operations are each other's gradients, to any order. Written as one sum over images n and positions,

    L = Σ u[n, o, i] · weight[o, c, k] · x[n, c, stride·i + dilation·k − padding],

they are its derivatives: by u the convolution of x, by x its transposed convolution of u, by the weight the
correlation of both. Everything else here is composed of them.

https://docs.pytorch.org/docs/stable/nn.functional.html#convolution-functions
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.kernels import convolution as kernels
from minigrad.kernels.im2col import Pair, positions
from minigrad.ops.linalg import same_dtype
from minigrad.ops.padding import pad
from minigrad.ops.record import Operand, composed, operation
from minigrad.ops.reduction import sum
from minigrad.ops.shape import reshape, squeeze, unsqueeze
from minigrad.views import inside, passed_on


def pair(value: Any, name: str, n: int = 2) -> tuple[Any, ...]:
    """`n` integers: from one, or from a sequence of one or `n`.

    Raises:
        RuntimeError: for another number of them.
    """
    values = (value,) if isinstance(value, (int, np.integer)) else tuple(value)
    if len(values) not in (1, n):
        raise RuntimeError(f"expected {name} to be a single integer value or a list of {n} values, but got {value}")
    return tuple(int(v) for v in (values * n if len(values) == 1 else values))


# ---- the three operations --------------------------------------------------------------------------------


def _geometry(d: Any) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[Any, ...]]:
    """The shapes of input, weight and result, and the rest of the arguments."""
    groups = d.choice([1, 1, 2])
    stride, dilation, padding = ((d.integer(low, low + 1), d.integer(low, low + 2)) for low in (1, 1, 0))
    kernel = d.integer(1, 3), d.integer(1, 3)
    size = [dilation[i] * (kernel[i] - 1) + 1 + d.integer(0, 3) for i in (0, 1)]
    n, c, out = d.integer(1, 2), d.integer(1, 2) * groups, d.integer(1, 2) * groups
    result = [positions(size[i] + 2 * padding[i], kernel[i], stride[i], dilation[i]) for i in (0, 1)]
    rest = (stride, padding, dilation, groups)
    return (n, c, *size), (out, c // groups, *kernel), (n, out, *result), rest


def _conv2d_sample(d: Any) -> tuple[Any, ...]:
    x, w, y, rest = _geometry(d)
    return d.array(x), d.array(w), d.choice([None, d.array(y[1:2])]), *rest


def _conv2d_input_sample(d: Any) -> tuple[Any, ...]:
    x, w, y, rest = _geometry(d)
    return d.array(y), d.array(w), x[2:], *rest


def _conv2d_weight_sample(d: Any) -> tuple[Any, ...]:
    x, w, y, rest = _geometry(d)
    return d.array(y), d.array(x), w[2:], *rest


def _gradients(
    wanted: Sequence[bool], g: Any, input: Any, weight: Any, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Sequence[Any]:
    geometry = (stride, padding, dilation, groups)
    return (
        _conv2d_input(g, weight, tuple(input.shape[2:]), *geometry) if wanted[0] else None,
        _conv2d_weight(g, input, tuple(weight.shape[2:]), *geometry) if wanted[1] else None,
        _sum_of_channels(g) if wanted[2] else None,
    )


def _sum_of_channels(g: Any) -> Any:
    return kernels.sum_of_channels(g) if isinstance(g, np.ndarray) else sum(g, (0, 2, 3))


@operation(
    _gradients,
    inputs=("input", "weight", "bias"),
    torch="nn.functional.conv2d",
    grad_fn="ConvolutionBackward0",
    sample=_conv2d_sample,
)
def _conv2d(input: Any, weight: Any, bias: Any, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> Any:
    """`conv2d` of checked arguments."""
    return kernels.conv2d(input, weight, bias, stride, padding, dilation, groups)


def _input_gradients(
    wanted: Sequence[bool], g: Any, input: Any, weight: Any, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Sequence[Any]:
    geometry, (h, w) = (stride, padding, dilation, groups), input.shape[2:]
    return (
        _conv2d(g, weight, None, *geometry)[:, :, :h, :w] if wanted[0] else None,  # output_padding may add windows
        _conv2d_weight(input, g, tuple(weight.shape[2:]), *geometry) if wanted[1] else None,
    )


@operation(_input_gradients, inputs=("input", "weight"), grad_fn="ConvolutionBackward0", sample=_conv2d_input_sample)
def _conv2d_input(input: Any, weight: Any, size: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> Any:
    """The gradient of `_conv2d`'s input, of this `size`, if `input` is the gradient of the result."""
    return kernels.conv2d_input(input, weight, size, stride, padding, dilation, groups)


def _weight_gradients(
    wanted: Sequence[bool], g: Any, result: Any, input: Any, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Sequence[Any]:
    geometry, (h, w) = (stride, padding, dilation, groups), result.shape[2:]
    return (
        _conv2d(input, g, None, *geometry)[:, :, :h, :w] if wanted[0] else None,
        _conv2d_input(result, g, tuple(input.shape[2:]), *geometry) if wanted[1] else None,
    )


@operation(_weight_gradients, inputs=("result", "input"), grad_fn="ConvolutionBackward0", sample=_conv2d_weight_sample)
def _conv2d_weight(
    result: Any, input: Any, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Any:
    """The gradient of `_conv2d`'s weight, of this `kernel` size, if `result` is the gradient of the result."""
    return kernels.conv2d_weight(result, input, kernel, stride, padding, dilation, groups)


# ---- public functions ------------------------------------------------------------------------------------


def _conv(input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int, n: int) -> Any:
    """Convolution over `n` dimensions, 1 or 2; one dimension is an image of one row."""
    _check_shapes(f"conv{n}d", input, weight, bias, weight.shape[0] if weight.ndim else 0, n)
    single, input = input.ndim == n + 1, input if input.ndim == n + 2 else unsqueeze(input, 0)
    steps, spread = pair(stride, "stride", n), pair(dilation, "dilation", n)
    _check_steps(steps, spread, groups)
    if input.shape[1] != weight.shape[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(weight.shape)}, expected input{list(input.shape)} to have "
            f"{weight.shape[1] * groups} channels, but got {input.shape[1]} channels instead"
        )
    if weight.shape[0] % groups or not weight.shape[0]:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0 and divisible by it, but "
            f"got weight of size {list(weight.shape)} instead"
        )
    reach = [d * (k - 1) + 1 for d, k in zip(spread, weight.shape[2:], strict=True)]
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise RuntimeError(f"Invalid padding string: '{padding}'; expected 'valid' or 'same'")
        if padding == "same" and any(s != 1 for s in steps):
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        wanted = [r - 1 if padding == "same" else 0 for r in reach]
        if any(total % 2 for total in wanted):  # one more zero on the right
            input = pad(input, [part for total in reversed(wanted) for part in (0, total % 2)])
        around: Any = tuple(total // 2 for total in wanted)
    else:
        around = pair(padding, "padding", n)
    if any(p < 0 for p in around):
        raise RuntimeError("negative padding is not supported")
    padded = [m + 2 * p for m, p in zip(input.shape[2:], around, strict=True)]
    if any(a < b for a, b in zip(padded, reach, strict=True)):
        sizes = [" x ".join(map(str, size)) for size in (padded, reach)]
        raise RuntimeError(
            f"Calculated padded input size per channel: ({sizes[0]}). Kernel size: ({sizes[1]}). Kernel size can't be "
            "greater than actual input size"
        )
    if n == 1:
        input, weight = inside(input, unsqueeze, 2), unsqueeze(weight, 2)
        steps, around, spread = (1, *steps), (0, *around), (1, *spread)
    return _as_given(_conv2d(input, weight, bias, steps, around, spread, groups), n, single)


def _as_given(result: Any, n: int, single: bool) -> Any:
    """A result (N, C, H, W) without the dimensions that the input did not have."""
    result = passed_on(result, squeeze, 2) if n == 1 else result
    return passed_on(result, squeeze, 0) if single else result


def _check_shapes(name: str, input: Any, weight: Any, bias: Any, out: int, n: int) -> None:
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input of size: "
            f"{list(input.shape)}"
        )
    if weight.ndim != n + 2:
        raise RuntimeError(
            f"{name}: expected a weight of {n + 2} dimensions, but got size {list(weight.shape)} for an input of size "
            f"{list(input.shape)}"
        )
    same_dtype("input and weight", input, weight)
    if bias is not None:
        same_dtype("input and bias", input, bias)
        if tuple(bias.shape) != (out,):
            raise RuntimeError(
                f"Given weight of size {list(weight.shape)}, expected bias to be 1-dimensional with {out} elements, "
                f"but got bias of size {list(bias.shape)} instead"
            )


def _check_steps(stride: Sequence[int], dilation: Sequence[int], groups: int) -> None:
    if any(s <= 0 for s in stride):
        raise RuntimeError("non-positive stride is not supported")
    if any(d <= 0 for d in dilation):
        raise RuntimeError("dilation should be greater than zero")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")


def _conv_options(d: Any, n: int) -> tuple[Any, ...]:
    x, w, y, (stride, padding, dilation, groups) = _geometry(d)
    if n == 1:
        x, w, stride, padding, dilation = (*x[:2], x[3]), (*w[:2], w[3]), stride[1:], padding[1:], dilation[1:]
    if d.integer(0, 3) == 0:
        even = all(s * (k - 1) % 2 == 0 for s, k in zip(dilation, w[2:], strict=True))  # torch warns otherwise
        stride, padding = (1,) * n, d.choice(["same", "valid"]) if even else "valid"
    elif d.boolean():
        stride, padding, dilation = stride[0], padding[0], 1
        if n == 2 and any(x[2 + i] + 2 * padding < w[2 + i] for i in (0, 1)):
            padding = w[2] + w[3]
    given = d.array(x[1:] if d.integer(0, 3) == 0 else x)
    return given, d.array(w), d.choice([None, d.array(y[1:2])]), stride, padding, dilation, groups


@composed(torch="nn.functional.conv1d", sample=lambda d: _conv_options(d, 1))
def conv1d(
    input: Operand,
    weight: Operand,
    bias: Operand = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any:
    """`conv2d` over one dimension: input (N, C, L), weight (O, C/groups, k) → (N, O, L').

    Raises:
        RuntimeError: if the shapes do not match, or the dtypes differ.

    >>> import minigrad
    >>> minigrad.nn.functional.conv1d(minigrad.ones(1, 1, 4), minigrad.ones(1, 1, 3))
    tensor([[[3., 3.]]])
    """
    return _conv(input, weight, bias, stride, padding, dilation, groups, 1)


@composed(torch="nn.functional.conv2d", sample=lambda d: _conv_options(d, 2))
def conv2d(
    input: Operand,
    weight: Operand,
    bias: Operand = None,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any:
    """Each output channel is the correlation of all input channels with a kernel, plus a bias.

    ``out[n, o, i, j] = bias[o] + Σ weight[o, c, u, v] · input[n, c, stride·i + dilation·u − padding, …]``

    Args:
        input: (N, C, H, W), or one image (C, H, W).
        weight: (O, C/groups, kh, kw).
        bias: (O,), or None.
        stride: steps between windows; one number or (rows, columns), like the next two.
        padding: zeros on each side, or ``"same"`` (the result has the input's size) or ``"valid"`` (none).
        dilation: steps between the elements of a window.
        groups: the number of groups of channels; output channels are connected only to their group of input channels.

    Returns:
        (N, O, H', W') with H' = ⌊(H + 2·padding − dilation·(kh − 1) − 1) / stride⌋ + 1.

    Raises:
        RuntimeError: if the shapes do not match, or the dtypes differ.

    >>> import minigrad
    >>> minigrad.nn.functional.conv2d(minigrad.ones(1, 1, 3, 3), minigrad.ones(1, 1, 2, 2))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    return _conv(input, weight, bias, stride, padding, dilation, groups, 2)


def _transposed_options(d: Any, n: int) -> tuple[Any, ...]:
    x, w, y, (stride, padding, dilation, groups) = _geometry(d)
    padding = tuple(min(p, dilation[i] * (w[2 + i] - 1) // 2) for i, p in enumerate(padding))
    extra = tuple(d.integer(0, max(s, t) - 1) for s, t in zip(stride, dilation, strict=True))
    if n == 1:
        y, w = (*y[:2], y[3]), (*w[:2], w[3])
        stride, padding, extra, dilation = stride[1:], padding[1:], extra[1:], dilation[1:]
    given = d.array(y[1:] if d.integer(0, 3) == 0 else y)
    return given, d.array(w), d.choice([None, d.array(x[1:2])]), stride, padding, extra, groups, dilation


def smallest_sizes(*geometry: Sequence[int]) -> tuple[int, ...]:
    """What a transposed convolution makes of an input of this size, by kernel, stride, padding and dilation.

    It is the smallest size from which the convolution makes the input's; `output_padding` adds to it.
    """
    return tuple((m - 1) * s - 2 * p + d * (k - 1) + 1 for m, k, s, p, d in zip(*geometry, strict=True))


def _conv_transpose(
    input: Any, weight: Any, bias: Any, stride: Any, padding: Any, extra: Any, groups: int, dilation: Any, n: int
) -> Any:
    name, channels = f"conv_transpose{n}d", weight.shape[1] * groups if weight.ndim > 1 else 0
    _check_shapes(name, input, weight, bias, channels, n)
    single, input = input.ndim == n + 1, input if input.ndim == n + 2 else unsqueeze(input, 0)
    steps, spread = pair(stride, "stride", n), pair(dilation, "dilation", n)
    around, more = pair(padding, "padding", n), pair(extra, "output_padding", n)
    _check_steps(steps, spread, groups)
    if input.shape[1] != weight.shape[0]:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(weight.shape)}, expected input{list(input.shape)} to have "
            f"{weight.shape[0]} channels, but got {input.shape[1]} channels instead"
        )
    if weight.shape[0] % groups:
        raise RuntimeError(f"{name}: {weight.shape[0]} input channels are not divisible by groups={groups}")
    if any(p < 0 for p in (*around, *more)):
        raise RuntimeError("negative padding is not supported")
    if any(m >= max(s, d) for m, s, d in zip(more, steps, spread, strict=True)):
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got output_padding: "
            f"{list(more)} stride: {list(steps)} dilation: {list(spread)}"
        )
    if n == 1:
        input, weight = unsqueeze(input, 2), unsqueeze(weight, 2)
        steps, around, more, spread = (1, *steps), (0, *around), (0, *more), (1, *spread)
    least = smallest_sizes(input.shape[2:], weight.shape[2:], steps, around, spread)
    size = tuple(m + q for m, q in zip(least, more, strict=True))
    if min(size) <= 0:
        raise RuntimeError(
            f"Given input size per channel: {list(input.shape[2:])}. Calculated output size per channel: "
            f"{list(size)}. Output size is too small"
        )
    out = _conv2d_input(input, weight, size, steps, around, spread, groups)
    if bias is not None:
        out = out + reshape(bias, (channels, 1, 1))
    return _as_given(out, n, single)


@composed(torch="nn.functional.conv_transpose1d", sample=lambda d: _transposed_options(d, 1))
def conv_transpose1d(
    input: Operand,
    weight: Operand,
    bias: Operand = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Any:
    """`conv_transpose2d` over one dimension: input (N, C, L), weight (C, O/groups, k) → (N, O, L').

    >>> import minigrad
    >>> minigrad.nn.functional.conv_transpose1d(minigrad.ones(1, 1, 2), minigrad.ones(1, 1, 2), stride=2)
    tensor([[[1., 1., 1., 1.]]])
    """
    return _conv_transpose(input, weight, bias, stride, padding, output_padding, groups, dilation, 1)


@composed(torch="nn.functional.conv_transpose2d", sample=lambda d: _transposed_options(d, 2))
def conv_transpose2d(
    input: Operand,
    weight: Operand,
    bias: Operand = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Any:
    """The gradient of `conv2d`'s input, as an operation: each input element adds a scaled kernel to the result.

    Args:
        input: (N, C, H, W), or one image (C, H, W).
        weight: (C, O/groups, kh, kw).
        bias: (O,), or None.
        stride: steps between the kernels in the result; one number or (rows, columns), like the next two.
        padding: how much is cropped from each side of the result.
        output_padding: how much is added to the far side of it.
        groups: the number of groups of channels; output channels are connected only to their group of input channels.
        dilation: steps between the elements of a kernel.

    Returns:
        (N, O, H', W') with H' = (H − 1)·stride − 2·padding + dilation·(kh − 1) + output_padding + 1.

    Raises:
        RuntimeError: if the shapes do not match, or the dtypes differ.

    >>> import minigrad
    >>> minigrad.nn.functional.conv_transpose2d(minigrad.ones(1, 1, 1, 2), minigrad.ones(1, 1, 1, 2))
    tensor([[[[1., 2., 1.]]]])
    """
    return _conv_transpose(input, weight, bias, stride, padding, output_padding, groups, dilation, 2)
