"""The README's examples run, and the operation that it adds passes the tests that a record is given."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from drawing import HypothesisDraw, check_gradients
from hypothesis import given
from hypothesis import strategies as st

import minigrad
from experiments.reporting import pages, report
from experiments.runner import files, record
from minigrad.ops.record import registry

TEXT = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
USE, ADD = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


LINE = "import minigrad as torch"


def run(program):
    assert len(program.strip().splitlines()) <= 25
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(re.match(r"(\d+) of 297 digits right", done.stdout)[1])


def test_the_program_runs_in_both_frameworks_with_one_line_changed():
    ours, theirs = run(USE), run(USE.replace(LINE, "import torch", 1))
    assert USE.startswith(LINE)
    assert ours > 0.85 * 297
    assert abs(ours - theirs) <= 3  # the same up to rounding


def test_it_can_be_read_in_a_few_minutes():
    assert len(TEXT.splitlines()) <= 120


@pytest.fixture(scope="module")
def hypot():
    exec(ADD, {"__name__": "readme"})
    yield registry["hypot"]
    del registry["hypot"], minigrad.Tensor.hypot


@given(data=st.data())
def test_adding_an_operation(hypot, data):
    draw = HypothesisDraw(data.draw, smooth=True)
    args = hypot.sample(draw)
    check_gradients(hypot.call, args, draw.rng)
    a, b = (np.array(arg) for arg in args)
    ours = minigrad.from_numpy(a).hypot(minigrad.from_numpy(b))
    np.testing.assert_allclose(ours.numpy(), torch.hypot(torch.tensor(a), torch.tensor(b)).numpy(), rtol=1e-14)


def test_the_table_of_experiments_is_that_of_the_committed_results():
    assert pages.block(TEXT, "experiments") == report.readme_table(pages.RESULTS), (
        "python -m experiments report --out results"
    )


def test_another_result_makes_another_table(tmp_path):
    for name in (record.CONFIG, record.HISTORY, record.TIMINGS, record.METRICS):
        files.write_text(tmp_path / "mnist_mlp" / name, (pages.RESULTS / "mnist_mlp" / name).read_text("utf-8"))
    line = report.readme_table(tmp_path).splitlines()[2].replace(tmp_path.name, "results")
    assert line in TEXT
    files.write_json(tmp_path / "mnist_mlp" / record.METRICS, {"test_accuracy": 0.5})
    changed = report.readme_table(tmp_path).splitlines()[2].replace(tmp_path.name, "results")
    assert changed not in TEXT
    assert changed.endswith("| test accuracy **50.00 %** |")
