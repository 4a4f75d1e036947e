"""The same training from several seeds, for the mean and deviation of an accuracy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from experiments.data import Samples
from experiments.runner.run import Run
from experiments.training.trainer import Trainer, accuracy


def fit_again(run: Run[Any], stage: str, build: Callable[[], Trainer], epochs: int) -> dict[str, Any]:
    """Trains a final network from the seeds after the run's, as `--seeds` asks; the models by `STAGE, seed N`."""
    seeds = range(run.seed + 1, run.seed + run.seeds)
    return {name: run.fit(name, build, epochs, lambda _: {}, n) for n in seeds if (name := f"{stage}, seed {n}")}


def keep_seeds(run: Run[Any], test: Samples, *models: Any, prefix: str = "") -> None:
    """Keeps the test accuracies of the same training from several seeds, the run's own first."""
    run.keep(**{f"{prefix}test_accuracies": [accuracy(run.fw, model, *test) for model in models]})
