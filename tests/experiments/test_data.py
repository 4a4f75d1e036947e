import ast
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import experiments
from experiments import data
from experiments.errors import SealError, UsageError


def test_pixels_become_numbers_from_0_to_1():
    (inputs, labels), source = data.load(torch, "digits", None, train=True, limit=30)
    assert inputs.shape == (30, 784)
    assert inputs.dtype == torch.float32
    assert labels.dtype == torch.int64
    assert (inputs.min(), inputs.max()) == (0, 1)
    assert source.samples == 30
    assert source.stands_in
    assert "UCI" in source.description


def test_the_source_names_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIGRAD_DATA_DIR", str(tmp_path))
    assert str(tmp_path) not in data.load(torch, "digits", None, train=True, limit=1)[1].description


def test_unknown_and_damaged_data_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match="--data mnits: there is no data set 'mnits'"):
        data.load(torch, "mnits", None, train=True, limit=None)
    (tmp_path / "mnist").mkdir()
    for part in ("train", "t10k"):
        (tmp_path / "mnist" / f"{part}-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03 too short")
        (tmp_path / "mnist" / f"{part}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01 too short")
    with pytest.raises(UsageError, match="train-images-idx3-ubyte"):
        data.load(torch, "mnist", str(tmp_path), train=True, limit=None)


def test_split_keeps_the_order():
    inputs, labels = torch.arange(12.0).reshape(6, 2), torch.arange(6)
    (x, y), (xv, yv) = data.split((inputs, labels), 1 / 3)
    assert (y.tolist(), yv.tolist()) == ([0, 1, 2, 3], [4, 5])
    assert torch.equal(torch.cat([x, xv]), inputs)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_split_leaves_no_side_empty(n):
    with pytest.raises(UsageError, match=f"{n} samples are too few to hold back 17% of them"):
        data.split((torch.zeros(n, 1), torch.zeros(n)), 1 / 6)


class TestSeal:
    def make(self, tmp_path, earlier=None):
        self.path = tmp_path / "choice.json"
        self.reads = []

        def read():
            self.reads.append(json.loads(self.path.read_text()))  # fails unless the choice is on disk by now
            return np.zeros(1), np.zeros(1)

        return data.SealedTest(read, self.path, earlier)

    def test_nothing_is_read_before_the_choice_is_on_disk(self, tmp_path):
        seal = self.make(tmp_path)
        assert self.reads == []
        seal.open({"rate": 0.1})
        assert self.reads == [{"rate": 0.1}]

    def test_it_opens_once(self, tmp_path):
        seal = self.make(tmp_path)
        seal.open({"rate": 0.1})
        with pytest.raises(SealError, match="opened already"):
            seal.open({"rate": 0.1})
        assert len(self.reads) == 1

    def test_a_resumed_run_opens_it_for_the_same_choice_only(self, tmp_path):
        with pytest.raises(SealError, match="opened for another choice"):
            self.make(tmp_path, earlier={"rate": 0.2}).open({"rate": 0.1})
        assert self.reads == []
        self.make(tmp_path, earlier={"rate": 0.2}).open({"rate": 0.2})
        assert len(self.reads) == 1

    def test_a_choice_that_cannot_be_written_opens_nothing(self, tmp_path):
        (tmp_path / "file").write_text("")
        seal = data.SealedTest(lambda: pytest.fail("read"), tmp_path / "file" / "choice.json")
        with pytest.raises(OSError, match="file"):
            seal.open({"rate": 0.1})
        assert not seal.opened


def test_only_one_place_reads_data():
    """No experiment can get at test data past the seal."""
    readers = {"load_arrays", "minigrad.vision", "minigrad.vision.datasets", "minigrad.vision.arrays", "load"}
    for path in Path(experiments.__file__).parent.rglob("*.py"):
        names = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                names |= {node.module, *(alias.name for alias in node.names)}
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
        assert path.name == "data.py" or not names & readers, path
