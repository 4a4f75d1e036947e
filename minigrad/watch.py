"""The watcher of this thread's operations: `minigrad.compile` while it records, `minigrad.profiler`, usually none.

It is called where operations run (`minigrad.ops.dispatch`), in the backward pass (`minigrad.engine`), and where
tensors are written to or read (`minigrad.tensor`).
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Watcher:
    """A watcher that changes nothing and records nothing; subclasses override its methods."""

    records = False  #: whether it records a step; compiled functions then run eagerly

    def forward(self, primitive: Any, args: tuple[Any, ...], values: list[Any]) -> Any:
        """An operation: ``primitive.forward(*values)``; `args` are the values as tensors."""
        return primitive.forward(*values)

    def recorded(self, node: Any) -> None:
        """The operation has left a node in the graph."""

    def backward(self, node: Any, wanted: Sequence[Any], g: Any, values: Sequence[Any]) -> Sequence[Any]:
        """The gradients of a node's inputs: ``node.function(wanted, g, *values)``."""
        return node.function(wanted, g, *values)  # type: ignore[no-any-return]

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Another function of arrays: a sum of gradients, a copy into a tensor."""
        return function(*args)

    def effect(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A function that writes to tensors outside of operations, such as an optimizer's step."""
        return function(*args, **kwargs)

    def accumulate(self, function: Callable[..., None], leaf: Any, g: Any, taken: set[int]) -> None:
        """``function(leaf, g, taken)`` adds a gradient to a leaf's ``grad``."""
        function(leaf, g, taken)

    def write(self, tensor: Any) -> None:
        """A tensor is about to be written to."""

    def gradient(self, leaf: Any) -> None:
        """A tensor's ``grad`` is read."""

    def read(self, what: str) -> None:
        """Something is read or set outside of operations, such as a tensor's values: `what` describes it."""


class Watching(threading.local):
    """Each thread has its own watcher."""

    watcher: Watcher | None = None


watching = Watching()


class watched_by:  # noqa: N801 (reads as a statement: with watched_by(watcher))
    """Install a watcher for a block, or none (None)."""

    def __init__(self, watcher: Watcher | None) -> None:
        self.watcher = watcher

    def __enter__(self) -> None:
        self.before, watching.watcher = watching.watcher, self.watcher

    def __exit__(self, *_: object) -> None:
        watching.watcher = self.before


def call(function: Callable[..., Any], *args: Any) -> Any:
    """``function(*args)``, reported to the watcher."""
    watcher = watching.watcher
    return function(*args) if watcher is None else watcher.call(function, *args)


def read(what: str) -> None:
    """Report to the watcher that something is read or set outside of operations."""
    if watching.watcher is not None:
        watching.watcher.read(what)


def writes_to_tensors(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function that writes to tensors outside of operations; the watcher gets it as one call."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        watcher = watching.watcher
        if watcher is None:
            return function(*args, **kwargs)
        return watcher.effect(function, *args, **kwargs)  # type: ignore[no-any-return]

    return wrapper
