"""Attention: each position's result is a weighted mean of all positions' values (Vaswani et al., arXiv:1706.03762).

https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import as_numpy
from minigrad.ops.comparison import logical_not
from minigrad.ops.dropout import dropout
from minigrad.ops.linalg import matmul
from minigrad.ops.record import Operand, composed, operation
from minigrad.ops.reduction import _safe_softmax, softmax
from minigrad.ops.shape import transpose
from minigrad.tensor import Tensor


def additive(mask: Tensor, dtype: Any, name: str) -> Any:
    """A mask as numbers to add to the scores: -inf where a mask of booleans is False, else 0.

    Raises:
        AssertionError: if the mask's dtype is neither bool nor floating.
    """
    if mask.is_floating_point():
        return mask
    if mask.array.dtype != bool:
        raise AssertionError(f"only bool and floating types of {name} are supported")
    return _minus_infinity(mask, as_numpy(dtype))


@operation(sample=lambda d: (d.mask((2, 3)), np.dtype("float32")))
def _minus_infinity(mask: Any, dtype: Any) -> Any:
    """-inf where the mask holds, else 0."""
    return np.where(mask, dtype.type(-np.inf), dtype.type(0))


def _attention_sample(d: Any) -> tuple[Any, ...]:
    lead = d.choice([(), (2,), (2, 3)])
    length, width = d.integer(1, 3), d.integer(1, 3)
    mask = d.choice([None, d.constant((length, 4), low=-1.0, high=1.0), d.mask((length, 4)) | (np.arange(4) == 0)])
    return d.array((*lead, length, width)), d.array((*lead, 4, width)), d.array((*lead, 4, 2)), mask


@composed(torch="nn.functional.scaled_dot_product_attention", sample=_attention_sample)
def scaled_dot_product_attention(
    query: Operand,
    key: Operand,
    value: Operand,
    attn_mask: Operand = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """``softmax(query @ key.mT * scale + mask) @ value``: (…, L, E), (…, S, E), (…, S, V) → (…, L, V).

    Args:
        query: a vector for each of L positions.
        key: a vector for each of S positions, compared with the queries.
        value: a vector for each of S positions, of which means are taken.
        attn_mask: (…, L, S); booleans (True: may attend), or numbers that are added to the scores.
        dropout_p: the probability with which a weight is dropped.
        is_causal: position i may attend to positions up to i only.
        scale: the factor of the scores; 1/√E by default.
        enable_gqa: not supported.

    Raises:
        RuntimeError: for a mask together with `is_causal`, or shapes that do not match.
        NotImplementedError: for `enable_gqa`.

    >>> import minigrad
    >>> x = minigrad.eye(2)
    >>> minigrad.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True)
    tensor([[1.0000, 0.0000],
            [0.3302, 0.6698]])
    """
    if enable_gqa:
        raise NotImplementedError("scaled_dot_product_attention: enable_gqa=True is not supported")
    scores = matmul(query, transpose(key, -2, -1)) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        if attn_mask is not None:
            raise RuntimeError(
                "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
            )
        attn_mask = Tensor.wrap(np.tri(*scores.shape[-2:], dtype=bool))
    if attn_mask is None:
        return matmul(dropout(softmax(scores, -1), dropout_p), value)
    if attn_mask.array.dtype == bool:
        attn_mask = logical_not(attn_mask)
    scores = scores + additive(attn_mask, scores.dtype, "attn_mask")
    # a position that may attend to nothing gets 0
    return matmul(dropout(_safe_softmax(scores, -1), dropout_p), value)
