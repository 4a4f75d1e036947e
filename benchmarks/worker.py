"""One measurement in a process of its own; prints one line of JSON.

Started by `benchmarks.steps`, which clears the environment of anything that steers the BLAS library.
"""

from __future__ import annotations

import gc
import importlib
import json
import resource
import statistics
import sys
import time
from typing import Any

WARM_UP, SECONDS = 50, 1.0


def load(framework: str, threads: int) -> Any:
    """The framework's namespace, held to that many threads."""
    fw = importlib.import_module(framework)
    if framework == "torch":
        fw.set_num_threads(threads)
    return fw


def time_steps(framework: str, threads: int, network: str) -> dict[str, Any]:
    """Seconds a training step, the median of about a second's worth."""
    from benchmarks.networks import NETWORKS

    step = NETWORKS[network].step(load(framework, threads))
    for _ in range(WARM_UP):
        step()
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while (now := time.perf_counter()) < end:
        step()
        times.append(time.perf_counter() - now)
    return {"seconds": statistics.median(times), "steps": len(times)}


def time_import(framework: str, threads: int, _: str) -> dict[str, Any]:
    """Seconds and peak memory (MB) of importing the framework."""
    start = time.perf_counter()
    importlib.import_module(framework)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def memory(framework: str, threads: int, network: str) -> dict[str, Any]:
    """Resident memory (MB) after 1,000 steps and after 10,000 more, with the garbage collector off."""
    import psutil

    from benchmarks.networks import NETWORKS

    step = NETWORKS[network].step(load(framework, threads))
    gc.collect()
    gc.disable()
    process = psutil.Process()
    readings = []
    for steps in (1_000, 10_000):
        for _ in range(steps):
            step()
        readings.append(process.memory_info().rss / 2**20)
    return {"before": readings[0], "after": readings[1]}


def kernel(framework: str, threads: int, _: str) -> dict[str, Any]:
    """The BLAS libraries in use, and the kernel that each picked."""
    from threadpoolctl import threadpool_info

    load(framework, threads)
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {"blas": [{key: pool.get(key) for key in ("internal_api", "version", "architecture")} for pool in pools]}


TASKS = {"steps": time_steps, "import": time_import, "memory": memory, "kernel": kernel}

if __name__ == "__main__":
    task, framework, threads, network = sys.argv[1:]
    print(json.dumps(TASKS[task](framework, int(threads), network)))
