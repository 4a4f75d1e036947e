"""The operations, by family. Each is one record; see `minigrad.ops.record`."""

from minigrad.ops import convert, elementwise, linalg, loss, reduction, shape
from minigrad.ops.elementwise import *  # noqa: F403
from minigrad.ops.linalg import *  # noqa: F403
from minigrad.ops.record import registry
from minigrad.ops.reduction import *  # noqa: F403
from minigrad.ops.shape import *  # noqa: F403

__all__ = ["registry", *elementwise.__all__, *linalg.__all__, *reduction.__all__, *shape.__all__]
