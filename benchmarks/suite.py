"""All measurements of a run, and the page made of them."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks import fresh, goals, torchvision_files, whole
from benchmarks.contenders import CONTENDERS, GROWING
from benchmarks.networks import BATCHES, NETWORKS, WIDTHS
from experiments.reporting.report import table
from experiments.runner.machine import CORES

RESULTS, PAGE = "results.json", "README.md"
SIDES = ("minigrad", "torch")
PACKAGES = ("numpy", "torch", "torchvision", "jax", "mygrad", "autograd")
FIRST, LOADED = ("backprop", "cnn"), ("logistic", "mlp")
LEAST = 0.03  #: of a step's time, for a part that is shown
PARTS = {"forward": "forward", "input": "gradient of the input", "weight": "of the weight"}
RUNS = ("mnist_backprop", "mnist_mlp")


def machine() -> dict[str, Any]:
    """Processor, cores, versions and BLAS kernels: what the figures hold for."""
    models = [line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    versions = {name: metadata.version(name) for name in PACKAGES if _installed(name)}
    blas = {side: fresh.measure("kernel", side, CORES)["blas"] for side in SIDES}
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": CORES,
        "python": platform.python_version(),
        "versions": versions,
        "blas": blas,
    }


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _installed(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False


def measure(
    networks: Iterable[str], contenders: Iterable[str], threads: Iterable[int], rounds: int, tasks: Iterable[str]
) -> dict[str, Any]:
    """Everything that was asked for, said line by line as it comes."""
    results: dict[str, Any] = {"machine": machine(), "rounds": rounds}
    networks, contenders, threads, tasks = list(networks), list(contenders), list(threads), list(tasks)
    chosen = [CONTENDERS[name] for name in contenders]
    for name in [c.name for c in chosen if not c.installed]:
        print(f"{name}: not installed, left out", flush=True)

    def compare(task: str, network: str, sides: Iterable[str]) -> None:
        for count in threads:
            seconds = fresh.interleaved(task, sides, count, network, rounds)
            results.setdefault(task, []).append({"network": network, "threads": count, "seconds": seconds})
            times = "   ".join(f"{name} {goals.shown(s, 's')}" for name, s in seconds.items())
            print(f"{task:10} {NETWORKS[network].title:36} {count} threads   {times}", flush=True)

    if "steps" in tasks:
        for network in networks:
            compare("steps", network, [c.name for c in chosen if c.installed and c.knows(NETWORKS[network])])
    if "profile" in tasks:
        for network in networks:
            for count in threads:
                found = fresh.measure("profile", "minigrad", count, network)
                results.setdefault("profile", []).append({"network": network, "threads": count, **found})
    if "scaling" in tasks:
        sizes = [("batch", batch, f"256 x {batch}") for batch in BATCHES]
        sizes += [("width", width, f"{width} x 64") for width in WIDTHS]
        sides = [name for name in GROWING if name in contenders]
        for what, size, network in sizes:
            seconds = fresh.interleaved("steps", sides, CORES, network, rounds)
            point = {"what": what, "size": size, "threads": CORES, "seconds": seconds}
            results.setdefault("scaling", []).append(point)
            print(f"scaling    {what} {size}", flush=True)
    if "evaluation" in tasks:
        for network in networks:
            compare("evaluation", network, SIDES)
    if "first step" in tasks:
        for network in FIRST:
            compare("first step", network, SIDES)
    if "epoch" in tasks:
        with tempfile.TemporaryDirectory() as root:
            torchvision_files.write(Path(root))
            os.environ["BENCHMARK_TORCHVISION"] = root
            for network in LOADED:
                compare("epoch", network, SIDES)
    if "convolution" in tasks:
        for count in threads:
            found = fresh.answer("benchmarks.convolution", count, "--json", "--threads", str(count))
            results.setdefault("convolution", []).extend({**layer, "threads": count} for layer in found)
            print(f"convolution {count} threads", flush=True)
    if "products" in tasks:
        results["products"] = fresh.answer("benchmarks.products", 1, "--json")
    if "runs" in tasks:
        results["runs"] = whole.compare(RUNS, epochs=1, threads=CORES, jobs=1, file=None, outs={})
    if "memory" in tasks:
        results["resident"] = fresh.measure("memory", "minigrad", CORES)
        fresh.measure("import", "minigrad", CORES)  # from now on its modules are compiled, as PyTorch's are
        found = {key: fresh.interleaved("import", SIDES, CORES, "", rounds, key) for key in ("seconds", "megabytes")}
        results["import"] = {side: {key: found[key][side] for key in found} for side in SIDES}
    return results


def joined(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Both runs' figures, of what both have measured the new one's; the new run's alone if the machine differs."""
    if old["machine"] != new["machine"] or old["rounds"] != new["rounds"]:
        return new
    both = {**old, **new, "commands": [*dict.fromkeys([*old["commands"], *new["commands"]])]}
    for task, found in old.items():
        if isinstance(found, list) and task != "commands":
            measured = {_subject(entry): entry for entry in [*found, *new.get(task, [])]}
            both[task] = list(measured.values())
    return both


def _subject(entry: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(entry.get(key) for key in ("network", "experiment", "what", "size", "threads"))


def add(results: dict[str, Any], folder: Path, command: str) -> None:
    """Writes the results, joined with those of earlier runs that are in the folder."""
    results = {**results, "commands": [command]}
    path = folder / RESULTS
    if path.exists():
        results = joined(json.loads(path.read_text(encoding="utf-8")), results)
    write(results, folder)


def write(results: dict[str, Any], folder: Path) -> None:
    """The results as JSON, the figures, and a page that shows them."""
    from benchmarks import figures

    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULTS).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    drawn = figures.draw(results, folder)
    (folder / PAGE).write_text(page(results, drawn), encoding="utf-8")


def _kernel(libraries: list[dict[str, Any]]) -> str:
    return ", ".join(f"{library['internal_api']} {library['architecture']}" for library in libraries) or "its own"


def _profile(found: Iterable[dict[str, Any]]) -> list[str]:
    rows = []
    for entry in found:
        shares = sorted(entry["shares"].items(), key=lambda item: -item[1])
        told = ", ".join(f"{name.strip('_')} {share:.0%}" for name, share in shares if share >= LEAST)
        rows.append([NETWORKS[entry["network"]].title, entry["threads"], told])
    if not rows:
        return []
    text = f"Of an eager training step of minigrad's, forward and backward together; parts under {LEAST:.0%} left out."
    return ["## Where the time goes", text, table(["network", "threads", "operations"], rows)]


def _convolution(found: Iterable[dict[str, Any]]) -> list[str]:
    rows = []
    for layer in found:
        top = layer["rates"]["product"]
        shares = [f"{layer['rates'][part]:.0f} ({layer['rates'][part] / top:.0%})" for part in PARTS]
        rows.append([layer["what"], layer["threads"], *shares, f"{top:.0f}"])
    if not rows:
        return []
    text = (
        "GFLOP/s of minigrad's convolutions, and the share of what a large square matrix product on one thread reaches."
    )
    return ["## Convolution", text, table(["layer", "threads", *PARTS.values(), "matrix product"], rows)]


def _products(found: Iterable[dict[str, Any]]) -> list[str]:
    rows = []
    for product in found:
        rates, (height, width) = product["rates"], product["piece"]
        times = f"{rates['pieces'] / rates['whole']:.2f}"
        told = f"{rates['whole']:.0f}", f"{rates['pieces']:.0f}", times
        rows.append([product["what"], product["size"], f"{height} × {width}", *told])
    if not rows:
        return []
    text = (
        "GFLOP/s of the matrix products that minigrad computes in pieces "
        "([products.py](../../minigrad/kernels/products.py)), whole and so, and how many times as fast; on one thread."
    )
    return ["## Products in pieces", text, table(["product", "size", "pieces", "whole", "in pieces", "ratio"], rows)]


def page(results: dict[str, Any], figures: Iterable[str]) -> str:
    """The page: the machine, the goals, all times, the figures."""
    host = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in host["versions"].items())
    kernels = "; ".join(f"{side}: {_kernel(found)}" for side, found in host["blas"].items())
    met = [row.met for row in goals.rows(results)]
    lines = [
        "# How fast",
        f"{'; '.join(f'`{command}`' for command in results['commands'])}: each figure is the median of "
        f"{results['rounds']} fresh processes a side, taken in turn, with nothing in the environment that steers the "
        "BLAS libraries; float32.",
        f"{host['processor']}, {host['cores']} cores; Python {host['python']}, {versions}. BLAS kernels: {kernels}.",
        f"## Goals: {sum(met)} of {len(met)} met",
        goals.table(results),
        "## A training step, all contenders",
        goals.matrix(results),
        "*floor*: the step fused by hand in NumPy for one network, with all buffers made beforehand "
        "([floor.py](../../benchmarks/floor.py)).",
        *_profile(results.get("profile", ())),
        *_convolution(results.get("convolution", ())),
        *_products(results.get("products", ())),
        *(f"![{name.removesuffix('.png')}]({name})" for name in figures),
    ]
    return "\n\n".join(lines) + "\n"
