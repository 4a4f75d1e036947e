"""Losses as layers. What each computes is said at the function in `minigrad.nn.functional`.

`reduction` is ``"mean"``, ``"sum"`` or ``"none"``; `size_average` and `reduce` are two old arguments for the same.
"""

from __future__ import annotations

from typing import Any

from minigrad.nn.functional import legacy_reduction
from minigrad.nn.module import Module
from minigrad.ops import loss, loss_margin, loss_value, vectors
from minigrad.tensor import Tensor

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "PairwiseDistance",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "TripletMarginLoss",
]


class _Loss(Module):
    """What all losses have in common."""

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        old = size_average is not None or reduce is not None
        self.reduction = legacy_reduction(size_average, reduce) if old else reduction


class _WeightedLoss(_Loss):
    """A loss with a weight for each class or element, as a buffer."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


# ---- classification --------------------------------------------------------------------------------------


class CrossEntropyLoss(_WeightedLoss):
    """The cross-entropy of the softmax of scores (N, C, …) with classes (N, …), or with probabilities (N, C, …).

    >>> import minigrad
    >>> CrossEntropyLoss()(minigrad.zeros(1, 10), minigrad.tensor([3]))
    tensor(2.3026)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Scores (N, C, …), target (N, …) or (N, C, …)."""
        return loss.cross_entropy(
            input, target, self.weight, None, self.ignore_index, None, self.reduction, self.label_smoothing
        )


class NLLLoss(_WeightedLoss):
    """Minus the log-probability (N, C, …) of the target class (N, …)."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Log-probabilities (N, C, …), target (N, …)."""
        return loss.nll_loss(input, target, self.weight, None, self.ignore_index, None, self.reduction)


class BCELoss(_WeightedLoss):
    """The binary cross-entropy of probabilities with targets in [0, 1] of the same shape."""

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Both of one shape."""
        return loss.binary_cross_entropy(input, target, self.weight, None, None, self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """The binary cross-entropy of ``sigmoid(input)`` with targets in [0, 1] of the same shape."""

    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Both of one shape."""
        return loss.binary_cross_entropy_with_logits(
            input, target, self.weight, None, None, self.reduction, self.pos_weight
        )


class MultiMarginLoss(_WeightedLoss):
    """The margin by which the right class's score is to exceed every other one: scores (N, C), classes (N,)."""

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """(N, C) and (N,)."""
        return loss_margin.multi_margin_loss(
            input, target, self.p, self.margin, self.weight, None, None, self.reduction
        )


class MultiLabelMarginLoss(_Loss):
    """The margin by which the scores of all right classes are to exceed those of all others."""

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Both (N, C); the right classes come first, -1 ends them."""
        return loss_margin.multilabel_margin_loss(input, target, None, None, self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """The binary cross-entropy of scores (N, C) with labels 0 or 1, averaged over the classes."""

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Both (N, C)."""
        return loss_margin.multilabel_soft_margin_loss(input, target, self.weight, None, None, self.reduction)


# ---- numbers and distributions ---------------------------------------------------------------------------


class MSELoss(_Loss):
    """The squared error.

    >>> import minigrad
    >>> MSELoss()(minigrad.tensor([1.0, 2.0]), minigrad.zeros(2))
    tensor(2.5000)
    """

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Both of one shape."""
        return loss.mse_loss(input, target, None, None, self.reduction)


class L1Loss(_Loss):
    """The absolute error."""

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Both of one shape."""
        return loss.l1_loss(input, target, None, None, self.reduction)


class SmoothL1Loss(_Loss):
    """The squared error over ``2 beta`` below `beta`, the absolute error minus ``beta / 2`` above."""

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Both of one shape."""
        return loss_value.smooth_l1_loss(input, target, None, None, self.reduction, self.beta)


class HuberLoss(_Loss):
    """Half the squared error up to `delta`, ``delta`` times the absolute error minus ``delta / 2`` above."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        if not isinstance(delta, (int, float)):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Both of one shape."""
        return loss_value.huber_loss(input, target, self.reduction, self.delta)


class KLDivLoss(_Loss):
    """The Kullback-Leibler divergence of log-probabilities from the target's probabilities."""

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Both of one shape."""
        return loss_value.kl_div(input, target, None, None, self.reduction, self.log_target)


class PoissonNLLLoss(_Loss):
    """The negative log-likelihood of counts under Poisson distributions."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Any:
        """Both of one shape."""
        return loss_value.poisson_nll_loss(
            log_input, target, self.log_input, self.full, None, self.eps, None, self.reduction
        )


class GaussianNLLLoss(_Loss):
    """The negative log-likelihood of the target under normal distributions."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Any) -> Any:
        """Means, target and variances."""
        return loss_value.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


# ---- margins ---------------------------------------------------------------------------------------------


class _MarginLoss(_Loss):
    """A loss with a margin."""

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class MarginRankingLoss(_MarginLoss):
    """``max(0, -target * (input1 - input2) + margin)``."""

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Any:
        """All of one shape."""
        return loss_margin.margin_ranking_loss(input1, input2, target, self.margin, None, None, self.reduction)


class HingeEmbeddingLoss(_MarginLoss):
    """`input` where the target is 1, ``max(0, margin - input)`` where it is -1."""

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Both of one shape."""
        return loss_margin.hinge_embedding_loss(input, target, self.margin, None, None, self.reduction)


class CosineEmbeddingLoss(_MarginLoss):
    """``1 - cos`` of the angle between two vectors that belong together, ``max(0, cos - margin)`` of others."""

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Any:
        """(N, D), (N, D) and (N,)."""
        return loss_margin.cosine_embedding_loss(input1, input2, target, self.margin, None, None, self.reduction)


class TripletMarginLoss(_MarginLoss):
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)``."""

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Any:
        """All (N, D)."""
        return loss_margin.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, None, None, self.reduction
        )


class SoftMarginLoss(_Loss):
    """``log(1 + exp(-target * input))``."""

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Both of one shape."""
        return loss_margin.soft_margin_loss(input, target, None, None, self.reduction)


# ---- distances -------------------------------------------------------------------------------------------


class CosineSimilarity(Module):
    """The cosine of the angle between the vectors along `dim`."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        """Both of one shape, or broadcast."""
        return vectors.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of the difference of two vectors: (N, D), (N, D) → (N,)."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        """(N, D), (N, D) → (N,)."""
        return vectors.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
