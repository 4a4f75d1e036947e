"""Losses as layers. Each is documented in detail at the function in `minigrad.nn.functional`.

`reduction` is ``"mean"``, ``"sum"`` or ``"none"``; `size_average` and `reduce` are its two old forms.
"""

from __future__ import annotations

from typing import Any

from minigrad.nn.layer import FunctionLayer
from minigrad.nn.legacy import legacy_reduction
from minigrad.nn.module import Module
from minigrad.ops.vectors import pairwise_distance
from minigrad.tensor import Tensor

__all__ = ["BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss"]
__all__ += ["MultiMarginLoss", "NLLLoss"]
__all__ += ["GaussianNLLLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss", "PoissonNLLLoss", "SmoothL1Loss"]
__all__ += ["CosineEmbeddingLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "SoftMarginLoss", "TripletMarginLoss"]
__all__ += ["CosineSimilarity", "PairwiseDistance"]


class _Loss(FunctionLayer):
    """A function of an input and a target; weights are buffers of the layer."""

    old = ("size_average", "reduce")

    def _check(self) -> None:
        size_average, reduce = (self.__dict__.pop(name, None) for name in self.old)
        if size_average is not None or reduce is not None:
            self.reduction = legacy_reduction(size_average, reduce)
        for name in ("weight", "pos_weight"):
            if name in self.options:
                self.register_buffer(name, self.__dict__.pop(name))

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Two tensors, of the shapes that the class describes."""
        here = self.__dict__
        return self.function(input, target, **{name: here[name] for name in self.options})

    def extra_repr(self) -> str:
        """Nothing, as in torch."""
        return ""


class _Reduced(_Loss):
    """A loss whose own options, if any, come after the common ones."""

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


class _Weighted(_Loss):
    """A loss with a weight for each class or element."""

    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


class _OfClasses(_Loss):
    """A loss of scores or log-probabilities and classes, with one class to ignore."""

    weight: Tensor | None = None
    size_average: bool | None = None
    ignore_index: int = -100
    reduce: bool | None = None
    reduction: str = "mean"


class _Margin(_Loss):
    """A margin loss."""

    margin: float = 0.0
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


# ---- classification --------------------------------------------------------------------------------------


class CrossEntropyLoss(_OfClasses, function="cross_entropy"):
    """The cross-entropy of the softmax of scores (N, C, …) with classes (N, …), or with probabilities (N, C, …).

    >>> import minigrad
    >>> CrossEntropyLoss()(minigrad.zeros(1, 10), minigrad.tensor([3]))
    tensor(2.3026)
    """

    label_smoothing: float = 0.0


class NLLLoss(_OfClasses, function="nll_loss"):
    """Minus the log-probability (N, C, …) of the target class (N, …)."""


class BCELoss(_Weighted, function="binary_cross_entropy"):
    """The binary cross-entropy of probabilities with targets in [0, 1] of the same shape."""


class BCEWithLogitsLoss(_Weighted, function="binary_cross_entropy_with_logits"):
    """The binary cross-entropy of ``sigmoid(input)`` with targets in [0, 1] of the same shape."""

    pos_weight: Tensor | None = None


class MultiMarginLoss(_Loss, function="multi_margin_loss"):
    """A hinge loss between the correct class's score and every other one: scores (N, C), classes (N,)."""

    p: int = 1
    margin: float = 1.0
    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def _check(self) -> None:
        super()._check()
        if self.p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")


class MultiLabelMarginLoss(_Reduced, function="multilabel_margin_loss"):
    """A hinge loss between the scores (N, C) of all correct classes and those of all others.

    The target (N, C) lists the correct classes, ended by -1.
    """


class MultiLabelSoftMarginLoss(_Weighted, function="multilabel_soft_margin_loss"):
    """The binary cross-entropy of scores (N, C) with labels 0 or 1, averaged over the classes."""


# ---- numbers and distributions ---------------------------------------------------------------------------


class MSELoss(_Reduced, function="mse_loss"):
    """The squared error of an input and a target of one shape.

    >>> import minigrad
    >>> MSELoss()(minigrad.tensor([1.0, 2.0]), minigrad.zeros(2))
    tensor(2.5000)
    """


class L1Loss(_Reduced, function="l1_loss"):
    """The absolute error of an input and a target of one shape."""


class SmoothL1Loss(_Reduced, function="smooth_l1_loss"):
    """The squared error over ``2 beta`` below `beta`, the absolute error minus ``beta / 2`` above."""

    beta: float = 1.0


class HuberLoss(_Loss, function="huber_loss"):
    """Half the squared error up to `delta`, ``delta`` times the absolute error minus ``delta / 2`` above."""

    reduction: str = "mean"
    delta: float = 1.0

    def _check(self) -> None:
        if not isinstance(self.delta, (int, float)):
            raise TypeError(f"delta must be a float or int, got: {type(self.delta)}")


class KLDivLoss(_Reduced, function="kl_div"):
    """The Kullback-Leibler divergence of log-probabilities from the target's probabilities."""

    log_target: bool = False


class PoissonNLLLoss(_Loss, function="poisson_nll_loss"):
    """The negative log-likelihood of counts under Poisson distributions."""

    log_input: bool = True
    full: bool = False
    size_average: bool | None = None
    eps: float = 1e-8
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, log_input: Tensor, target: Tensor) -> Any:  # noqa: D102 (as `_Loss`)
        return super().forward(log_input, target)


class GaussianNLLLoss(_Loss, function="gaussian_nll_loss"):
    """The negative log-likelihood of the target under normal distributions."""

    options = ("full", "eps", "reduction")

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__()
        self.full, self.eps, self.reduction = full, eps, reduction

    def forward(self, input: Tensor, target: Tensor, var: Any) -> Any:  # type: ignore[override]
        """Means, target and variances."""
        return self.function(input, target, var, **self._stored())


# ---- margins ---------------------------------------------------------------------------------------------


class _OfTwoInputs(_Margin):
    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Any:  # type: ignore[override]
        """Two inputs and a target."""
        return self.function(input1, input2, target, **self._stored())


class MarginRankingLoss(_OfTwoInputs, function="margin_ranking_loss"):
    """``max(0, -target * (input1 - input2) + margin)``, all of one shape."""


class HingeEmbeddingLoss(_Margin, function="hinge_embedding_loss"):
    """`input` where the target is 1, ``max(0, margin - input)`` where it is -1."""

    margin: float = 1.0


class CosineEmbeddingLoss(_OfTwoInputs, function="cosine_embedding_loss"):
    """``1 - cos`` of the angle between two vectors where the target is 1, ``max(0, cos - margin)`` where it is -1.

    The inputs are (N, D), the target is (N,).
    """


class TripletMarginLoss(_Loss, function="triplet_margin_loss"):
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)``."""

    margin: float = 1.0
    p: float = 2.0
    eps: float = 1e-6
    swap: bool = False
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Any:  # type: ignore[override]
        """All (N, D)."""
        return self.function(anchor, positive, negative, **self._stored())


class SoftMarginLoss(_Reduced, function="soft_margin_loss"):
    """``log(1 + exp(-target * input))``, both of one shape."""


# ---- distances -------------------------------------------------------------------------------------------


class CosineSimilarity(FunctionLayer, function="cosine_similarity"):
    """The cosine of the angle between the vectors along `dim`."""

    dim: int = 1
    eps: float = 1e-8

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        """Both of one shape, or broadcast."""
        return self.function(x1, x2, **self._stored())

    def extra_repr(self) -> str:
        """Nothing, as in torch."""
        return ""


class PairwiseDistance(Module):
    """The p-norm of the difference of two vectors: (N, D), (N, D) → (N,)."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        """(N, D), (N, D) → (N,)."""
        return pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
