"""The options of a run, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """The options of the command line; where one is None, the experiment's own setting is used."""

    framework: str = "minigrad"
    seed: int = 0
    epochs: int | None = None
    data: str | None = None
    data_dir: str | None = None
    limit: int | None = None
    seeds: int = 1  #: trainings of each final network that are tested: one from `seed`, the others from those after it
    out: str = "runs"
    resume: bool = False
    skip_done: bool = False  #: `resume`, and leave out what is complete with these settings and this code
    compile: bool | None = None  #: compile training steps and evaluations; None: in minigrad, not in PyTorch
