"""Data as the framework's tensors: training data for whoever asks, the test set behind a seal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from experiments.human_machine import data as human_data
from experiments.runner import files
from experiments.runner.errors import SealError, UsageError
from experiments.sequence_models import data as sequence_data

HUMAN = "human-machine"  #: the name of the only set that has no test part


@dataclass(frozen=True)
class Source:
    """Where the numbers come from, in words fit for a caption."""

    name: str
    description: str
    stands_in: bool  #: whether it is the embedded set, not the one that the assignment means
    samples: int
    reason: str = ""  #: why it does, for the console: it may name folders
    classes: tuple[str, ...] = ()  #: the name of each label
    channels: int = 1  #: numbers a pixel, which stand side by side in a row of the inputs


Samples = tuple[Any, Any]
"""Inputs (N, features) float32 (pixels in [0, 1], values -1 and +1, or series) and labels (N,) int64, as tensors."""


def load(
    fw: Any, name: str, root: str | None, train: bool, limit: int | None, like: Source | None = None
) -> tuple[Samples, Source]:
    """Reads a data set by name and makes tensors of its first `limit` samples.

    Raises:
        UsageError: where the data can't be had, with the reader's own message; or isn't of the same set as `like`.
    """
    if name == HUMAN:
        return _sequences(fw, root, train, limit)
    if name == sequence_data.NAME:
        return _series(fw, train, limit)
    from minigrad.vision.arrays import load_arrays

    try:
        arrays = _through_dataset(load_arrays(name, root=root, train=train), train, limit)
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        raise UsageError(f"--data {name}: {error}") from error
    if like is not None and like.name != arrays.name:
        raise UsageError(f"--data {name}: the test set is {arrays.source}, but training was on {like.description}")
    labels = arrays.labels[:limit]
    channels = arrays.images.shape[3] if arrays.images.ndim == 4 else 1
    inputs = arrays.images[:limit].reshape(len(labels), -1).astype(np.float32)
    inputs /= np.float32(255)
    classes = tuple(name.split(" - ")[0] for name in arrays.classes)  # of "3 - three" the digit will do
    stands_in = arrays.is_fallback or arrays.name == "digits"
    return (fw.from_numpy(inputs), fw.from_numpy(labels.copy())), Source(
        arrays.name, arrays.source, stands_in, len(labels), arrays.reason, classes, channels
    )


def _sequences(fw: Any, root: str | None, train: bool, limit: int | None) -> tuple[Samples, Source]:
    """All sequences, shuffled: always the same way, so that the first `limit` are a fair sample of both kinds."""
    if not train:
        raise UsageError(f"--data {HUMAN}: there is no test set; validation data is the last word")
    try:
        found = human_data.load(root)
    except UsageError as error:
        raise UsageError(f"--data {HUMAN}: {error}") from error
    order = np.random.default_rng(0).permutation(len(found.labels))[:limit]
    labels = fw.from_numpy(found.labels[order].astype(np.int64))
    return (fw.from_numpy(found.inputs[order]), labels), Source(
        HUMAN, found.source, found.is_fallback, len(order), found.reason, ("machine", "human")
    )


def _series(fw: Any, train: bool, limit: int | None) -> tuple[Samples, Source]:
    """The generated series, each in a row."""
    series, labels = (part[:limit] for part in sequence_data.load(train))
    source = Source(sequence_data.NAME, sequence_data.SOURCE, False, len(labels), classes=sequence_data.CLASSES)
    return (fw.from_numpy(series.reshape(len(labels), -1)), fw.from_numpy(labels.copy())), source


def check_fits(name: str, usual: str, experiment: str) -> None:
    """Sequences, series and images don't take each other's place.

    Raises:
        UsageError: naming both.
    """
    kinds = {HUMAN: "sequences of 20 values", sequence_data.NAME: f"series of {sequence_data.STEPS} steps"}
    given, wanted = (kinds.get(data, "images") for data in (name, usual))
    if given != wanted:
        raise UsageError(f"--data {name}: {given}, but {experiment} is for {wanted}")


def split(samples: Samples, share: float) -> tuple[Samples, Samples]:
    """The samples in their order, all but the last `share` of them, and that share.

    Raises:
        UsageError: where one of the two would be empty.
    """
    n = len(samples[1])
    cut = n - round(share * n)
    if not 0 < cut < n:
        raise UsageError(f"{n} samples are too few to hold back {share:.0%} of them for validation (--limit)")
    inputs, labels = samples
    return (inputs[:cut], labels[:cut]), (inputs[cut:], labels[cut:])


def _through_dataset(arrays: Any, train: bool, limit: int | None) -> Any:
    """The first `limit` images and labels as their Dataset hands them out, in one batch; white is 255 for all."""
    from minigrad.utils.data.dataset import collated
    from minigrad.vision.datasets import from_arrays

    dataset = from_arrays(arrays, train)
    images, labels = (tensor.numpy() for tensor in collated(dataset, range(len(dataset))[:limit]))
    if dataset.white != 255:  # the course's pixel/256
        images *= np.float32(255 / dataset.white)
    return replace(arrays, images=images, labels=labels)


class SealedTest:
    """The test set, out of reach until the choice it is to judge is on disk; opened once.

    There is no other way to it: the samples are read from their files only when the seal is broken. A run
    that is resumed after that moment may break it again, but only for the very same choice (`earlier`), so
    that no second candidate is ever compared on it.
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
        """Writes the choice down, then hands out the test samples.

        Raises:
            SealError: the second time, or where this run has opened it for another choice before.
        """
        if self.opened:
            raise SealError("the test set has been opened already; a run reads it once, for its final choice")
        if self._earlier is not None and self._earlier != choice:
            raise SealError(f"the test set was opened for another choice: {self._earlier}, now {choice}")
        files.write_json(self._path, choice)
        self._on_choice(choice)
        self.opened = True
        return self._read()
