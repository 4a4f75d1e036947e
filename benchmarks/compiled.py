"""``python -m benchmarks.compiled``: training steps compiled and eager, on one thread, as a table.

Both take turns in one process, and processor time is counted, so that other programs matter less.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import minigrad
from benchmarks.contenders import eager
from benchmarks.networks import NETWORKS, Network

ROUNDS = 15
SECONDS = 0.05  # of each round and step


def microseconds(once: Callable[[], Any], count: int) -> float:
    """Processor time of a call."""
    start = time.thread_time()
    for _ in range(count):
        once()
    return (time.thread_time() - start) / count * 1e6


def measured(network: Network) -> tuple[float, float]:
    """Microseconds of an eager and of a compiled step: medians of rounds that alternate."""
    steps = eager(network, "minigrad"), eager(network, "minigrad", wrap=lambda fw, step: fw.compile(step))
    for step in steps:
        microseconds(step, 5)
    count = max(1, int(SECONDS * 1e6 / microseconds(steps[0], 3)))
    rounds = [[microseconds(step, count) for step in steps] for _ in range(ROUNDS)]
    plain, compiled = map(statistics.median, zip(*rounds, strict=True))
    return plain, compiled


def main() -> None:
    """Print the table."""
    minigrad.set_num_threads(1)
    print("| training step | eager, µs | compiled, µs | eager / compiled |\n|---|---:|---:|---:|")
    for network in NETWORKS.values():
        plain, compiled = measured(network)
        print(f"| {network.title} | {plain:.0f} | {compiled:.0f} | {plain / compiled:.2f} |", flush=True)


if __name__ == "__main__":
    main()
