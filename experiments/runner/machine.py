"""The processor cores, threads and memory of a process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
STEERING = ("OPENBLAS_", "OMP_", "MKL_", "XLA_FLAGS")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment(threads: int | None = None) -> dict[str, str]:
    """This process's environment without the variables that configure BLAS, and with this number of threads, if any."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(STEERING)}
    return kept if threads is None else kept | dict.fromkeys(THREADS, str(threads))


def peak_megabytes() -> float:
    """The peak memory of this process, on Linux without that of the process that forked it; 0 where nobody says it.

    >>> peak_megabytes() > 1
    True
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:  # Windows has none
        return 0.0
    units = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units
