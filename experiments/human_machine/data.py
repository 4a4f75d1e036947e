"""Random sequences by people and by a machine: read from the course's file, or generated in its place.

Each is 20 values -1 or +1 that somebody (label 1) or a generator (label 0) made up as "random". The file is
``binary_random_20fa.hdf5`` with the keys ``human`` and ``machine``; those of other years, with values 0 and 1
or other numbers of rows, are read as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.data import DataSet, Source
from experiments.runner.errors import UsageError
from minigrad.vision.files import DatasetNotFoundError, data_folders
from minigrad.vision.readers import DataFileError, PathLike, read_hdf5

LENGTH = 20
ROWS = 5100  #: of each source, in the course's file
FILE = "binary_random_20fa.hdf5"


@dataclass(frozen=True)
class Sequences:
    """All sequences, the human ones first: to be shuffled before they are split."""

    inputs: NDArray[np.float32] = field(repr=False)  #: ``(N, 20)``, -1 or +1
    labels: NDArray[np.float32] = field(repr=False)  #: ``(N,)``, 1 = human, 0 = machine
    source: str  #: in words, without folders, for reports
    is_fallback: bool = False  #: whether they were generated because there is no file
    reason: str = ""  #: the reason, for the console: it may name folders


def load(root: PathLike | None = None, fallback: bool = True, seed: int = 0) -> Sequences:
    """The course's sequences, or generated ones if there is no file.

    Args:
        root: the data folder; default: ``MINIGRAD_DATA_DIR``, else ``./data``; then the user's cache. In each,
            ``course/binary_random_20fa.hdf5`` is looked for, then files of other years (``binary_random*``),
            then the same in the folder itself.
        fallback: generate sequences if there is no file. A damaged file is always an error.
        seed: of the generated sequences.

    Raises:
        UsageError: if a file is damaged or holds other data (the message names the file, the key and what was
            expected), if h5py is not installed, or if there is no file and `fallback` is off.
    """
    try:
        path = find(root)
        human, machine = read(path)
    except DatasetNotFoundError as error:
        if not fallback:
            raise UsageError(str(error)) from error
        source = "generated human-like sequences, a stand-in: the course's human/machine file could not be found"
        return _labelled(*generate(ROWS, seed), source, True, str(error))
    except (ValueError, OSError, ImportError) as error:
        raise UsageError(str(error)) from error
    counts = f"{len(human):,} human and {len(machine):,} machine sequences"
    return _labelled(human, machine, f"the course's {path.name} ({counts})")


def find(root: PathLike | None = None) -> Path:
    """The course's file, or that of another year.

    Raises:
        DatasetNotFoundError: if there is none; says where it was looked for.
    """
    folders = [folder / layout for folder in data_folders(root) for layout in ("course", ".")]
    for folder in folders:
        found = [folder / FILE, *sorted(folder.glob("binary_random*.h*5"))]
        for path in found:
            if path.is_file():
                return path
    places = "\n".join(f"  {folder}" for folder in folders)
    raise DatasetNotFoundError(f"Dataset not found. No {FILE}, nor another binary_random*.hdf5. Looked in:\n{places}")


def read(path: PathLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The human and the machine sequences of a file, each ``(N, 20)`` of -1 and +1.

    Raises:
        DataFileError: as `read_hdf5` does, and for values other than -1 and +1, or 0 and 1, throughout.
        ImportError: if h5py is not installed.
        OSError: if the file can't be opened.
    """
    arrays = read_hdf5(path, {"human": (None, LENGTH), "machine": (None, LENGTH)})
    low = 0 if any((array == 0).any() for array in arrays.values()) else -1
    for key, array in arrays.items():
        wrong = np.argwhere((array != low) & (array != 1))
        if len(wrong):
            row, column = wrong[0]
            raise DataFileError(
                path,
                f"the value {array[row, column]} in row {row} of {key!r} ({len(wrong)} such values)",
                f"{low} and 1 throughout (either -1 and 1 or 0 and 1)",
            )
    human, machine = (np.where(arrays[key] == 1, 1, -1).astype(np.float32) for key in ("human", "machine"))
    return human, machine


def generate(n: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A stand-in for the course's data: `n` human-like and `n` fair sequences, each ``(n, 20)`` of -1 and +1.

    People who invent coin tosses change sides too often, about 0.6 of the time instead of 0.5, and avoid long
    runs (W. A. Wagenaar, "Generation of random sequences by human subjects", Psychological Bulletin
    77, 1972; R. Falk and C. Konold, "Making sense of randomness", Psychological Review 104, 1997). So here
    each person changes sides after a first value with a probability p of their own, Beta(6, 5) distributed
    (mean 0.55), and with every further repetition the odds of a change are 1.4 times as high. It is no model of
    the real data, and results on it say nothing about people.

    >>> human, machine = generate(2000, seed=1)
    >>> [bool((x[:, 1:] != x[:, :-1]).mean() > 0.55) for x in (human, machine)]
    [True, False]
    """
    rng = np.random.default_rng(seed)
    machine = rng.choice(np.array([-1, 1], np.float32), (n, LENGTH))
    human = np.empty((n, LENGTH), np.float32)
    human[:, 0] = rng.choice([-1, 1], n)
    person = rng.beta(6, 5, n)
    odds = person / (1 - person)
    run = np.zeros(n)  # repetitions so far of the last value
    for i in range(1, LENGTH):
        now = odds * 1.4**run
        change = rng.random(n) < now / (1 + now)
        human[:, i] = np.where(change, -human[:, i - 1], human[:, i - 1])
        run = np.where(change, 0, run + 1)
    return human, machine


def _labelled(
    human: NDArray[np.float32], machine: NDArray[np.float32], source: str, is_fallback: bool = False, reason: str = ""
) -> Sequences:
    inputs = np.concatenate([human, machine])
    labels = np.concatenate([np.ones(len(human), np.float32), np.zeros(len(machine), np.float32)])
    return Sequences(inputs, labels, source, is_fallback, reason)


def _read(root: str | None, train: bool) -> tuple[NDArray[np.float32], NDArray[np.int64], Source]:
    """All sequences, always in the same random order, so that the first few are a fair sample of both sources."""
    if not train:
        raise UsageError("there is no test set; validation data is the last word")
    found = load(root)
    order = np.random.default_rng(0).permutation(len(found.labels))
    source = Source(DATA.name, found.source, found.is_fallback, len(order), found.reason, ("machine", "human"))
    return found.inputs[order], found.labels[order].astype(np.int64), source


DATA = DataSet("human-machine", f"sequences of {LENGTH} values", _read)
