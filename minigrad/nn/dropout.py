"""Dropout layers: active while training, the identity in evaluation."""

from __future__ import annotations

from typing import Any

from minigrad.nn.layer import FunctionLayer
from minigrad.tensor import Tensor

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d"]


class _Dropout(FunctionLayer):
    """Base of the layers here.

    Raises:
        ValueError: if `p` is not in [0, 1].
    """

    p: float = 0.5
    inplace: bool = False

    def _check(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {self.p}")

    def forward(self, input: Tensor) -> Any:
        """Any shape that the class allows."""
        return self.function(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout, function="dropout"):
    """While training, sets each element to 0 with probability `p` and scales the rest by ``1 / (1 - p)``.

    >>> import minigrad
    >>> _ = minigrad.manual_seed(0)
    >>> layer = Dropout(0.5)
    >>> layer(minigrad.ones(4)), layer.eval()(minigrad.ones(4))
    (tensor([0., 0., 2., 0.]), tensor([1., 1., 1., 1.]))
    """


class Dropout1d(_Dropout, function="dropout1d"):
    """`Dropout` of whole channels of (N, C, L) or (C, L)."""


class Dropout2d(_Dropout, function="dropout2d"):
    """`Dropout` of whole channels of (N, C, H, W)."""


class Dropout3d(_Dropout, function="dropout3d"):
    """`Dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W)."""


class AlphaDropout(_Dropout, function="alpha_dropout"):
    """`Dropout` for networks of `SELU`: keeps mean and variance (Klambauer et al., arXiv:1706.02515)."""
