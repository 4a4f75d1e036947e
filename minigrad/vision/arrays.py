"""Whole data sets as arrays, by name, with a description of their source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minigrad.vision import cifar, files
from minigrad.vision.digits import load_digits
from minigrad.vision.files import DatasetNotFoundError
from minigrad.vision.readers import PathLike, read_course, read_idx_pair

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGIT_CLASSES = tuple(f"{digit} - {word}" for digit, word in enumerate(WORDS))
FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@dataclass(frozen=True)
class Arrays:
    """One part (training or test) of a data set."""

    name: str  #: of the data set that was loaded: "digits" after a fallback
    images: NDArray[np.uint8] = field(repr=False)  #: ``(N, 28, 28)``, 0 (paper) to 255; ``(N, 32, 32, 3)`` in colour
    labels: NDArray[np.int64] = field(repr=False)  #: ``(N,)``
    classes: tuple[str, ...]
    source: str  #: a description for reports, without paths
    files: tuple[Path, ...] = ()  #: the files that were read
    is_fallback: bool = False  #: whether these replace data that could not be found
    reason: str = ""  #: why they do


def load_arrays(
    name: str, root: PathLike | None = None, train: bool = True, download: bool = True, fallback: bool = True
) -> Arrays:
    """Load a part of a data set, or without files and network the embedded digits.

    Args:
        name: ``"mnist"``, ``"fashion-mnist"``, ``"mnist-hdf5"`` (the course's files; where they are missing,
            MNIST itself, which holds the same images in the same order), ``"cifar-10"`` (colour images
            ``(N, 32, 32, 3)``; `source` says whether a local archive is the published one) or
            ``"digits"`` (embedded).
        root: the data folder; default: see `minigrad.vision.files`.
        train: the training part, or the test part.
        download: get missing files from the public mirrors.
        fallback: use the embedded digits if files are missing and can't be downloaded; the result says so. Damaged
            files are always an error.

    Raises:
        ValueError: if there is no such data set.
        DataFileError: if a file is damaged, truncated or not the published one.
        DatasetNotFoundError: if files are missing and `fallback` is off.
        ImportError: if h5py, which the course's files need, is not installed.

    >>> digits = load_arrays("digits", train=False)
    >>> digits.images.shape, digits.is_fallback
    ((297, 28, 28), False)
    """
    if name not in LOADERS:
        raise ValueError(f"there is no data set {name!r}; choose from {', '.join(map(repr, LOADERS))}")
    try:
        return LOADERS[name](root, train, download)
    except DatasetNotFoundError as error:
        if not fallback:
            raise
        digits = _digits(root, train, download)
        source = f"{digits.source}, in place of {name}, which could not be found or downloaded"
        return replace(digits, source=source, is_fallback=True, reason=str(error))


def _idx(
    name: str, source: files.Source, classes: tuple[str, ...], root: PathLike | None, train: bool, download: bool
) -> Arrays:
    part = "train" if train else "t10k"
    names = [f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"]
    found = files.fetch(source, root, names, download)
    paths = tuple(found[file] for file in names)
    images, labels = read_idx_pair(paths[0], paths[1])
    packed = [path.name for path in paths] == names
    checked = "checksums verified" if packed else "unpacked, without checksums"
    return Arrays(name, images, labels, classes, f"{source.title} (IDX files, {checked})", paths)


def _mnist(root: PathLike | None, train: bool, download: bool) -> Arrays:
    return _idx("mnist", files.MNIST, DIGIT_CLASSES, root, train, download)


def _fashion_mnist(root: PathLike | None, train: bool, download: bool) -> Arrays:
    return _idx("fashion-mnist", files.FASHION_MNIST, FASHION_CLASSES, root, train, download)


def _course(root: PathLike | None, train: bool, download: bool) -> Arrays:
    file = f"mnist_{'train' if train else 'test'}data.hdf5"
    try:
        path = files.fetch(files.COURSE_MNIST, root, [file])[file]
    except DatasetNotFoundError as missing:
        try:
            same = _mnist(root, train, download)
        except DatasetNotFoundError as error:
            raise DatasetNotFoundError(f"{missing}\nMNIST could be used instead, but:\n{error}") from error
        return replace(same, source=f"{same.source}, the same images as in the course's missing HDF5 files")
    images, labels = read_course(path)
    return Arrays("mnist-hdf5", images, labels, DIGIT_CLASSES, "MNIST (the course's HDF5 files)", (path,))


def _cifar10(root: PathLike | None, train: bool, download: bool) -> Arrays:
    path = files.locate_cifar10(root)
    if path is None:
        try:
            (path,) = files.fetch(files.CIFAR10, root, download=download).values()
        except DatasetNotFoundError as error:
            also = "Also accepted: cifar-10-python and cifar-10-binary as .tar.gz, .tar.xz, .tar or unpacked"
            raise DatasetNotFoundError(f"{error}\n{also}") from error
    images, labels = cifar.read_cifar10(path, train)
    layout = "pickled" if path.name.removeprefix("cifar-10-").startswith(("python", "batches-py")) else "binary"
    if path.is_dir():
        checked = "unpacked, without checksums"
    elif any(files.is_published(path, file) for file in (*files.CIFAR10.files, files.CIFAR10_BINARY)):
        checked = "checksum verified"
    else:
        checked = "another archive than the published one: its checksum differs"
    return Arrays("cifar-10", images, labels, cifar.CLASSES, f"CIFAR-10 ({layout} layout, {checked})", (path,))


def _digits(root: PathLike | None, train: bool, download: bool) -> Arrays:
    images, labels = load_digits(train)
    source = "the embedded UCI digits (1,797 real 8×8 digits, enlarged to 28×28)"
    return Arrays("digits", images, labels, DIGIT_CLASSES, source)


LOADERS: dict[str, Callable[[PathLike | None, bool, bool], Arrays]] = {
    "mnist": _mnist,
    "fashion-mnist": _fashion_mnist,
    "mnist-hdf5": _course,
    "cifar-10": _cifar10,
    "digits": _digits,
}
