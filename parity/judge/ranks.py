"""Whether minigrad's runs in float32 are as near to PyTorch's as PyTorch's own runs from starts moved by rounding.

If they are, the rank of minigrad's distance among those of the moved starts is any with the same probability. The
ranks of an experiment's networks are pooled: the p-value is the share of all permutations whose sum of ranks is at
least that large. Holm's correction keeps the chance of flagging any of the experiments wrongly at 5 %.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from experiments.reporting.both import Training
from parity.judge import tolerances

Distances = tuple[float, Sequence[float]]  #: minigrad's from PyTorch, and those of PyTorch's moved starts


def distance(a: Training, b: Training) -> float:
    """How far two runs of a network are apart at most, at any epoch: in percentage points, or percent of a loss.

    >>> distance({"curves": {"x_accuracy": [0.5, 0.75]}}, {"curves": {"x_accuracy": [0.5, 0.5]}})
    25.0
    >>> distance({"curves": {"train_mse": [2.0]}}, {"curves": {"train_mse": [4.0]}})
    50.0
    """
    worst = 0.0
    for column, theirs in b["curves"].items():
        for x, y in zip(a["curves"][column], theirs, strict=True):
            worst = max(worst, 100 * abs(x - y) / (1.0 if column.endswith("accuracy") else abs(y) or 1.0))
    return round(worst, 5)


def ranks(found: Distances) -> list[float]:
    """The rank of each distance, minigrad's first; equal ones share the mean of theirs.

    >>> ranks((0.3, [0.1, 0.3, 0.9]))
    [2.5, 1.0, 2.5, 4.0]
    """
    values = [found[0], *found[1]]
    return [sum(y < x for y in values) + (values.count(x) + 1) / 2 for x in values]


def p_value(networks: Sequence[Distances]) -> float:
    """The share of permutations in which minigrad's ranks sum to at least what they do.

    >>> p_value([(0.9, [0.1, 0.2, 0.3])] * 2), p_value([(0.1, [0.1, 0.1, 0.1])])
    (0.0625, 1.0)
    """
    sums, observed = {0.0: 1}, 0.0  # how many permutations have each sum
    for found in networks:
        each = ranks(found)
        observed += each[0]
        after: defaultdict[float, int] = defaultdict(int)
        for total, ways in sums.items():
            for rank in each:
                after[total + rank] += ways
        sums = after
    return sum(ways for total, ways in sums.items() if total >= observed) / sum(sums.values())


def least(starts: Sequence[int]) -> float:
    """The smallest p-value that networks with so many moved starts each can have.

    >>> least([5]), least([3, 3, 3, 3])
    (0.16666666666666666, 0.00390625)
    """
    return math.prod(1 / (count + 1) for count in starts)


def holm(found: Mapping[str, float]) -> dict[str, float]:
    """The p-values after Holm's correction for their number.

    >>> holm({"a": 0.01, "b": 0.03, "c": 0.02})
    {'a': 0.03, 'c': 0.04, 'b': 0.04}
    """
    adjusted, largest = {}, 0.0
    for i, (name, p) in enumerate(sorted(found.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, (len(found) - i) * p))
        adjusted[name] = largest
    return adjusted


def plan(networks: int, seconds: float, experiments: int) -> tuple[int, int]:
    """How many moved starts a network, and seeds, it takes so that a difference could be found.

    Five starts where a training takes under a minute, three or more elsewhere; more seeds where the networks are few.

    >>> plan(16, 10, 13), plan(4, 90, 13), plan(1, 20, 13)
    ((5, 1), (4, 1), (5, 4))
    """
    level = tolerances.SIGNIFICANCE / experiments
    starts = next((n for n in range(5 if seconds < 60 else 3, 5) if (n + 1.0) ** -networks <= level), 5)
    return starts, math.ceil(math.log(1 / level) / (networks * math.log(starts + 1)))
