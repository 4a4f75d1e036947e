"""Dropout layers: active while training, the identity in evaluation."""

from __future__ import annotations

from typing import Any

from minigrad.nn.module import Module
from minigrad.ops.dropout import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d
from minigrad.tensor import Tensor

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d"]


class _Dropout(Module):
    """What all kinds of dropout have in common.

    Raises:
        ValueError: if `p` is no probability.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """While training, sets each element to 0 with probability `p` and scales the rest by ``1 / (1 - p)``.

    >>> import minigrad
    >>> _ = minigrad.manual_seed(0)
    >>> layer = Dropout(0.5)
    >>> layer(minigrad.ones(4)), layer.eval()(minigrad.ones(4))
    (tensor([0., 0., 2., 0.]), tensor([1., 1., 1., 1.]))
    """

    def forward(self, input: Tensor) -> Any:
        """Drop elements."""
        return dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """`Dropout` of whole channels of (N, C, L) or (C, L)."""

    def forward(self, input: Tensor) -> Any:
        """Drop channels."""
        return dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """`Dropout` of whole channels of (N, C, H, W)."""

    def forward(self, input: Tensor) -> Any:
        """Drop channels."""
        return dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """`Dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W)."""

    def forward(self, input: Tensor) -> Any:
        """Drop channels."""
        return dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """`Dropout` for networks of `SELU`: mean and variance stay as they are (Klambauer et al., arXiv:1706.02515)."""

    def forward(self, input: Tensor) -> Any:
        """Drop elements."""
        return alpha_dropout(input, self.p, self.training, self.inplace)
