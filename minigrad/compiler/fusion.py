"""Two calls of a record that are done as one.

Where an operation can do the next one's work on a part of its result that is still in the cache, no pass over memory is
needed for it. The bits are the same. A view may stand between the two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.compiler.recorder import Call, Value, values_in
from minigrad.ops.convolution import correlate, correlate_back
from minigrad.ops.normalization import standardize_back
from minigrad.ops.record import registry


def _rectified(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """``relu(conv2d(*first))``."""
    return [*first, True]


def _rectified_back(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """The gradient of ``conv2d``'s input, and then of the ``relu`` that it came from, whose result is second[1]."""
    g, weight, shape, *geometry = first
    return [g, weight, tuple(shape[2:]), *geometry, second[1]]


def _standardized_back(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """The gradient of batch norm's input, and then of the ``relu`` that it came from, whose result is second[1]."""
    return [*first, second[1]]


_conv, _relu, _norm, _view = (registry[name] for name in ("_conv2d", "relu", "_standardize", "_reshape"))

#: What may be done as one: first and second call, the function that does both, and its arguments.
FUSIONS: dict[tuple[Callable[..., Any], Callable[..., Any]], tuple[Callable[..., Any], Callable[..., list[Any]]]] = {
    (_conv.forward, _relu.forward): (correlate, _rectified),
    (_conv.gradients["input"], _relu.gradients["input"]): (correlate_back, _rectified_back),
    (_norm.gradients["input"], _relu.gradients["input"]): (standardize_back, _standardized_back),
}
VIEWS = (_view.forward, _view.gradients["input"])


def fused(calls: Sequence[Call], output: Any) -> list[Call]:
    """The calls, with those fused whose result only the other one reads."""
    readers = Counter(value.number for call in calls for value in values_in((call.args, call.kwargs)))
    readers.update(value.number for value in values_in(output))
    starts = {call.results[0].number: i for i, call in enumerate(calls) if call.results and call.results[0] is not None}
    found: list[Call | None] = list(calls)

    def source(call: Call) -> int | None:
        """Where the first argument is made, if this call alone reads it."""
        first = call.args[0] if call.kind in ("forward", "rule") and call.args else None
        return starts.get(first.number) if isinstance(first, Value) and readers[first.number] == 1 else None

    for i, call in enumerate(calls):
        start = between = source(call)
        if start is not None and calls[start].function in VIEWS:
            start = source(calls[start])
        if start is None or between is None or (calls[start].function, call.function) not in FUSIONS:
            continue
        before, (after, *_) = calls[start], call.results
        function, arguments = FUSIONS[before.function, call.function]
        if before.results[0].example.dtype != after.example.dtype:  # type: ignore[union-attr]
            continue
        found[i] = None
        found[start] = before._replace(function=function, args=arguments(before.args, call.args))
        last: Any = found[between]  # the view, or else the call before
        found[between] = last._replace(results=(Value(after.number, after.kind, last.results[0].example),))  # type: ignore[union-attr]
    return [call for call in found if call is not None]
