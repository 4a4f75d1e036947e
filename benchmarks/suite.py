"""All measurements of a run, and the page made of them."""

from __future__ import annotations

import importlib.util
import json
import platform
import re
from collections.abc import Iterable, Sequence
from importlib import metadata
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks import fresh, report, whole
from benchmarks.contenders import CONTENDERS, GROWING
from benchmarks.networks import BATCHES, NETWORKS, WIDTHS
from benchmarks.whole import SIDES
from experiments.runner.machine import CORES

RESULTS, PAGE = "results.json", "README.md"
PACKAGES = ("numpy", "torch", "torchvision", "jax", "mygrad", "autograd")
LISTED = ("steps", "profile", "evaluation", "first step", "epoch", "runs", "scaling")
TASKS = (*LISTED, "memory")
FIRST, LOADED = ("backprop", "cnn"), ("logistic", "mlp")
SUBJECT = ("network", "experiment", "what", "size", "threads")  #: what a figure is of
RUNS = ("mnist_backprop", "mnist_mlp")


def machine() -> dict[str, Any]:
    """Processor, cores, versions and BLAS kernels: what the figures hold for."""
    path = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.*)", path.read_text(encoding="utf-8") if path.exists() else "", re.MULTILINE)
    return {
        "processor": found[1] if found else platform.processor(),
        "cores": CORES,
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in PACKAGES if importlib.util.find_spec(name)},
        "blas": {side: fresh.measure("kernel", side, CORES)["blas"] for side in SIDES},
    }


def measure(
    networks: Sequence[str], contenders: Sequence[str], threads: Sequence[int], rounds: int, tasks: Iterable[str]
) -> dict[str, Any]:
    """Everything that was asked for, printed line by line as it comes."""
    tasks = set(tasks)
    results: dict[str, Any] = {"machine": machine(), "rounds": rounds, **{task: [] for task in LISTED if task in tasks}}
    chosen = [CONTENDERS[name] for name in contenders if importlib.util.find_spec(CONTENDERS[name].package)]
    if missing := [name for name in contenders if CONTENDERS[name] not in chosen]:
        print(f"{', '.join(missing)}: not installed, left out", flush=True)
    compared = {"steps": networks, "evaluation": networks, "first step": FIRST, "epoch": LOADED}
    for task, network in [(key, name) for key in compared if key in tasks for name in compared[key]]:
        knowing = [c.name for c in chosen if c.knows(NETWORKS[network])]
        for count in threads:
            seconds = fresh.interleaved(task, knowing if task == "steps" else SIDES, count, network, rounds)
            results[task].append({"network": network, "threads": count, "seconds": seconds})
            times = "   ".join(f"{name} {report.shown(s, 's')}" for name, s in seconds.items())
            print(f"{task:10} {NETWORKS[network].title:36} {count} threads   {times}", flush=True)
    if "profile" in tasks:
        for network, count in product(networks, threads):
            found = fresh.measure("profile", "minigrad", count, network)
            results["profile"].append({"network": network, "threads": count, **found})
    if "scaling" in tasks:
        sizes = [("batch", batch, f"256 x {batch}") for batch in BATCHES]
        for what, size, network in [*sizes, *(("width", width, f"{width} x 64") for width in WIDTHS)]:
            seconds = fresh.interleaved("steps", [c for c in GROWING if c in contenders], CORES, network, rounds)
            results["scaling"].append({"what": what, "size": size, "threads": CORES, "seconds": seconds})
            print(f"scaling    {what} {size}", flush=True)
    if "runs" in tasks:
        results["runs"] = whole.compare(RUNS, epochs=1, threads=CORES, jobs=1, file=None, outs={})
    if "memory" in tasks:
        results["resident"] = fresh.measure("memory", "minigrad", CORES)
        fresh.measure("imported", "minigrad", CORES)  # from now on its modules are compiled, as PyTorch's are
        found = {key: fresh.interleaved("imported", SIDES, CORES, "", rounds, key) for key in ("seconds", "megabytes")}
        results["import"] = {side: {key: found[key][side] for key in found} for side in SIDES}
    return results


def add(results: dict[str, Any], folder: Path, command: str) -> None:
    """Writes the results; those of earlier runs that are in the folder stay where these have none.

    Figures of another machine, or of another number of rounds, do not stay.
    """
    results = {**results, "commands": [command]}
    path = folder / RESULTS
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if all(old.get(key) == results[key] for key in ("machine", "rounds")):
        commands = dict.fromkeys([*old["commands"], command])
        listed = {task: [*old.get(task, []), *results.get(task, [])] for task in LISTED}
        found = {task: {tuple(map(entry.get, SUBJECT)): entry for entry in listed[task]} for task in LISTED}
        results = {**old, **results, "commands": [*commands], **{task: [*found[task].values()] for task in LISTED}}
    write(results, folder)


def write(results: dict[str, Any], folder: Path) -> None:
    """The results as JSON, the figures, and a page that shows them."""
    from benchmarks import figures

    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULTS).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    drawn = figures.draw(results, folder)
    (folder / PAGE).write_text(report.page(results, drawn), encoding="utf-8")
