"""Pooling layers.

https://docs.pytorch.org/docs/stable/nn.html#pooling-layers
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from minigrad.nn.layer import FunctionLayer
from minigrad.ops.convolution import pair
from minigrad.tensor import Tensor

__all__ = ["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AvgPool1d", "AvgPool2d", "MaxPool1d", "MaxPool2d"]

Sizes: TypeAlias = int | Sequence[int]


class _Pool(FunctionLayer):
    """Base of the layers here."""

    def forward(self, input: Tensor) -> Any:
        """See the class."""
        return self.function(input, **self._stored())


class _Windows(_Pool):
    """Pooling over windows; without a `stride` they do not overlap."""

    def _check(self) -> None:
        here = self.__dict__
        if here["stride"] is None:
            here["stride"] = here["kernel_size"]

    def extra_repr(self) -> str:
        """The windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _MaxPool(_Windows):
    kernel_size: Sizes
    stride: Sizes | None = None
    padding: Sizes = 0
    dilation: Sizes = 1
    return_indices: bool = False
    ceil_mode: bool = False

    def extra_repr(self) -> str:
        """The windows."""
        return f"{super().extra_repr()}, dilation={self.dilation}, ceil_mode={self.ceil_mode}"


class MaxPool1d(_MaxPool, function="max_pool1d"):
    """The largest element of each window: (N, C, L) or (C, L) → (N, C, L').

    >>> import minigrad
    >>> MaxPool1d(2)(minigrad.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[3., 2.]])
    """


class MaxPool2d(_MaxPool, function="max_pool2d"):
    """The largest element of each window: (N, C, H, W) or (C, H, W) → (N, C, H', W').

    >>> import minigrad
    >>> pool = MaxPool2d(2)
    >>> pool, pool(minigrad.zeros(5, 3, 8, 8)).shape
    (MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False), minigrad.Size([5, 3, 4, 4]))
    """


class _AvgPool(_Windows):
    kernel_size: Sizes
    stride: Sizes | None = None
    padding: Sizes = 0
    ceil_mode: bool = False
    count_include_pad: bool = True


class AvgPool1d(_AvgPool, function="avg_pool1d"):
    """The mean of each window: (N, C, L) or (C, L) → (N, C, L').

    >>> import minigrad
    >>> AvgPool1d(2)(minigrad.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    def _check(self) -> None:
        super()._check()
        for name in ("kernel_size", "stride", "padding"):
            setattr(self, name, pair(getattr(self, name), name, 1))


class AvgPool2d(_AvgPool, function="avg_pool2d"):
    """The mean of each window: (N, C, H, W) or (C, H, W) → (N, C, H', W').

    >>> import minigrad
    >>> pool = AvgPool2d(2)
    >>> pool, pool(minigrad.zeros(5, 3, 8, 8)).shape
    (AvgPool2d(kernel_size=2, stride=2, padding=0), minigrad.Size([5, 3, 4, 4]))
    """

    divisor_override: int | None = None


class AdaptiveAvgPool1d(_Pool, function="adaptive_avg_pool1d"):
    """The means of `output_size` parts, as equal as possible: (N, C, L) or (C, L) → (N, C, output_size).

    >>> import minigrad
    >>> AdaptiveAvgPool1d(1)(minigrad.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[1.5000]])
    """

    output_size: Sizes


class AdaptiveAvgPool2d(_Pool, function="adaptive_avg_pool2d"):
    """The means of an `output_size` grid of parts, as equal as possible: (N, C, H, W) or (C, H, W) → (N, C, H', W').

    >>> import minigrad
    >>> pool = AdaptiveAvgPool2d((1, 1))
    >>> pool, pool(minigrad.zeros(5, 3, 8, 8)).shape
    (AdaptiveAvgPool2d(output_size=(1, 1)), minigrad.Size([5, 3, 1, 1]))
    """

    output_size: int | Sequence[int | None] | None
