"""How far apart the two frameworks may be. Each tolerance of `python -m parity` is defined here and nowhere else."""

from __future__ import annotations

from minigrad.testing.compare import TOLERANCES

#: Of outputs, loss and each gradient, relative to the norm of PyTorch's; second order is held to float64's.
GRADIENT = TOLERANCES

#: Of each parameter and buffer after an epoch in float64, relative to its norm.
EPOCH = 1e-8

#: Where rounding is amplified beyond that: how many times as far as PyTorch from itself. (A moved start differs once,
#: in the first step; two frameworks round differently in each.)
AMPLIFIED = 10.0

#: Percentage points within which mean accuracies count as equivalent, at most, by data set; and elsewhere.
MARGINS, MARGIN_ELSEWHERE = {"mnist": 0.3, "fashion-mnist": 0.7, "cifar-10": 1.0}, 1.5

#: And the share of PyTorch's error rate that they may differ by: 0.11 points where 0.55 % are wrong.
SHARE_OF_ERRORS = 0.2

#: Percent of PyTorch's mean, where the result is a loss.
LOSS_MARGIN = 3.0

#: Of each test: the two one-sided tests of equivalence, and, corrected for their number, the tests of runs in float32.
SIGNIFICANCE = 0.05


def margin(data: str, error: float) -> float:
    """The margin of equivalence on this data set, where PyTorch's error rate is `error` percent; in points.

    >>> margin("mnist-hdf5", 7.6), round(margin("mnist", 0.55), 2), margin("digits", 50.0)
    (0.3, 0.11, 1.5)
    """
    return min(MARGINS.get(data.removesuffix("-hdf5"), MARGIN_ELSEWHERE), SHARE_OF_ERRORS * error)
