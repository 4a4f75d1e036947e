"""The figures of a run: bars for each network, and time per step against batch size and width."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.networks import NETWORKS

COLORS = {
    "floor": "0.6",
    "minigrad": "tab:blue",
    "minigrad compiled": "navy",
    "torch": "tab:red",
    "torch channels_last": "salmon",
    "torch.compile": "darkred",
    "JAX jit": "tab:green",
    "MyGrad": "tab:purple",
    "autograd": "tab:brown",
}


def draw(results: dict[str, Any], folder: Path) -> list[str]:
    """Draws what the results hold; returns the file names."""
    drawn = []
    if results.get("steps"):
        for threads in dict.fromkeys(found["threads"] for found in results["steps"]):
            drawn.append(bars(results, threads, folder))
    if results.get("scaling"):
        drawn.append(scaling(results, folder))
    return drawn


def bars(results: dict[str, Any], threads: int, folder: Path) -> str:
    """Each contender's step in units of torch's, a group of bars a network."""
    from matplotlib.figure import Figure

    steps = [found for found in results["steps"] if found["threads"] == threads]
    names = [name for name in COLORS if any(name in found["seconds"] for found in steps)]
    figure = Figure(figsize=(10, 0.9 + 0.85 * len(steps)), layout="constrained")
    axes = figure.subplots()
    ticks = []
    position = 0.0
    for found in steps:
        present = [name for name in names if name in found["seconds"]]
        start = position
        for name in present:
            ratio = found["seconds"][name] / found["seconds"]["torch"]
            axes.barh(position, min(ratio, 3.0), height=0.9, color=COLORS[name])
            label = f" {ratio:.2f}"
            axes.text(min(ratio, 3.0), position, label, va="center", fontsize=6.5)
            position += 1
        ticks.append(((start + position - 1) / 2, NETWORKS[found["network"]].title))
        position += 1
    axes.set_yticks([y for y, _ in ticks], [title for _, title in ticks])
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.axvline(1, color="tab:red", linewidth=0.8, linestyle="--")
    axes.set_xlim(0, 3.25)
    axes.set_xlabel("time per training step, in units of eager PyTorch's (shorter is faster; bars are cut at 3)")
    axes.set_title(f"A training step on {threads} thread{'s' * (threads > 1)}")
    handles = [axes.barh(0, 0, color=COLORS[name], label=name) for name in names]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    name = f"steps-{threads}-thread{'s' * (threads > 1)}.png"
    figure.savefig(folder / name, dpi=130)
    return name


def scaling(results: dict[str, Any], folder: Path) -> str:
    """Time per step against batch size and against width, log-log, above the matrix-product floor."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.4), layout="constrained")
    for axes, (what, label) in zip(
        figure.subplots(1, 2, sharey=True),
        (("batch", "batch size, for 784-256-256-10"), ("width", "width w, for 784-w-w-10 at batch 64")),
        strict=True,
    ):
        points = [point for point in results["scaling"] if point["what"] == what]
        sizes = [point["size"] for point in points]
        for name in ("minigrad", "minigrad compiled", "torch", "products"):
            if name not in points[0]["seconds"]:
                continue
            times = [point["seconds"][name] * 1e6 for point in points]
            style = (
                {"color": "0.6", "linestyle": "--"} if name == "products" else {"color": COLORS[name], "marker": "o"}
            )
            axes.loglog(sizes, times, label="the matrix products alone" if name == "products" else name, **style)
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set_xlabel(label)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("time per training step, µs")
    figure.axes[0].legend(frameon=False)
    figure.suptitle(f"How the step grows ({results['scaling'][0]['threads']} threads)")
    figure.savefig(folder / "scaling.png", dpi=130)
    return "scaling.png"
