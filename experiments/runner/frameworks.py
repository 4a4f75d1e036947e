"""The namespace that an experiment is written for: minigrad or torch."""

from __future__ import annotations

import importlib
from typing import Any

from experiments.runner.errors import UsageError

NAMES = ("minigrad", "torch")


def load(name: str) -> Any:
    """Imports the framework `name`, with `nn`, `optim.lr_scheduler` and `utils.data`.

    Raises:
        UsageError: if it isn't installed, with the command that installs it.
    """
    try:
        framework = importlib.import_module(name)
        for part in ("nn", "optim.lr_scheduler", "utils.data"):
            importlib.import_module(f"{name}.{part}")
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        extra = "'.[parity]'" if name == "torch" else "."
        raise UsageError(f"{name} is not installed: pip install -e {extra}") from None
    return framework
