"""Activation functions as layers. Each is documented in detail at the function of the same name."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad import creation
from minigrad.dtypes import DTypeLike
from minigrad.nn import functional as F
from minigrad.nn.layer import FunctionLayer
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

__all__ = ["CELU", "ELU", "GELU", "GLU", "SELU", "LeakyReLU", "Mish", "PReLU", "ReLU", "ReLU6", "SiLU"]
__all__ += ["LogSigmoid", "Sigmoid", "Softplus", "Softsign", "Tanh", "Tanhshrink"]
__all__ += ["Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Softshrink", "Threshold"]
__all__ += ["LogSoftmax", "Softmax", "Softmax2d", "Softmin"]


class _Activation(FunctionLayer):
    """A function of one tensor of any shape; with ``inplace=True`` it writes its result into its input."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        here = self.__dict__
        if here.get("inplace"):
            return getattr(F, self.name)(input, **self._stored())
        return self.function(input, **{name: here[name] for name in self.options if name != "inplace"})


class ReLU(_Activation, function="relu"):
    """``max(input, 0)``.

    >>> import minigrad
    >>> ReLU()(minigrad.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    inplace: bool = False


class Tanh(_Activation, function="tanh"):
    """The hyperbolic tangent."""


class Sigmoid(_Activation, function="sigmoid"):
    """``1 / (1 + exp(-input))``."""


class LeakyReLU(_Activation, function="leaky_relu"):
    """`input` where positive, else ``negative_slope * input``."""

    negative_slope: float = 0.01
    inplace: bool = False


class PReLU(Module):
    """`LeakyReLU` whose slope is learnt: one `weight`, or one for each channel of (N, C, …).

    >>> import minigrad
    >>> PReLU()(minigrad.tensor([-1.0])).detach()
    tensor([-0.2500])
    """

    weight: Parameter

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(creation.full((num_parameters,), float(init), device=device, dtype=dtype))

    def forward(self, input: Tensor) -> Any:
        """(N, C, …)."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """The number of slopes."""
        return f"num_parameters={self.num_parameters}"


class ELU(_Activation, function="elu"):
    """`input` where positive, else ``alpha * (exp(input) - 1)``."""

    alpha: float = 1.0
    inplace: bool = False


class CELU(ELU, function="celu"):
    """`input` where positive, else ``alpha * (exp(input / alpha) - 1)``."""


class SELU(_Activation, function="selu"):
    """`ELU` with constants that keep mean 0 and variance 1."""

    inplace: bool = False


class GELU(_Activation, function="gelu"):
    """`input` times the probability that a standard normal number is below it."""

    approximate: str = "none"


class SiLU(_Activation, function="silu"):
    """``input * sigmoid(input)``."""

    inplace: bool = False


class Mish(_Activation, function="mish"):
    """``input * tanh(softplus(input))``."""

    inplace: bool = False


class Softplus(_Activation, function="softplus"):
    """``log(1 + exp(beta * input)) / beta``; the identity where ``beta * input`` is above `threshold`."""

    beta: float = 1.0
    threshold: float = 20.0


class Softsign(_Activation, function="softsign"):
    """``input / (1 + |input|)``."""


class LogSigmoid(_Activation, function="logsigmoid"):
    """``log(sigmoid(input))``."""


class Tanhshrink(_Activation, function="tanhshrink"):
    """``input - tanh(input)``."""


class Hardtanh(_Activation, function="hardtanh"):
    """`input` clamped to [`min_val`, `max_val`]; `min_value` and `max_value` are their old names."""

    min_val: float = -1.0
    max_val: float = 1.0
    inplace: bool = False
    min_value: float | None = None
    max_value: float | None = None

    old = ("min_value", "max_value")

    def _check(self) -> None:
        for old, new in zip(self.old, self.options, strict=False):
            if (value := self.__dict__.pop(old)) is not None:
                warnings.warn(
                    f"keyword argument `{old}` is deprecated and renamed to `{new}`", FutureWarning, stacklevel=3
                )
                setattr(self, new, value)
        assert self.max_val > self.min_val, f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})"


class ReLU6(Hardtanh):
    """``min(max(input, 0), 6)``."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        """Whether it works in place."""
        return "inplace=True" if self.inplace else ""


class Hardsigmoid(_Activation, function="hardsigmoid"):
    """``relu6(input + 3) / 6``."""

    inplace: bool = False

    def extra_repr(self) -> str:
        """Nothing, as in torch."""
        return ""


class Hardswish(Hardsigmoid, function="hardswish"):
    """``input * relu6(input + 3) / 6``."""


class Hardshrink(_Activation, function="hardshrink"):
    """0 from ``-lambd`` to `lambd`, else `input`."""

    lambd: float = 0.5

    def extra_repr(self) -> str:
        """The bound."""
        return f"{self.lambd}"


class Softshrink(Hardshrink, function="softshrink"):
    """0 from ``-lambd`` to `lambd`, else `input` moved towards 0 by `lambd`."""


class Threshold(_Activation, function="threshold"):
    """`input` where it is above `threshold`, else `value`."""

    threshold: float
    value: float
    inplace: bool = False


class GLU(_Activation, function="glu"):
    """The first half of dimension `dim` times the sigmoid of the second half: (…, 2n, …) → (…, n, …)."""

    dim: int = -1


class _AlongDim(FunctionLayer):
    """A function along one dimension; without `dim`, torch's old default, with a warning."""

    dim: int | None = None

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return getattr(F, self.name)(input, self.dim)


class Softmax(_AlongDim, function="softmax"):
    """``exp(x_i) / sum_j exp(x_j)`` along `dim`: positive numbers that sum to 1.

    >>> import minigrad
    >>> Softmax(dim=1)(minigrad.zeros(1, 4))
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """


class LogSoftmax(_AlongDim, function="log_softmax"):
    """The logarithm of `Softmax`."""


class Softmin(_AlongDim, function="softmin"):
    """`Softmax` of ``-input``."""


class Softmax2d(Module):
    """`Softmax` over the channels of (N, C, H, W) or (C, H, W).

    Raises:
        ValueError: for an input with another number of dimensions.
    """

    def forward(self, input: Tensor) -> Any:
        """(N, C, H, W) or (C, H, W)."""
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3)
