"""What is written about a run: the page beside its results, and the account of speed in docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contenders import COMPILED, HAND_FUSED, KEEPING
from benchmarks.networks import NETWORKS
from benchmarks.whole import SIDES
from experiments.reporting.report import circumstances, table
from experiments.runner.progress import duration

MISSING = "–"
LEAST = 0.03  #: of a step's time, for an operation that is shown
GAIN = 0.9  #: at most so much of the time, for what kept memory does for PyTorch
WHOLE_RUN = "mnist_backprop"  #: the one that is shown
VERSIONS = ("numpy", "torch", "jax")
PEERS = ("torch", "torch channels_last", "torch.compile", "JAX jit")
FASTEST_PEER, BY_HAND, MEMORY = 1.00, 1.15, 0.60
OTHERS = {
    "evaluation": ("10,000 samples evaluated", 0.70),
    "epoch": ("epoch with loader and transforms", 0.25),
    "first step": ("start of the process to first step", 0.25),
}
STEP, COMPILED_STEP, PEAK = "step, eager", "step, compiled", "peak memory of a run"


@dataclass(frozen=True)
class Row:
    """One goal, and the measurement that meets or misses it."""

    what: str
    network: str
    threads: int
    ours: float
    theirs: float
    rival: str
    goal: float
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """Ours by theirs."""
        return self.ours / self.theirs

    @property
    def met(self) -> bool:
        """Whether the ratio, as shown, is within the goal."""
        return round(self.ratio, 2) <= self.goal

    @property
    def shown(self) -> str:
        """The ratio, bold where the goal is met."""
        return f"**{self.ratio:.2f}**" if self.met else f"{self.ratio:.2f}"


def goals(results: dict[str, Any]) -> Iterator[Row]:
    """The goals that the results of a run say something about."""
    for found in results.get("steps", ()):
        seconds, where = found["seconds"], (NETWORKS[found["network"]].title, found["threads"])
        if "torch" in seconds and "minigrad" in seconds:
            goal = NETWORKS[found["network"]].goal
            yield Row(STEP, *where, seconds["minigrad"], seconds["torch"], "torch", goal)
        if COMPILED in seconds:
            if rivals := [peer for peer in PEERS if peer in seconds]:
                best = min(rivals, key=seconds.__getitem__)
                yield Row(COMPILED_STEP, *where, seconds[COMPILED], seconds[best], best, FASTEST_PEER)
            if HAND_FUSED in seconds:
                yield Row(COMPILED_STEP, *where, seconds[COMPILED], seconds[HAND_FUSED], HAND_FUSED, BY_HAND)
    for task, (what, goal) in OTHERS.items():
        for found in results.get(task, ()):
            seconds, where = found["seconds"], (NETWORKS[found["network"]].title, found["threads"])
            yield Row(what, *where, seconds["minigrad"], seconds["torch"], "torch", goal)
    for found in results.get("runs", ()):
        ours, theirs = (found[side]["megabytes"] for side in ("minigrad", "torch"))
        yield Row(PEAK, found["experiment"], 0, ours, theirs, "torch", MEMORY, "MB")


def fill(name: str, **values: Any) -> str:
    """The text of a file beside this one; a part of it, between two empty lines, needs all values that it names."""
    found = {key: value for key, value in values.items() if value != ""}
    parts = []
    for part in Path(__file__).with_name(name).read_text(encoding="utf-8").strip().split("\n\n\n"):
        try:
            parts.append(part.format(**found))
        except KeyError:
            continue
    return "\n\n".join(parts) + "\n"


def page(results: dict[str, Any], figures: Sequence[str]) -> str:
    """The page: the machine, the goals, all times, the figures."""
    host, met = results["machine"], [row.met for row in goals(results)]
    blas = {side: [f"{x['internal_api']} {x['architecture']}" for x in found] for side, found in host["blas"].items()}
    return fill(
        "page.md",
        results=results,
        commands="; ".join(f"`{command}`" for command in results["commands"]),
        versions=", ".join(f"{name} {version}" for name, version in host["versions"].items()),
        kernels="; ".join(f"{side}: {', '.join(names) or 'its own'}" for side, names in blas.items()),
        met=sum(met),
        goals=len(met),
        table=goal_table(results),
        matrix=matrix(results),
        profile=profile_table(results.get("profile", ())),
        figures="\n\n".join(f"![{name.removesuffix('.png')}]({name})" for name in figures),
    )


def shown(value: float, unit: str) -> str:
    """A time or a size for people: ``"512 µs"``."""
    if unit != "s":
        return f"{value:,.0f} {unit}"
    if value < 10e-3:
        return f"{value * 1e6:,.0f} µs"
    return f"{value * 1e3:,.1f} ms" if value < 1 else f"{value:,.2f} s"


def goal_table(results: dict[str, Any]) -> str:
    """A row a goal."""
    lines = []
    for row in goals(results):
        ours, theirs = shown(row.ours, row.unit), shown(row.theirs, row.unit)
        goal = (row.shown, f"≤ {row.goal:.2f}", "met" if row.met else "missed")
        lines.append([row.what, row.network, row.threads or "all", ours, row.rival, theirs, *goal])
    return table(["what", "network", "threads", "minigrad", "against", "", "ratio", "goal", ""], lines, "llrrlrrrl")


def matrix(results: dict[str, Any]) -> str:
    """Every contender's time for a training step."""
    steps = results.get("steps", ())
    names = list(dict.fromkeys(name for found in steps for name in found["seconds"]))
    lines = []
    for found in steps:
        times = [shown(found["seconds"][name], "s") if name in found["seconds"] else MISSING for name in names]
        lines.append([NETWORKS[found["network"]].title, found["threads"], *times])
    return table(["network", "threads", *names], lines, "lr" + "r" * len(names))


def profile_table(found: Sequence[dict[str, Any]]) -> str:
    """A row for each network and number of threads: operations and their shares of the time, the largest first."""
    rows = []
    for entry in found:
        shares = sorted(entry["shares"].items(), key=lambda item: -item[1])
        parts = ", ".join(f"{name.strip('_')} {share:.0%}" for name, share in shares if share >= LEAST)
        rows.append([NETWORKS[entry["network"]].title, entry["threads"], parts])
    return table(["network", "threads", "operations"], rows) if rows else ""


def speed(results: dict[str, Any], runs: dict[str, Any] | None) -> str:
    """The account of speed and memory, made of the figures alone.

    Args:
        results: what `python -m benchmarks` found.
        runs: what `python -m benchmarks runs` found; None: nothing.
    """
    versions = results["machine"]["versions"]
    values = {"steps": steps(results), "others": others(results), "kept": kept(results), **by_hand(results)}
    return fill(
        "speed.md",
        results=results,
        versions=", ".join(f"{name} {versions[name]}" for name in VERSIONS if name in versions),
        whole=whole(runs["runs"], circumstances(runs)) if runs else "",
        **values,
    )


def ratio(rows: Sequence[Row]) -> str:
    """The ratio of one measurement, or the least and the largest of several; bold where the goal is met."""
    ordered = [row.shown for row in sorted(rows, key=lambda row: row.ratio)]
    return " to ".join(dict.fromkeys([ordered[0], ordered[-1]])) if rows else MISSING


def steps(results: dict[str, Any]) -> str:
    """A row a network and number of threads, in the order of the networks."""
    found = [row for row in goals(results) if row.what in (STEP, COMPILED_STEP)]
    titles = [network.title for network in NETWORKS.values()]
    rows = []
    for key in sorted({(titles.index(row.network), row.threads) for row in found}):
        mine = [row for row in found if (titles.index(row.network), row.threads) == key]
        fused = [row for row in mine if row.rival == HAND_FUSED]
        eager, compiled = ([row for row in mine if row.what == w and row not in fused] for w in (STEP, COMPILED_STEP))
        cells = [cell for measured in (eager, compiled, fused) for cell in (ratio(measured), _goal(measured))]
        cells[2] += f" ({compiled[0].rival})" if compiled else ""
        rows.append([titles[key[0]], key[1], *cells])
    header = ["training step", "threads", "eager / torch", "goal", "compiled / fastest rival", "goal"]
    return table([*header, "compiled / hand-fused", "goal"], rows, "lrrrrrrr") if rows else ""


def _goal(rows: Sequence[Row]) -> str:
    return f"{rows[0].goal:.2f}" if rows else MISSING


def others(results: dict[str, Any]) -> str:
    """What is no training step: a row a measurement, of all networks together, with the numbers of goals met."""
    found, rows = list(goals(results)), []
    for what in [*(what for what, _ in OTHERS.values()), PEAK]:
        if mine := [row for row in found if row.what == what]:
            rows.append([what, ratio(mine), f"≤ {mine[0].goal:.2f}", f"{sum(row.met for row in mine)} of {len(mine)}"])
    return table(["what", "ratio to torch", "goal", "met by"], rows, "lrrr") if rows else ""


def by_hand(results: dict[str, Any]) -> dict[str, float]:
    """How often a hand-fused step misses the goal itself, and what share of the time of torch it takes then."""
    timed = [found for found in results.get("steps", ()) if {HAND_FUSED, "torch"} <= found["seconds"].keys()]
    shares = [(found["seconds"][HAND_FUSED] / found["seconds"]["torch"], found["network"]) for found in timed]
    above = [share for share, network in shares if round(share, 2) > NETWORKS[network].goal]
    return {"above": len(above), "timed": len(timed), "least": min(above), "most": max(above)} if above else {}


def kept(results: dict[str, Any]) -> str:
    """What becomes of the ratios if PyTorch is given what minigrad does to the allocator."""
    rows = []
    for found in results.get("steps", ()):
        ours, theirs, keeping = map(found["seconds"].get, ("minigrad", "torch", KEEPING))
        if ours and keeping and keeping < GAIN * theirs:
            title = NETWORKS[found["network"]].title
            rows.append([title, found["threads"], f"{ours / theirs:.2f}", f"{ours / keeping:.2f}"])
    return table(["training step", "threads", "eager / torch", "its memory kept"], rows, "lrrr") if rows else ""


def whole(runs: Sequence[dict[str, Any]], conditions: str) -> str:
    """The run of `WHOLE_RUN`, and all of them together; nothing where that one was not measured."""
    chosen = [run for run in runs if run["experiment"] == WHOLE_RUN]
    together = f"; all {len(runs)} experiments together {_sides(runs)}" if len(runs) > 1 else ""
    return f"`{WHOLE_RUN}` takes {_sides(chosen)}{together}: {conditions}" if chosen else ""


def _sides(runs: Sequence[dict[str, Any]]) -> str:
    (ours, most), (theirs, their_most) = (
        (sum(run[side]["seconds"] for run in runs), max(run[side]["megabytes"] for run in runs)) for side in SIDES
    )
    return (
        f"{duration(ours)} and {most:,.0f} MB against torch's {duration(theirs)} and {their_most:,.0f} MB "
        f"({ours / theirs:.2f})"
    )
