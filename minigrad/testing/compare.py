"""How far two arrays are apart, and where the difference is largest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from minigrad.engine import Array

Arrays: TypeAlias = Mapping[str, Array | None]

#: The tolerance of a value or a gradient, relative to the norm of the other side's.
TOLERANCES = {"float64": 1e-10, "float32": 1e-5}


@dataclass(frozen=True)
class Comparison:
    """The comparison of one array of ours with theirs.

    Attributes:
        name: the name of the array.
        shape: the shape of theirs.
        error: ‖ours − theirs‖ / ‖theirs‖, in Euclidean norms; ‖ours‖ if theirs is all zeros; infinite if the two
            can't be compared.
        tolerance: the largest allowed error.
        norm: ‖theirs‖; infinite for equal arrays that contain nan or infinities; 0 if all elements are zero.
        index: the place of the largest difference; None if there is none.
        ours: the number there.
        theirs: the number there.
        problem: why they can't be compared: shapes or dtypes that differ, or one that is missing.
    """

    name: str
    shape: tuple[int, ...]
    error: float
    tolerance: float
    norm: float = 0.0
    index: tuple[int, ...] | None = None
    ours: float = 0.0
    theirs: float = 0.0
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether the error is within its tolerance."""
        return self.error <= self.tolerance

    def __str__(self) -> str:
        if self.problem:
            return f"{self.name}: {self.problem}"
        if self.index is None:
            return f"{self.name}: equal"
        at = f"index {list(self.index)}" if self.index else "its one element"
        return (
            f"{self.name} {list(self.shape)}: relative error {self.error:.2g} "
            f"({'within' if self.passed else 'above'} {self.tolerance:g}), most at {at}: "
            + _distinguished(self.ours, self.theirs)
        )


def _distinguished(a: float, b: float) -> str:
    """Two numbers, with as many digits as it takes to distinguish them."""
    texts = ((f"{a:.{digits}g}", f"{b:.{digits}g}") for digits in (6, 9, 12, 17))
    return " against ".join(next((pair for pair in texts if pair[0] != pair[1]), (repr(a), repr(b))))


def incomparable(name: str, problem: str, shape: tuple[int, ...] = (), tolerance: float = 0.0) -> Comparison:
    """A comparison that cannot be made, with the reason."""
    return Comparison(name, shape, np.inf, tolerance, problem=problem)


def compare(
    name: str, ours: Array | None, theirs: Array | None, tolerance: float, whole: float = 0.0, share: float = 0.0
) -> Comparison:
    """Compares two arrays of numbers; equal infinities, and two nan, are no difference.

    No gradient (None) equals a gradient of zeros. The error is relative to the norm of theirs; or, if that is at most
    this `share` of it, to `whole`, the norm of something that they are a part of.

    >>> print(compare("g", np.array([1.0, 2.0, 2.0]), np.array([1.0, 2.0, 2.003]), 1e-10))
    g [3]: relative error 0.001 (above 1e-10), most at index [2]: 2 against 2.003
    >>> print(compare("g", np.zeros(2), np.zeros((2, 1)), 1e-10))
    g: its shape is [2] here, [2, 1] there
    """
    if ours is None or theirs is None:
        present = theirs if ours is None else ours
        if present is None or not present.any():
            return Comparison(name, () if present is None else present.shape, 0.0, tolerance)
        return incomparable(name, f"missing {'here' if ours is None else 'there'}", present.shape, tolerance)
    for what, here, there in (("shape", list(ours.shape), list(theirs.shape)), ("dtype", ours.dtype, theirs.dtype)):
        if here != there:
            return incomparable(name, f"its {what} is {here} here, {there} there", theirs.shape, tolerance)
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart = np.asarray(np.abs(a - b))
    apart[(a == b) | (np.isnan(a) & np.isnan(b))] = 0.0
    apart[np.isnan(apart)] = np.inf
    norm = norm_of([b])
    if not apart.any():
        return Comparison(name, theirs.shape, 0.0, tolerance, norm if np.isfinite(b).all() else math.inf)
    index = tuple(int(i) for i in np.unravel_index(int(apart.argmax()), apart.shape))
    error = float(np.linalg.norm(apart)) / ((norm if norm > share * whole else whole) or 1.0)
    return Comparison(name, theirs.shape, error, tolerance, norm, index, float(a[index]), float(b[index]))


def norm_of(arrays: Iterable[Array | None]) -> float:
    """The Euclidean norm of all finite numbers in some arrays."""
    squares = [np.square(a[np.isfinite(a)], dtype=np.float64).sum() for a in arrays if a is not None]
    return math.sqrt(sum(squares))


def compare_all(
    ours: Arrays,
    theirs: Arrays,
    tolerance: Callable[[Array | None], float],
    parts: str = "gradient of ",
    share: float | None = None,
) -> tuple[Comparison, ...]:
    """Compares arrays of the same name; one that only one side has is a difference.

    Args:
        ours: arrays by name.
        theirs: those of the other side.
        tolerance: the allowed error for an array of theirs.
        parts: the prefix of the names of the parts of one gradient.
        share: if the norm of a part is at most this share of the whole gradient's, its error is relative to the whole
            gradient. The default, the tolerance, is meant for parts that are zero up to rounding, such as the gradient
            of a bias before batch norm.
    """
    whole = norm_of(a for name, a in theirs.items() if name.startswith(parts))
    found = []
    for name in {**theirs, **ours}:
        a, b = ours.get(name), theirs.get(name)
        allowed = tolerance(b)
        measure = (whole, allowed if share is None else share) if name.startswith(parts) else ()
        found.append(compare(name, a, b, allowed, *measure))
    return tuple(found)


def blank(comparisons: Iterable[Comparison]) -> bool:
    """Whether there was nothing to compare: no arrays, or only zeros.

    >>> blank([compare("g", np.zeros(2), np.zeros(2), 1e-10)]), blank([compare("g", np.ones(2), np.ones(2), 1e-10)])
    (True, False)
    """
    return all(c.norm == 0 and c.error == 0 for c in comparisons)


# ---- for both frameworks ---------------------------------------------------------------------------------------


def as_array(tensor: Any) -> Array | None:
    """A tensor's values, of either framework; None for None."""
    return None if tensor is None else np.asarray(tensor.detach().numpy())


def flat(result: Any) -> list[Any]:
    """The parts of a result: one tensor, or nested tuples and lists of them."""
    return [part for item in result for part in flat(item)] if isinstance(result, tuple | list) else [result]


def norm(gradients: Sequence[Any]) -> Any:
    """The Euclidean norm of all of them together, as a tensor; those that are None count as 0."""
    return sum((g * g).sum() for g in gradients if g is not None).sqrt()
