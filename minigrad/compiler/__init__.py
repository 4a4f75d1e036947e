"""Recording a training step once and replaying it into fixed buffers: `minigrad.compile`."""

from minigrad.compiler.compiled import Compiled as Compiled
from minigrad.compiler.compiled import compile as compile
