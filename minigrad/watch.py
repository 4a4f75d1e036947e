"""Who watches the operations of this thread: `minigrad.compile` while it records, `minigrad.profiler`, usually nobody.

Everything that computes, writes or draws while a program runs passes through one of the calls below, so a watcher
sees a step in the order in which it happens. With nobody watching they cost a look at one attribute.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Watcher:
    """Sees everything, changes nothing; a subclass says what it notes. What happens inside a call stays unseen."""

    records = False  #: whether it writes down a step, for which compiled functions have to run as they are written

    def forward(self, primitive: Any, args: tuple[Any, ...], values: list[Any]) -> Any:
        """An operation: ``primitive.forward(*values)``; `args` are the values as tensors."""
        return primitive.forward(*values)

    def rule(self, node: Any, function: Callable[..., Any], *values: Any) -> Any:
        """The gradient of one input of a node."""
        return function(*values)

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """A function of arrays: a sum of gradients, a copy, a mask."""
        return function(*args)

    def effect(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A function that is known by what it changes: an optimizer's step."""
        return function(*args, **kwargs)

    def accumulate(self, function: Callable[..., None], leaf: Any, g: Any, taken: set[int]) -> None:
        """``function(leaf, g, taken)`` adds a gradient to a leaf's ``grad``."""
        function(leaf, g, taken)

    def meets(self, tensor: Any) -> None:
        """A tensor is written to."""

    def gradient(self, leaf: Any) -> None:
        """A tensor's ``grad`` is read."""

    def module(self, module: Any) -> None:
        """A module is called."""

    def decide(self, question: Callable[..., bool], *args: Any) -> bool:
        """A question about values, on whose answer the program goes one way or another."""
        return question(*args)

    def leak(self, what: str) -> None:
        """Something happens that shows neither in arrays nor in a call: a value is read, an attribute set."""


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


def effect(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``function(*args, **kwargs)``, seen as a whole."""
    watcher = watching.watcher
    return function(*args, **kwargs) if watcher is None else watcher.effect(function, *args, **kwargs)


def decide(question: Callable[..., bool], *args: Any) -> bool:
    """``question(*args)``, seen."""
    watcher = watching.watcher
    return question(*args) if watcher is None else watcher.decide(question, *args)


def leak(what: str) -> None:
    """Say that something happens that no call shows."""
    watcher = watching.watcher
    if watcher is not None:
        watcher.leak(what)
