"""How far apart the two frameworks may be. Each tolerance is defined here and nowhere else."""

from __future__ import annotations

#: Of outputs, loss and each gradient, relative to the norm of PyTorch's; second order is held to float64's.
GRADIENT = {"float64": 1e-10, "float32": 1e-5}

#: Of each parameter after an epoch in float64, absolute.
TRAJECTORY = 1e-8

#: Percentage points between the accuracies after each epoch of a run in float32, by data set.
POINTS = {"mnist": 0.3, "fashion-mnist": 1.0}

#: The same for CIFAR-10, human/machine, and all smaller sets.
POINTS_ELSEWHERE = 1.5

#: Percentage points within which the mean accuracies of independent seeds count as equivalent, by data set.
MARGINS = {"mnist": 0.3, "fashion-mnist": 0.7, "cifar-10": 1.0}

#: Of each of the two one-sided tests of equivalence.
SIGNIFICANCE = 0.05


def points(data: str) -> float:
    """The allowed difference of accuracies on this data set, in percentage points.

    >>> points("mnist-hdf5"), points("digits")
    (0.3, 1.5)
    """
    return POINTS.get(data.removesuffix("-hdf5"), POINTS_ELSEWHERE)


def margin(data: str) -> float | None:
    """The margin of equivalence on this data set, in percentage points; None where none is set.

    >>> margin("mnist-hdf5"), margin("fashion-mnist"), margin("digits")
    (0.3, 0.7, None)
    """
    return MARGINS.get(data.removesuffix("-hdf5"))
