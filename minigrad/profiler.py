"""Where the time of a program goes: time and bytes for each operation, forward and backward.

>>> import minigrad
>>> x = minigrad.ones(2, 3, requires_grad=True)
>>> with minigrad.profiler.profile() as prof:
...     (x * x).sum().backward()
>>> sorted((event.key, event.count) for event in prof.key_averages())
[('AccumulateGrad', 1), ('add', 1), ('mul', 1), ('ones_like', 1), ('sum', 1)]

``print(prof.table())`` shows the same as a table. Names and columns are those of torch.profiler as far as they
apply. https://docs.pytorch.org/docs/stable/profiler.html
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

from minigrad.tensor import Tensor
from minigrad.watch import Watcher, watched_by

__all__ = ["Event", "Events", "profile"]


@dataclass
class Event:
    """All calls of one operation.

    Attributes:
        key: its name; of an optimizer ``SGD.step``, of a compiled function the function's.
        count: how often it ran forward (or at all, if it belongs to backward only).
        forward: seconds.
        backward: seconds that its gradient rules took.
        cpu_memory_usage: bytes of the arrays that it made, forward and backward; views count nothing.
    """

    key: str
    count: int = 0
    forward: float = 0.0
    backward: float = 0.0
    cpu_memory_usage: int = 0

    @property
    def seconds(self) -> float:
        """Forward and backward."""
        return self.forward + self.backward

    @property
    def cpu_time_total(self) -> float:
        """Microseconds, forward and backward."""
        return self.seconds * 1e6


SORTS = ("cpu_time_total", "forward", "backward", "cpu_memory_usage", "count")


class Events(list[Event]):
    """The events of a profile, longest first.

    Attributes:
        wall: seconds from the beginning of the profile to its end.
    """

    def __init__(self, events: Iterable[Event], wall: float) -> None:
        super().__init__(sorted(events, key=attrgetter("cpu_time_total"), reverse=True))
        self.wall = wall

    def table(self, sort_by: str = "cpu_time_total", row_limit: int = 100) -> str:
        """The events as text, a row each; the last rows are the time between operations, and the total.

        Args:
            sort_by: ``"cpu_time_total"``, ``"forward"``, ``"backward"``, ``"cpu_memory_usage"`` or ``"count"``.
            row_limit: the largest number of events to show; -1 for all.

        Raises:
            ValueError: if `sort_by` is none of these.
        """
        if sort_by not in SORTS:
            raise ValueError(f"sort_by: expected one of {', '.join(SORTS)}, but got {sort_by!r}")
        shown = sorted(self, key=attrgetter(sort_by), reverse=True)
        shown = shown if row_limit < 0 else shown[:row_limit]
        named = sum(event.seconds for event in self)
        rows: list[tuple[str, str, float | None, float | None, float, str]] = [
            (e.key, f"{e.count:,}", e.forward, e.backward, e.seconds, f"{e.cpu_memory_usage / 2**20:,.2f} MB")
            for e in shown
        ]
        rows.append(("(between operations)", "", None, None, self.wall - named, ""))
        rows.append(("(all)", "", None, None, self.wall, ""))
        lines = [("Name", "# of Calls", "Forward", "Backward", "CPU total", "CPU total %", "CPU Mem")]
        for name, count, forward, backward, total, memory in rows:
            share = f"{100 * total / self.wall:.1f} %" if self.wall else ""
            lines.append((name, count, shown_time(forward), shown_time(backward), shown_time(total), share, memory))
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        text = [
            "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
            for line in lines
        ]
        rule = "-" * len(text[0])
        return "\n".join([rule, text[0], rule, *text[1:-2], rule, *text[-2:]])


class profile(Watcher):  # noqa: N801 (torch's name)
    """Measures what this thread runs inside a ``with`` block; outside of it nothing is measured or slower.

    >>> with profile() as prof:
    ...     pass
    >>> prof.key_averages()
    []
    """

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.wall = 0.0

    def __enter__(self) -> profile:
        self._block = watched_by(self)
        self._block.__enter__()
        self._started = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter() - self._started
        self._block.__exit__()

    def key_averages(self) -> Events:
        """The measurements by operation."""
        return Events(self.events.values(), self.wall)

    def table(self, sort_by: str = "cpu_time_total", row_limit: int = 100) -> str:
        """The measurements as text; see `Events.table`."""
        return self.key_averages().table(sort_by, row_limit)

    # ---- events -------------------------------------------------------------------------------------

    def forward(self, primitive: Any, args: tuple[Any, ...], values: list[Any]) -> Any:
        """An operation."""
        return self._timed(primitive.name, False, primitive.forward, *values)

    def backward(self, node: Any, wanted: Sequence[Any], g: Any, values: Sequence[Any]) -> Any:
        """The gradients of a node's inputs; the time belongs to the operation."""
        return self._timed(getattr(node.function, "operation", node.label), True, node.function, wanted, g, *values)

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """A function of arrays."""
        return self._timed(name_of(function), False, function, *args)

    def effect(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """An optimizer's step, or a compiled function."""
        method = bool(args) and hasattr(type(args[0]), getattr(function, "__name__", ""))
        name = name_of(functools.partial(function, args[0]) if method else function)
        return self._timed(name, False, function, *args, **kwargs)

    def accumulate(self, function: Callable[..., None], leaf: Any, g: Any, taken: set[int]) -> None:
        """A gradient arrives at a leaf."""
        self._timed("AccumulateGrad", True, function, leaf, g, taken)

    def _timed(self, key: str, backward: bool, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        event = self.events.get(key)
        if event is None:
            event = self.events[key] = Event(key)
        with watched_by(None):
            start = time.perf_counter()
            result = function(*args, **kwargs)
            seconds = time.perf_counter() - start
        if backward:
            event.backward += seconds
        else:
            event.forward += seconds
        event.count += not backward or key == "AccumulateGrad"
        event.cpu_memory_usage += own_bytes(result)
        return result


def own_bytes(made: Any) -> int:
    """The bytes of the arrays in a result that own their memory."""
    if isinstance(made, Tensor):
        made = made.array
    if isinstance(made, np.ndarray):
        return made.nbytes if made.base is None else 0
    return sum(map(own_bytes, made)) if isinstance(made, (tuple, list)) else 0


def name_of(function: Any) -> str:
    """``SGD.step`` for a method, else the function's own name."""
    if isinstance(function, functools.partial):
        inner = getattr(function.func, "__name__", "call").strip("_")
        return f"{type(function.args[0]).__name__}.{inner}" if function.args else inner
    name = str(getattr(function, "__name__", function)).strip("_")
    owner = getattr(function, "__self__", None)
    return name if owner is None or isinstance(owner, type(np)) else f"{type(owner).__name__}.{name}"


def shown_time(seconds: float | None) -> str:
    """``"12.345ms"``, as torch's tables show it; nothing for None."""
    if seconds is None:
        return ""
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if abs(seconds) * factor >= 1:
            return f"{seconds * factor:.3f}{unit}"
    return f"{seconds * 1e6:.3f}us"
