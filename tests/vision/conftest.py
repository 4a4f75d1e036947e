"""A machine of its own for every test here: an empty home, no data folder, no network."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from minigrad.vision import files

REAL = os.environ.get("MINIGRAD_DATA_DIR")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MINIGRAD_DATA_DIR", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    for name in ("MNIST", "FASHION_MNIST", "CIFAR10"):  # no test reaches a public server
        monkeypatch.setattr(files, name, replace(getattr(files, name), mirrors=("http://127.0.0.1:1/",)))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


@pytest.fixture
def real_data():
    """The folder with the real data."""
    if REAL is None:
        pytest.skip("MINIGRAD_DATA_DIR is not set: no real data")
    return Path(REAL)


@pytest.fixture
def parts():
    """Small data in MNIST's shape: (images, labels) for "train" and "t10k"."""
    rng = np.random.default_rng(1)
    return {
        part: (rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8))
        for part, n in (("train", 30), ("t10k", 20))
    }


@pytest.fixture
def folder(home, parts):
    """A data folder with `parts` as unpacked IDX files, under our names and under torchvision's."""
    for layout in ("mnist", "MNIST/raw", "FashionMNIST/raw"):
        (home / "d" / layout).mkdir(parents=True)
        for part, (images, labels) in parts.items():
            for part_name, array in (("images-idx3", images), ("labels-idx1", labels)):
                header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
                (home / "d" / layout / f"{part}-{part_name}-ubyte").write_bytes(header + array.tobytes())
    return home / "d"
