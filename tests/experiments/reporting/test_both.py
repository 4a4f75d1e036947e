"""The section of a report that shows the same networks in PyTorch."""

import json

import pytest

from experiments.reporting import both, report
from experiments.runner.record import Record


def training(stage, framework, seed, start=0, result=None):
    curves = {"train_accuracy": [0.5, 0.9], "test_accuracy": [0.8, 0.9 + start / 100]}
    task = {"stage": stage, "framework": framework, "seed": seed, "start": start}
    return {**task, "result": result, "of": "test accuracy", "curves": curves}


@pytest.fixture
def record(toy, run_toy):
    return Record.read(run_toy("a", framework="torch"), toy)


def keep(record, trainings):
    path = both.path_of(record.folder.parent, "toy")
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(t) + "\n" for t in trainings) + '{"stage": "rate 0.1", "frame')


def test_where_nothing_was_measured_the_report_says_how_to(record):
    text = (record.folder / "report.md").read_text()
    assert "## The same in PyTorch\n\nNot measured beside these results: `python -m parity trajectory toy` and" in text


def test_both_curves_both_results_and_mean_and_deviation_over_seeds(record, toy):
    found = [training("rate 0.1", framework, 0, result=0.9) for framework in both.FRAMEWORKS]
    found.append(training("rate 0.1", "torch", 0, start=1))
    for framework in both.FRAMEWORKS:
        found += [
            training("rate 0.1", framework, s, result=0.9 + i / 100) for i, s in enumerate(both.seeds_of(framework, 3))
        ]
    keep(record, found)
    report.render(toy, record.folder)
    text = (record.folder / "report.md").read_text()
    cells = "| rate 0.1 | test accuracy | 90.00 % | 90.00 % | 91.00 ± 1.00 % (3) | 91.00 ± 1.00 % (3) |"
    assert cells in text
    assert "![learning curves in both frameworks](pytorch.png)" in text
    assert (record.folder / "pytorch.png").stat().st_size > 1_000


def test_what_is_missing_is_named(record):
    keep(record, [training("rate 0.1", "minigrad", 0, result=0.9)])
    text = both.section(record)
    assert "| rate 0.1 | test accuracy | 90.00 % | not trained | not trained | not trained |" in text
    assert "pytorch.png" not in text


def test_the_last_of_several_lines_for_the_same_training_counts(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(training("a", "torch", 0, result=r)) + "\n" for r in (0.1, 0.2)))
    assert [t["result"] for t in both.read(path)] == [0.2]
