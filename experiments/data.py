"""Data sets as tensors of the framework; the test set is read once, after the final choice."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import experiments
from experiments.runner import files
from experiments.runner.errors import SealError, UsageError


@dataclass(frozen=True)
class Source:
    """What the data is and where it comes from, in words for reports and captions."""

    name: str
    description: str
    stands_in: bool  #: whether the embedded set is used instead of the assignment's
    samples: int
    reason: str = ""  #: the reason for that, for the console: it may name folders
    classes: tuple[str, ...] = ()  #: the name of each label
    channels: int = 1  #: numbers per pixel, next to each other in a row of the inputs


Samples = tuple[Any, Any]
"""Tensors of inputs (N, features), float32, and of labels (N,), int64."""


@dataclass(frozen=True)
class DataSet:
    """Data that minigrad has no reader for: `DATA` in `experiments/NAME/data.py`.

    `read(root, train)` gives inputs (N, features) and labels (N,) of one part, and their source.
    """

    name: str  #: for `--data`
    shape: str  #: of a sample, in words
    read: Callable[[str | None, bool], tuple[NDArray[Any], NDArray[Any], Source]]


def folders_with(file: str) -> list[str]:
    """The names of the experiments' folders that have such a file."""
    return sorted(path.parent.name for root in experiments.__path__ for path in Path(root).glob(f"*/{file}"))


def own_sets() -> dict[str, DataSet]:
    """The data sets that experiments bring along, by name."""
    found: list[DataSet] = [
        importlib.import_module(f"experiments.{name}.data").DATA for name in folders_with("data.py")
    ]
    return {data.name: data for data in found}


def load(
    fw: Any, name: str, root: str | None, train: bool, limit: int | None, like: Source | None = None
) -> tuple[Samples, Source]:
    """Reads a data set by name and makes tensors of its first `limit` samples.

    Raises:
        UsageError: if the data can't be read, with the reader's message, or is of another set than `like`.
    """
    try:
        own = own_sets().get(name)
        inputs, labels, source = own.read(root, train) if own else _images(name, root, train, limit)
    except (ValueError, OSError, RuntimeError, ImportError, UsageError) as error:
        raise UsageError(f"--data {name}: {error}") from error
    if like is not None and like.name != source.name:
        raise UsageError(f"--data {name}: the test set is {source.description}, but training was on {like.description}")
    inputs, labels = inputs[:limit], labels[:limit].copy()
    return (fw.from_numpy(inputs), fw.from_numpy(labels)), replace(source, samples=len(labels))


def _images(name: str, root: str | None, train: bool, limit: int | None) -> tuple[NDArray[Any], NDArray[Any], Source]:
    """The first `limit` images of a data set, a row each, with pixels from 0 to 1."""
    from minigrad.vision.arrays import load_arrays

    arrays = _through_dataset(load_arrays(name, root=root, train=train), train, limit)
    channels = arrays.images.shape[3] if arrays.images.ndim == 4 else 1
    inputs = arrays.images.reshape(len(arrays.labels), -1).astype(np.float32)
    inputs /= np.float32(255)
    classes = tuple(name.split(" - ")[0] for name in arrays.classes)  # of "3 - three" the digit is enough
    stands_in = arrays.is_fallback or arrays.name == "digits"
    return inputs, arrays.labels, Source(arrays.name, arrays.source, stands_in, 0, arrays.reason, classes, channels)


def check_fits(name: str, usual: str, experiment: str) -> None:
    """Checks that the samples have the shape that the experiment needs.

    Raises:
        UsageError: naming both.
    """
    given, wanted = (own.shape if (own := own_sets().get(data)) else "images" for data in (name, usual))
    if given != wanted:
        raise UsageError(f"--data {name}: {given}, but {experiment} is for {wanted}")


def split(samples: Samples, share: float) -> tuple[Samples, Samples]:
    """The samples without the last `share` of them, and that share, in the given order.

    Raises:
        UsageError: if one of the two would be empty.
    """
    n = len(samples[1])
    cut = n - round(share * n)
    if not 0 < cut < n:
        raise UsageError(f"{n} samples are too few to hold back {share:.0%} of them for validation (--limit)")
    inputs, labels = samples
    return (inputs[:cut], labels[:cut]), (inputs[cut:], labels[cut:])


def _through_dataset(arrays: Any, train: bool, limit: int | None) -> Any:
    """The first `limit` images and labels of their Dataset in one batch, scaled so that white is 255."""
    from minigrad.utils.data.dataset import collated
    from minigrad.vision.datasets import from_arrays

    dataset = from_arrays(arrays, train)
    images, labels = (tensor.numpy() for tensor in collated(dataset, range(len(dataset))[:limit]))
    if dataset.white != 255:  # the course's pixel/256
        images *= np.float32(255 / dataset.white)
    return replace(arrays, images=images, labels=labels)


class SealedTest:
    """The test set, which can be read once, after the final choice is on disk.

    The samples are read from their files only then. A run that is resumed afterwards may read them again, but only
    for the same choice (`earlier`), so that no second candidate is ever compared on them.
    """

    def __init__(
        self,
        read: Callable[[], Samples],
        path: Path,
        earlier: dict[str, Any] | None = None,
        on_choice: Callable[[dict[str, Any]], None] = lambda choice: None,
    ) -> None:
        self._read, self._path, self._earlier, self._on_choice = read, path, earlier, on_choice
        self.opened = False

    def open(self, choice: dict[str, Any]) -> Samples:
        """Writes the choice to disk, then returns the test samples.

        Raises:
            SealError: the second time, or if this run was opened for another choice before.
        """
        if self.opened:
            raise SealError("the test set has been opened already; a run reads it once, for its final choice")
        if self._earlier is not None and self._earlier != choice:
            raise SealError(f"the test set was opened for another choice: {self._earlier}, now {choice}")
        files.write_json(self._path, choice)
        self._on_choice(choice)
        self.opened = True
        return self._read()
