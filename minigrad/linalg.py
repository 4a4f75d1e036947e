"""Norms of vectors and matrices, under torch.linalg's names.

>>> from minigrad import eye, linalg
>>> linalg.vector_norm(eye(4))
tensor(2.)
"""

from minigrad.names import explain
from minigrad.ops.linalg import matrix_norm
from minigrad.ops.statistics import vector_norm

explain(__name__)
__all__ = ["matrix_norm", "vector_norm"]
