"""Data sets by name: which files are read, what stands in for what, and that it says so."""

import gzip

import h5py
import numpy as np
import pytest

from minigrad.vision.arrays import load_arrays
from minigrad.vision.digits import load_digits
from minigrad.vision.files import DatasetNotFoundError
from minigrad.vision.readers import DataFileError


def write_course(folder, parts):
    (folder / "course").mkdir(parents=True, exist_ok=True)
    for part, (images, labels) in zip(("train", "test"), parts.values(), strict=True):
        with h5py.File(folder / f"course/mnist_{part}data.hdf5", "w") as file:
            file["xdata"] = images.reshape(-1, 784).astype(np.float32) / 256
            file["ydata"] = np.eye(10)[labels]


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "mnist-hdf5"])
@pytest.mark.parametrize("train", [True, False])
def test_load(folder, parts, name, train):
    write_course(folder, parts)
    arrays = load_arrays(name, folder, train, download=False, fallback=False)
    images, labels = parts["train" if train else "t10k"]
    np.testing.assert_array_equal(arrays.images, images)
    np.testing.assert_array_equal(arrays.labels, labels)
    assert (arrays.name, arrays.is_fallback, arrays.reason) == (name, False, "")
    assert (arrays.images.dtype, arrays.labels.dtype) == (np.uint8, np.int64)
    assert all(file.is_relative_to(folder) for file in arrays.files)
    assert str(folder) not in arrays.source
    assert len(arrays.classes) == 10


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "mnist-hdf5"])
@pytest.mark.parametrize("train", [True, False])
def test_digits_stand_in_visibly(home, name, train):
    arrays = load_arrays(name, home / "nowhere", train)
    np.testing.assert_array_equal(arrays.images, load_digits(train)[0])
    assert arrays.name == "digits"
    assert arrays.is_fallback
    assert f"in place of {name}" in arrays.source
    assert arrays.classes[3] == "3 - three"
    assert "http://127.0.0.1:1/: the server cannot be reached" in arrays.reason
    assert str(home) not in arrays.source


def test_digits_asked_for_are_no_fallback():
    arrays = load_arrays("digits")
    assert not arrays.is_fallback
    assert "UCI digits" in arrays.source


def test_both_parts_come_from_one_source(folder):
    """If only the test files are missing, the training part falls back as well."""
    for layout in ("mnist", "MNIST/raw"):
        (folder / layout / "t10k-labels-idx1-ubyte").unlink()
    assert load_arrays("mnist", folder, train=True, download=False).is_fallback
    assert load_arrays("mnist", folder, train=False, download=False).is_fallback


def test_mnist_stands_in_for_the_course_files(folder, parts):
    arrays = load_arrays("mnist-hdf5", folder, train=False, download=False)
    np.testing.assert_array_equal(arrays.images, parts["t10k"][0])
    assert (arrays.name, arrays.is_fallback) == ("mnist", False)
    assert "missing HDF5" in arrays.source


def test_errors_without_fallback_name_all_that_was_missing(home):
    with pytest.raises(DatasetNotFoundError) as caught:
        load_arrays("mnist-hdf5", home / "d", download=False, fallback=False)
    for part in ("mnist_traindata.hdf5", "train-images-idx3-ubyte.gz", str(home / "d")):
        assert part in str(caught.value)


def test_damaged_files_are_errors_even_with_a_fallback(folder):
    path = folder / "mnist/train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataFileError, match="truncated"):
        load_arrays("mnist", folder)
    zipped = path.with_name(f"{path.name}.gz")
    zipped.write_bytes(gzip.compress(b"x"))
    with pytest.raises(DataFileError, match="sha256"):
        load_arrays("mnist", folder)


def test_unknown_names_list_the_known():
    with pytest.raises(
        ValueError,
        match="no data set 'mnits'; choose from 'mnist', 'fashion-mnist', 'mnist-hdf5', 'cifar-10', 'digits'",
    ):
        load_arrays("mnits")


@pytest.mark.parametrize("train", [True, False])
def test_the_real_course_files_hold_mnist(real_data, train):
    course, mnist = (
        load_arrays(name, real_data, train, download=False, fallback=False) for name in ("mnist-hdf5", "mnist")
    )
    assert course.name == "mnist-hdf5"
    np.testing.assert_array_equal(course.images, mnist.images)
    np.testing.assert_array_equal(course.labels, mnist.labels)
    assert mnist.source == "MNIST (IDX files, checksums verified)"


def test_real_fashion_mnist(real_data):
    arrays = load_arrays("fashion-mnist", real_data, train=False, download=False, fallback=False)
    assert arrays.images.shape == (10_000, 28, 28)
    assert np.bincount(arrays.labels).tolist() == [1000] * 10
