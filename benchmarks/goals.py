"""What minigrad aims at, as ratios of two measurements of one run, and what was reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.networks import NETWORKS

PEERS = ("torch", "torch channels_last", "torch.compile", "JAX jit")
MLPS = ("small", "dropout", "fashion", "backprop", "mlp", "cifar", "autoencoder")
EAGER = {
    **dict.fromkeys(MLPS, 0.70),
    "logistic": 0.45,
    "tiny": 0.40,
    "cnn": 0.60,
    "cnn-bn": 0.60,
    **dict.fromkeys(("conv1d", "lstm", "gru"), 1.00),
}
COMPILED, ABOVE_FLOOR, EPOCH, EVALUATION, FIRST_STEP, MEMORY = 1.00, 1.15, 0.25, 0.70, 0.25, 0.60


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


def rows(results: dict[str, Any]) -> Iterator[Row]:
    """The goals that the results of a run say something about."""
    for found in results.get("steps", ()):
        name, seconds = found["network"], found["seconds"]
        title, threads = NETWORKS[name].title, found["threads"]
        if "torch" in seconds and "minigrad" in seconds:
            yield Row("step, eager", title, threads, seconds["minigrad"], seconds["torch"], "torch", EAGER[name])
        if (compiled := seconds.get("minigrad compiled")) is not None:
            if rivals := [peer for peer in PEERS if peer in seconds]:
                best = min(rivals, key=seconds.__getitem__)
                yield Row("step, compiled", title, threads, compiled, seconds[best], best, COMPILED)
            if "floor" in seconds:
                yield Row("step, compiled", title, threads, compiled, seconds["floor"], "by hand", ABOVE_FLOOR)
    for task, goal, what in (
        ("evaluation", EVALUATION, "10,000 samples evaluated"),
        ("epoch", EPOCH, "epoch with loader and transforms"),
        ("first step", FIRST_STEP, "start of the process to first step"),
    ):
        for found in results.get(task, ()):
            seconds, title = found["seconds"], NETWORKS[found["network"]].title
            yield Row(what, title, found["threads"], seconds["minigrad"], seconds["torch"], "torch", goal)
    for found in results.get("runs", ()):
        ours, theirs = (found[side]["megabytes"] for side in ("minigrad", "torch"))
        yield Row("peak memory of a run", found["experiment"], 0, ours, theirs, "torch", MEMORY, "MB")


def shown(value: float, unit: str) -> str:
    """A time or a size for people: ``"512 µs"``."""
    if unit != "s":
        return f"{value:,.0f} {unit}"
    if value < 10e-3:
        return f"{value * 1e6:,.0f} µs"
    return f"{value * 1e3:,.1f} ms" if value < 1 else f"{value:,.2f} s"


def table(results: dict[str, Any]) -> str:
    """The goals as a table in Markdown."""
    lines = [
        "| what | network | threads | minigrad | against | | ratio | goal | |",
        "|---|---|--:|--:|---|--:|--:|--:|---|",
    ]
    for row in rows(results):
        ours, theirs = shown(row.ours, row.unit), shown(row.theirs, row.unit)
        ratio = f"**{row.ratio:.2f}**" if row.met else f"{row.ratio:.2f}"
        lines.append(
            f"| {row.what} | {row.network} | {row.threads or 'all'} | {ours} | {row.rival} | {theirs} | {ratio} "
            f"| ≤ {row.goal:.2f} | {'met' if row.met else 'missed'} |"
        )
    return "\n".join(lines)


def matrix(results: dict[str, Any]) -> str:
    """Every contender's time for a training step, as a table in Markdown."""
    names = list(dict.fromkeys(name for found in results.get("steps", ()) for name in found["seconds"]))
    lines = ["| network | threads | " + " | ".join(names) + " |", "|---|--:|" + "--:|" * len(names)]
    for found in results.get("steps", ()):
        cells = [shown(found["seconds"][n], "s") if n in found["seconds"] else "" for n in names]
        lines.append(f"| {NETWORKS[found['network']].title} | {found['threads']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
