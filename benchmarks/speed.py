"""The account of speed and memory in docs/performance.md, made of the figures alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks import goals
from benchmarks.contenders import KEEPING
from benchmarks.goals import Row
from benchmarks.networks import NETWORKS
from benchmarks.whole import SIDES
from experiments.reporting.report import circumstances, table
from experiments.runner.progress import duration

STEP, COMPILED, BY_HAND = "step, eager", "step, compiled", "by hand"
OTHERS = (
    "10,000 samples evaluated",
    "epoch with loader and transforms",
    "start of the process to first step",
    "peak memory of a run",
)
MISSING = "–"
SHOWN = "mnist_backprop"
GAINS = 0.9  #: at most so much of the time is worth a row
PEERS = ("torch", "jax")


def text(results: dict[str, Any], runs: dict[str, Any] | None) -> str:
    """All of it, in Markdown.

    Args:
        results: what `python -m benchmarks` found.
        runs: what `python -m benchmarks runs` found; None: nothing.
    """
    host = results["machine"]
    versions = ", ".join(f"{name} {host['versions'][name]}" for name in ("numpy", *PEERS) if name in host["versions"])
    parts = [
        f"Each figure is a ratio of times, ours by theirs, the medians of {results['rounds']} fresh processes a side\n"
        f"taken in turn on {host['cores']} cores of an {host['processor']} ({versions}),\n"
        "from `python -m benchmarks`; bold where the goal is met.\n"
        "[All times and the other contenders](../results/benchmarks/README.md).",
        steps(results),
        others(results),
        by_hand(results),
        kept(results),
        memory(results),
    ]
    if runs:
        parts.append(whole(runs))
    return "\n\n".join(part for part in parts if part) + "\n"


def ratio(rows: Sequence[Row]) -> str:
    """The ratio of one measurement, or the least and the largest of several; bold where the goal is met."""
    shown = [f"**{row.ratio:.2f}**" if row.met else f"{row.ratio:.2f}" for row in sorted(rows, key=lambda r: r.ratio)]
    return " to ".join(dict.fromkeys([shown[0], shown[-1]])) if shown else MISSING


def steps(results: dict[str, Any]) -> str:
    """A row a network and number of threads, in the order of the networks."""
    found = list(goals.rows(results))
    titles = [network.title for network in NETWORKS.values()]
    timed = {(row.network, row.threads) for row in found if row.what in (STEP, COMPILED)}
    rows = []
    for network, threads in sorted(timed, key=lambda key: (titles.index(key[0]), key[1])):
        mine = [row for row in found if (row.network, row.threads) == (network, threads)]
        eager = [row for row in mine if row.what == STEP]
        compiled = [row for row in mine if row.what == COMPILED and row.rival != BY_HAND]
        floor = [row for row in mine if row.what == COMPILED and row.rival == BY_HAND]
        rival = f" ({compiled[0].rival})" if compiled else ""
        cells = [ratio(eager), _goal(eager), ratio(compiled) + rival, _goal(compiled), ratio(floor), _goal(floor)]
        rows.append([network, threads, *cells])
    header = ["training step", "threads", "eager / torch", "goal", "compiled / fastest rival", "goal"]
    return table([*header, "compiled / by hand", "goal"], rows, "lrrrrrrr") if rows else ""


def _goal(rows: Sequence[Row]) -> str:
    return f"{rows[0].goal:.2f}" if rows else MISSING


def others(results: dict[str, Any]) -> str:
    """What is no training step: a row a measurement, of all networks together, with the numbers of goals met."""
    found = list(goals.rows(results))
    rows = []
    for what in OTHERS:
        mine = [row for row in found if row.what == what]
        if mine:
            rows.append([what, ratio(mine), f"≤ {mine[0].goal:.2f}", f"{sum(row.met for row in mine)} of {len(mine)}"])
    return table(["what", "ratio to torch", "goal", "met by"], rows, "lrrr") if rows else ""


def by_hand(results: dict[str, Any]) -> str:
    """Where a step fused by hand in NumPy is itself no faster than the goal."""
    timed = [found for found in results.get("steps", ()) if {"floor", "torch"} <= found["seconds"].keys()]
    shares = [(found["seconds"]["floor"] / found["seconds"]["torch"], goals.EAGER[found["network"]]) for found in timed]
    above = [share for share, goal in shares if round(share, 2) > goal]
    if not above:
        return ""
    return (
        f"For {len(above)} of {len(timed)} rows even the step that is fused by hand misses the goal of the eager "
        f"one: {min(above):.2f} to {max(above):.2f} of torch's time."
    )


def kept(results: dict[str, Any]) -> str:
    """What becomes of the ratios if PyTorch is given what minigrad does to the allocator."""
    rows = []
    for found in results.get("steps", ()):
        ours, theirs, keeping = map(found["seconds"].get, ("minigrad", "torch", KEEPING))
        if ours and keeping and keeping < GAINS * theirs:
            title = NETWORKS[found["network"]].title
            rows.append([title, found["threads"], f"{ours / theirs:.2f}", f"{ours / keeping:.2f}"])
    if not rows:
        return ""
    return (
        "minigrad asks the C library to keep freed memory. PyTorch in a fresh process does without, and touches new\n"
        "pages at every step; but once a program has freed an array of some 30 MB, as happens while data are read,\n"
        "the library keeps PyTorch's memory too. Where that makes a tenth or more:\n\n"
        + table(["training step", "threads", "eager / torch", "its memory kept"], rows, "lrrr").rstrip()
    )


def memory(results: dict[str, Any]) -> str:
    """The import, and whether memory grows."""
    words = []
    if imports := results.get("import"):
        ours, theirs = (
            f"{found['seconds']:.2f} s and {found['megabytes']:.0f} MB" for found in map(imports.get, SIDES)
        )
        words.append(f"`import minigrad` takes {ours}, `import torch` {theirs}.")
    if resident := results.get("resident"):
        sizes = f"{resident['before']:.1f} to {resident['after']:.1f} MB"
        words.append(f"Over 10,000 steps with the garbage collector off, resident memory goes from {sizes}.")
    return " ".join(words)


def whole(runs: dict[str, Any]) -> str:
    """The run of `SHOWN`, and all of them together; nothing where that one was not measured."""
    measured = runs["runs"]
    found = [run for run in measured if run["experiment"] == SHOWN]
    if not found:
        return ""
    told = [f"`{SHOWN}` takes {_sides(found)}"]
    if len(measured) > 1:
        told.append(f"all {len(measured)} experiments together {_sides(measured)}")
    return f"`python -m benchmarks runs`: {'; '.join(told)}: {circumstances(runs)}"


def _sides(runs: Sequence[dict[str, Any]]) -> str:
    (ours, most), (theirs, their_most) = (
        (sum(run[side]["seconds"] for run in runs), max(run[side]["megabytes"] for run in runs)) for side in SIDES
    )
    return (
        f"{duration(ours)} and {most:,.0f} MB against torch's {duration(theirs)} and {their_most:,.0f} MB "
        f"({ours / theirs:.2f})"
    )
