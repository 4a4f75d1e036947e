# ruff: noqa
# fmt: off
"""Made from the operations' records by `make docs`."""

import builtins
from collections.abc import Sequence
from typing import Any, Literal, Self, overload

import numpy as np

from minigrad import dtypes
from minigrad.dtypes import DTypeLike
from minigrad.ops.record import registry as registry
from minigrad.ops.recurrence import State
from minigrad.ops.reduction import MaxMin
from minigrad.random import Generator
from minigrad.tensor import Tensor

Number = complex | np.number[Any] | np.bool

def adaptive_avg_pool1d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """`adaptive_avg_pool2d` over one dimension: (N, C, L) or (C, L) → (N, C, output_size)."""
def adaptive_avg_pool2d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor:
    """The means of an `output_size` grid of parts, as equal as possible: (N, C, H, W) → (N, C, \\*output_size)."""
def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`dropout` for `selu`: dropped elements get its lower limit; keeps mean and variance (Klambauer et al. 2017)."""
def avg_pool1d(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0, ceil_mode: bool = False, count_include_pad: bool = True) -> Tensor:
    """`avg_pool2d` over one dimension: (N, C, L) or (C, L) → (N, C, L')."""
def avg_pool2d(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0, ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:
    """The mean of each window: (N, C, H, W) or (C, H, W) → (N, C, H', W')."""
def batch_norm(input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None, bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-05) -> Tensor:
    """Each channel of (N, C), (N, C, L), (N, C, H, W) … with mean 0 and variance 1, times `weight`, plus `bias`."""
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input1 @ weight[k] @ input2 + bias[k]``: (..., in1), (..., in2), weight (out, in1, in2) → (..., out)."""
def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean') -> Tensor:
    """The cross-entropy of probabilities `input` with `target`, both in [0, 1]; logarithms are at least -100."""
def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean', pos_weight: Tensor | None = None) -> Tensor:
    """`binary_cross_entropy` of ``sigmoid(input)``, computed without overflow."""
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """`input` where positive, else ``alpha * (exp(input / alpha) - 1)``: smooth at 0 (arXiv:1704.07483)."""
def celu_(input: Any, *args: Any, **kwargs: Any) -> Tensor:
    """`celu`, in place."""
def conv1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1, padding: str | int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1) -> Tensor:
    """`conv2d` over one dimension: input (N, C, L), weight (O, C/groups, k) → (N, O, L')."""
def conv2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1, padding: str | int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1) -> Tensor:
    """Each output channel is the correlation of all input channels with a kernel, plus a bias."""
def conv_transpose1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1, padding: int | Sequence[int] = 0, output_padding: int | Sequence[int] = 0, groups: int = 1, dilation: int | Sequence[int] = 1) -> Tensor:
    """`conv_transpose2d` over one dimension: input (N, C, L), weight (C, O/groups, k) → (N, O, L')."""
def conv_transpose2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1, padding: int | Sequence[int] = 0, output_padding: int | Sequence[int] = 0, groups: int = 1, dilation: int | Sequence[int] = 1) -> Tensor:
    """The gradient of `conv2d`'s input, as an operation: each input element adds a scaled kernel to the result."""
def cosine_embedding_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean') -> Tensor:
    """``1 - cos`` of the angle between two vectors where the target is 1, ``max(0, cos - margin)`` where it is -1."""
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-08) -> Tensor:
    """The cosine of the angle between the vectors along `dim` (norms are at least `eps`); the rest broadcasts."""
def cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None, ignore_index: int = -100, reduce: bool | None = None, reduction: str = 'mean', label_smoothing: float = 0.0) -> Tensor:
    """The cross-entropy of the softmax of `input` with `target`: ``nll_loss(log_softmax(input), target)``."""
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element of `input` set to 0 with probability `p`, the rest scaled by ``1 / (1 - p)``."""
def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, L) or (C, L)."""
def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, H, W). An input (N, C, L) is accepted, with a warning."""
def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W)."""
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """`input` where positive, else ``alpha * (exp(input) - 1)``; its derivative at 0 is `alpha` (arXiv:1511.07289)."""
def elu_(input: Any, *args: Any, **kwargs: Any) -> Tensor:
    """`elu`, in place."""
def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False) -> Tensor:
    """The rows of `weight` (n, d) with the indices `input` (…) → (…, d); a row's gradient is summed over its uses."""
def gaussian_nll_loss(input: Tensor, target: Tensor, var: Tensor | complex, full: bool = False, eps: float = 1e-06, reduction: str = 'mean') -> Tensor:
    """The negative log-likelihood of `target` under normal distributions of mean `input` and variance `var`."""
def gelu(input: Tensor, approximate: str = 'none') -> Tensor:
    """`input` times the probability that a standard normal number is below it (arXiv:1606.08415)."""
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half of dimension `dim` times the sigmoid of the second half (arXiv:1612.08083)."""
def group_norm(input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-05) -> Tensor:
    """Each group of channels of each sample (N, C, …) with mean 0 and variance 1; then times `weight`, plus `bias`."""
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """0 from ``-lambd`` to `lambd`, else `input`."""
def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``relu6(input + 3) / 6``; the derivative at nan is 0."""
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * hardsigmoid(input)`` (arXiv:1905.02244)."""
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """`input` clamped to [`min_val`, `max_val`]; the derivative is 0 at both."""
def hardtanh_(input: Any, *args: Any, **kwargs: Any) -> Tensor:
    """`hardtanh`, in place."""
def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean') -> Tensor:
    """`input` where the target is 1, ``max(0, margin - input)`` where it is -1."""
def huber_loss(input: Tensor, target: Tensor, reduction: str = 'mean', delta: float = 1.0, weight: Tensor | None = None) -> Tensor:
    """``d²/2`` where the error d is at most `delta`, else ``delta (d - delta/2)``."""
def interpolate(input: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None, mode: str = 'nearest', align_corners: bool | None = None, recompute_scale_factor: bool | None = None, antialias: bool = False) -> Tensor:
    """`input` resized: (N, C, d1, …) → (N, C, o1, …), for one to three spatial dimensions."""
def kl_div(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean', log_target: bool = False) -> Tensor:
    """The Kullback-Leibler divergence: ``target * (log(target) - input)``, where `input` is a log-probability."""
def l1_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean', weight: Tensor | None = None) -> Tensor:
    """The absolute error, weighted as in `mse_loss`; its derivative at 0 is 0."""
def layer_norm(input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-05) -> Tensor:
    """The last dimensions, together, with mean 0 and variance 1; then times `weight`, plus `bias`."""
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """`input` where positive, else ``negative_slope * input``."""
def leaky_relu_(input: Any, *args: Any, **kwargs: Any) -> Tensor:
    """`leaky_relu`, in place."""
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``: input (..., in), weight (out, in), bias (out,) → (..., out)."""
def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``log(softmax(input, dim))``, exact also where the probability underflows."""
def logsigmoid(input: Tensor) -> Tensor:
    """``log(sigmoid(input))``, without overflow."""
def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean') -> Tensor:
    """``max(0, -target * (input1 - input2) + margin)``: for target 1 `input1` should be larger, for -1 `input2`."""
@overload
def max_pool1d(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, ceil_mode: bool = False, return_indices: Literal[False] = False) -> Tensor:
    """`max_pool2d` over one dimension: (N, C, L) or (C, L) → (N, C, L')."""
@overload
def max_pool1d(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, ceil_mode: bool = False, *, return_indices: Literal[True]) -> tuple[Tensor, Tensor]:
    """`max_pool2d` over one dimension: (N, C, L) or (C, L) → (N, C, L')."""
@overload
def max_pool2d(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, ceil_mode: bool = False, return_indices: Literal[False] = False) -> Tensor:
    """The largest element of each window: (N, C, H, W) or (C, H, W) → (N, C, H', W'). The first wins a tie."""
@overload
def max_pool2d(input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None, padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, ceil_mode: bool = False, *, return_indices: Literal[True]) -> tuple[Tensor, Tensor]:
    """The largest element of each window: (N, C, H, W) or (C, H, W) → (N, C, H', W'). The first wins a tie."""
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * tanh(softplus(input))`` (arXiv:1908.08681)."""
def mse_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean', weight: Tensor | None = None) -> Tensor:
    """The squared error, times `weight` if given; the mean then divides by the sum of the weights."""
def multi_margin_loss(input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean') -> Tensor:
    """``sum_j max(0, margin - x[y] + x[j])^p / C`` over the classes j except the correct one y (Crammer, Singer 2001)."""
def multilabel_margin_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean') -> Tensor:
    """``sum_ij max(0, 1 - x[i] + x[j]) / C`` over the correct classes i and the wrong classes j."""
def multilabel_soft_margin_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean') -> Tensor:
    """The binary cross-entropy of scores (N, C) with labels 0 or 1, averaged over the classes: → (N,)."""
def nll_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None, ignore_index: int = -100, reduce: bool | None = None, reduction: str = 'mean') -> Tensor:
    """The negative log-likelihood: minus the log-probability in `input` of the class in `target`."""
def normalize(input: Tensor, p: float = 2.0, dim: int | Sequence[int] = 1, eps: float = 1e-12) -> Tensor:
    """The vectors along `dim` divided by their p-norm (by `eps` if that is smaller)."""
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Each class as a row of zeros with a 1 at its index: (…) → (…, C), int64."""
def pad(input: Tensor, pad: Sequence[int], mode: str = 'constant', value: float | None = None) -> Tensor:
    """`input` with ``pad = (left, right, top, bottom, …)`` elements around it, the last dimension first."""
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-06, keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last dimension: (N, D), (N, D) → (N,)."""
def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: bool | None = None, eps: float = 1e-08, reduce: bool | None = None, reduction: str = 'mean') -> Tensor:
    """The negative log-likelihood of counts `target` under a Poisson distribution of rate `input`."""
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """`input` where positive, else ``weight * input``: input (N, C, …), weight (1,) or one for each channel (C,)."""
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(input, 0)``; its derivative is 1 where the result is positive and 0 elsewhere, at 0 too."""
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(input, 0), 6)``; the derivative is 0 at both bounds."""
def relu_(input: Any, *args: Any, **kwargs: Any) -> Tensor:
    """`relu`, in place."""
def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False) -> Tensor:
    """``softmax(query @ key.mT * scale + mask) @ value``: (…, L, E), (…, S, E), (…, S, V) → (…, L, V)."""
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """`elu` with an alpha and a scale that keep mean 0 and variance 1 (Klambauer et al., arXiv:1706.02515)."""
def selu_(input: Any, *args: Any, **kwargs: Any) -> Tensor:
    """`selu`, in place."""
def sigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 / (1 + exp(-input))``, without overflow; its derivative is ``s (1 - s)``."""
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * sigmoid(input)``, also called swish."""
def smooth_l1_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean', beta: float = 1.0) -> Tensor:
    """``d²/(2 beta)`` where the error d is below `beta`, else ``d - beta/2`` (Girshick, arXiv:1504.08083)."""
def soft_margin_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean') -> Tensor:
    """``log(1 + exp(-target * input))``."""
def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None) -> Tensor:
    """``exp(x_i) / sum_j exp(x_j)`` along `dim`: positive numbers that sum to 1."""
def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``softmax(-input, dim)``."""
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * input)) / beta``; the identity where ``beta * input > threshold``."""
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """0 from ``-lambd`` to `lambd`, else `input` moved towards 0 by `lambd`."""
def softsign(input: Tensor) -> Tensor:
    """``input / (1 + |input|)``."""
def tanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The hyperbolic tangent; its derivative is ``1 - tanh(x)**2``."""
def tanhshrink(input: Tensor) -> Tensor:
    """``input - tanh(input)``."""
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """`input` where it is above `threshold`, else `value`; for integers, `threshold` and `value` are truncated."""
def threshold_(input: Any, *args: Any, **kwargs: Any) -> Tensor:
    """`threshold`, in place."""
def triplet_margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2.0, eps: float = 1e-06, swap: bool = False, size_average: bool | None = None, reduce: bool | None = None, reduction: str = 'mean') -> Tensor:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` with the p-norm as d: (N, D) each → (N,)."""

__all__ = ['adaptive_avg_pool1d', 'adaptive_avg_pool2d', 'alpha_dropout', 'avg_pool1d', 'avg_pool2d', 'batch_norm', 'bilinear', 'binary_cross_entropy', 'binary_cross_entropy_with_logits', 'celu', 'celu_', 'conv1d', 'conv2d', 'conv_transpose1d', 'conv_transpose2d', 'cosine_embedding_loss', 'cosine_similarity', 'cross_entropy', 'dropout', 'dropout1d', 'dropout2d', 'dropout3d', 'elu', 'elu_', 'embedding', 'gaussian_nll_loss', 'gelu', 'glu', 'group_norm', 'hardshrink', 'hardsigmoid', 'hardswish', 'hardtanh', 'hardtanh_', 'hinge_embedding_loss', 'huber_loss', 'interpolate', 'kl_div', 'l1_loss', 'layer_norm', 'leaky_relu', 'leaky_relu_', 'linear', 'log_softmax', 'logsigmoid', 'margin_ranking_loss', 'max_pool1d', 'max_pool2d', 'mish', 'mse_loss', 'multi_margin_loss', 'multilabel_margin_loss', 'multilabel_soft_margin_loss', 'nll_loss', 'normalize', 'one_hot', 'pad', 'pairwise_distance', 'poisson_nll_loss', 'prelu', 'relu', 'relu6', 'relu_', 'scaled_dot_product_attention', 'selu', 'selu_', 'sigmoid', 'silu', 'smooth_l1_loss', 'soft_margin_loss', 'softmax', 'softmin', 'softplus', 'softshrink', 'softsign', 'tanh', 'tanhshrink', 'threshold', 'threshold_', 'triplet_margin_loss']
