"""How `experiments`, `parity` and `benchmarks` start: what is not installed is one line, and a closed pipe no error."""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

EXTRAS = {"torch": "parity", "torchvision": "parity", "matplotlib": "plots", "seaborn": "plots", "psutil": "test"}


def start(module: str) -> NoReturn:
    """Import a command line, run its `main`, and end the process with its status.

    A missing package ends it with one line; so does who reads the output and leaves before its end (``| head``).
    """
    status: int | str | None
    try:
        status = importlib.import_module(module).main()
        sys.stdout.flush()
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name in ("minigrad", "experiments", "parity", "benchmarks"):
            raise
        extras = ",".join(dict.fromkeys(["data", "plots", EXTRAS.get(name, "data")]))
        status = f"error: {name} is not installed: pip install -e '.[{extras}]'"
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it once more
        status = 1
    sys.exit(status)
