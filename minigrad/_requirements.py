"""Says in one line that Python or NumPy is missing or too old, before anything else is imported."""

import importlib.util
import re
import sys

PYTHON, NUMPY = (3, 11), (2, 2)  #: the oldest versions that pass the tests, as in setup.cfg


def check(python: tuple[int, ...], numpy: str | None) -> None:
    """Reject a Python or NumPy that is too old, or a missing NumPy (None).

    Raises:
        ImportError: naming the version needed and the version found.

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
