"""Whether two sets of accuracies are the same within a margin: two one-sided tests.

A difference that is not significant proves nothing. So the hypothesis to reject is that the means are a margin or
more apart, once on either side. Source: Schuirmann, *A comparison of the two
one-sided tests procedure* (1987); unequal variances after Welch.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from parity.judge import tolerances


@dataclass(frozen=True)
class Equivalence:
    """The result of the two tests; all in the unit of the samples.

    Attributes:
        difference: mean of the first minus mean of the second.
        low: lower end of the confidence interval (90 % for a significance of 5 %).
        high: its upper end.
        p: the larger p-value of the two tests.
        p_difference: of the hypothesis that the means are equal (two-sided).
        margin: what counts as the same.
    """

    difference: float
    low: float
    high: float
    p: float
    p_difference: float
    margin: float

    @property
    def equivalent(self) -> bool:
        """Whether both tests reject that the means are the margin or more apart."""
        return self.p < tolerances.SIGNIFICANCE


def two_one_sided(first: Sequence[float], second: Sequence[float], margin: float) -> Equivalence:
    """Tests whether the means of two independent samples differ by less than the margin.

    Args:
        first: at least two numbers.
        second: at least two numbers.
        margin: in their unit.

    Raises:
        ValueError: for a sample of fewer than two numbers, which has no spread.

    >>> found = two_one_sided([98.0, 98.1, 98.2], [98.1, 98.0, 98.1], margin=0.3)
    >>> found.equivalent, round(found.difference, 3), round(found.p, 3)
    (True, 0.033, 0.012)
    >>> two_one_sided([98.0, 98.1, 98.2], [98.4, 98.3, 98.5], margin=0.3).equivalent
    False
    """
    for name, sample in (("first", first), ("second", second)):
        if len(sample) < 2:
            raise ValueError(f"{name}: a sample of {len(sample)} has no spread; two numbers are the least")
    difference = statistics.fmean(first) - statistics.fmean(second)
    if not any(statistics.pvariance(sample) for sample in (first, second)):  # no spread at all: nothing to test
        p = 0.0 if abs(difference) < margin else 1.0
        return Equivalence(difference, difference, difference, p, 0.0 if difference else 1.0, margin)

    from scipy import stats

    above = stats.ttest_ind([x + margin for x in first], second, equal_var=False, alternative="greater").pvalue
    below = stats.ttest_ind([x - margin for x in first], second, equal_var=False, alternative="less").pvalue
    test = stats.ttest_ind(first, second, equal_var=False)
    low, high = map(float, test.confidence_interval(1 - 2 * tolerances.SIGNIFICANCE))
    return Equivalence(difference, low, high, float(max(above, below)), float(test.pvalue), margin)
