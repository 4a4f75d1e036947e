"""Convolutions as layers.

https://docs.pytorch.org/docs/stable/nn.html#convolution-layers
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias

from minigrad.dtypes import DTypeLike
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter, add_parameters
from minigrad.ops.convolution import conv1d, conv2d, conv_transpose1d, conv_transpose2d, pair, smallest_sizes
from minigrad.ops.padding import pad
from minigrad.tensor import Tensor

__all__ = ["Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"]

Sizes: TypeAlias = int | Sequence[int]

PADDING_MODES = {"zeros", "reflect", "replicate", "circular"}


class _Conv(Module):
    """A convolution with its own weight and bias, over one dimension or two."""

    dims: ClassVar[int]
    function: ClassVar[Callable[..., Any]]
    transposed: ClassVar[bool] = False
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{name} must be divisible by groups")
        if padding_mode not in PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {sorted(PADDING_MODES)}, but got padding_mode='{padding_mode}'"
            )
        n = self.dims
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = pair(kernel_size, "kernel_size", n)
        self.stride, self.dilation = pair(stride, "stride", n), pair(dilation, "dilation", n)
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'valid', 'same'}}")
            if padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        self.padding = padding if isinstance(padding, str) else pair(padding, "padding", n)
        self.output_padding = (0,) * n
        self.padding_mode = padding_mode
        outer, inner = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        weight = (outer, inner // groups, *self.kernel_size)
        add_parameters(self, device, dtype, weight=weight, bias=(out_channels,) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Redraw weight and bias."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            if fan_in:
                init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))

    def forward(self, input: Tensor) -> Any:
        """(N, in_channels, …) or (in_channels, …) → (N, out_channels, …)."""
        if self.padding_mode != "zeros":
            input = pad(input, self._around(), self.padding_mode)
        padding = self.padding if self.padding_mode == "zeros" else 0
        return self.function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _around(self) -> list[int]:
        """The padding of each side, last dimension first, for `pad`."""
        if not isinstance(self.padding, str):
            return [p for p in reversed(self.padding) for _ in range(2)]
        if self.padding == "valid":
            return [0, 0] * self.dims
        totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        return [part for total in reversed(totals) for part in (total // 2, total - total // 2)]

    def extra_repr(self) -> str:
        """The sizes, and options that are not the default."""
        n = self.dims
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        defaults = {"padding": (0,) * n, "dilation": (1,) * n, "output_padding": (0,) * n, "groups": 1}
        text += "".join(f", {k}={getattr(self, k)}" for k, default in defaults.items() if getattr(self, k) != default)
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


class Conv1d(_Conv):
    """`minigrad.nn.functional.conv1d` with its own weight and bias: (N, in_channels, L) → (N, out_channels, L').

    Weight (out_channels, in_channels/groups, k) and bias (out_channels,) start uniform in
    ±1/√(in_channels/groups · k), drawn in this order, as torch draws them.

    Raises:
        ValueError: if the channels do not divide into the groups, or for an unknown padding.

    >>> import minigrad
    >>> Conv1d(2, 3, 5, padding="same")(minigrad.zeros(1, 2, 8)).shape
    minigrad.Size([1, 3, 8])
    """

    dims = 1
    function = staticmethod(conv1d)


class Conv2d(_Conv):
    """`minigrad.nn.functional.conv2d` with its own weight and bias: (N, in_channels, H, W) → (N, out_channels, H', W').

    Weight (out_channels, in_channels/groups, kh, kw) and bias (out_channels,) start uniform in
    ±1/√(in_channels/groups · kh · kw), drawn in this order, as torch draws them.

    Raises:
        ValueError: if the channels do not divide into the groups, or for an unknown padding.

    >>> import minigrad
    >>> layer = Conv2d(1, 20, 4, stride=2)
    >>> layer, layer(minigrad.zeros(5, 1, 28, 28)).shape
    (Conv2d(1, 20, kernel_size=(4, 4), stride=(2, 2)), minigrad.Size([5, 20, 13, 13]))
    """

    dims = 2
    function = staticmethod(conv2d)


class _Transposed(_Conv):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, device=device, dtype=dtype
        )
        self.output_padding = pair(output_padding, "output_padding", self.dims)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Any:
        """(N, in_channels, …) or (in_channels, …) → (N, out_channels, …), of `output_size` if given."""
        extra = self._extra(input, output_size)
        return self.function(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )

    def _extra(self, input: Any, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """The output padding that gives `output_size`.

        Raises:
            ValueError: if none does.
        """
        if output_size is None:
            return self.output_padding
        n = self.dims
        wanted = tuple(output_size)[-n:]
        assert not isinstance(self.padding, str)
        least = smallest_sizes(input.shape[-n:], self.kernel_size, self.stride, self.padding, self.dilation)
        most = tuple(m + s - 1 for m, s in zip(least, self.stride, strict=True))
        if any(not a <= w <= b for a, w, b in zip(least, wanted, most, strict=True)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to {most} (for an input of "
                f"{tuple(input.shape[-n:])})"
            )
        return tuple(w - a for w, a in zip(wanted, least, strict=True))


class ConvTranspose1d(_Transposed):
    """`minigrad.nn.functional.conv_transpose1d` with its own weight and bias.

    Weight: (in_channels, out_channels/groups, k); both start as `Conv1d`'s do.

    Raises:
        ValueError: if the channels do not divide into the groups.

    >>> import minigrad
    >>> ConvTranspose1d(2, 3, 2, stride=2)(minigrad.zeros(1, 2, 4)).shape
    minigrad.Size([1, 3, 8])
    """

    dims = 1
    function = staticmethod(conv_transpose1d)


class ConvTranspose2d(_Transposed):
    """`minigrad.nn.functional.conv_transpose2d` with its own weight and bias.

    Weight: (in_channels, out_channels/groups, kh, kw); both start as `Conv2d`'s do.

    Raises:
        ValueError: if the channels do not divide into the groups.

    >>> import minigrad
    >>> ConvTranspose2d(2, 3, 4, stride=2, padding=1)(minigrad.zeros(1, 2, 4, 4)).shape
    minigrad.Size([1, 3, 8, 8])
    """

    dims = 2
    function = staticmethod(conv_transpose2d)
