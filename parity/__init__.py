"""minigrad and PyTorch, side by side.

`python -m parity` compares every network of every experiment; `check` compares any function or module of yours. What
is measured, how it is judged and how it is shown are three packages, `measure`, `judge` and `show`; each imports only
those before it.
"""

from parity.judge.check import Verdict, assert_same, check

__all__ = ["Verdict", "assert_same", "check"]
