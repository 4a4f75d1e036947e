"""What every experiment can be told, and what holds where nothing is said."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """The options of the command line; None leaves the matter to the experiment, or to the data."""

    framework: str = "minigrad"
    seed: int = 0
    epochs: int | None = None
    data: str | None = None
    data_dir: str | None = None
    limit: int | None = None
    out: str = "results"
    resume: bool = False
    compile: bool | None = None  #: steps and evaluations recorded and replayed; None: in minigrad, not in PyTorch
