"""Who watches this thread's operations: `minigrad.compile` while it records, `minigrad.profiler`, usually nobody.

A watcher is called from where an operation runs (`minigrad.ops.dispatch`), from the walk (`minigrad.engine`), and
from where tensors are written to or read (`minigrad.tensor`).
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Watcher:
    """Sees everything, changes nothing; a subclass says what it notes. What happens inside a call stays unseen."""

    records = False  #: whether it records a step, for which compiled functions have to run as they are written

    def forward(self, primitive: Any, args: tuple[Any, ...], values: list[Any]) -> Any:
        """An operation: ``primitive.forward(*values)``; `args` are the values as tensors."""
        return primitive.forward(*values)

    def recorded(self, node: Any) -> None:
        """The operation has left a node in the graph."""

    def backward(self, node: Any, wanted: Sequence[Any], g: Any, values: Sequence[Any]) -> Sequence[Any]:
        """The gradients of a node's inputs: ``node.function(wanted, g, *values)``."""
        return node.function(wanted, g, *values)  # type: ignore[no-any-return]

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """What else is done with arrays: a sum of gradients, a copy into a tensor."""
        return function(*args)

    def effect(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A function that writes to tensors in a way of its own: an optimizer's step."""
        return function(*args, **kwargs)

    def accumulate(self, function: Callable[..., None], leaf: Any, g: Any, taken: set[int]) -> None:
        """``function(leaf, g, taken)`` adds a gradient to a leaf's ``grad``."""
        function(leaf, g, taken)

    def write(self, tensor: Any) -> None:
        """A tensor is about to be written to."""

    def gradient(self, leaf: Any) -> None:
        """A tensor's ``grad`` is read."""

    def read(self, what: str) -> None:
        """A tensor's values, or something else that no operation shows, are read or set: `what` says which."""


class Watching(threading.local):
    """Each thread has its own watcher."""

    watcher: Watcher | None = None


watching = Watching()


class by:  # noqa: N801 (reads as a statement: with by(watcher))
    """Let a watcher watch for a block; None: let nobody."""

    def __init__(self, watcher: Watcher | None) -> None:
        self.watcher = watcher

    def __enter__(self) -> None:
        self.before, watching.watcher = watching.watcher, self.watcher

    def __exit__(self, *_: object) -> None:
        watching.watcher = self.before


def call(function: Callable[..., Any], *args: Any) -> Any:
    """``function(*args)``, seen."""
    watcher = watching.watcher
    return function(*args) if watcher is None else watcher.call(function, *args)


def read(what: str) -> None:
    """Say that values are read, or something is set, that no operation shows."""
    if watching.watcher is not None:
        watching.watcher.read(what)


def writes_to_tensors(function: Callable[P, R]) -> Callable[P, R]:
    """A function that writes to tensors in a way of its own; who watches sees it as a whole."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        watcher = watching.watcher
        if watcher is None:
            return function(*args, **kwargs)
        return watcher.effect(function, *args, **kwargs)  # type: ignore[no-any-return]

    return wrapper
