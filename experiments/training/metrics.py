"""Metrics of trained models; `counts[i][j]` says how often class i was taken for class j."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

Counts = Sequence[Sequence[int]]


class Confusion(NamedTuple):
    """Class `true` is predicted to be class `predicted` at this rate, conditioned on the true class."""

    true: int
    predicted: int
    rate: float


def confusion(labels: Any, predicted: Any, classes: int) -> list[list[int]]:
    """How often class i (row) was taken for class j (column).

    >>> import minigrad
    >>> confusion(minigrad.tensor([0, 0, 1]), minigrad.tensor([0, 1, 1]), 2)
    [[1, 1], [0, 1]]
    """
    counts = [[0] * classes for _ in range(classes)]
    for true, taken in zip(labels.tolist(), predicted.tolist(), strict=True):
        counts[true][taken] += 1
    return counts


def rates(counts: Counts) -> list[list[float]]:
    """The same, conditioned on the true class: each row sums to 1, that of a class without samples to 0.

    >>> rates([[1, 3], [0, 0]])
    [[0.25, 0.75], [0.0, 0.0]]
    """
    return [[n / max(sum(row), 1) for n in row] for row in counts]


def accuracy(counts: Counts) -> float:
    """The share of all samples on the diagonal.

    >>> accuracy([[1, 3], [0, 4]])
    0.625
    """
    return sum(counts[i][i] for i in range(len(counts))) / sum(map(sum, counts))


def most_confused(counts: Counts) -> list[Confusion | None]:
    """For each class what its samples are most often taken for; None where all are right.

    >>> most_confused([[8, 2], [0, 9]])
    [Confusion(true=0, predicted=1, rate=0.2), None]
    """
    errors = _errors(counts)
    return [_worst(e for e in errors if e.true == i) for i in range(len(counts))]


def most_mistaken(counts: Counts) -> list[Confusion | None]:
    """For each class the other one whose samples are most often taken for it; None where no sample is.

    >>> most_mistaken([[8, 2], [0, 9]])
    [None, Confusion(true=0, predicted=1, rate=0.2)]
    """
    errors = _errors(counts)
    return [_worst(e for e in errors if e.predicted == j) for j in range(len(counts))]


def most_confused_pair(counts: Counts) -> Confusion | None:
    """The most frequent confusion of all, in its direction; None where there is no error.

    >>> most_confused_pair([[8, 2, 0], [1, 9, 0], [0, 0, 5]])
    Confusion(true=0, predicted=1, rate=0.2)
    """
    return _worst(_errors(counts))


def most_confused_classes(counts: Counts) -> Confusion | None:
    """The two classes most confused in both directions together: `rate` is the sum of both, `true` the lower class.

    >>> most_confused_classes([[6, 3, 1], [3, 7, 0], [0, 5, 5]])
    Confusion(true=0, predicted=1, rate=0.6)
    """
    rate = rates(counts)
    return _worst(
        Confusion(e.true, e.predicted, e.rate + rate[e.predicted][e.true]) for e in _errors(counts, both=True)
    )


def most_frequent(counts: Counts, number: int) -> list[tuple[int, int, int]]:
    """The most frequent errors (count, true class, decision), and all that are as frequent as the last of them.

    >>> most_frequent([[9, 1, 0], [0, 7, 3], [3, 0, 8]], 1)
    [(3, 1, 2), (3, 2, 0)]
    """
    found = sorted((-counts[e.true][e.predicted], e.true, e.predicted) for e in _errors(counts))
    return [(-n, true, taken) for n, true, taken in found if n <= min(found[:number][-1][0], -1)]


def standard_error(accuracy: float, samples: int) -> float:
    """The standard error of a share measured on so many samples, √(p (1 − p) / n).

    >>> standard_error(0.5, 2_500)
    0.01
    """
    return math.sqrt(accuracy * (1 - accuracy) / samples)


def wilson(successes: int, samples: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share: it lies between 0 and 1, and isn't empty where none or all succeed.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.

    >>> [round(end, 3) for end in wilson(9, 10)], [round(end, 3) for end in wilson(10, 10)]
    ([0.596, 0.982], [0.722, 1.0])
    """
    z, n = 1.959964, samples
    middle, weight = (successes + z * z / 2) / (n + z * z), z / (n + z * z)
    half = weight * math.sqrt(successes * (n - successes) / n + z * z / 4)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def paired_gain(before: Any, after: Any) -> tuple[float, float]:
    """By how much the same samples' losses (N,) fell on average, and the standard error of that mean, s / √N.

    Each sample is compared with itself, so the differences between hard and easy samples add no noise.

    >>> paired_gain([9.0, 4.0, 2.0], [7.0, 3.0, 2.0])
    (1.0, 0.5773502691896258)
    """
    fall = np.asarray(before, np.float64) - np.asarray(after, np.float64)
    return float(fall.mean()), float(fall.std(ddof=1) / len(fall) ** 0.5)


class Paired(NamedTuple):
    """Two classifiers on the same samples: on how many only the second is right, and only the first."""

    gained: int
    lost: int
    samples: int

    @property
    def difference(self) -> float:
        """The second's accuracy less the first's."""
        return (self.gained - self.lost) / self.samples

    @property
    def error(self) -> float:
        """The standard error of the difference; samples that both classify alike add nothing to it."""
        return math.sqrt(max(self.gained + self.lost - self.samples * self.difference**2, 0)) / self.samples

    @property
    def p(self) -> float:
        """McNemar's exact test: how often a fair coin would divide the differing samples at least as unevenly."""
        differing = self.gained + self.lost
        fewer = sum(math.comb(differing, k) for k in range(min(self.gained, self.lost) + 1))
        return min(2 * fewer / int(2**differing), 1.0)


def paired(before: Any, after: Any) -> Paired:
    """Compares two classifiers by which of the same samples each gets right: two arrays (N,) of truth values.

    >>> found = paired([True, False, False, True], [True, True, True, False])
    >>> found, found.difference, found.p
    (Paired(gained=2, lost=1, samples=4), 0.25, 1.0)
    """
    first, second = (np.asarray(right, bool) for right in (before, after))
    return Paired(int((second & ~first).sum()), int((first & ~second).sum()), len(first))


def p_value(gain: float, error: float) -> float:
    """How often chance alone would give a mean at least so far from 0, of many values: normal, two-sided.

    >>> round(p_value(1.96, 1.0), 3)
    0.05
    """
    return math.erfc(abs(gain) / error / math.sqrt(2)) if error else float(not gain)


def kurtosis(values: Any) -> float:
    """The fourth standardised moment less 3: 0 for a normal distribution, more for longer tails.

    >>> kurtosis([-1.0, 1.0])
    -2.0
    """
    centred = np.asarray(values, np.float64) - np.mean(values)
    return float(np.mean(centred**4) / np.mean(centred**2) ** 2 - 3)


def _errors(counts: Counts, both: bool = False) -> list[Confusion]:
    table, n = rates(counts), len(counts)
    return [Confusion(i, j, table[i][j]) for i in range(n) for j in range(n) if (i < j if both else i != j)]


def _worst(errors: Iterable[Confusion]) -> Confusion | None:
    worst = max(errors, key=lambda e: e.rate, default=None)  # the first of equals
    return worst if worst is not None and worst.rate > 0 else None
