"""`python -m experiments run all --epochs 1` on small slices: whatever experiments there are."""

import json
import math
import os
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from experiments import cli, registry
from experiments.reporting import figures
from experiments.runner import files, frameworks
from minigrad.vision import arrays, cifar
from minigrad.vision import files as data_files

LOAD = arrays.load_arrays


@cache
def read(name, **arguments):
    """`load_arrays`, once for both frameworks; CIFAR-10 is made up, since its archive takes 20 s to unpack."""
    if name != "cifar-10":
        return LOAD(name, **arguments)
    rng = np.random.default_rng(int(arguments["train"]))
    images, labels = rng.integers(0, 256, (120, 32, 32, 3), dtype=np.uint8), np.arange(120) % 10
    return arrays.Arrays(name, images, labels, cifar.CLASSES, "made up")


@pytest.fixture
def slices(tmp_path, monkeypatch):
    """The real data where the machine has any, read once; else the embedded digits, without a network."""
    if "MINIGRAD_DATA_DIR" not in os.environ:
        monkeypatch.setenv("MINIGRAD_DATA_DIR", str(tmp_path / "no data"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no cache"))
        for name in ("MNIST", "FASHION_MNIST", "CIFAR10"):
            monkeypatch.setattr(data_files, name, replace(getattr(data_files, name), mirrors=("http://127.0.0.1:1/",)))
    monkeypatch.setattr(arrays, "load_arrays", read)


def leaves_undrawn(figure, record, name, source=""):
    """In place of `figures.save`, which takes most of the time."""
    path = record.folder / f"{name}.png"
    path.touch()
    return path


@pytest.mark.parametrize("framework", frameworks.NAMES)
def test_all_of_them_run_and_report(slices, tmp_path, monkeypatch, framework):
    if framework == "torch":  # its figures are the same
        monkeypatch.setattr(figures, "save", leaves_undrawn)
    out = tmp_path / "results"
    arguments = ["--epochs", "1", "--limit", "120", "--framework", framework, "--out", str(out)]
    assert cli.main(["run", "all", *arguments]) == 0
    assert {path.name for path in out.iterdir()} == set(registry.names())
    for name in registry.names():
        check(out / name, registry.find(name), framework)
    monkeypatch.setattr(figures, "save", leaves_undrawn)
    assert cli.main(["report", "--out", str(out)]) == 0
    index = (out / "README.md").read_text()
    assert re.findall(r"^\| \[(\w+)\]", index, re.MULTILINE) == list(registry.names())


def check(folder, experiment, framework):
    config, metrics = (json.loads((folder / f"{name}.json").read_text()) for name in ("config", "metrics"))
    assert (config["experiment"], config["framework"], config["limit"]) == (experiment.name, framework, 120)
    assert config["settings"]["epochs"] == 1
    for name in experiment.headline:
        assert math.isfinite(metrics[name]), (experiment.name, name)
    rows = files.read_csv(folder / "history.csv")
    assert rows, experiment.name
    longest = round(config["settings"].get("longer", 1))  # a stage of mnist_cnn takes so many times the epochs
    assert {row["epoch"] for row in rows} == set(range(1, longest + 1)), experiment.name
    text = (folder / "report.md").read_text()
    assert text.startswith(f"# {experiment.name}: {experiment.trains}\n\nAssignment: {experiment.assignment}.")
    assert not re.search(r"{(settings|metrics|record)[.\[}]", text), f"{experiment.name}: a field is not filled in"
    targets = {target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target}
    assert not [target for target in targets if not (folder / target).exists()], experiment.name
    drawn = {path.name for path in folder.glob("*.png")}
    assert drawn, experiment.name
    assert drawn <= targets, experiment.name
