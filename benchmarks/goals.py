"""What minigrad aims at, as ratios of two measurements of one run, and what was reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.contenders import COMPILED, HAND_FUSED
from benchmarks.networks import NETWORKS

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


def rows(results: dict[str, Any]) -> Iterator[Row]:
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
