"""Multi-head attention, and the encoder layer that is built on it (Vaswani et al., arXiv:1706.03762)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minigrad import creation
from minigrad.dtypes import DTypeLike
from minigrad.nn import functional, init
from minigrad.nn.dropout import Dropout
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module
from minigrad.nn.normalization import LayerNorm
from minigrad.nn.parameter import Parameter, add_parameters
from minigrad.ops.attention import additive, scaled_dot_product_attention
from minigrad.ops.dropout import dropout
from minigrad.ops.joining import cat
from minigrad.ops.linalg import linear, matmul
from minigrad.ops.padding import pad
from minigrad.ops.reduction import mean, softmax
from minigrad.tensor import Tensor

__all__ = ["MultiheadAttention", "TransformerEncoderLayer"]


class NonDynamicallyQuantizableLinear(Linear):
    """`Linear`, under the name by which torch prints this layer."""


class MultiheadAttention(Module):
    """Multi-head attention: each head works on its part of the features.

    Args:
        embed_dim: the number of features, E.
        num_heads: the number of heads, which divides it.
        dropout: the probability with which attention weights are dropped while training.
        bias: whether the projections have biases.
        add_bias_kv: whether a learned key and value is appended to every sequence.
        add_zero_attn: whether a key and value of zeros is appended.
        kdim: the number of features of the keys; `embed_dim` by default.
        vdim: the number of features of the values; `embed_dim` by default.
        batch_first: whether the batch comes before the sequence.

    Parameters: in_proj_weight (3E, E), or q_proj_weight (E, E), k_proj_weight (E, kdim) and v_proj_weight (E, vdim);
    in_proj_bias (3E,); out_proj, a layer; bias_k and bias_v (1, 1, E).

    Raises:
        ValueError: if `embed_dim` or `num_heads` is not above 0.
        AssertionError: if the heads do not divide the features.

    >>> import minigrad
    >>> x = minigrad.randn(5, 2, 8)
    >>> out, weights = MultiheadAttention(8, 4)(x, x, x)
    >>> out.shape, weights.shape
    (minigrad.Size([5, 2, 8]), minigrad.Size([2, 5, 5]))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads, self.dropout, self.batch_first = num_heads, dropout, batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError(
                f"embed_dim must be divisible by num_heads, got embed_dim={embed_dim} and num_heads={num_heads}"
            )
        together = self.kdim == embed_dim and self.vdim == embed_dim
        shapes = {"in_proj_weight": (3 * embed_dim, embed_dim) if together else None}
        for name, features in {"q": embed_dim, "k": self.kdim, "v": self.vdim}.items():
            shapes[f"{name}_proj_weight"] = None if together else (embed_dim, features)
        add_parameters(self, device, dtype, **shapes, in_proj_bias=(3 * embed_dim,) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        extra = (1, 1, embed_dim) if add_bias_kv else None
        add_parameters(self, device, dtype, bias_k=extra, bias_v=extra)
        self.add_zero_attn = add_zero_attn
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Redraw the weights (Xavier), and set biases to 0."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """Let every position of `query` attend to those of `key`.

        Args:
            query: (L, N, E), with `batch_first` (N, L, E), or one sequence (L, E).
            key: (S, N, kdim), (N, S, kdim) or (S, kdim).
            value: (S, N, vdim), (N, S, vdim) or (S, vdim).
            key_padding_mask: (N, S) or (S,); booleans (True: ignore this position), or numbers that are added to
                the scores.
            need_weights: also return the attention weights.
            attn_mask: (L, S) or (N·heads, L, S); booleans or numbers, as above.
            average_attn_weights: return the mean of the heads' weights.
            is_causal: a hint that `attn_mask` is the causal one.

        Returns:
            The result, shaped as `query`; and the weights (N, L, S), (N, heads, L, S), or these without N; or None.

        Raises:
            AssertionError: if the shapes of query, key and value do not match.
            RuntimeError: for a mask of another shape, or `is_causal` without a mask.
        """
        batched = self._check(query, key, value, key_padding_mask)
        if is_causal and attn_mask is None:
            raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
        q, k, v = self._projected(query, key, value)  # (N, L, E), (N, S, E), (N, S, E)
        n, length, source = q.shape[0], q.shape[1], k.shape[1]
        mask = self._mask(attn_mask, key_padding_mask, (n, length, source), query.dtype)
        if self.bias_k is not None and self.bias_v is not None:
            k, v = (cat([x, b.expand(n, 1, -1)], 1) for x, b in ((k, self.bias_k), (v, self.bias_v)))
        if self.add_zero_attn:
            zeros = creation.zeros((n, 1, self.embed_dim), dtype=k.dtype)
            k, v = cat([k, zeros], 1), cat([v, zeros], 1)
        if mask is not None:
            mask = pad(mask, (0, k.shape[1] - source))
        q, k, v = (x.reshape(n, x.shape[1], self.num_heads, self.head_dim).transpose(1, 2) for x in (q, k, v))
        share = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            scores = matmul(q * math.sqrt(1.0 / self.head_dim), k.transpose(-2, -1))
            weights = dropout(softmax(scores if mask is None else scores + mask, -1), share)
            out = matmul(weights, v)
            if average_attn_weights:
                weights = mean(weights, 1)
            if not batched:
                weights = weights.squeeze(0)
        else:
            out = scaled_dot_product_attention(q, k, v, mask, share)
        out = self.out_proj(out.permute(2, 0, 1, 3).reshape(length, n, self.embed_dim))
        if not batched:
            out = out.squeeze(1)
        elif self.batch_first:  # torch's memory layout, on which dropout's draws depend
            out = out.transpose(0, 1)
        return out, weights

    def _check(self, query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None) -> bool:
        """Whether there is a batch; raises an error if the shapes do not match."""
        dims = query.ndim
        if dims not in (2, 3):
            raise AssertionError(
                f"query should be unbatched 2D or batched 3D tensor but received {dims}-D query tensor"
            )
        layout = "batched (3-D)" if dims == 3 else "unbatched (2-D)"
        if key.ndim != dims or value.ndim != dims:
            raise AssertionError(
                f"For {layout} `query`, expected `key` and `value` to be {dims}-D but found {key.ndim}-D and "
                f"{value.ndim}-D tensors respectively"
            )
        if padding is not None and padding.ndim != dims - 1:
            raise AssertionError(
                f"For {layout} `query`, expected `key_padding_mask` to be `None` or {dims - 1}-D but found "
                f"{padding.ndim}-D tensor instead"
            )
        if query.shape[-1] != self.embed_dim:
            raise AssertionError(f"was expecting embedding dimension of {self.embed_dim}, but got {query.shape[-1]}")
        if key.shape[:-1] != value.shape[:-1]:
            raise AssertionError(f"key shape {list(key.shape)} does not match value shape {list(value.shape)}")
        return dims == 3

    def _projected(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Any, Any, Any]:
        """Queries, keys and values of one width, batch first."""
        if self.in_proj_weight is not None:
            weights = self.in_proj_weight.chunk(3)
        else:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        parts = []
        for x, weight, bias in zip((query, key, value), weights, biases, strict=True):
            x = x.unsqueeze(0) if x.ndim == 2 else x if self.batch_first else x.transpose(0, 1)
            parts.append(linear(x, weight, bias))
        return parts[0], parts[1], parts[2]

    def _mask(self, attn: Tensor | None, padding: Tensor | None, sizes: tuple[int, int, int], dtype: Any) -> Any:
        """Both masks as one that is added to scores (N, heads, L, S), or None."""
        n, length, source = sizes
        total: Any = None
        if attn is not None:
            wanted = (length, source) if attn.ndim == 2 else (n * self.num_heads, length, source)
            if tuple(attn.shape) != wanted:
                raise RuntimeError(
                    f"The shape of the {attn.ndim}D attn_mask is {list(attn.shape)}, but should be {list(wanted)}."
                )
            total = additive(attn, dtype, "attn_mask")
            total = total.reshape(1, 1, length, source) if attn.ndim == 2 else total.reshape(n, -1, length, source)
        if padding is not None:
            if padding.numel() != n * source:
                raise AssertionError(
                    f"expected a key_padding_mask of shape {[n, source]}, but got {list(padding.shape)}"
                )
            rows = additive(padding, dtype, "key_padding_mask").reshape(n, 1, 1, source)
            total = rows if total is None else total + rows
        return total


class TransformerEncoderLayer(Module):
    """Self-attention, then two linear layers; each with dropout, a residual connection and a layer norm.

    Args:
        d_model: the number of features, E.
        nhead: the number of heads.
        dim_feedforward: the width between the linear layers.
        dropout: the probability of dropout.
        activation: ``"relu"``, ``"gelu"``, or a function.
        layer_norm_eps: added to the variances.
        batch_first: whether the batch comes before the sequence.
        norm_first: whether the norms come before attention and linear layers, or after.
        bias: whether layers and norms have biases.

    Raises:
        RuntimeError: for an unknown activation.

    >>> import minigrad
    >>> layer = TransformerEncoderLayer(d_model=8, nhead=2, dim_feedforward=16, batch_first=True)
    >>> layer(minigrad.randn(3, 5, 8)).shape
    minigrad.Size([3, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = functional.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **where
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **where)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **where)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        known: dict[str, Callable[[Any], Any]] = {"relu": functional.relu, "gelu": functional.gelu}
        if isinstance(activation, str):
            if activation not in known:
                raise RuntimeError(f"activation should be relu/gelu, not {activation}")
            activation = known[activation]
        self.activation = activation

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Any:
        """(L, N, E), with `batch_first` (N, L, E), or (L, E) → the same; the masks are `MultiheadAttention`'s."""

        def attend(x: Any) -> Any:
            return self.dropout1(self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0])

        def feed(x: Any) -> Any:
            return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        if self.norm_first:
            x = src + attend(self.norm1(src))
            return x + feed(self.norm2(x))
        x = self.norm1(src + attend(src))
        return self.norm2(x + feed(x))
