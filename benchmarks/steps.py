"""A training step, the import, and memory: each contender in fresh processes, in turn, medians compared."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from typing import Any

from benchmarks.networks import NETWORKS

CONTENDERS = ("minigrad", "torch")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def measure(task: str, framework: str, threads: int, network: str = "mlp") -> dict[str, Any]:
    """Run one worker in a fresh process.

    Raises:
        SystemExit: with the worker's own words, if it fails.
    """
    steering = ("OPENBLAS_", "OMP_", "MKL_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(steering)}
    environment |= dict.fromkeys(THREAD_VARIABLES, str(threads))
    command = [sys.executable, "-m", "benchmarks.worker", task, framework, str(threads), network]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"benchmarks: {' '.join(command)} failed:\n{done.stderr.strip()}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def interleaved(task: str, rounds: int, threads: int, network: str, key: str) -> dict[str, float]:
    """The median of each contender over rounds in which they take turns."""
    seen: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name in CONTENDERS:
            seen[name].append(measure(task, name, threads, network)[key])
    return {name: statistics.median(values) for name, values in seen.items()}


def run(rounds: int, networks: list[str]) -> dict[str, Any]:
    """All measurements; prints a table on the way."""
    cores = os.cpu_count() or 1
    blas = {name: measure("kernel", name, cores)["blas"] for name in CONTENDERS}
    print(f"{platform.processor() or platform.machine()}, {cores} cores; BLAS: {blas}")
    print(f"Each figure: the median of {rounds} fresh processes a side, taken in turn.\n")
    results: dict[str, Any] = {"cores": cores, "blas": blas, "rounds": rounds, "steps": [], "python": sys.version}

    print(f"{'training step':36} {'threads':>7} {'minigrad µs':>12} {'torch µs':>9} {'ratio':>6} {'GFLOP/s':>8}")
    for name in networks:
        for threads in dict.fromkeys((1, cores)):
            seconds = interleaved("steps", rounds, threads, name, "seconds")
            ratio = seconds["minigrad"] / seconds["torch"]
            rate = NETWORKS[name].flops / seconds["minigrad"] / 1e9
            ours, theirs = seconds["minigrad"] * 1e6, seconds["torch"] * 1e6
            print(
                f"{NETWORKS[name].name:36} {threads:7} {ours:12.0f} {theirs:9.0f} {ratio:6.2f} {rate:8.0f}", flush=True
            )
            results["steps"].append({"network": NETWORKS[name].name, "threads": threads, "ratio": ratio, **seconds})

    start = interleaved("import", rounds, cores, "mlp", "seconds")
    size = interleaved("import", rounds, cores, "mlp", "megabytes")
    print(f"\nimport: minigrad {start['minigrad']:.3f} s, {size['minigrad']:.0f} MB; ", end="")
    print(f"torch {start['torch']:.3f} s, {size['torch']:.0f} MB")
    resident = measure("memory", "minigrad", cores)
    print(f"resident memory, gc off: {resident['before']:.1f} MB, 10,000 steps later {resident['after']:.1f} MB")
    return results | {"import_seconds": start, "import_megabytes": size, "resident_megabytes": resident}
