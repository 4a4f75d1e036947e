"""``python -m benchmarks steps`` and ``python -m benchmarks run NAME``."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from benchmarks.networks import NETWORKS
from benchmarks.steps import CONTENDERS, run


def whole_run(experiment: str, epochs: int | None, rounds: int) -> None:
    """Time an experiment from start to report in both frameworks, in turn, each in a fresh process."""
    import os
    import statistics
    import subprocess
    import sys

    seen: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "OMP_", "MKL_"))}
    for _ in range(rounds):
        for name in CONTENDERS:
            with tempfile.TemporaryDirectory() as out:
                command = [sys.executable, "-m", "experiments", "run", experiment, "--framework", name, "--out", out]
                command += [] if epochs is None else ["--epochs", str(epochs)]
                start = time.perf_counter()
                subprocess.run(command, env=environment, check=True, capture_output=True)
                seen[name].append(time.perf_counter() - start)
                print(f"{experiment} in {name}: {seen[name][-1]:.1f} s", flush=True)
    ours, theirs = (statistics.median(seen[name]) for name in CONTENDERS)
    print(f"median: minigrad {ours:.1f} s, torch {theirs:.1f} s, ratio {ours / theirs:.2f}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    steps = commands.add_parser("steps", help="training steps, import time, memory")
    steps.add_argument("networks", nargs="*", choices=[[], *NETWORKS], default=[], help="which (default: all)")
    steps.add_argument("--rounds", type=int, default=5, help="fresh processes a side (default 5)")
    steps.add_argument("--json", type=Path, help="also write the figures there")
    whole = commands.add_parser("run", help="a whole experiment in both frameworks")
    whole.add_argument("experiment")
    whole.add_argument("--epochs", type=int)
    whole.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    if options.command == "run":
        whole_run(options.experiment, options.epochs, options.rounds)
        return
    results = run(options.rounds, options.networks or list(NETWORKS))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
