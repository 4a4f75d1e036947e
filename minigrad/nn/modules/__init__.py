"""The layers, under the module name that they have in torch."""

from minigrad.nn.module import Module
from minigrad.nn.modules import module

__all__ = ["Module", "module"]
