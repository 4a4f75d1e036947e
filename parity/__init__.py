"""minigrad and PyTorch, side by side.

`python -m parity` compares every network of every experiment; `minigrad.testing.check` compares any function or module
of yours. What is measured, how it is judged and how it is shown are three packages, `measure`, `judge` and `show`; each
imports only those before it.
"""

import warnings
from typing import Any


def __getattr__(name: str) -> Any:
    if name in ("Verdict", "assert_same", "check"):
        warnings.warn(f"parity.{name} is now minigrad.testing.{name}", DeprecationWarning, stacklevel=2)
        from minigrad import testing

        return getattr(testing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
