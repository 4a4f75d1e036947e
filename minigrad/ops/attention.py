"""Attention: every position of a sequence gathers what it needs from all others (Vaswani et al., arXiv:1706.03762).

https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.dtypes import as_numpy
from minigrad.ops.dropout import dropout
from minigrad.ops.elementwise import where
from minigrad.ops.linalg import matmul
from minigrad.ops.record import composed, public
from minigrad.ops.reduction import softmax
from minigrad.ops.shape import transpose
from minigrad.tensor import Tensor
from minigrad.watch import call, decide


def additive(mask: Tensor, kind: Any, name: str) -> Tensor:
    """A mask as numbers to add to the scores: -inf where a mask of booleans says "not allowed", else 0.

    Raises:
        AssertionError: for a mask that is neither of booleans nor of floats.
    """
    if mask.is_floating_point():
        return mask
    if mask.array.dtype != bool:
        raise AssertionError(f"only bool and floating types of {name} are supported")
    return Tensor.wrap(call(_minus_infinity, mask.array, as_numpy(kind)))


def _minus_infinity(mask: Any, kind: Any) -> Any:
    return np.where(mask, -np.inf, 0.0).astype(kind)


def _masked_rows(scores: Any) -> Any:
    return np.isneginf(scores).all(axis=-1, keepdims=True)


def _has_masked_rows(scores: Any) -> bool:
    return bool(_masked_rows(scores).any())


def _attention_sample(d: Any) -> tuple[Any, ...]:
    lead = d.choice([(), (2,), (2, 3)])
    length, width = d.integer(1, 3), d.integer(1, 3)
    mask = d.choice([None, d.constant((length, 4), low=-1.0, high=1.0), d.mask((length, 4)) | (np.arange(4) == 0)])
    return d.array((*lead, length, width)), d.array((*lead, 4, width)), d.array((*lead, 4, 2)), mask


@composed(methods=[], torch="nn.functional.scaled_dot_product_attention", sample=_attention_sample)
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """``softmax(query @ key.mT * scale + mask) @ value``: (…, L, E), (…, S, E), (…, S, V) → (…, L, V).

    Args:
        query: what each of L positions asks for.
        key: what each of S positions offers.
        value: what they give.
        attn_mask: (…, L, S); booleans (True: may attend), or numbers that are added to the scores.
        dropout_p: the share of the weights that is dropped.
        is_causal: position i may attend to positions up to i only.
        scale: what scores are multiplied by; 1/√E by default.
        enable_gqa: not supported.

    Raises:
        RuntimeError: for a mask together with `is_causal`, or shapes that do not fit.
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
    if attn_mask is not None:
        if attn_mask.array.dtype == bool:
            attn_mask = Tensor.wrap(call(np.logical_not, attn_mask.array))
        scores = scores + additive(attn_mask, scores.dtype, "attn_mask")
        if decide(_has_masked_rows, scores.array):  # a position that may attend to nothing gathers nothing
            nowhere = Tensor.wrap(call(_masked_rows, scores.array))
            weights = where(nowhere, 0.0, softmax(where(nowhere, 0.0, scores), -1))
            return matmul(dropout(weights, dropout_p), value)
    return matmul(dropout(softmax(scores, -1), dropout_p), value)


if not TYPE_CHECKING:  # type checkers take all public names
    __all__ = [name for name in public(globals()) if name != "additive"]
