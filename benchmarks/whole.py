"""Whole experiments, from start to report, in both frameworks: time, processor time and memory of each.

Each run is a process of its own on so many threads. An experiment runs in one framework, then at once in the other;
`jobs` experiments go on side by side, so that every core is used and both sides meet the same conditions.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import fresh
from experiments import registry
from experiments.runner import files

SIDES = ("minigrad", "torch")


def compare(
    names: Sequence[str], epochs: int | None, threads: int, jobs: int, file: Path | None, outs: dict[str, Path]
) -> list[dict[str, Any]]:
    """Runs each experiment in both frameworks; a side that is known already in `file` is kept and not run again.

    Args:
        names: of the experiments.
        epochs: None: as many as each takes.
        threads: for each process.
        jobs: experiments at a time.
        file: where the figures are kept as they come; None: nowhere.
        outs: where each framework's results go; a folder that vanishes where none is named.
    """
    known: dict[str, dict[str, Any]] = {}
    if file is not None and file.exists():
        kept = json.loads(file.read_text(encoding="utf-8"))
        if (kept["threads"], kept["jobs"], kept["epochs"]) == (threads, jobs, epochs):
            known = {run["experiment"]: run for run in [*kept["runs"], *kept.get("half", [])]}
    lock = threading.Lock()

    def both(name: str) -> None:
        found: dict[str, Any] = {"experiment": name, **known.get(name, {})}
        for side in [side for side in SIDES if side not in found]:
            with tempfile.TemporaryDirectory() as temporary:
                out = str(outs.get(side, temporary))
                measured = fresh.whole_run(name, side, epochs, out, threads)
            with lock:
                found[side] = measured
                known[name] = found
                if file is not None:
                    ordered = sorted(known.values(), key=lambda run: registry.names().index(run["experiment"]))
                    runs, half = ([r for r in ordered if (set(SIDES) <= r.keys()) is whole] for whole in (True, False))
                    told = {"threads": threads, "jobs": jobs, "epochs": epochs, "runs": runs, "half": half}
                    files.write_json(file, told)
        print(line(found), flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(both, names))
    return [known[name] for name in names]


def line(run: dict[str, Any]) -> str:
    """A run in words."""
    ours, theirs = run["minigrad"], run["torch"]
    return (
        f"{run['experiment']}: minigrad {ours['seconds']:.1f} s, {ours['megabytes']:.0f} MB; "
        f"torch {theirs['seconds']:.1f} s, {theirs['megabytes']:.0f} MB; "
        f"ratio {ours['seconds'] / theirs['seconds']:.2f} (processor time {ours['cpu'] / theirs['cpu']:.2f})"
    )


def total(runs: Iterable[dict[str, Any]]) -> str:
    """All runs together, in words."""
    whole: dict[str, Any] = {"experiment": "all"}
    runs = list(runs)
    for side in SIDES:
        sums = {key: sum(run[side][key] for run in runs) for key in ("seconds", "cpu")}
        whole[side] = {**sums, "megabytes": max(run[side]["megabytes"] for run in runs)}
    return line(whole)
