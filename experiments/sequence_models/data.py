"""Series of 50 steps of 8 features in two classes, for three tasks, each with another difference between the classes.

Real data would mix these differences. All start as noise, normal with standard deviation 1, independent in
every step and feature; the classes are equally likely. What is added to it:

- ``motif``: a pattern of `MOTIF_STEPS` steps in all features, at a place drawn evenly from all that it fits into.
  Class 1 has it forwards, class 0 backwards, so that both hold the same numbers, in another local order.
- ``order``: a spike in feature 0 and one in feature 1, at least `GAP` steps apart, each up or down at random. Class 1
  has the one in feature 0 first. Both keep `MARGIN` steps away from the ends, so that a narrow window can't
  recognise an early or a late spike by the end of the series.
- ``trend``: each feature starts at a level of its own; in class 1 all rise slowly, in class 0 they fall. From one
  end to the other it is `RISE` in all, far less than the levels and the noise differ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from experiments.data import DataSet, Source

STEPS, FEATURES = 50, 8
TASKS = ("motif", "order", "trend")
CLASSES = ("motif backwards", "motif forwards", "1 before 0", "0 before 1", "falling", "rising")
TRAINING, TEST = 9_000, 2_000  #: samples of each task
SEED = 20_250_514

MOTIF_STEPS, MOTIF_HEIGHT = 5, 1.0  #: the length and the standard deviation of the pattern
GAP, MARGIN, SPIKE = 15, 8, 5.0  #: steps between the spikes and from the ends, and the height of a spike
LEVEL, RISE = 2.0, 0.45  #: the standard deviation of the levels, and the change over a whole series
NUMBERS = {"STEPS": STEPS, "MOTIF_STEPS": MOTIF_STEPS, "GAP": GAP, "MARGIN": MARGIN}  #: for the report
HEIGHTS = {"SPIKE": SPIKE, "LEVEL": LEVEL, "RISE": RISE}  #: for the report


def load(train: bool) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """All series of one part and their labels: ``(N, 50, 8)`` and ``(N,)``.

    The tasks take turns, so that the first samples hold as many of each. A label is ``2 * task + class``, an index
    of `CLASSES`; the two parts are drawn from different random streams.

    >>> inputs, labels = load(train=False)
    >>> inputs.shape, labels[:6] // 2
    ((6000, 50, 8), array([0, 1, 2, 0, 1, 2]))
    """
    n = TRAINING if train else TEST
    parts = [generate(task, n, (SEED, int(train), k)) for k, task in enumerate(TASKS)]
    inputs = np.stack([inputs for inputs, _ in parts], 1).reshape(-1, STEPS, FEATURES)
    labels = np.stack([2 * k + labels for k, (_, labels) in enumerate(parts)], 1).reshape(-1)
    return inputs, labels


def generate(task: str, n: int, seed: int | tuple[int, ...]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """`n` series of one task ``(n, 50, 8)``, and their classes 0 or 1 ``(n,)``.

    Raises:
        KeyError: if there is no such task.

    >>> inputs, labels = generate("trend", 1000, seed=0)
    >>> change = (inputs[:, -10:].mean((1, 2)) - inputs[:, :10].mean((1, 2))) * (2 * labels - 1)
    >>> bool(change.mean() > 0.3)
    True
    """
    rng = np.random.default_rng(seed)
    series = rng.normal(size=(n, STEPS, FEATURES))
    labels = rng.integers(0, 2, n)
    {"motif": _add_motif, "order": _add_spikes, "trend": _add_trend}[task](rng, series, labels)
    return series.astype(np.float32), labels


def motif() -> NDArray[np.float64]:
    """The pattern, ``(5, 8)``: the same in both parts."""
    pattern = np.random.default_rng(SEED).normal(size=(MOTIF_STEPS, FEATURES))
    pattern *= MOTIF_HEIGHT / pattern.std()
    return pattern


def _add_motif(rng: np.random.Generator, series: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
    n = len(series)
    starts = rng.integers(0, STEPS - MOTIF_STEPS + 1, n)
    forwards = motif()
    patterns = np.where(labels[:, None, None] == 1, forwards, forwards[::-1])
    series[np.arange(n)[:, None], starts[:, None] + np.arange(MOTIF_STEPS)] += patterns


def _add_spikes(rng: np.random.Generator, series: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
    n = len(series)
    first = rng.integers(MARGIN, STEPS - MARGIN - GAP, n)
    second = rng.integers(first + GAP, STEPS - MARGIN)
    signs = rng.choice([-1, 1], (2, n))
    rows = np.arange(n)
    series[rows, first, 1 - labels] += SPIKE * signs[0]
    series[rows, second, labels] += SPIKE * signs[1]


def _add_trend(rng: np.random.Generator, series: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
    series += LEVEL * rng.normal(size=(len(series), 1, FEATURES))
    series += (2 * labels - 1)[:, None, None] * RISE * np.linspace(-0.5, 0.5, STEPS)[:, None]


def _read(root: str | None, train: bool) -> tuple[NDArray[np.float32], NDArray[np.int64], Source]:
    """The series of one part, each in a row."""
    series, labels = load(train)
    return series.reshape(len(labels), -1), labels, Source(DATA.name, SOURCE, False, len(labels), classes=CLASSES)


SOURCE = "generated series of 50 steps of 8 features"
DATA = DataSet("series", f"series of {STEPS} steps", _read)
