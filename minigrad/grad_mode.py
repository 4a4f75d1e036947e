"""Whether operations are recorded: one switch per thread.

The public switches (``no_grad``, ``enable_grad`` …) are in `minigrad.autograd`.
"""

from __future__ import annotations

import threading


class GradMode(threading.local):
    """Whether operations are recorded; each thread has its own switch."""

    enabled = True


grad_mode = GradMode()


class recording:  # noqa: N801 (reads as a statement: with recording(False))
    """Switch recording on or off for a block."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled

    def __enter__(self) -> None:
        self.before, grad_mode.enabled = grad_mode.enabled, self.enabled

    def __exit__(self, *_: object) -> None:
        grad_mode.enabled = self.before
