"""`Embedding`: a vector for each word, class or other index."""

from __future__ import annotations

from typing import Any

from minigrad import creation
from minigrad.dtypes import DTypeLike
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.embedding import embedding, refuse
from minigrad.tensor import Tensor

__all__ = ["Embedding"]


class Embedding(Module):
    """A table of trained vectors: indices (…) → vectors (…, embedding_dim).

    The table, `weight` (num_embeddings, embedding_dim), starts normal with mean 0 and variance 1.

    Args:
        num_embeddings: the number of vectors.
        embedding_dim: their length.
        padding_idx: the vector that starts as zeros and is not trained; negative counts from the end.
        max_norm: not supported, nor are `norm_type`, `scale_grad_by_freq` and `sparse`.

    Raises:
        AssertionError: if `padding_idx` is out of range, or `_weight` has another shape.
        NotImplementedError: for an option that is not supported.

    >>> import minigrad
    >>> Embedding(10, 3)(minigrad.tensor([[1, 2], [9, 1]])).shape
    minigrad.Size([2, 2, 3])
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        refuse(max_norm, scale_grad_by_freq, sparse)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise AssertionError("Padding_idx must be within num_embeddings")
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim, self.padding_idx = num_embeddings, embedding_dim, padding_idx
        if _weight is None:
            table = creation.empty(num_embeddings, embedding_dim, device=device, dtype=dtype)
            self.weight = Parameter(table, requires_grad=not _freeze)
            self.reset_parameters()
        else:
            if list(_weight.shape) != [num_embeddings, embedding_dim]:
                raise AssertionError("Shape of weight does not match num_embeddings and embedding_dim")
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An embedding with an existing table, which is not trained if `freeze`.

        Raises:
            AssertionError: if the table is not a matrix.

        >>> import minigrad
        >>> Embedding.from_pretrained(minigrad.tensor([[1.0, 2.0], [3.0, 4.0]]))(minigrad.tensor(1))
        tensor([3., 4.])
        """
        if embeddings.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, length = embeddings.shape
        return cls(rows, length, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, embeddings, freeze)

    def reset_parameters(self) -> None:
        """Redraw the table; the padding row is zero."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])

    def forward(self, input: Tensor) -> Any:
        """(…) → (…, embedding_dim)."""
        return embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """The size of the table."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
