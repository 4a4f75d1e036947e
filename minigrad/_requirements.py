"""Says in one line that Python or NumPy is missing or too old, before anything else is imported."""

import importlib.util
import re
import sys

PYTHON, NUMPY = (3, 11), (2, 2)  #: the oldest that the tests pass on; setup.cfg says the same


def check(python: tuple[int, ...], numpy: str | None) -> None:
    """Object to a Python or a NumPy that is too old, or to no NumPy (None).

    Raises:
        ImportError: with what is needed and what is there.

    >>> check((3, 10, 2), "2.1.0")
    Traceback (most recent call last):
    ImportError: minigrad needs Python 3.11 or newer; this is Python 3.10.2
    """
    if python < PYTHON:
        raise ImportError(f"minigrad needs Python {_text(PYTHON)} or newer; this is Python {_text(python)}")
    if numpy is None:
        raise ImportError("minigrad needs NumPy: pip install numpy")
    if tuple(map(int, re.findall(r"\d+", numpy)[:2])) < NUMPY:
        raise ImportError(f"minigrad needs NumPy {_text(NUMPY)} or newer; this is NumPy {numpy}")


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


if importlib.util.find_spec("numpy") is None:
    check(sys.version_info[:3], None)
else:
    import numpy

    check(sys.version_info[:3], numpy.__version__)
