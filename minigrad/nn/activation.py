"""Activation functions as layers. What each computes is said at the function of the same name."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad import creation
from minigrad.dtypes import DTypeLike
from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.elementwise import relu, sigmoid, tanh
from minigrad.tensor import Tensor

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class _InPlace(Module):
    """An activation that may write its result into its input, and has no other setting."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Whether it works in place."""
        return "inplace=True" if self.inplace else ""

    def _settings(self, **settings: Any) -> str:
        """The settings as the text shows them, `inplace` only if it is set."""
        shown = [f"{name}={value}" for name, value in settings.items()]
        return ", ".join(shown + ["inplace=True"] * self.inplace)


class ReLU(_InPlace):
    """``max(input, 0)``.

    >>> import minigrad
    >>> ReLU()(minigrad.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return input.relu_() if self.inplace else relu(input)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return tanh(input)


class Sigmoid(Module):
    """``1 / (1 + exp(-input))``."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return sigmoid(input)


class LeakyReLU(_InPlace):
    """`input` where positive, else ``negative_slope * input``."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        """The slope."""
        return self._settings(negative_slope=self.negative_slope)


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
        """How many slopes."""
        return f"num_parameters={self.num_parameters}"


class ELU(_InPlace):
    """`input` where positive, else ``alpha * (exp(input) - 1)``."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """The limit."""
        return self._settings(alpha=self.alpha)


class CELU(ELU):
    """`input` where positive, else ``alpha * (exp(input / alpha) - 1)``."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.celu(input, self.alpha, self.inplace)


class SELU(_InPlace):
    """`ELU` with constants that keep mean 0 and variance 1."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.selu(input, self.inplace)


class GELU(Module):
    """`input` times the probability that a standard normal number is below it."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        """Whether it is approximated."""
        return f"approximate={self.approximate!r}"


class SiLU(_InPlace):
    """``input * sigmoid(input)``."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.silu(input, self.inplace)


class Mish(_InPlace):
    """``input * tanh(softplus(input))``."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.mish(input, self.inplace)


class Softplus(Module):
    """``log(1 + exp(beta * input)) / beta``; the identity where ``beta * input`` is above `threshold`."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The settings."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Softsign(Module):
    """``input / (1 + |input|)``."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.softsign(input)


class LogSigmoid(Module):
    """``log(sigmoid(input))``."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.logsigmoid(input)


class Tanhshrink(Module):
    """``input - tanh(input)``."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.tanhshrink(input)


class Hardtanh(_InPlace):
    """`input` kept between `min_val` and `max_val`."""

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        for old, new in (("min_value", "min_val"), ("max_value", "max_val")):
            if locals()[old] is not None:
                warnings.warn(
                    f"keyword argument `{old}` is deprecated and renamed to `{new}`", FutureWarning, stacklevel=2
                )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        assert self.max_val > self.min_val, f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})"

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        """The bounds."""
        return self._settings(min_val=self.min_val, max_val=self.max_val)


class ReLU6(Hardtanh):
    """``min(max(input, 0), 6)``."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        """Whether it works in place."""
        return self._settings()


class Hardsigmoid(_InPlace):
    """``relu6(input + 3) / 6``."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        """Nothing, as in torch."""
        return ""


class Hardswish(Hardsigmoid):
    """``input * relu6(input + 3) / 6``."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.hardswish(input, self.inplace)


class Hardshrink(Module):
    """0 from ``-lambd`` to `lambd`, else `input`."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """The bound."""
        return f"{self.lambd}"


class Softshrink(Hardshrink):
    """0 from ``-lambd`` to `lambd`, else `input` moved towards 0 by `lambd`."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.softshrink(input, self.lambd)


class Threshold(_InPlace):
    """`input` where it is above `threshold`, else `value`."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        """The settings."""
        return self._settings(threshold=self.threshold, value=self.value)


class GLU(Module):
    """The first half of dimension `dim` times the sigmoid of the second half."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Any:
        """(…, 2n, …) → (…, n, …)."""
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"


class _AlongDim(Module):
    """A function along one dimension; without it, torch's old choice, with a warning."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"


class Softmax(_AlongDim):
    """``exp(x_i) / sum_j exp(x_j)`` along `dim`: positive numbers that sum to 1.

    >>> import minigrad
    >>> Softmax(dim=1)(minigrad.zeros(1, 4))
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.softmax(input, self.dim)


class LogSoftmax(_AlongDim):
    """The logarithm of `Softmax`."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.log_softmax(input, self.dim)


class Softmin(_AlongDim):
    """`Softmax` of ``-input``."""

    def forward(self, input: Tensor) -> Any:
        """Any shape."""
        return F.softmin(input, self.dim)


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
