"""The operations, by family. Each is one record; see `minigrad.ops.record`. Here they have their names in torch.

Type checkers read ``__init__.pyi``, which `make docs` writes.
"""

import importlib
import inspect
import pkgutil

from minigrad.ops.record import registry
from minigrad.tensor import Tensor

for family in pkgutil.iter_modules(__path__):
    if family.name != "docs":
        importlib.import_module(f"{__name__}.{family.name}")

FUNCTIONS = {name: record.public for record in registry.values() if record.top_level for name in record.names}
FUNCTIONS |= {name: registry[name].public for name in ("leaky_relu", "softplus")}  # only in nn.functional in torch
METHODS = ["detach", "detach_", "is_floating_point", "numel"]  #: these are functions in torch, too
METHODS += ["clamp_", "clamp_max_", "clamp_min_", "clip_", "index_put_", "round_"]
METHODS += [
    f"{name}_"
    for record in registry.values()
    if record.in_place and len(inspect.signature(record.forward).parameters) == 1
    for name in record.names
    if name not in ("absolute", "bitwise_not", "logical_not", "sign")  # these are methods only
]
FUNCTIONS |= {name: getattr(Tensor, name) for name in METHODS}
globals().update(FUNCTIONS)
__all__ = ["registry", *FUNCTIONS]
