"""Comparisons for tests: `assert_close`, as in torch.testing, and `check`, which compares functions and modules."""

from minigrad.testing.check import Verdict as Verdict
from minigrad.testing.check import assert_same as assert_same
from minigrad.testing.check import check as check
from minigrad.testing.close import assert_close as assert_close
