"""Hooks on tensors: functions that are called with a gradient during backward, and may return a replacement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Hook: TypeAlias = Callable[[Any], Any]
Wrap: TypeAlias = Callable[[Any, None], Any]  #: makes a variable of an array
RETAIN = -1  #: the key of `Tensor.retain_grad`'s hook, which is called last


class Removable:
    """The handle of a registered hook; ``remove()``, or the end of a ``with`` block, removes it."""

    def __init__(self, hooks: dict[int, Any], hook: Callable[..., Any]) -> None:
        self.hooks = hooks
        self.key = max(hooks, default=-1) + 1
        hooks[self.key] = hook

    id = property(lambda self: self.key)

    def remove(self) -> None:
        """Remove the hook; a second call does nothing."""
        self.hooks.pop(self.key, None)

    def __enter__(self) -> Removable:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def call_hooks(hooks: dict[int, Hook], g: Any, wrap: Wrap) -> Any:
    """Pass a gradient, an array or a variable, through the hooks one after the other.

    Raises:
        RuntimeError: if a hook returns a gradient of another shape.
    """
    is_array = isinstance(g, (np.ndarray, np.generic))
    shown = wrap(np.asarray(g), None) if is_array else g
    for key in sorted(hooks, key=lambda key: key == RETAIN):  # in the order of registration
        hook = hooks.get(key)  # (a hook may have removed another one)
        answer = None if hook is None else hook(shown)
        if answer is None:
            continue
        if answer.array.shape != shown.array.shape:
            raise RuntimeError(
                f"hook '{getattr(hook, '__name__', type(hook).__name__)}' has changed the size of value: from "
                f"{list(shown.array.shape)} to {list(answer.array.shape)}"
            )
        shown = answer
    return shown.array if is_array else shown


def hooked(hooks: dict[int, dict[int, Hook]], g: Any, wrap: Wrap) -> Any:
    """The gradients of a node's results (a tuple if there are several) after their hooks."""
    if not isinstance(g, tuple):
        return call_hooks(hooks[0], g, wrap)
    return tuple(
        part if part is None or i not in hooks else call_hooks(hooks[i], part, wrap) for i, part in enumerate(g)
    )
