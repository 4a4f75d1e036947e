"""Human and machine sequences: every year's file is read exactly, others are refused, the stand-in says so."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from experiments.human_machine import data as human_data
from experiments.runner.errors import UsageError

REAL = os.environ.get("MINIGRAD_DATA_DIR")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MINIGRAD_DATA_DIR", raising=False)
    (tmp_path / "d/course").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def signs(n, seed):
    return np.random.default_rng(seed).choice([-1.0, 1.0], (n, 20))


HUMAN, MACHINE = signs(7, 1), signs(5, 2)


def write(path, **arrays):
    with h5py.File(path, "w") as file:
        for key, array in arrays.items():
            file[key] = array
    return path


@pytest.mark.parametrize("coding", ["signs", "bits"])
@pytest.mark.parametrize("dtypes", [("f8", "i4"), ("u1", "i8"), ("f4", "f4")], ids=str)
def test_every_year_is_read(home, coding, dtypes):
    if coding == "signs":
        dtypes = [dtype.replace("u", "i") for dtype in dtypes]
        values = [HUMAN, MACHINE]
    else:
        values = [HUMAN > 0, MACHINE > 0]
    human, machine = (array.astype(dtype) for array, dtype in zip(values, dtypes, strict=True))
    write(home / "d/course/binary_random_20fa.hdf5", human=human, machine=machine, other=np.ones(3))
    data = human_data.load(home / "d")
    np.testing.assert_array_equal(data.inputs, np.concatenate([HUMAN, MACHINE]))
    assert data.labels.tolist() == [1] * 7 + [0] * 5
    assert data.inputs.dtype == data.labels.dtype == np.float32
    assert (data.is_fallback, data.reason) == (False, "")
    assert data.source == "the course's binary_random_20fa.hdf5 (7 human and 5 machine sequences)"


def test_where_it_is_found(home, monkeypatch):
    monkeypatch.setenv("MINIGRAD_DATA_DIR", str(home / "d"))
    with pytest.raises(UsageError, match="Looked in") as caught:
        human_data.load(fallback=False)
    assert str(home / "d/course") in str(caught.value)
    other = write(home / "d/binary_random_2023.hdf5", human=HUMAN, machine=MACHINE)
    assert human_data.find() == other
    course = write(home / "d/course/binary_random_19.h5", human=HUMAN, machine=MACHINE)
    assert human_data.find() == course
    own = write(home / "d/course/binary_random_20fa.hdf5", human=HUMAN, machine=MACHINE)
    assert human_data.find() == own


NAN = np.where(np.arange(140).reshape(7, 20) == 45, np.nan, HUMAN)


@pytest.mark.parametrize(
    ("arrays", "parts"),
    [
        ({"human": HUMAN}, ["the keys 'human'", "a key 'machine'"]),
        ({"machine": MACHINE}, ["the keys 'machine'", "a key 'human'"]),
        ({"human": HUMAN[:, :19], "machine": MACHINE}, ["shape (7, 19) under key 'human'", "(N, 20)"]),
        ({"human": HUMAN, "machine": MACHINE[0]}, ["shape (20,) under key 'machine'", "(N, 20)"]),
        ({"human": HUMAN[:0], "machine": MACHINE}, ["shape (0, 20) under key 'human'"]),
        ({"human": HUMAN.astype("S2"), "machine": MACHINE}, ["under key 'human'", "numbers"]),
        ({"human": HUMAN.astype(complex), "machine": MACHINE}, ["complex128 values under key 'human'", "numbers"]),
        ({"human": HUMAN, "machine": MACHINE * 2}, ["in row 0 of 'machine' (100 such", "-1 and 1 throughout"]),
        ({"human": NAN, "machine": MACHINE}, ["the value nan in row 2 of 'human' (1 such", "-1 and 1"]),
        ({"human": HUMAN > 0, "machine": MACHINE}, ["the value -1.0 in row", "of 'machine'", "0 and 1 throughout"]),
        ({"human": HUMAN * (np.arange(20) > 0), "machine": HUMAN}, ["the value -1.0", "0 and 1 throughout"]),
    ],
)
def test_wrong_content_is_refused(home, arrays, parts):
    path = write(home / "d/course/binary_random_20fa.hdf5", **arrays)
    with pytest.raises(UsageError) as caught:
        human_data.load(home / "d")
    for part in (str(path), "found", "expected", *parts):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: b"", "an empty file"),
        (lambda content: content[: len(content) // 2], "truncated or damaged"),
        (lambda content: b"<html>" + content[6:], "the first bytes 3c 68 74 6d 6c 3e"),
    ],
    ids=["empty", "truncated", "magic"],
)
def test_broken_files_are_refused(home, change, said):
    path = write(home / "d/course/binary_random_20fa.hdf5", human=HUMAN, machine=MACHINE)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(UsageError, match=said) as caught:
        human_data.load(home / "d")
    assert str(path) in str(caught.value)


def test_without_h5py_a_file_is_an_error(home, monkeypatch):
    write(home / "d/course/binary_random_20fa.hdf5", human=HUMAN, machine=MACHINE)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(UsageError, match=r"^h5py is not installed: pip install"):
        human_data.load(home / "d")


def test_the_stand_in_says_so(home):
    data = human_data.load(home / "nowhere", seed=3)
    assert data.is_fallback
    assert "stand-in" in data.source
    assert str(home) not in data.source
    assert str(home / "nowhere") in data.reason
    human, machine = human_data.generate(5100, 3)
    np.testing.assert_array_equal(data.inputs, np.concatenate([human, machine]))
    assert (data.labels[:5100] == 1).all()
    assert (data.labels[5100:] == 0).all()


def test_the_stand_in_is_seeded():
    first, same, other = (human_data.generate(50, seed) for seed in (1, 1, 2))
    for i in range(2):
        np.testing.assert_array_equal(first[i], same[i])
        assert (first[i] != other[i]).any()
        assert (first[i].dtype, first[i].shape) == (np.float32, (50, 20))


@pytest.mark.parametrize("seed", [0, 1])
def test_stand_in_people_alternate_too_often_and_avoid_runs(seed):
    human, machine = human_data.generate(4000, seed)

    def changes(x):
        return (x[:, 1:] != x[:, :-1]).mean()

    def runs_of(x, length):
        windows = np.lib.stride_tricks.sliding_window_view(x, length, axis=1)
        return (abs(windows.sum(axis=-1)) == length).mean()

    assert set(np.unique(human)) == set(np.unique(machine)) == {-1, 1}
    assert 0.56 < changes(human) < 0.65
    assert abs(changes(machine) - 0.5) < 0.01
    assert runs_of(human, 5) < 0.6 * runs_of(machine, 5)
    assert abs(human.mean()) < 0.02
    rows = (human[:, 1:] != human[:, :-1]).mean(axis=1).std()
    assert rows > (machine[:, 1:] != machine[:, :-1]).mean(axis=1).std()  # people differ


@pytest.mark.skipif(REAL is None, reason="MINIGRAD_DATA_DIR is not set: no real data")
def test_the_real_file():
    data = human_data.load(REAL, fallback=False)
    assert data.inputs.shape == (10_200, 20)
    assert data.labels.sum() == 5100
    with h5py.File(Path(REAL) / "course" / human_data.FILE) as file:
        np.testing.assert_array_equal(data.inputs[:5100], file["human"][()])
        np.testing.assert_array_equal(data.inputs[5100:], file["machine"][()])
