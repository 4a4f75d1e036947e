"""Packages that are only needed for some data."""

from __future__ import annotations

import importlib
from typing import Any


def require(module: str, extra: str = "data") -> Any:
    """Import an optional package, or say in one line how to install it.

    Raises:
        ImportError: if it is not installed.

    >>> require("no_such_package")
    Traceback (most recent call last):
    ImportError: no_such_package is not installed: pip install 'minigrad-numpy[data]'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise ImportError(f"{module} is not installed: pip install 'minigrad-numpy[{extra}]'") from None
