"""Layers and losses as functions, under torch.nn.functional's names; usually imported as ``F``.

They are the operations whose record has such a name, with the arguments that `minigrad.nn.legacy` adds. (Type checkers
read ``functional.pyi``, which `make docs` writes.)

>>> import minigrad
>>> import minigrad.nn.functional as F
>>> F.relu(minigrad.tensor([-1.0, 2.0]))
tensor([0., 2.])
"""

import minigrad.creation  # noqa: F401 (one_hot's record)
from minigrad.names import explain
from minigrad.nn.legacy import functions

globals().update(functions())
explain(__name__)
__all__ = [*functions()]
