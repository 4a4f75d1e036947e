"""Errors that are shown to the user in one line, without a traceback."""

from __future__ import annotations


class UsageError(Exception):
    """The request can't be fulfilled: an unknown name, an unwritable folder, a missing package."""


class NonFinite(ArithmeticError):  # noqa: N818 - the name of the event
    """The loss or a parameter became infinite or NaN; the message names the step."""

    def __init__(self, what: str, step: int, where: str = "") -> None:
        super().__init__(what, step, where)
        self.what, self.step, self.where = what, step, where

    def __str__(self) -> str:
        return f"non-finite {self.what} in {self.where}{', ' if self.where else ''}step {self.step}"


class SealError(RuntimeError):
    """The test set was asked for before the final choice was on disk, or a second time."""


class Interrupted(Exception):  # noqa: N818 - the name of the event
    """Ctrl-C, after the checkpoint was written; the message says how far the run came."""
