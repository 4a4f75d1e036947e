"""The report of `mnist_small_mlp`: figures, tables, and the text beside this file."""

from __future__ import annotations

import math

from experiments.mnist_small_mlp.train import Settings
from experiments.reporting import classifiers
from experiments.runner.record import Record


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    example = record.table("example")
    label = record.metrics["example_label"]
    columns = ("untrained", "untrained_softmax", "trained", "trained_softmax")
    rows = [*example, {"class": "sum", **{column: sum(row[column] for row in example) for column in columns}}]
    losses = {name: -math.log(max(example[label][f"{name}_softmax"], 1e-38)) for name in ("untrained", "trained")}
    return classifiers.fill(
        __file__,
        record,
        chance=math.log(10),
        example=[{**row, "bold": row["class"] == label} for row in rows],
        losses=losses,
    )
