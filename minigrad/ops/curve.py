"""Elementwise functions of one number as operations."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.ops.record import Draw, composed, operation


def in_float32(function: Callable[..., Any], *arrays: Any, numbers: tuple[Any, ...] = ()) -> Any:
    """``function(*arrays, *numbers)``; for float16, computed in float32 and rounded to float16."""
    if arrays[0].dtype != np.float16:
        return function(*arrays, *numbers)
    return function(*(x.astype(np.float32) for x in arrays), *numbers).astype(np.float16)


def unary(function: Any, gradient: Any, *, functional: Any = None, **limits: Any) -> Callable[[Any], Any]:
    """A NumPy function as an operation on floats, with its gradient and the `limits` between which tests draw."""

    def sample(d: Draw) -> tuple[Any, ...]:
        return (d.array(**limits),)

    def register(declared: Any) -> Any:
        @functools.wraps(declared)
        def forward(input: Any) -> Any:
            return function(input)

        settings: dict[str, Any] = {"floating": True, "promotes": True, "in_place": True, "functional": functional}
        return operation({"input": gradient}, sample=sample, **settings)(forward)

    return register


class Curve:
    """A function of one number: ``value(input, *numbers)`` of an array; ``gradient(g, input, *numbers)``.

    float16 is computed in float32 if `wide`, as in torch's kernels; else each step rounds, as in its formulas.
    """

    def __init__(self, value: Callable[..., Any], gradient: Callable[..., Any], wide: bool = True) -> None:
        self.value, self.gradient, self.wide = value, gradient, wide

    def along(self, function: Callable[..., Any], *arrays: Any, numbers: tuple[Any, ...]) -> Any:
        """``function(*arrays, *numbers)``."""
        return in_float32(function, *arrays, numbers=numbers) if self.wide else function(*arrays, *numbers)


@operation(
    {"input": lambda g, input, curve, numbers: curve.along(curve.gradient, g, input, numbers=numbers)},
    floating=True,
    promotes=("input",),
    sample=lambda d: (d.array(), Curve(np.square, lambda g, x: 2 * g * x), ()),
)
def _on_curve(input: Any, curve: Curve, numbers: tuple[Any, ...] = ()) -> Any:
    """A function of each element, whose gradient needs only the input."""
    return curve.along(curve.value, input, numbers=numbers)


def curve(value: Any, gradient: Any, *methods: str, **limits: Any) -> Callable[[Any], Any]:
    """A function of one number (see `Curve`), its `methods`, and the `limits` between which tests draw."""
    made = Curve(value, gradient, wide=False)

    def register(declared: Any) -> Any:
        @functools.wraps(declared)
        def forward(input: Any) -> Any:
            return _on_curve(input, made)

        names = [declared.__name__, *methods]
        return composed(methods=names, in_place=True, sample=lambda d: (d.array(**limits),))(forward)

    return register
