"""Layers and losses as functions, under torch.nn.functional's names; usually imported as ``F``.

>>> import minigrad
>>> import minigrad.nn.functional as F
>>> F.relu(minigrad.tensor([-1.0, 2.0]))
tensor([0., 2.])
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from minigrad.creation import one_hot
from minigrad.ops import elementwise, loss, loss_margin, loss_value, reduction
from minigrad.ops.activation import (
    celu,
    elu,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    logsigmoid,
    mish,
    prelu,
    relu6,
    selu,
    silu,
    softshrink,
    softsign,
    tanhshrink,
    threshold,
)
from minigrad.ops.attention import scaled_dot_product_attention
from minigrad.ops.convolution import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from minigrad.ops.dropout import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d
from minigrad.ops.elementwise import sigmoid, softplus, tanh
from minigrad.ops.embedding import embedding
from minigrad.ops.interpolation import interpolate
from minigrad.ops.linalg import linear
from minigrad.ops.loss_value import gaussian_nll_loss, huber_loss
from minigrad.ops.normalization import batch_norm, group_norm, layer_norm
from minigrad.ops.padding import pad
from minigrad.ops.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)
from minigrad.ops.vectors import bilinear, cosine_similarity, normalize, pairwise_distance

# ---- activations -----------------------------------------------------------------------------------------


def relu(input: Any, inplace: bool = False) -> Any:
    """``max(input, 0)``."""
    return input.relu_() if inplace else elementwise.relu(input)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """`input` where positive, else ``negative_slope * input``."""
    result = elementwise.leaky_relu(input, negative_slope)
    return input.assign(result) if inplace else result


def _in_place(function: Any) -> Callable[..., Any]:
    """The same function with ``inplace=True``."""

    def call(input: Any, *args: Any, **kwargs: Any) -> Any:
        return function(input, *args, inplace=True, **kwargs)

    call.__name__ = call.__qualname__ = f"{function.__name__}_"
    call.__doc__ = f"`{function.__name__}`, in place."
    return call


relu_, leaky_relu_, elu_, selu_ = _in_place(relu), _in_place(leaky_relu), _in_place(elu), _in_place(selu)
celu_, hardtanh_, threshold_ = _in_place(celu), _in_place(hardtanh), _in_place(threshold)


def _implicit_dim(name: str, ndim: int) -> int:
    """The dimension that torch once chose when none was given."""
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=4,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """``exp(x_i) / sum_j exp(x_j)`` along `dim`: positive numbers that sum to 1."""
    return reduction.softmax(input, _implicit_dim("softmax", input.ndim) if dim is None else dim, dtype)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """``log(softmax(input, dim))``, exact also where the probability underflows."""
    return reduction.log_softmax(input, _implicit_dim("log_softmax", input.ndim) if dim is None else dim, dtype)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """``softmax(-input, dim)``."""
    return reduction.softmax(-input, _implicit_dim("softmin", input.ndim) if dim is None else dim, dtype)


# ---- losses ----------------------------------------------------------------------------------------------


def legacy_reduction(size_average: bool | None, reduce: bool | None) -> str:
    """The `reduction` that two old arguments of the losses stand for."""
    word = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{word}' instead.", stacklevel=4
    )
    return word


def _with_legacy(function: Callable[..., Any]) -> Callable[..., Any]:
    """A loss that also heeds `size_average` and `reduce`."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) > 2 or kwargs:
            given = {**dict(zip(names, args, strict=False)), **kwargs}
            old = given.get("size_average"), given.get("reduce")
            if old != (None, None):
                given["reduction"] = legacy_reduction(*old)
                return function(**given)
        return function(*args, **kwargs)

    return call


nll_loss = _with_legacy(loss.nll_loss)
cross_entropy = _with_legacy(loss.cross_entropy)
binary_cross_entropy = _with_legacy(loss.binary_cross_entropy)
binary_cross_entropy_with_logits = _with_legacy(loss.binary_cross_entropy_with_logits)
mse_loss = _with_legacy(loss.mse_loss)
l1_loss = _with_legacy(loss.l1_loss)
smooth_l1_loss = _with_legacy(loss_value.smooth_l1_loss)
kl_div = _with_legacy(loss_value.kl_div)
poisson_nll_loss = _with_legacy(loss_value.poisson_nll_loss)
margin_ranking_loss = _with_legacy(loss_margin.margin_ranking_loss)
hinge_embedding_loss = _with_legacy(loss_margin.hinge_embedding_loss)
cosine_embedding_loss = _with_legacy(loss_margin.cosine_embedding_loss)
triplet_margin_loss = _with_legacy(loss_margin.triplet_margin_loss)
soft_margin_loss = _with_legacy(loss_margin.soft_margin_loss)
multi_margin_loss = _with_legacy(loss_margin.multi_margin_loss)
multilabel_margin_loss = _with_legacy(loss_margin.multilabel_margin_loss)
multilabel_soft_margin_loss = _with_legacy(loss_margin.multilabel_soft_margin_loss)

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "celu_",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "elu_",
    "embedding",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "group_norm",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "hinge_embedding_loss",
    "huber_loss",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "leaky_relu_",
    "linear",
    "log_softmax",
    "logsigmoid",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "mish",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "scaled_dot_product_attention",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
    "triplet_margin_loss",
]
