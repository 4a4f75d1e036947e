"""Reading CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html), as published or unpacked.

The binary layout (records of a label byte and 3 × 32 × 32 bytes of pixels) and the pickled one hold the same data.
Archives are read as a stream, one batch at a time, and not unpacked to disk.
"""

from __future__ import annotations

import gzip
import lzma
import pickle
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from minigrad.vision.readers import DataFileError, PathLike, check_labels
from minigrad.vision.unpickling import unpickle

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

PIXELS = 3 * 32 * 32  # red, green and blue planes, row by row
PIECE = 1 << 20  # bytes of an archive that are unpacked at a time
LARGEST = 1 << 26  # bytes; the published batches have 31 million

Batch: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int64]]


def read_cifar10(path: PathLike, train: bool = True) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read the training part (5 batches) or the test part (1 batch).

    Args:
        path: a ``.tar``, ``.tar.gz`` or ``.tar.xz`` (told by its first bytes) with a folder
            ``cifar-10-batches-bin`` or ``cifar-10-batches-py``; or such a folder; or a folder that has one.
        train: which part.

    Returns:
        The images ``(N, 32, 32, 3)`` uint8, channels last as torchvision's `data`, and the labels ``(N,)``.

    Raises:
        DataFileError: if the file is empty, truncated, damaged or not an archive, has a member outside its folder, or
            lacks one; or if a member is truncated, of another shape or dtype, or has a label out of range. A pickle
            that names anything but arrays is refused, and none of it is run.
        OSError: if it can't be opened.
    """
    images, labels = np.empty((0, 32, 32, 3), np.uint8), np.empty(0, np.int64)
    layout: Layout | None = None
    seen: list[str] = []
    size = 0
    for member, where, content in _members(Path(path), train):
        layout = layout or _layout_of(member)
        if layout is None or layout is not _layout_of(member):
            continue
        if member.name in seen:
            raise DataFileError(where, "a second member of this name", "one")
        if member.name == layout.meta:
            layout.check_meta(content, where)
        else:
            pixels, marks = layout.read(content, where)
            parts = layout.batches(train)
            if not len(images):
                size = len(marks)
                images = np.empty((len(parts) * size, 32, 32, 3), np.uint8)
                labels = np.empty(len(images), np.int64)
            if len(marks) != size:
                raise DataFileError(where, f"{len(marks):,} records", f"{size:,}, as in the other batches")
            place = slice(parts.index(member.name) * size, (parts.index(member.name) + 1) * size)
            images[place] = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            labels[place] = check_labels(marks, len(CLASSES), where)
        seen.append(member.name)
    if layout is None:
        folders = " or ".join(layout.folder for layout in LAYOUTS)
        raise DataFileError(
            path, f"no CIFAR-10 {'training' if train else 'test'} batches", f"a folder {folders} of them"
        )
    if missing := [name for name in layout.wanted(train) if name not in seen]:
        raise DataFileError(path, f"no {', '.join(missing)}", f"them in {layout.folder}")
    return images, labels


def _read_binary(content: bytes, where: Path) -> Batch:
    count, rest = divmod(len(content), 1 + PIXELS)
    if rest or not count:
        raise DataFileError(where, f"{len(content):,} bytes", f"records of 1 + {PIXELS} bytes: the file is truncated")
    records = np.frombuffer(content, np.uint8).reshape(count, 1 + PIXELS)
    return records[:, 1:], records[:, 0].astype(np.int64)


def _read_pickled(content: bytes, where: Path) -> Batch:
    values = _unpickle(content, where, "data", "labels")
    data, labels = values["data"], values["labels"]
    if not isinstance(data, np.ndarray):
        raise DataFileError(where, f"a {type(data).__name__} under key 'data'", f"uint8 of shape (N, {PIXELS})")
    if data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != PIXELS or not len(data):
        found = f"{data.dtype} of shape {data.shape} under key 'data'"
        raise DataFileError(where, found, f"uint8 of shape (N, {PIXELS})")
    if isinstance(labels, list) and all(type(label) is int and abs(label) < 2**31 for label in labels):
        labels = np.array(labels, np.int64)
    if not isinstance(labels, np.ndarray):
        raise DataFileError(where, f"a {type(labels).__name__} under key 'labels'", "a list of integers")
    if labels.shape != (len(data),):
        found = f"labels of shape {labels.shape} under key 'labels'"
        raise DataFileError(where, found, f"({len(data)},), one for each image")
    return data, labels


def _check_binary_meta(content: bytes, where: Path) -> None:
    _check_names(content.decode("latin1").split(), where)


def _check_pickled_meta(content: bytes, where: Path) -> None:
    names = _unpickle(content, where, "label_names")["label_names"]
    if not isinstance(names, list):
        raise DataFileError(where, f"a {type(names).__name__} under key 'label_names'", "a list of class names")
    _check_names([name.decode("latin1") if isinstance(name, bytes) else str(name) for name in names], where)


def _check_names(names: list[str], where: Path) -> None:
    if names != list(CLASSES):
        raise DataFileError(where, f"the classes {', '.join(names)[:200] or '(none)'}", ", ".join(CLASSES))


def _unpickle(content: bytes, where: Path, *keys: str) -> dict[str, Any]:
    try:
        values = unpickle(content)
    except pickle.UnpicklingError as error:
        found = f"a damaged or forbidden pickle ({error})" if content else "an empty file"
        raise DataFileError(where, found, "a pickled dict of plain values and arrays") from error
    if not isinstance(values, dict):
        raise DataFileError(where, f"a pickled {type(values).__name__}", "a dict")
    for key in keys:
        if key not in values:
            present = ", ".join(map(repr, values)) or "none"
            raise DataFileError(where, f"the keys {present}", f"a key {key!r}")
    return values


@dataclass(frozen=True)
class Layout:
    """One of the two layouts in which CIFAR-10 is published."""

    folder: str
    suffix: str
    meta: str
    read: Callable[[bytes, Path], Batch]
    check_meta: Callable[[bytes, Path], None]

    def batches(self, train: bool) -> list[str]:
        """The files of a part, in order."""
        return [
            f"{name}{self.suffix}" for name in ([f"data_batch_{i}" for i in range(1, 6)] if train else ["test_batch"])
        ]

    def wanted(self, train: bool) -> list[str]:
        """All files that reading a part needs."""
        return [self.meta, *self.batches(train)]


LAYOUTS = (
    Layout("cifar-10-batches-bin", ".bin", "batches.meta.txt", _read_binary, _check_binary_meta),
    Layout("cifar-10-batches-py", "", "batches.meta", _read_pickled, _check_pickled_meta),
)


def _layout_of(member: PurePosixPath) -> Layout | None:
    return next((layout for layout in LAYOUTS if layout.folder == member.parent.name), None)


Member: TypeAlias = tuple[PurePosixPath, Path, bytes]
"""A file's path inside, its path for messages, and its content."""


def _members(path: Path, train: bool) -> Iterator[Member]:
    return _folder_members(path, train) if path.is_dir() else _archive_members(path, train)


def _is_wanted(member: PurePosixPath, train: bool) -> bool:
    layout = _layout_of(member)
    return layout is not None and member.name in layout.wanted(train)


def _content(where: Path, file: IO[bytes], length: int) -> bytes:
    if length > LARGEST:
        raise DataFileError(where, f"{length:,} bytes", f"at most {LARGEST:,}")
    return file.read(length)


def _folder(path: Path) -> Path | None:
    places = (place for layout in LAYOUTS for place in (path, path / layout.folder) if place.name == layout.folder)
    return next((place for place in places if place.is_dir()), None)


def _folder_members(path: Path, train: bool) -> Iterator[Member]:
    folder = _folder(path)
    for where in sorted(folder.iterdir()) if folder else ():
        member = PurePosixPath(where.parent.name, where.name)
        if where.is_file() and _is_wanted(member, train):
            with where.open("rb") as file:
                yield member, where, _content(where, file, where.stat().st_size)


def _archive_members(path: Path, train: bool) -> Iterator[Member]:
    with path.open("rb") as raw:
        try:
            with _decompressed(path, raw) as stream:
                with tarfile.open(fileobj=stream, mode="r|", bufsize=PIECE) as archive:
                    for info in archive:
                        member = PurePosixPath(info.name)
                        if member.is_absolute() or ".." in member.parts:
                            raise DataFileError(path, f"the member {info.name!r}", "members inside their folder only")
                        if not (info.isreg() or info.isdir()):
                            raise DataFileError(path, f"the member {info.name!r}, a link or device", "plain files")
                        if info.isreg() and _is_wanted(member, train):
                            file = cast("IO[bytes]", archive.extractfile(info))
                            yield member, path / member, _content(path / member, file, info.size)
                while stream.read(PIECE):  # to the end, where the checksum is
                    pass
        except (EOFError, OSError, zlib.error, lzma.LZMAError, tarfile.TarError) as error:
            raise DataFileError(path, f"a truncated or damaged archive ({error})", "a whole one") from error


def _decompressed(path: Path, raw: BinaryIO) -> IO[bytes]:
    head = raw.read(262)
    raw.seek(0)
    if head[:2] == b"\x1f\x8b":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if head[:6] == b"\xfd7zXZ\0":
        return lzma.LZMAFile(raw)
    if head[257:] == b"ustar":
        return raw
    found = f"the first bytes {head[:6].hex(' ')} ({head[:6]!r})" if head else "an empty file"
    raise DataFileError(path, found, "a .tar, .tar.gz or .tar.xz archive")
