"""Initialisation of parameters, under torch.nn.init's names.

Every function writes into the tensor in place, outside of the graph, and returns it. Random ones draw from
`generator` (by default the one that `minigrad.manual_seed` starts), and get PyTorch's numbers from its seed.

>>> import minigrad
>>> generator = minigrad.manual_seed(0)
>>> kaiming_uniform_(minigrad.empty(2, 3), nonlinearity="relu")
tensor([[-0.0106,  0.7586, -1.1640],
        [-1.0408, -0.5447,  0.3792]])
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from minigrad.autograd import no_grad
from minigrad.engine import Array
from minigrad.random import Generator, axes_in_torch, default_generator, in_memory_order
from minigrad.tensor import Tensor, writes_to_tensors

__all__ = ["calculate_gain", "constant_", "dirac_", "eye_", "ones_", "zeros_"]
__all__ += ["normal_", "orthogonal_", "sparse_", "trunc_normal_", "uniform_"]
__all__ += ["kaiming_normal_", "kaiming_uniform_", "xavier_normal_", "xavier_uniform_"]

GAINS = {
    **dict.fromkeys(("linear", "sigmoid"), 1.0),
    **{f"conv{transposed}{n}d": 1.0 for transposed in ("", "_transpose") for n in (1, 2, 3)},
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The recommended gain for a nonlinearity, which compensates for how it shrinks the standard deviation.

    Args:
        nonlinearity: ``"linear"``, ``"conv1d"`` …, ``"sigmoid"``, ``"tanh"``, ``"relu"``, ``"leaky_relu"``, ``"selu"``.
        param: the negative slope of ``"leaky_relu"`` (0.01 by default).

    Source: torch.nn.init.calculate_gain.

    Raises:
        ValueError: for an unknown nonlinearity, or a slope that is not a number.

    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {slope} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in GAINS:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return GAINS[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform numbers from [a, b)."""
    with no_grad():
        tensor.uniform_(a, b, generator=generator)
    return tensor


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal numbers."""
    with no_grad():
        tensor.normal_(mean, std, generator=generator)
    return tensor


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers, those outside of [a, b] drawn again."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )
    drawn = in_memory_order(
        lambda shape: _rng(generator).trunc_normal(shape, mean, std, a, b, tensor.array.dtype),
        axes_in_torch(tensor),
        tensor.shape,
    )
    return _write(tensor, drawn)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """The number `val` in every element."""
    return _write(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Ones."""
    return _write(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros."""
    return _write(tensor, 0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix: a linear layer that passes on its inputs, as far as it has outputs.

    Raises:
        ValueError: if the tensor is not a matrix.
    """
    _need_matrix(tensor)
    return _write(tensor, np.eye(*tensor.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The identity for a convolution's weight (N, C, …): each output channel copies one input channel of its group.

    Raises:
        ValueError: if the tensor has not 3 to 5 dimensions, or N is not a multiple of `groups`.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"Only tensors with 3, 4, or 5 dimensions are supported, but got shape {list(tensor.shape)}")
    N, C, *kernel = tensor.shape
    if N % groups != 0:
        raise ValueError(f"dim 0 must be divisible by groups, but {N} is not by {groups}")
    weight = np.zeros((groups, N // groups, C, *kernel))
    same = np.arange(min(N // groups, C))
    at: Any = (slice(None), same, same, *(k // 2 for k in kernel))
    weight[at] = 1
    return _write(tensor, weight.reshape(tensor.shape))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform numbers in ±gain·√(6/(fan_in + fan_out)), a variance that preserves the scale of signals and gradients.

    Source: torch.nn.init.xavier_uniform_; Glorot and Bengio (2010).

    Raises:
        ValueError: if the tensor has fewer than 2 dimensions.
    """
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal numbers of standard deviation gain·√(2/(fan_in + fan_out)); see `xavier_uniform_`."""
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform numbers in ±gain·√(3/fan), a variance that preserves the scale of signals from layer to layer.

    Args:
        tensor: a weight, (outputs, inputs) or (outputs, inputs, kernel …).
        a: the negative slope of the leaky ReLU that follows.
        mode: ``"fan_in"`` preserves the scale of signals, ``"fan_out"`` that of gradients.
        nonlinearity: see `calculate_gain`.
        generator: the source of random numbers.

    Source: torch.nn.init.kaiming_uniform_; He et al., arXiv:1502.01852.

    Raises:
        ValueError: for an unknown mode or nonlinearity, or a tensor with fewer than 2 dimensions.
    """
    if _is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers of standard deviation gain/√fan; see `kaiming_uniform_`."""
    if _is_empty(tensor):
        return tensor
    return normal_(tensor, 0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """A matrix with orthonormal rows or columns (whichever are fewer), times `gain`; trailing dimensions count as one.

    It is the Q of the QR decomposition of normal numbers, with signs such that R has a positive diagonal.
    Source: torch.nn.init.orthogonal_; Saxe et al., arXiv:1312.6120.

    Raises:
        ValueError: if the tensor has fewer than 2 dimensions.
    """
    if tensor.ndim < 2:
        raise ValueError(f"Only tensors with 2 or more dimensions are supported, but got shape {list(tensor.shape)}")
    if tensor.array.size == 0:
        return tensor
    rows = tensor.shape[0]
    normal = _rng(generator).normal((rows, tensor.array.size // rows), 0, 1, tensor.array.dtype)
    wide = normal.shape[0] < normal.shape[1]
    q, r = np.linalg.qr(normal.T if wide else normal)
    q *= np.sign(np.diag(r))
    return _write(tensor, (q.T if wide else q).reshape(tensor.shape) * np.asarray(gain, q.dtype))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """A matrix of normal numbers; in each column the fraction `sparsity` of them is set to 0.

    As in torch, the rows that are set to 0 are drawn from the default generator.
    Source: torch.nn.init.sparse_; Martens (2010).

    Raises:
        ValueError: if the tensor is not a matrix.
    """
    _need_matrix(tensor)
    rows, columns = tensor.shape
    normal_(tensor, 0, std, generator)
    for column in range(columns):
        tensor.array[default_generator.randperm(rows)[: math.ceil(sparsity * rows)], column] = 0
    return tensor


def __getattr__(name: str) -> Any:
    """The deprecated names without the underscore."""
    if f"{name}_" not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    message = f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`."
    warnings.warn(message, FutureWarning, stacklevel=2)
    return globals()[f"{name}_"]


def _rng(generator: Generator | None) -> Generator:
    return default_generator if generator is None else generator


@writes_to_tensors
def _write(tensor: Tensor, values: Array | float) -> Tensor:
    tensor.array[...] = values
    tensor.bump()
    return tensor


def _need_matrix(tensor: Tensor) -> None:
    if tensor.ndim != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, but got shape {list(tensor.shape)}")


def _is_empty(tensor: Tensor) -> bool:
    if tensor.array.size == 0:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return tensor.array.size == 0


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """The number of inputs of each output of a weight, and of outputs of each input (torch's name)."""
    if tensor.ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, "
            f"but got shape {list(tensor.shape)}"
        )
    outputs, inputs, *kernel = tensor.shape
    return inputs * math.prod(kernel), outputs * math.prod(kernel)


def _xavier_std(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor)))


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan_in if mode == "fan_in" else fan_out)
