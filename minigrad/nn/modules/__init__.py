"""torch's name for the place of the layers."""

from minigrad.nn.module import Module
from minigrad.nn.modules import module

__all__ = ["Module", "module"]
