"""The README's examples run, and the operation that it adds passes the tests that a record is given."""

import doctest
import json
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
from minigrad.ops.record import registry

TEXT = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
USE, ADD = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_library_in_twenty_lines():
    assert len(USE.strip().splitlines()) <= 25
    done = subprocess.run([sys.executable, "-W", "error", "-c", USE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    accuracy = float(re.match(r"([\d.]+)% of 297 digits right", done.stdout)[1])
    assert accuracy > 85


def test_a_layer_held_against_pytorch():
    (session,) = re.findall(r"```pycon\n(.*?)```", TEXT, re.DOTALL)
    example = doctest.DocTestParser().get_doctest(session, {}, "README", "README.md", 0)
    found = doctest.DocTestRunner().run(example)
    assert found.attempted == 4
    assert not found.failed


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


def test_every_linked_file_exists():
    root = Path(__file__).parents[1]
    links = [target for target in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in target]
    assert links
    assert not [target for target in links if not (root / target).exists()]


def test_the_table_shows_the_committed_results():
    root = Path(__file__).parents[1]
    for name, shown, part in re.findall(r"\| \[`(\w+)`\].*\| ([\d.]+) % (test|validation) accuracy \|", TEXT):
        metrics = json.loads((root / "results" / name / "metrics.json").read_text(encoding="utf-8"))
        assert f"{100 * metrics[f'{part}_accuracy']:.2f}" == shown
    for name, shown in re.findall(r"\| \[`(\w+)`\].*\| test MSE ([\d.]+) \|", TEXT):
        metrics = json.loads((root / "results" / name / "metrics.json").read_text(encoding="utf-8"))
        assert f"{metrics['test_mse']:.4f}" == shown
    metrics = json.loads((root / "results/fashion_weights/metrics.json").read_text(encoding="utf-8"))
    plain, regularised = (100 * metrics[f"{name}_test_accuracy"] for name in ("plain", "regularised"))
    assert f"| {plain:.2f} % and {regularised:.2f} % |" in TEXT
