"""Features counted in a sequence of -1 and +1, as inputs for simpler models."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
LONG = 7  #: runs of at least this length are counted together
DISTANCES = 10
WINDOW = 4


def alternations(x: Array) -> Array:
    """How often a value differs from the one before it: (N, 1).

    >>> alternations(np.array([[1, 1, -1, 1], [1, 1, 1, 1]])).tolist()
    [[2.0], [0.0]]
    """
    return np.asarray((x[:, 1:] != x[:, :-1]).sum(1, keepdims=True), np.float32)


def unusual_alternations(x: Array) -> Array:
    """The alternations, and the square of their distance from what a fair coin does on average: (N, 2).

    >>> unusual_alternations(np.array([[1, 1, -1, 1], [1, 1, 1, 1]])).tolist()
    [[2.0, 0.25], [0.0, 2.25]]
    """
    count = alternations(x)
    return np.concatenate([count, np.square(count - (x.shape[1] - 1) / 2)], axis=1)


def runs(x: Array) -> Array:
    """How many runs of each length there are, (N, length): column i for length i + 1.

    >>> runs(np.array([[1, 1, -1, 1], [1, 1, 1, 1]])).tolist()
    [[2.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    """
    n, length = x.shape
    counts = np.zeros((n, length), np.float32)
    current = np.zeros(n, np.int64)  # the length so far, less 1
    for i in range(length):
        last = np.ones(n, bool) if i == length - 1 else x[:, i + 1] != x[:, i]
        counts[np.flatnonzero(last), current[last]] += 1
        current = np.where(last, 0, current + 1)
    return counts


def run_lengths(x: Array) -> Array:
    """How many runs of length 1, 2, ... there are, the long ones counted together: (N, 7)."""
    counts = runs(x)
    return np.concatenate([counts[:, : LONG - 1], counts[:, LONG - 1 :].sum(1, keepdims=True)], axis=1)


def longest_run(x: Array) -> Array:
    """The length of the longest run: (N, 1).

    >>> longest_run(np.array([[1, 1, -1, 1], [1, 1, 1, 1]])).tolist()
    [[2.0], [4.0]]
    """
    counts = runs(x)
    return np.asarray(counts.shape[1] - (counts[:, ::-1] > 0).argmax(1, keepdims=True), np.float32)


def agreements(x: Array) -> Array:
    """The mean product of values at a distance of 1, 2, ...: +1 where they always agree, (N, 10).

    >>> agreements(np.array([[1, -1, 1, -1] * 5]))[0, :3].tolist()
    [-1.0, 1.0, -1.0]
    """
    return np.stack([(x[:, d:] * x[:, :-d]).mean(1) for d in range(1, DISTANCES + 1)], axis=1).astype(np.float32)


def patterns(x: Array) -> Array:
    """How often each of the 16 patterns of 4 neighbours occurs, anywhere: (N, 16)."""
    windows = np.lib.stride_tricks.sliding_window_view(x > 0, WINDOW, axis=1)
    codes = windows @ (1 << np.arange(WINDOW))
    return np.stack([(codes == code).sum(1) for code in range(2**WINDOW)], axis=1).astype(np.float32)


def with_squares(features: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """The features and their squares, so that too few and too many can both be evidence for a human."""
    return lambda x: np.concatenate([features(x), np.square(features(x))], axis=1)


FEATURES: dict[str, Callable[[Array], Array]] = {
    "the 20 values": lambda x: x,
    "the longest run": longest_run,
    "the number of alternations": alternations,
    "alternations, and their squared distance from 9.5": unusual_alternations,
    "numbers of runs of length 1, 2, …, 7 or more": run_lengths,
    "agreements at distances 1 to 10": agreements,
    "agreements at distances 1 to 10, and their squares": with_squares(agreements),
    "patterns of 4 neighbours": patterns,
    "patterns of 4 neighbours, and their squares": with_squares(patterns),
}
"""The features by their names in the tables."""


def standardised(train: Array, *others: Array) -> list[Array]:
    """All arrays less the mean of `train`, divided by its standard deviation, for each column."""
    mean, std = train.mean(0), train.std(0)
    return [((part - mean) / np.where(std > 0, std, 1)).astype(np.float32) for part in (train, *others)]
