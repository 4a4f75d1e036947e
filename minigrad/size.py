"""The types of a tensor's ``shape`` and ``device``."""

from __future__ import annotations

from typing import Any

import numpy as np


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple that is shown as ``minigrad.Size``.

    >>> Size((2, 3)), Size((2, 3)).numel()
    (minigrad.Size([2, 3]), 6)
    """

    __slots__ = ()

    def numel(self) -> int:
        """How many elements a tensor of this shape has."""
        return int(np.prod(self, dtype=np.int64))

    def __repr__(self) -> str:
        return f"minigrad.Size({list(self)})"


class device(str):  # noqa: N801 (torch's name)
    """The device that holds a tensor; there is only the CPU.

    >>> device("cpu").type
    'cpu'
    """

    __slots__ = ()

    def __new__(cls, type: Any = "cpu", index: int | None = None) -> device:
        """Accept ``"cpu"`` (or ``"cpu:0"``) and nothing else."""
        name = str(type).split(":")[0]
        if name != "cpu":
            raise RuntimeError(f"minigrad runs on the CPU only; there is no device {str(type)!r}")
        return super().__new__(cls, name)

    @property
    def type(self) -> str:
        """``"cpu"``."""
        return str(self)

    def __repr__(self) -> str:
        return "device(type='cpu')"
