"""The L1 penalty in its two forms, over its coefficient: how many weights it makes zero, and at what accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from experiments.data import Samples
from experiments.runner.run import Run
from experiments.training.classification import measures
from experiments.training.trainer import Trainer

SPARSITY = "sparsity"  #: the table
FORMS = {"added to the loss": "l1", "soft threshold": "sparse"}  #: each with its argument of `classification.trainer`


def train_each(
    run: Run[Any], strengths: Sequence[float], build: Callable[..., Trainer], epochs: int
) -> dict[tuple[str, float], Any]:
    """A network for each form and coefficient; `build` takes the arguments of `classification.trainer`."""
    return {
        (form, strength): run.fit(
            f"L1 {strength:g}, {form}", partial(build, **{argument: strength}), epochs, lambda _: {}
        )
        for form, argument in FORMS.items()
        for strength in strengths
    }


def keep_sparsity(run: Run[Any], models: dict[tuple[str, float], Any], samples: Samples) -> None:
    """Keeps the table: the share of weights that are exactly zero, and loss and accuracy on these samples."""
    rows = [
        {"form": form, "strength": strength, "zeros": zero_share(run.fw, model), **measures(run.fw, model, on=samples)}
        for (form, strength), model in models.items()
    ]
    run.keep_table(SPARSITY, rows)


def zero_share(fw: Any, model: Any) -> float:
    """The share of the layers' weights, without biases, that are exactly zero."""
    weights = fw.cat([p.detach().reshape(-1) for p in model.parameters() if p.dim() > 1])
    return float((weights == 0).sum().item() / len(weights))
