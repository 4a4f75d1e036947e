"""Layers that normalize: over the batch, each sample, or groups of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from minigrad import creation, dtypes
from minigrad.dtypes import DTypeLike
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter, add_parameters
from minigrad.ops.normalization import batch_norm, group_norm, layer_norm
from minigrad.tensor import Tensor, writes_to_tensors

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "LayerNorm"]


class _Affine(Module):
    """Base of these layers: a weight that starts as ones and a bias that starts as zeros, or none."""

    weight: Parameter | None
    bias: Parameter | None
    eps: float

    def _add_parameters(
        self, shape: tuple[int, ...], affine: bool, bias: bool, device: Any, dtype: DTypeLike | None
    ) -> None:
        shapes = {"weight": shape if affine else None, "bias": shape if affine and bias else None}
        add_parameters(self, device, dtype, **shapes)

    def reset_parameters(self) -> None:
        """Set weight to ones and bias to zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class _BatchNorm(_Affine):
    """Base of the batch norm layers.

    Args:
        num_features: the number of channels, C.
        eps: added to the variance.
        momentum: the weight of a batch in the running statistics; None: they are plain averages over all batches.
        affine: whether there are a weight and a bias.
        track_running_stats: whether there are running statistics; if not, batch statistics are used in evaluation too.
        bias: whether there is a bias (if `affine`).
    """

    _version = 2
    dims: ClassVar[tuple[int, ...]]
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._add_parameters((num_features,), affine, bias, device, dtype)
        tracks = track_running_stats
        self.register_buffer("running_mean", creation.zeros(num_features, dtype=dtype) if tracks else None)
        self.register_buffer("running_var", creation.ones(num_features, dtype=dtype) if tracks else None)
        self.register_buffer("num_batches_tracked", creation.tensor(0, dtype=dtypes.int64) if tracks else None)
        self.reset_parameters()

    def _upgrade(self, state_dict: dict[str, Any], prefix: str, version: int | None) -> None:
        """See `Module`; version 1 did not count the batches."""
        if (version is None or version < 2) and self.num_batches_tracked is not None:
            state_dict.setdefault(f"{prefix}num_batches_tracked", self.num_batches_tracked)

    def reset_running_stats(self) -> None:
        """Reset the running statistics: mean 0, variance 1, no batches."""
        for buffer, value in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if buffer is not None:
                init.constant_(buffer, value)

    def reset_parameters(self) -> None:
        """Reset weight (1), bias (0) and running statistics."""
        self.reset_running_stats()
        super().reset_parameters()

    def forward(self, input: Tensor) -> Any:
        """Normalize each channel, with batch statistics while training, else with the running statistics."""
        if input.ndim not in self.dims:
            wanted = " or ".join(f"{n}D" for n in self.dims)
            raise ValueError(f"expected {wanted} input (got {input.ndim}D input)")
        share = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            self._count()
            if self.momentum is None:
                share = 1.0 / self.num_batches_tracked.item()
        tracks = self.running_mean is not None or self.running_var is not None
        uses = tracks and (not self.training or self.track_running_stats)
        statistics = (self.running_mean, self.running_var) if uses else (None, None)
        return batch_norm(input, *statistics, self.weight, self.bias, self.training or not tracks, share, self.eps)

    @writes_to_tensors
    def _count(self) -> None:
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.array += 1
        self.num_batches_tracked.bump()

    def extra_repr(self) -> str:
        """The number of channels, and the settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Batch norm of (N, C) or (N, C, L); see `minigrad.nn.functional.batch_norm` (arXiv:1502.03167).

    Raises:
        ValueError: for an input of another number of dimensions, or of one value per channel while training.

    >>> import minigrad
    >>> layer = BatchNorm1d(1)
    >>> layer(minigrad.tensor([[1.0], [3.0]])).tolist(), layer.running_mean, layer.running_var
    ([[-0.9999949932098389], [0.9999949932098389]], tensor([0.2000]), tensor([1.1000]))
    """

    dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch norm of (N, C, H, W); see `BatchNorm1d`.

    >>> import minigrad
    >>> BatchNorm2d(3)(minigrad.randn(2, 3, 4, 4)).shape
    minigrad.Size([2, 3, 4, 4])
    """

    dims = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch norm of (N, C, D, H, W); see `BatchNorm1d`."""

    dims = (5,)


class LayerNorm(_Affine):
    """Normalizes the last dimensions of each sample together; see `minigrad.nn.functional.layer_norm`.

    Args:
        normalized_shape: their lengths; one number for the last dimension alone.
        eps: added to the variance.
        elementwise_affine: whether there are a weight and a bias, of this shape.
        bias: whether there is a bias (if `elementwise_affine`).

    >>> import minigrad
    >>> LayerNorm(2)(minigrad.tensor([[1.0, 3.0], [5.0, 5.0]]))
    tensor([[-1.0000,  1.0000],
            [ 0.0000,  0.0000]], grad_fn=<AddBackward0>)
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._add_parameters(self.normalized_shape, elementwise_affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Any:
        """(…, *normalized_shape) → the same shape."""
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The shape, and the settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class GroupNorm(_Affine):
    """Normalizes groups of channels of each sample (N, C, …); see `minigrad.nn.functional.group_norm`.

    Args:
        num_groups: how many groups.
        num_channels: C, a multiple of it.
        eps: added to the variance.
        affine: whether there are a weight and a bias, for each channel.
        bias: whether there is a bias (if `affine`).

    Raises:
        ValueError: if `num_channels` is not a multiple of `num_groups`.

    >>> import minigrad
    >>> GroupNorm(2, 4)(minigrad.randn(3, 4, 5)).shape
    minigrad.Size([3, 4, 5])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._add_parameters((num_channels,), affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Any:
        """(N, C, …) → the same shape."""
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The groups and channels, and the settings."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )
