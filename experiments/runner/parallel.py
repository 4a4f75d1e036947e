"""Several experiments at a time, each in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

from experiments.runner.errors import Interrupted
from experiments.runner.machine import CORES, environment
from experiments.runner.options import Options


def execute_all(names: Sequence[str], options: Options, jobs: int) -> int:
    """Runs the experiments, `jobs` at a time, each with its share of the cores, and prints their output.

    Returns:
        The exit status: 0, or that of the first experiment that failed.

    Raises:
        Interrupted: on Ctrl-C, after all of them have written their checkpoints.
    """
    threads = max(CORES // jobs, 1)
    started: list[subprocess.Popen[str]] = []

    def run(name: str) -> int:
        command = [sys.executable, "-m", "experiments", "run", name, *arguments(options)]
        with subprocess.Popen(
            command,
            env=environment(threads),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # this process passes Ctrl-C on, so that it arrives once
        ) as process:
            started.append(process)
            assert process.stdout is not None
            for line in process.stdout:
                print(line if line.startswith(name) else f"{name}: {line}", end="", file=sys.stderr, flush=True)
        return process.returncode

    with ThreadPoolExecutor(jobs) as pool:
        try:
            statuses = list(pool.map(run, names))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in started:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
            raise Interrupted(f"{len(started)} of {len(names)} experiments were started") from None
    return next((status for status in statuses if status), 0)


def arguments(options: Options) -> list[str]:
    """The options as arguments of the command line, without those that have their default.

    >>> arguments(Options(seed=3, skip_done=True, compile=False))
    ['--seed', '3', '--skip-done', '--eager']
    """
    given = []
    for field in fields(Options):
        value, option = getattr(options, field.name), f"--{field.name.replace('_', '-')}"
        if value != field.default:
            given += ["--eager"] if value is False else [option] if value is True else [option, str(value)]
    return given
