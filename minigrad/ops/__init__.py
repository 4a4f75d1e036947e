"""The operations, by family. Each is one record; see `minigrad.ops.record`."""

from typing import TYPE_CHECKING

from minigrad.ops import (
    activation,
    attention,
    convert,
    convolution,
    dropout,
    elementwise,
    embedding,
    indexing,
    interpolation,
    joining,
    linalg,
    loss,
    loss_margin,
    loss_value,
    normalization,
    padding,
    pooling,
    recurrence,
    reduction,
    shape,
    vectors,
)
from minigrad.ops.elementwise import *  # noqa: F403
from minigrad.ops.indexing import *  # noqa: F403
from minigrad.ops.joining import *  # noqa: F403
from minigrad.ops.linalg import *  # noqa: F403
from minigrad.ops.record import registry
from minigrad.ops.reduction import *  # noqa: F403
from minigrad.ops.shape import *  # noqa: F403

if not TYPE_CHECKING:  # type checkers take all public names
    __all__ = [
        "registry",
        *elementwise.__all__,
        *indexing.__all__,
        *joining.__all__,
        *linalg.__all__,
        *reduction.__all__,
        *shape.__all__,
    ]
