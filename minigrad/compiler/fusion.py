"""Two calls of a record that are done as one.

Where an operation can do the next one's work on a part of its result that is still in the cache, no pass over memory is
needed for it. The bits are the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.compiler.recorder import Call, Value, values_in
from minigrad.ops.convolution import correlate, correlate_back
from minigrad.ops.record import registry


def _rectified(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """``relu(conv2d(*first))``."""
    return [*first, True]


def _rectified_back(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """The gradient of ``conv2d``'s input, and then of the ``relu`` that it came from, whose result is second[1]."""
    g, weight, shape, *geometry = first
    return [g, weight, tuple(shape[2:]), *geometry, second[1]]


_conv, _relu = registry["_conv2d"], registry["relu"]

#: What may be done as one: first and second call, the function that does both, and its arguments.
FUSIONS: dict[tuple[Callable[..., Any], Callable[..., Any]], tuple[Callable[..., Any], Callable[..., list[Any]]]] = {
    (_conv.forward, _relu.forward): (correlate, _rectified),
    (_conv.gradients["input"], _relu.gradients["input"]): (correlate_back, _rectified_back),
}


def fused(calls: Sequence[Call], output: Any) -> list[Call]:
    """The calls, with those fused whose result only the other one reads."""
    readers = Counter(value.number for call in calls for value in values_in((call.args, call.kwargs)))
    readers.update(value.number for value in values_in(output))
    starts = {call.results[0].number: i for i, call in enumerate(calls) if call.results and call.results[0] is not None}
    found: list[Call | None] = list(calls)
    for i, call in enumerate(calls):
        first = call.args[0] if call.kind in ("forward", "rule") and call.args else None
        if not isinstance(first, Value) or readers[first.number] != 1 or first.number not in starts:
            continue
        before = calls[starts[first.number]]
        fusion = FUSIONS.get((before.function, call.function))
        if fusion is not None and first.example.dtype == call.results[0].example.dtype:  # type: ignore[union-attr]
            function, arguments = fusion
            found[starts[first.number]] = call._replace(function=function, args=arguments(before.args, call.args))
            found[i] = None
    return [call for call in found if call is not None]
