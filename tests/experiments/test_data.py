import ast
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

import experiments
from experiments import data
from experiments.runner.errors import SealError, UsageError


def test_pixels_become_numbers_from_0_to_1():
    (inputs, labels), source = data.load(torch, "digits", None, train=True, limit=30)
    assert inputs.shape == (30, 784)
    assert inputs.dtype == torch.float32
    assert labels.dtype == torch.int64
    assert (inputs.min(), inputs.max()) == (0, 1)
    assert source.samples == 30
    assert source.stands_in
    assert "UCI" in source.description


def test_images_come_through_their_dataset(monkeypatch):
    """The course's samples are pixel/256, and give the very numbers that the bytes of MNIST give."""
    from minigrad.vision import arrays
    from minigrad.vision.datasets import CourseMNIST

    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (6, 28, 28), dtype=np.uint8), np.arange(6)
    gathered = []
    plain = CourseMNIST.__getbatch__
    monkeypatch.setattr(CourseMNIST, "__getbatch__", lambda self, at: gathered.append(len(at)) or plain(self, at))
    found = {}
    for name in ("mnist", "mnist-hdf5"):
        read = arrays.Arrays(name, images, labels, arrays.DIGIT_CLASSES, "made up")
        monkeypatch.setattr(arrays, "load_arrays", lambda *_, read=read, **arguments: read)
        found[name], _ = data.load(torch, name, None, train=True, limit=5)
    assert gathered == [5]
    assert torch.equal(found["mnist"][0], found["mnist-hdf5"][0])
    assert torch.equal(found["mnist"][0], torch.from_numpy(images[:5].reshape(5, -1).astype(np.float32)) / 255)
    assert found["mnist-hdf5"][1].tolist() == [0, 1, 2, 3, 4]


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


class TestHumanMachine:
    def write(self, folder, coding):
        signs = np.random.default_rng(0).choice([-1.0, 1.0], (60, 20))
        human, machine = signs[:40], signs[40:]
        with h5py.File(folder / "binary_random_99.hdf5", "w") as file:
            file["human"], file["machine"] = (human, machine) if coding == "signs" else (human > 0, machine > 0)
        return {row.tobytes() for row in human.astype(np.float32)}

    def test_both_codings_are_the_same_data(self, tmp_path):
        found = []
        for coding in ("signs", "bits"):
            (tmp_path / coding).mkdir()
            self.write(tmp_path / coding, coding)
            samples, source = data.load(torch, "human-machine", str(tmp_path / coding), train=True, limit=None)
            assert (source.classes, source.stands_in, source.samples) == (("machine", "human"), False, 60)
            found.append(samples)
        assert torch.equal(found[0][0], found[1][0])
        assert torch.equal(found[0][1], found[1][1])

    def test_rows_are_shuffled_with_their_labels(self, tmp_path):
        humans = self.write(tmp_path, "signs")
        (inputs, labels), _ = data.load(torch, "human-machine", str(tmp_path), train=True, limit=None)
        assert labels.tolist() == [int(row.tobytes() in humans) for row in inputs.numpy()]
        assert labels.tolist() != sorted(labels.tolist(), reverse=True)
        assert (labels.dtype, inputs.dtype) == (torch.int64, torch.float32)
        (few, _), source = data.load(torch, "human-machine", str(tmp_path), train=True, limit=15)
        assert torch.equal(few, inputs[:15])
        assert source.samples == 15

    def test_the_stand_in_says_so(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        (inputs, _), source = data.load(torch, "human-machine", str(tmp_path), train=True, limit=100)
        assert source.stands_in
        assert "stand-in" in source.description
        assert inputs.shape == (100, 20)

    def test_a_damaged_file_is_an_error(self, tmp_path):
        (tmp_path / "binary_random_20fa.hdf5").write_bytes(b"no")
        with pytest.raises(UsageError, match=r"--data human-machine: .*binary_random_20fa\.hdf5"):
            data.load(torch, "human-machine", str(tmp_path), train=True, limit=None)

    def test_there_is_no_test_set(self):
        with pytest.raises(UsageError, match="no test set"):
            data.load(torch, "human-machine", None, train=False, limit=None)

    def test_sequences_and_images_do_not_mix(self):
        with pytest.raises(UsageError, match="--data digits: images, but sage is for sequences of 20 values"):
            data.check_fits("digits", "human-machine", "sage")
        with pytest.raises(UsageError, match="sequences of 20 values, but mnist_mlp is for images"):
            data.check_fits("human-machine", "mnist", "mnist_mlp")
        data.check_fits("digits", "mnist", "mnist_mlp")
