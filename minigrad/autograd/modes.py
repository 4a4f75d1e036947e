"""Switches that turn recording on or off for a block or a function, in the calling thread."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any

from minigrad.grad_mode import grad_mode


class _Mode(ContextDecorator):
    """A context manager that also decorates functions; each step of a generator runs inside the block."""

    def __call__(self, function: Callable[..., Any]) -> Any:
        if not inspect.isgeneratorfunction(function):
            return super().__call__(function)

        @functools.wraps(function)
        def steps(*args: Any, **kwargs: Any) -> Any:
            generator, send = function(*args, **kwargs), "__next__"
            sent: tuple[Any, ...] = ()
            while True:
                try:
                    with self._recreate_cm():  # type: ignore[attr-defined]
                        value = getattr(generator, send)(*sent)
                except StopIteration as end:
                    return end.value
                try:
                    send, sent = "send", ((yield value),)
                except GeneratorExit:
                    with self._recreate_cm():  # type: ignore[attr-defined]
                        generator.close()
                    raise
                except BaseException as error:
                    send, sent = "throw", (error,)

        return steps


class set_grad_enabled(_Mode):  # noqa: N801 (torch's name)
    """Switch recording on or off: at once, and until the end of the block if used with ``with``.

    >>> import minigrad
    >>> with minigrad.set_grad_enabled(False):
    ...     print(minigrad.is_grad_enabled())
    False
    """

    def __init__(self, mode: bool) -> None:
        self.before: list[bool] = [grad_mode.enabled]
        self.mode = mode
        grad_mode.enabled = mode

    def __enter__(self) -> None:
        if not self.before:
            self.before.append(grad_mode.enabled)
        grad_mode.enabled = self.mode

    def __exit__(self, *_: Any) -> None:
        grad_mode.enabled = self.before.pop()


class _Switch(_Mode):
    """A context manager and decorator that turns recording on or off."""

    enabled: bool

    def __init__(self) -> None:
        self.before: list[bool] = []

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        if function is not None:  # used as a bare decorator, without parentheses
            return cls()(function)
        return super().__new__(cls)

    def __enter__(self) -> None:
        self.before.append(grad_mode.enabled)
        grad_mode.enabled = self.enabled

    def __exit__(self, *_: Any) -> None:
        grad_mode.enabled = self.before.pop()


class no_grad(_Switch):  # noqa: N801 (torch's name)
    """A block, or a function, in which nothing is recorded.

    >>> import minigrad
    >>> x = minigrad.ones(2, requires_grad=True)
    >>> with minigrad.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    enabled = False


class enable_grad(_Switch):  # noqa: N801 (torch's name)
    """A block, or a function, in which operations are recorded, also inside `no_grad`."""

    enabled = True


class inference_mode(no_grad):  # noqa: N801 (torch's name)
    """`no_grad`, under torch's other name."""

    def __new__(cls, mode: Any = True) -> Any:
        """``inference_mode(False)`` changes nothing."""
        if mode is False:
            return set_grad_enabled(grad_mode.enabled)
        return super().__new__(cls, mode if callable(mode) else None)

    def __init__(self, mode: Any = True) -> None:
        super().__init__()


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread."""
    return grad_mode.enabled
