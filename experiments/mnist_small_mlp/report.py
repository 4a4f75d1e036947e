"""The report of `mnist_small_mlp`: figures, tables, and the text beside this file."""

from __future__ import annotations

import math

from experiments.mnist_small_mlp.train import Settings
from experiments.reporting import classifiers, report
from experiments.runner.record import Record


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    example = record.table("example")
    label = record.metrics["example_label"]
    columns = ("untrained", "untrained_softmax", "trained", "trained_softmax")
    rows = [{name: row[name] for name in ("class", *columns)} for row in example]
    rows.append({"class": "sum", **{column: sum(row[column] for row in example) for column in columns}})
    headings = ("untrained score", "untrained softmax", "trained score", "trained softmax")
    cells = {heading: f"{{{column}:.4f}}" for heading, column in zip(headings, columns, strict=True)}
    losses = {name: -math.log(max(example[label][f"{name}_softmax"], 1e-38)) for name in ("untrained", "trained")}
    return classifiers.fill(
        __file__,
        record,
        untrained=report.percent(record.metrics["untrained_test_accuracy"]),
        chance=math.log(10),
        example=report.rows_table(rows, {"class": "{class}", **cells}, lambda row: row["class"] == label),
        losses=losses,
    )
