"""Layers that multiply by a matrix, or only reshape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad.dtypes import DTypeLike
from minigrad.nn import init
from minigrad.nn.layer import FunctionLayer
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter, add_parameters
from minigrad.ops.linalg import linear
from minigrad.ops.vectors import bilinear
from minigrad.tensor import Tensor

__all__ = ["Bilinear", "Flatten", "Identity", "Linear", "Unflatten"]


class Identity(Module):
    """Returns its input; accepts and ignores any arguments.

    >>> import minigrad
    >>> Identity()(minigrad.ones(1))
    tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """`input`."""
        return input


class Linear(Module):
    """``input @ weight.T + bias``: (..., in_features) → (..., out_features).

    Weight (out_features, in_features) and bias (out_features,) start uniform in ±1/√in_features, drawn in this
    order, as torch draws them.

    >>> import minigrad
    >>> layer = Linear(3, 2)
    >>> layer, layer(minigrad.ones(5, 3)).shape
    (Linear(in_features=3, out_features=2, bias=True), minigrad.Size([5, 2]))
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        shift = (out_features,) if bias else None
        add_parameters(self, device, dtype, weight=(out_features, in_features), bias=shift)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Redraw weight and bias."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Any:
        """(..., in_features) → (..., out_features)."""
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes, and whether there is a bias."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """``input1 @ weight[k] @ input2 + bias[k]`` for each output k: (..., in1), (..., in2) → (..., out).

    Weight (out_features, in1_features, in2_features) and bias (out_features,) start uniform in ±1/√in1_features.

    Raises:
        ValueError: if `in1_features` is not above 0.

    >>> import minigrad
    >>> Bilinear(2, 3, 4)(minigrad.ones(5, 2), minigrad.ones(5, 3)).shape
    minigrad.Size([5, 4])
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={in1_features})")
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        shift = (out_features,) if bias else None
        add_parameters(self, device, dtype, weight=(out_features, in1_features, in2_features), bias=shift)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Redraw weight and bias."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Any:
        """(..., in1_features), (..., in2_features) → (..., out_features)."""
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes, and whether there is a bias."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Flatten(FunctionLayer, function="flatten"):
    """Merges dimensions `start_dim` to `end_dim`; by default all but the batch: (N, C, H, W) → (N, C·H·W).

    >>> import minigrad
    >>> Flatten()(minigrad.zeros(2, 1, 28, 28)).shape
    minigrad.Size([2, 784])
    """

    start_dim: int = 1
    end_dim: int = -1

    def forward(self, input: Tensor) -> Any:
        """Flatten."""
        return self.function(input, self.start_dim, self.end_dim)


class Unflatten(FunctionLayer, function="unflatten"):
    """Splits one dimension into several.

    Raises:
        TypeError: if `unflattened_size` is not a tuple or list of integers.

    >>> import minigrad
    >>> Unflatten(1, (1, 28, 28))(minigrad.zeros(2, 784)).shape
    minigrad.Size([2, 1, 28, 28])
    """

    dim: int
    unflattened_size: Sequence[int]

    def _check(self) -> None:
        sizes = self.unflattened_size
        if not isinstance(sizes, (tuple, list)):
            raise TypeError(f"unflattened_size must be a tuple of ints, but found type {type(sizes).__name__}")
        for i, n in enumerate(sizes):
            if not isinstance(n, int):
                raise TypeError(
                    f"unflattened_size must be tuple of ints, but found element of type {type(n).__name__} at pos {i}"
                )

    def forward(self, input: Tensor) -> Any:
        """Split."""
        return self.function(input, self.dim, tuple(self.unflattened_size))
