"""The figures of a run: bars for each network, and time per step against batch size and width."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.contenders import CONTENDERS, GROWING
from benchmarks.networks import NETWORKS
from experiments.reporting.figures import canvas

COLORS = {name: contender.color for name, contender in CONTENDERS.items() if contender.color}
PRODUCTS = {"color": "0.6", "linestyle": "--", "label": "the matrix products alone"}
LONGEST = 3.0  #: bars are cut here
SCALES = {"batch": "batch size, for 784-256-256-10", "width": "width w, for 784-w-w-10 at batch 64"}


def draw(results: dict[str, Any], folder: Path) -> list[str]:
    """Draws what the results hold; returns the file names."""
    counts = dict.fromkeys(found["threads"] for found in results.get("steps", ()))
    drawn = [bars(results, threads, folder) for threads in counts]
    return drawn + ([scaling(results, folder)] if results.get("scaling") else [])


def bars(results: dict[str, Any], threads: int, folder: Path) -> str:
    """Each contender's step in units of torch's, a group of bars a network."""
    steps = [found for found in results["steps"] if found["threads"] == threads]
    figure, axes = canvas(size=(10, 0.9 + 0.85 * len(steps)))
    ticks, position, handles = {}, 0, {}
    for found in steps:
        names = [name for name in COLORS if name in found["seconds"]]
        ticks[position + (len(names) - 1) / 2] = NETWORKS[found["network"]].title
        for name in names:
            ratio = found["seconds"][name] / found["seconds"]["torch"]
            handles[name] = axes.barh(position, min(ratio, LONGEST), height=0.9, color=COLORS[name], label=name)
            axes.text(min(ratio, LONGEST), position, f" {ratio:.2f}", va="center", fontsize=6.5)
            position += 1
        position += 1
    axes.set_yticks([*ticks], [*ticks.values()])
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.axvline(1, color="tab:red", linewidth=0.8, linestyle="--")
    axes.set_xlim(0, LONGEST + 0.25)
    axes.set_xlabel(f"time per training step, in units of eager PyTorch's (bars are cut at {LONGEST:g})")
    axes.set_title(f"A training step on {threads} thread{'s' * (threads > 1)}")
    legend = [handles[name] for name in COLORS if name in handles]
    figure.legend(handles=legend, loc="outside lower center", ncols=5, frameon=False)
    name = f"steps-{threads}-thread{'s' * (threads > 1)}.png"
    figure.savefig(folder / name)
    return name


def scaling(results: dict[str, Any], folder: Path) -> str:
    """Time per step against batch size and against width, log-log, above that of the matrix products alone."""
    figure, both = canvas(1, 2, (10, 4.4), sharey=True)
    for axes, (what, label) in zip(both, SCALES.items(), strict=True):
        points = [point for point in results["scaling"] if point["what"] == what]
        sizes = [point["size"] for point in points]
        for name in [name for name in GROWING if name in points[0]["seconds"]]:
            style = {"color": COLORS[name], "marker": "o", "label": name} if name in COLORS else PRODUCTS
            axes.loglog(sizes, [point["seconds"][name] * 1e6 for point in points], **style)
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set_xlabel(label)
    both[0].set_ylabel("time per training step, µs")
    both[0].legend(frameon=False)
    figure.suptitle(f"How the step grows ({results['scaling'][0]['threads']} threads)")
    figure.savefig(folder / "scaling.png")
    return "scaling.png"
