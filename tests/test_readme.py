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


def test_the_library_in_twenty_lines():
    assert len(USE.strip().splitlines()) <= 25
    done = subprocess.run([sys.executable, "-W", "error", "-c", USE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    accuracy = float(re.match(r"([\d.]+)% of 297 digits right", done.stdout)[1])
    assert accuracy > 85


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
    line = report.readme_table(tmp_path).splitlines()[-1].replace(tmp_path.name, "results")
    assert line in TEXT
    files.write_json(tmp_path / "mnist_mlp" / record.METRICS, {"test_accuracy": 0.5})
    changed = report.readme_table(tmp_path).splitlines()[-1].replace(tmp_path.name, "results")
    assert changed not in TEXT
    assert changed.endswith("| test accuracy **50.00 %** |")
