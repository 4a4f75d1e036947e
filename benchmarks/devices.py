"""Does a device for speed pay? ``python -m benchmarks.devices pieces mlp cnn``, or ``compile`` for `minigrad.compile`.

A training step with the device and one without it take turns in two fresh processes. On one thread the processor time
is measured, which other processes disturb less than the wall clock.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import worker
from benchmarks.contenders import COMPILED
from benchmarks.networks import NETWORKS
from experiments.runner.machine import environment

BLOCK = 0.1  #: seconds of steps between two turns


def _pieces() -> None:
    from minigrad.kernels import products

    setattr(products, "_piece", lambda m, k, n, dots: None)  # noqa: B010


def _sharing() -> None:
    from minigrad.kernels import im2col

    setattr(im2col, "parallel", lambda work, items: work(items))  # noqa: B010


def _keep_freed() -> None:
    os.environ["MINIGRAD_KEEP_FREED"] = "0"


#: How to switch each off.
DEVICES: dict[str, Callable[[], None]] = {
    "pieces": _pieces, "sharing": _sharing, "keep-freed": _keep_freed, "compile": lambda: None,
}  # fmt: skip


def take_turns(contender: str, network: str, off: str) -> None:
    """For each number that comes in, take so many steps and print the seconds of one."""
    if off:
        DEVICES[off]()
    import minigrad

    step = worker.prepared(contender, network)
    clock = time.process_time if minigrad.get_num_threads() == 1 else time.perf_counter
    for line in sys.stdin:
        start = clock()
        for _ in range(int(line)):
            step()
        print((clock() - start) / int(line), flush=True)


def timed(device: str, network: str, contender: str, threads: int, seconds: float) -> list[tuple[float, float]]:
    """Seconds of a step without the device, and with it, turn by turn."""

    def start(off: str) -> Any:
        named = COMPILED if device == "compile" and not off else contender
        command = [sys.executable, "-m", "benchmarks.devices", "--turns", off, "--contender", named, device, network]
        return subprocess.Popen(command, env=environment(threads), stdin=-1, stdout=-1, text=True)  # -1: pipes

    def turn(process: Any, steps: int) -> float:
        print(steps, file=process.stdin, flush=True)
        return float(process.stdout.readline())

    on, off = start(""), start(device)
    steps, found, end = 5, [], time.monotonic() + seconds
    turn(off, steps)
    steps = max(round(BLOCK / turn(on, steps)), 1)
    while time.monotonic() < end:
        found.append((turn(off, steps), turn(on, steps)))
    for process in (on, off):
        process.communicate()
    return found


def main() -> None:
    """A row for each network: medians of both times, and of the ratio with its quartiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("device", choices=DEVICES)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--contender", default="minigrad")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--turns", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turns is not None:
        take_turns(options.contender, options.networks[0], options.turns)
        return
    print(f"| training step | without {options.device}, µs | with, µs | without / with | quartiles |")
    print("|---|---:|---:|---:|---:|")
    for network in options.networks:
        found = timed(options.device, network, options.contender, options.threads, options.seconds)
        off, on = (statistics.median(side) * 1e6 for side in zip(*found, strict=True))
        low, middle, high = statistics.quantiles((off / on for off, on in found), n=4)
        print(
            f"| {NETWORKS[network].title} | {off:.0f} | {on:.0f} | {middle:.2f} | {low:.2f} to {high:.2f} |", flush=True
        )


if __name__ == "__main__":
    main()
