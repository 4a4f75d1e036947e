"""Fresh processes, in turn: each contender in a process of its own, nothing steering BLAS, medians compared."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Any

from experiments.runner.machine import environment


def measure(task: str, contender: str, threads: int, network: str = "backprop") -> dict[str, Any]:
    """What `benchmarks.worker` finds, run in a fresh process on so many threads.

    Raises:
        SystemExit: with the worker's own words, if it fails.
    """
    command = [sys.executable, "-m", "benchmarks.worker", task.replace(" ", "_"), contender, str(threads), network]
    variables = environment(threads) | {"BENCHMARK_STARTED": repr(time.time())}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # what a package manager installs is compiled already
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"benchmarks: {' '.join(command)} failed:\n{done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def interleaved(
    task: str, contenders: Iterable[str], threads: int, network: str, rounds: int, key: str = "seconds"
) -> dict[str, float]:
    """The median of each contender over rounds in which they take turns."""
    seen: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name in seen:
            seen[name].append(measure(task, name, threads, network)[key])
    return {name: statistics.median(values) for name, values in seen.items()}


def whole_run(
    experiment: str, framework: str, epochs: int | None, out: str, threads: int | None, *options: str
) -> dict[str, float]:
    """Seconds, processor seconds and peak memory (MB) of an experiment from start to report, in a fresh process."""
    command = [sys.executable, "-m", "experiments", "run", experiment, "--framework", framework, "--out", out]
    command += [*options, *(["--epochs", str(epochs)] if epochs is not None else [])]
    start, nowhere = time.perf_counter(), subprocess.DEVNULL
    with subprocess.Popen(command, env=environment(threads), stdout=nowhere, stderr=nowhere) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"benchmarks: {' '.join(command)} failed")
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "megabytes": usage.ru_maxrss / 1024}
