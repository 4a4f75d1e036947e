"""minigrad and PyTorch, side by side.

`python -m parity` compares every network of every experiment; `check` compares any function or module of yours.
"""

from parity.verdict import Verdict, assert_same, check

__all__ = ["Verdict", "assert_same", "check"]
