"""Finds the data files on this machine, or downloads them.

A file is looked for in the chosen data folder (the argument `root`, else ``MINIGRAD_DATA_DIR``, else
``./data``) and then in the user's cache. In each, these layouts are understood, with ``.gz`` or without:
``mnist/…``, torchvision's ``MNIST/raw/…``, and files right in the folder. Downloads go to the first of these
folders that can be written to. A file with its published name is checked against its published sha256.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from minigrad.vision._extras import require
from minigrad.vision.readers import DataFileError, PathLike

ENVIRONMENT = "MINIGRAD_DATA_DIR"


class DatasetNotFoundError(RuntimeError):
    """Files of a data set were neither found nor downloaded; the message says where they were looked for."""


class ChecksumError(DataFileError):
    """A file has the name of a published one, but other content."""


class Published(NamedTuple):
    """A file as published; without checksums where none are known."""

    name: str
    sha256: str | None = None
    unpacked_sha256: str | None = None  #: that of the content of a .gz

    @property
    def names(self) -> tuple[str, ...]:
        """The names it may have on disk: as published, and unpacked."""
        plain = self.name.removesuffix(".gz")
        return (self.name,) if plain == self.name else (self.name, plain)


@dataclass(frozen=True)
class Source:
    """A data set's files, the folders that they may be in, and the servers that have them."""

    title: str
    files: tuple[Published, ...]
    folders: tuple[str, ...]
    mirrors: tuple[str, ...] = ()


#: The files of an MNIST, in the order of their checksums: packed, and unpacked.
IDX_FILES = tuple(
    f"{part}-{content}-ubyte.gz" for part in ("train", "t10k") for content in ("images-idx3", "labels-idx1")
)


def _idx_files(*checksums: str) -> tuple[Published, ...]:
    return tuple(map(Published, IDX_FILES, checksums[::2], checksums[1::2]))


MNIST = Source(
    "MNIST",
    _idx_files(
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    ("mnist", "MNIST/raw"),
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
)

FASHION_MNIST = Source(
    "Fashion-MNIST",
    _idx_files(
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    ("fashion-mnist", "FashionMNIST/raw"),
    ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
)

COURSE_MNIST = Source(
    "the course's MNIST files", (Published("mnist_traindata.hdf5"), Published("mnist_testdata.hdf5")), ("course",)
)

CIFAR10 = Source(
    "CIFAR-10",
    (Published("cifar-10-python.tar.gz", "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"),),
    ("cifar-10", "CIFAR10"),
    ("https://www.cs.toronto.edu/~kriz/",),
)
CIFAR10_BINARY = Published("cifar-10-binary.tar.gz", "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")

SOURCES = (MNIST, FASHION_MNIST, COURSE_MNIST)


def cache_folder() -> Path:
    """The user's cache folder for minigrad, the same as ``pooch.os_cache("minigrad")``."""
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/minigrad"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "minigrad/minigrad/Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minigrad"


def data_folders(root: PathLike | None = None) -> list[Path]:
    """The folders in which data is looked for, in order: the chosen one and the user's cache.

    >>> data_folders("somewhere")[0].name
    'somewhere'
    """
    chosen = root or os.environ.get(ENVIRONMENT) or "data"
    return [Path(chosen).expanduser(), cache_folder()]


def locate(source: Source, root: PathLike | None = None) -> dict[str, Path]:
    """The paths of those files of `source` that are on this machine, by published name.

    Files directly in a data folder may belong to another data set with the same file names (as MNIST's and
    Fashion-MNIST's); those that are known to do so are skipped.
    """
    found: dict[str, Path] = {}
    for file in source.files:
        places = (
            path
            for folder in data_folders(root)
            for layout in (*source.folders, ".")
            for name in file.names
            if (path := folder / layout / name).is_file() and not (layout == "." and _belongs_elsewhere(path, source))
        )
        for path in places:
            found[file.name] = path
            break
    return found


def locate_cifar10(root: PathLike | None = None) -> Path | None:
    """The path of CIFAR-10 on this machine, in any of the forms that `minigrad.vision.cifar` reads.

    In each folder an unpacked one comes first, as it is read fastest, then ``.tar.gz``, ``.tar.xz``, ``.tar``.
    """
    names = [f"cifar-10-batches-{suffix}" for suffix in ("bin", "py")]
    names += [f"cifar-10-{layout}.tar{zipped}" for zipped in (".gz", ".xz", "") for layout in ("binary", "python")]
    places = (
        folder / layout / name for folder in data_folders(root) for layout in (*CIFAR10.folders, ".") for name in names
    )
    return next((path for path in places if (path.is_dir() if ".tar" not in path.name else path.is_file())), None)


def is_published(path: Path, file: Published) -> bool:
    """Whether a file has a published one's name and, byte for byte, its content."""
    return path.name == file.name and path.is_file() and _sha256(path) == file.sha256


def verify(path: Path, file: Published) -> None:
    """Check a file that has its published name against its published sha256; an unpacked one is not checked.

    Raises:
        ChecksumError: if it differs.
    """
    if file.sha256 is None or path.name != file.name:
        return
    if (found := _sha256(path)) != file.sha256:
        raise ChecksumError(
            path,
            f"sha256 {found}",
            f"{file.sha256}: the file is damaged, half downloaded or not the published one; "
            "delete it to have it downloaded again",
        )


def fetch(
    source: Source,
    root: PathLike | None = None,
    names: Iterable[str] | None = None,
    download: bool = False,
    mirrors: Sequence[str] | None = None,
    retries: int = 2,
    timeout: float = 4.0,
) -> dict[str, Path]:
    """The files of a data set, by published name; all must exist, those of `names` are checked.

    Args:
        source: the data set.
        root: the data folder; see the module.
        names: the published names of the files that will be read. Default: all.
        download: get missing files from the mirrors.
        mirrors: folders on servers, tried in order; default: the source's own.
        retries: how often a broken download is tried again on the same mirror.
        timeout: seconds to wait for a mirror's first answer, so that a missing network is noticed soon.

    Raises:
        DatasetNotFoundError: if files are missing and could not be downloaded (for that pooch is needed).
        ChecksumError: if a file on this machine is not the published one.
    """
    found = locate(source, root)
    missing = [file for file in source.files if file.name not in found]
    mirrors = source.mirrors if mirrors is None else mirrors
    if missing and not (download and mirrors):
        raise DatasetNotFoundError(_not_found(source, missing, root, bool(mirrors)))
    if missing:
        try:
            require("pooch")
        except ImportError as error:
            raise DatasetNotFoundError(f"{_not_found(source, missing, root, True)}; but {error}") from error
        folder = _writable_folder(source, root)
        for file in missing:
            found[file.name] = _download(file, folder, mirrors, retries, timeout)
    wanted = found if names is None else set(names)
    for file in source.files:
        if file.name in wanted and file not in missing:
            verify(found[file.name], file)
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _belongs_elsewhere(path: Path, source: Source) -> bool:
    others = (file for other in SOURCES if other is not source for file in other.files)
    return _sha256(path) in {digest for file in others for digest in (file.sha256, file.unpacked_sha256)}


def _not_found(source: Source, missing: list[Published], root: PathLike | None, downloadable: bool) -> str:
    lines = [f"Dataset not found. {source.title}: no {', '.join(file.name for file in missing)}"]
    if any(len(file.names) > 1 for file in missing):
        lines[0] += " (nor without .gz)"
    lines.append("Looked in:")
    for folder in data_folders(root):
        if folder.is_dir():
            lines += [f"  {folder / layout}" for layout in (*source.folders, ".")]
        else:
            lines.append(f"  {folder} (there is no such folder)")
    lines.append(
        "You can use download=True to download it"
        if downloadable
        else f"No public server has it: put the files into one of these folders, or set {ENVIRONMENT}"
    )
    return "\n".join(lines)


def _writable_folder(source: Source, root: PathLike | None) -> Path:
    folders = data_folders(root)
    if not root and not os.environ.get(ENVIRONMENT) and not folders[0].is_dir():
        del folders[0]  # ./data was not chosen, so it is not created
    problems = []
    for folder in (folder / source.folders[0] for folder in folders):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError as error:
            problems.append(f"  {folder} ({error.strerror})")
    problems.insert(0, "Dataset not found, and no folder to put it in can be written to:")
    raise DatasetNotFoundError("\n".join(problems))


def _download(file: Published, folder: Path, mirrors: Sequence[str], retries: int, timeout: float) -> Path:
    """Get a file from the first mirror that has it. Only a complete and checked file gets its name."""
    pooch = require("pooch")
    problems = []
    bar = importlib.util.find_spec("tqdm") is not None
    for mirror in mirrors:
        problem = _no_answer(f"{mirror.rstrip('/')}/{file.name}", timeout)
        if problem is None:
            store = pooch.create(
                path=folder, base_url=mirror, registry={file.name: file.sha256}, retry_if_failed=retries
            )
            downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16, timeout=(timeout, 15))
            try:
                store.fetch(file.name, downloader=downloader)
            except (ValueError, OSError) as error:
                problem = str(error)
            else:
                path = folder / file.name
                path.chmod(0o644)  # it was created as a temporary file, which others can't read
                return path
        problems.append(f"  {mirror}: {problem}")
    raise DatasetNotFoundError("\n".join([f"Error downloading {file.name}:", *problems]))


UNREACHABLE = "the server cannot be reached (is there a network?)"


def _no_answer(url: str, timeout: float) -> str | None:
    """Why `url` can't be downloaded, or None if it can. Returns in time even if the DNS lookup hangs."""
    pooch = require("pooch")
    problems: list[str | None] = []

    def ask() -> None:
        try:
            there = pooch.HTTPDownloader(timeout=timeout)(url, None, None, check_only=True)
            problems.append(None if there else "the server does not have the file")
        except ConnectionError:
            problems.append(UNREACHABLE)
        except (ValueError, OSError) as error:  # requests has its own ConnectionError
            problems.append(UNREACHABLE if type(error).__name__ == "ConnectionError" else str(error))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout)
    return problems[0] if problems else f"no answer within {timeout:g} s"
