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
    conditions = {"threads": threads, "jobs": jobs, "epochs": epochs}
    kept = json.loads(file.read_text(encoding="utf-8")) if file is not None and file.exists() else {}
    known = [*kept["runs"], *kept.get("half", [])] if conditions.items() <= kept.items() else []
    found: dict[str, dict[str, Any]] = {name: {"experiment": name} for name in names}
    found |= {run["experiment"]: run for run in known}
    lock = threading.Lock()

    def both(name: str) -> None:
        run = found[name]
        for side in [side for side in SIDES if side not in run]:
            with tempfile.TemporaryDirectory() as temporary:
                measured = fresh.whole_run(name, side, epochs, str(outs.get(side, temporary)), threads)
            with lock:
                run[side] = measured
                if file is not None:
                    ordered = sorted(found.values(), key=lambda run: registry.names().index(run["experiment"]))
                    runs, half = ([r for r in ordered if len(r) == 1 + sides] for sides in (2, 1))
                    files.write_json(file, {**conditions, "runs": runs, "half": half})
        print(line(run), flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(both, names))
    return [found[name] for name in names]


def line(run: dict[str, Any]) -> str:
    """A run in words."""
    ours, theirs = run["minigrad"], run["torch"]
    sides = (f"{side} {run[side]['seconds']:.1f} s, {run[side]['megabytes']:.0f} MB; " for side in SIDES)
    ratios = f"ratio {ours['seconds'] / theirs['seconds']:.2f} (processor time {ours['cpu'] / theirs['cpu']:.2f})"
    return f"{run['experiment']}: {''.join(sides)}{ratios}"


def total(runs: Iterable[dict[str, Any]]) -> str:
    """All runs together, in words."""
    runs = list(runs)
    whole: dict[str, Any] = {"experiment": "all"}
    for side in SIDES:
        whole[side] = {key: sum(run[side][key] for run in runs) for key in ("seconds", "cpu")}
        whole[side]["megabytes"] = max(run[side]["megabytes"] for run in runs)
    return line(whole)
