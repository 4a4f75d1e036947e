"""The operations, by family. Each is one record; see `minigrad.ops.record`. The names here are those of its torch name.

What type checkers are to know stands in ``__init__.pyi``, which `make docs` writes.
"""

import importlib
import pkgutil

from minigrad.ops.record import registry

for family in pkgutil.iter_modules(__path__):
    if family.name != "docs":
        importlib.import_module(f"{__name__}.{family.name}")

NAMES = [name for name, record in registry.items() if record.top_level]
NAMES += ["leaky_relu", "softplus"]  # in torch they stand in nn.functional only
globals().update({name: registry[name].public for name in NAMES})
__all__ = ["registry", *NAMES]
