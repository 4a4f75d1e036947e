"""CIFAR-10 in all its forms: archives and folders, binary and pickled; what is wrong is refused by name."""

import functools
import gzip
import hashlib
import http.server
import io
import lzma
import os
import pickle
import tarfile
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import minigrad
from minigrad.utils.data import default_collate
from minigrad.vision import datasets as ours
from minigrad.vision import files, transforms
from minigrad.vision.arrays import load_arrays
from minigrad.vision.cifar import CLASSES, read_cifar10
from minigrad.vision.files import DatasetNotFoundError, Published
from minigrad.vision.readers import DataFileError
from parity._torchvision import import_torchvision

BIN, PY = "cifar-10-batches-bin", "cifar-10-batches-py"
BATCHES = [f"data_batch_{i}" for i in range(1, 6)]
N = 4  # records a batch


def batch(index):
    rng = np.random.default_rng(index)
    return rng.integers(0, 256, (N, 3072), dtype=np.uint8), rng.integers(0, 10, N)


def binary():
    """The members of a small binary archive."""
    members = {f"{BIN}/batches.meta.txt": "\n".join([*CLASSES, "", ""]).encode()}
    for i, name in enumerate([*BATCHES, "test_batch"]):
        pixels, labels = batch(i)
        members[f"{BIN}/{name}.bin"] = np.column_stack([labels.astype(np.uint8), pixels]).tobytes()
    return members


def pickled(protocol=2, key=str.encode):
    """The members of a small pickled archive, in an order as mixed as the published one's."""
    members = {}
    for name in ("data_batch_4", "test_batch", "data_batch_3", "data_batch_2", "data_batch_5", "data_batch_1"):
        pixels, labels = batch([*BATCHES, "test_batch"].index(name))
        values = {"batch_label": b"x", "labels": labels.tolist(), "data": pixels, "filenames": [b"a.png"] * N}
        members[f"{PY}/{name}"] = pickle.dumps({key(k): v for k, v in values.items()}, protocol)
        members[f"{PY}/readme.html"] = b"<meta>"
    meta = {"num_cases_per_batch": N, "label_names": [key(name) for name in CLASSES], "num_vis": 3072}
    members[f"{PY}/batches.meta"] = pickle.dumps({key(k): v for k, v in meta.items()}, protocol)
    return members


def tar(members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        folder = tarfile.TarInfo(next(iter(members)).split("/")[0])
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in members.items():
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def unpack(members, folder):
    for name, content in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


EXPECTED = {}
for train, indices in ((True, range(5)), (False, [5])):
    pixels, labels = (np.concatenate(parts) for parts in zip(*map(batch, indices), strict=True))
    EXPECTED[train] = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *_):
        pass


FORMS = {"tar": lambda data: data, "gz": gzip.compress, "xz": lzma.compress}
MEMBERS = {
    "binary": binary,
    "python-2": pickled,
    "python-3": lambda: pickled(4, str),
}


def check(found, train):
    images, labels = found
    assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
    assert images.flags.c_contiguous
    np.testing.assert_array_equal(images, EXPECTED[train][0])
    np.testing.assert_array_equal(labels, EXPECTED[train][1])


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("member", MEMBERS)
class TestForms:
    @pytest.mark.parametrize("form", FORMS)
    def test_archives(self, tmp_path, member, form, train):
        path = tmp_path / "any-name"
        path.write_bytes(FORMS[form](tar(MEMBERS[member]())))
        before = set(tmp_path.rglob("*"))
        check(read_cifar10(path, train), train)
        assert set(tmp_path.rglob("*")) == before  # nothing is unpacked

    def test_folders(self, tmp_path, member, train):
        members = MEMBERS[member]()
        folder = unpack(members, tmp_path / "d")
        check(read_cifar10(folder, train), train)
        check(read_cifar10(folder / next(iter(members)).split("/")[0], train), train)


def refused(path, *parts, train=True):
    with pytest.raises(DataFileError) as caught:
        read_cifar10(path, train)
    message = str(caught.value)
    for part in (str(path), "found", "expected", *parts):
        assert part in message


FIRST = f"{BIN}/data_batch_1.bin"


def record(label):
    return bytes([label]) + bytes(3072)


@pytest.mark.parametrize("packed", [True, False], ids=["archive", "folder"])
@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        (FIRST, b"", ["0 bytes", "records of 1 + 3072 bytes"]),
        (FIRST, record(1)[:-1], ["3,072 bytes", "records of 1 + 3072 bytes: the file is truncated"]),
        (FIRST, record(1) * 2 + record(10) * 2, ["label 10 at index 2 (2 such labels)", "labels from 0 to 9"]),
        (f"{BIN}/data_batch_3.bin", record(1) * 3, ["3 records", "4, as in the other batches"]),
        (f"{BIN}/batches.meta.txt", b"apple\nbee\n", ["the classes apple, bee", "airplane, automobile"]),
        (f"{BIN}/batches.meta.txt", b"", ["the classes (none)"]),
    ],
)
def test_wrong_binary_members_are_refused(tmp_path, name, content, parts, packed):
    members = {**binary(), name: content}
    if packed:
        path = tmp_path / "x.tar.gz"
        path.write_bytes(gzip.compress(tar(members)))
    else:
        path = unpack(members, tmp_path / "d")
    refused(path, name, *parts)


def data(protocol=2, **changes):
    values = {"data": np.zeros((N, 3072), np.uint8), "labels": [0] * N, **changes}
    return pickle.dumps({key: value for key, value in values.items() if value is not None}, protocol)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ["an empty file", "a pickled dict"]),
        (data()[:-5], ["a damaged or forbidden pickle"]),
        (b"<html>", ["a damaged or forbidden pickle"]),
        (pickle.dumps([1], 2), ["a pickled list", "a dict"]),
        (data(data=None), ["the keys 'labels'", "a key 'data'"]),
        (data(labels=None), ["the keys 'data'", "a key 'labels'"]),
        (data(data=[1]), ["a list under key 'data'", "uint8 of shape (N, 3072)"]),
        (data(data=np.zeros((N, 3072), np.int8)), ["int8 of shape (4, 3072) under key 'data'", "uint8"]),
        (data(data=np.zeros((N, 784), np.uint8)), ["uint8 of shape (4, 784) under key 'data'", "(N, 3072)"]),
        (data(data=np.zeros((0, 3072), np.uint8), protocol=4), ["shape (0, 3072)"]),
        (data(labels=[0] * 3), ["shape (3,) under key 'labels'", "(4,), one for each image"]),
        (data(labels=[0, 1, 2, -1]), ["label -1 at index 3", "from 0 to 9"]),
        (data(labels=[0, 1, 2, 10**30]), ["a list under key 'labels'", "a list of integers"]),
        (data(labels=[0, 1, 2, "3"]), ["a list under key 'labels'", "a list of integers"]),
        (data(labels=7), ["a int under key 'labels'", "a list of integers"]),
        (data(labels=np.zeros(N)), ["float64 labels", "integers"]),
    ],
)
def test_wrong_pickles_are_refused(tmp_path, content, parts):
    path = tmp_path / "x.tar.xz"
    path.write_bytes(lzma.compress(tar({**pickled(), f"{PY}/data_batch_2": content}), preset=0))
    refused(path, f"{PY}/data_batch_2", *parts)


@pytest.mark.parametrize("names", [None, "cat", list(CLASSES[::-1])], ids=["missing", "no list", "another order"])
def test_wrong_class_names_are_refused(tmp_path, names):
    meta = {"num_vis": 3072} if names is None else {"label_names": names}
    refused(unpack({**pickled(), f"{PY}/batches.meta": pickle.dumps(meta)}, tmp_path), f"{PY}/batches.meta")


@pytest.mark.parametrize("member", ["data_batch_1", "batches.meta"])
def test_a_malicious_pickle_is_refused_and_nothing_runs(tmp_path, member):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(gzip.compress(tar({**pickled(), f"{PY}/{member}": pickle.dumps({"data": Evil()}, 2)})))
    refused(path, f"{PY}/{member}", "system is not allowed in a data file")
    assert not (tmp_path / "ran").exists()


def test_missing_members_are_named(tmp_path):
    members = binary()
    meta = members.pop(f"{BIN}/batches.meta.txt")
    del members[FIRST], members[f"{BIN}/test_batch.bin"]
    path = tmp_path / "x.tar"
    path.write_bytes(tar(members))
    refused(path, "no batches.meta.txt, data_batch_1.bin", BIN)
    refused(path, "no CIFAR-10 test batches", f"{BIN} or {PY}", train=False)
    path.write_bytes(tar({f"{BIN}/batches.meta.txt": meta}))
    refused(path, "no test_batch.bin", train=False)
    path.write_bytes(tar({"other/file": b"x"}))
    refused(path, "no CIFAR-10 training batches", f"{BIN} or {PY}")
    refused(tmp_path, "no CIFAR-10 training batches")
    with pytest.raises(FileNotFoundError):
        read_cifar10(tmp_path / "nowhere")


def info(name, form=tarfile.REGTYPE, link=""):
    made = tarfile.TarInfo(name)
    made.type, made.linkname = form, link
    return made


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (info(f"../{FIRST}"), f"the member '../{FIRST}'"),
        (info(f"{BIN}/../../x"), f"the member '{BIN}/../../x'"),
        (info("/etc/passwd"), "the member '/etc/passwd'"),
        (info(f"{BIN}/link", tarfile.SYMTYPE, "/etc/passwd"), "a link or device"),
        (info(f"{BIN}/link", tarfile.LNKTYPE, FIRST), "a link or device"),
        (info(f"{BIN}/pipe", tarfile.FIFOTYPE), "a link or device"),
        (info(FIRST), "a second member of this name"),
    ],
    ids=lambda value: value.name if isinstance(value, tarfile.TarInfo) else "",
)
def test_members_that_should_not_be_there(tmp_path, member, said):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(tar({**binary(), member: b""})))
    refused(path, said)


def test_huge_members_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("minigrad.vision.cifar.LARGEST", 3073)
    (tmp_path / "x.tar").write_bytes(tar(binary()))
    refused(tmp_path / "x.tar", FIRST, "12,292 bytes", "at most 3,073")


@pytest.mark.parametrize("form", ["gz", "xz"])
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("piece", [512, 1 << 20])
def test_truncated_and_damaged_archives_are_refused(tmp_path, monkeypatch, form, train, piece):
    monkeypatch.setattr("minigrad.vision.cifar.PIECE", piece)
    path = tmp_path / "x"
    content = FORMS[form](tar(binary()))
    for share in (0.001, 0.3, 0.9):
        path.write_bytes(content[: int(share * len(content)) + 10])
        refused(path, "truncated or damaged archive", train=train)
    path.write_bytes(content[:-6])  # all members are whole, the checksum behind them is not
    refused(path, "truncated or damaged archive", train=train)
    path.write_bytes(content[: len(content) // 2] + bytes(100) + content[len(content) // 2 + 100 :])
    refused(path, "truncated or damaged archive", train=train)


def test_a_truncated_plain_tar_is_refused(tmp_path):
    path = tmp_path / "x.tar"
    path.write_bytes(tar(binary())[:20_000])
    refused(path, "truncated or damaged archive")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"PK\x03\x04" + bytes(600)], ids=["empty", "html", "zip"])
def test_files_that_are_no_archives_are_refused(tmp_path, content):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(content)
    refused(path, "an empty file" if not content else f"the first bytes {content[:6].hex(' ')}", ".tar.xz")


class TestLoading:
    @pytest.mark.parametrize("layout", ["cifar-10", "."])
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            (BIN, "binary layout, unpacked"),
            (PY, "pickled layout, unpacked"),
            ("cifar-10-binary.tar.gz", "binary layout, another archive than the published one: its checksum differs"),
            ("cifar-10-binary.tar.xz", "binary layout, another archive"),
            ("cifar-10-python.tar.gz", "pickled layout, another archive"),
        ],
    )
    def test_every_form_is_found(self, home, layout, name, said):
        members = pickled() if name in (PY, "cifar-10-python.tar.gz") else binary()
        (home / "d" / layout).mkdir(parents=True)
        if "tar" in name:
            content = FORMS[name[-2:]](tar(members))
            (home / "d" / layout / name).write_bytes(content)
        else:
            unpack(members, home / "d" / layout)
        arrays = load_arrays("cifar-10", home / "d", train=False, download=False, fallback=False)
        check((arrays.images, arrays.labels), False)
        assert said in arrays.source
        assert (arrays.name, arrays.classes, arrays.is_fallback) == ("cifar-10", CLASSES, False)
        assert arrays.files == (home / "d" / layout / name,)

    def test_the_published_archive_is_recognised(self, home, monkeypatch):
        content = gzip.compress(tar(binary()))
        published = Published("cifar-10-binary.tar.gz", hashlib.sha256(content).hexdigest())
        monkeypatch.setattr(files, "CIFAR10_BINARY", published)
        (home / "d").mkdir()
        (home / "d/cifar-10-binary.tar.gz").write_bytes(content)
        assert load_arrays("cifar-10", home / "d").source == "CIFAR-10 (binary layout, checksum verified)"

    @pytest.mark.parametrize("whole", [True, False])
    def test_download(self, home, monkeypatch, whole):
        """From a server in this process; what it sends must be the published bytes."""
        monkeypatch.setattr("time.sleep", lambda seconds: None)  # between pooch's tries
        content = gzip.compress(tar(pickled()))
        (home / "server").mkdir()
        (home / "server/cifar-10-python.tar.gz").write_bytes(content if whole else content[:-1])
        published = Published("cifar-10-python.tar.gz", hashlib.sha256(content).hexdigest())
        serve = functools.partial(Quiet, directory=home / "server")
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            mirrors = (f"http://127.0.0.1:{server.server_port}/",)
            monkeypatch.setattr(files, "CIFAR10", replace(files.CIFAR10, files=(published,), mirrors=mirrors))
            try:
                if whole:
                    dataset = ours.CIFAR10(home / "d", train=False, download=True)
                    np.testing.assert_array_equal(dataset.data, EXPECTED[False][0])
                    assert dataset.source == "CIFAR-10 (pickled layout, checksum verified)"
                    assert (home / "d/cifar-10/cifar-10-python.tar.gz").read_bytes() == content
                else:
                    with pytest.raises(DatasetNotFoundError, match="Error downloading cifar-10-python"):
                        ours.CIFAR10(home / "d", train=False, download=True)
                    assert not [path for path in (home / "d").rglob("*") if path.is_file()]
            finally:
                server.shutdown()

    def test_missing(self, home):
        arrays = load_arrays("cifar-10", home / "nowhere")
        assert arrays.is_fallback
        assert "in place of cifar-10" in arrays.source
        with pytest.raises(DatasetNotFoundError, match="Dataset not found") as caught:
            load_arrays("cifar-10", home / "nowhere", download=False, fallback=False)
        for part in ("cifar-10-python.tar.gz", "cifar-10-binary", ".tar.xz", str(home / "nowhere"), "download=True"):
            assert part in str(caught.value)

    def test_what_is_damaged_is_an_error_even_with_a_fallback(self, home):
        unpack({FIRST: b"x"}, home / "d")
        with pytest.raises(DataFileError, match=r"data_batch_1\.bin"):
            load_arrays("cifar-10", home / "d")


@pytest.fixture(scope="module")
def torchvision():
    return import_torchvision()


@pytest.mark.parametrize("train", [True, False])
class TestAsTorchvision:
    @pytest.fixture
    def make(self, home, torchvision, train):
        """Makes our data set and torchvision's, whose checksums are made to fit."""
        members = pickled(key=lambda text: text)
        unpack(members, home / "d")
        sums = {name.split("/")[1]: hashlib.md5(content).hexdigest() for name, content in members.items()}

        class CIFAR10(torchvision.datasets.CIFAR10):
            train_list = [[name, sums[name]] for name in BATCHES]  # noqa: RUF012
            test_list = [["test_batch", sums["test_batch"]]]  # noqa: RUF012
            meta = {"filename": "batches.meta", "key": "label_names", "md5": sums["batches.meta"]}  # noqa: RUF012

        return lambda our={}, their={}: (ours.CIFAR10(home / "d", train, **our), CIFAR10(home / "d", train, **their))

    def test_attributes_and_samples(self, make, train):
        our, their = make()
        assert (type(our.data), our.data.dtype, our.data.shape) == (np.ndarray, np.uint8, their.data.shape)
        np.testing.assert_array_equal(our.data, their.data)
        assert (type(our.targets), our.targets) == (list, their.targets)
        assert {type(label) for label in our.targets} == {int}
        assert (our.classes, our.class_to_idx, len(our), repr(our)) == (
            their.classes,
            their.class_to_idx,
            len(their),
            repr(their),
        )
        for i in (0, 2, -1):
            image, label = our[i]
            np.testing.assert_array_equal(image, np.asarray(their[i][0]))
            assert (type(label), label) == (int, their[i][1])

    def test_transformed(self, make, train):
        def pipeline(t):
            steps = t.Compose([t.ToTensor(), t.Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))])
            return {"transform": steps, "target_transform": t.Lambda(lambda label: label + 100)}

        our, their = make(pipeline(transforms), pipeline(torchvision_transforms()))
        image, label = our[3]
        np.testing.assert_array_equal(image.numpy(), their[3][0].numpy())
        assert label == their[3][1]
        assert repr(our) == repr(their)


def torchvision_transforms():
    import_torchvision()
    import torchvision.transforms

    return torchvision.transforms


class TestBatches:
    @pytest.fixture
    def folder(self, home):
        return unpack(binary(), home / "d")

    @pytest.mark.parametrize("transform", [None, transforms.ToTensor()], ids=["plain", "tensor"])
    @pytest.mark.parametrize("indices", [[0], [5, 2, 2, -1], np.array([7, 3])], ids=["one", "some", "array"])
    def test_batches_equal_collated_samples(self, folder, transform, indices):
        dataset = ours.CIFAR10(folder, transform=transform)
        found = dataset.__getbatch__(indices)
        expected = default_collate([dataset[i] for i in indices])
        for tensor, reference in zip(found, expected, strict=True):
            assert isinstance(tensor, minigrad.Tensor)
            assert tensor.dtype == reference.dtype
            np.testing.assert_array_equal(tensor.numpy(), reference.numpy())

    def test_samples_and_batches_are_copies(self, folder):
        dataset = ours.CIFAR10(folder)
        before = dataset.data.copy()
        dataset[0][0][...] += 1
        dataset.__getbatch__([0, 1])[0].numpy()[...] += 1
        np.testing.assert_array_equal(dataset.data, before)

    def test_a_changed_dataset_is_respected(self, folder):
        dataset = ours.CIFAR10(folder)
        dataset.data, dataset.targets = dataset.data[:3], [7, 8, 9]
        assert len(dataset) == 3
        assert dataset[2][1] == dataset.__getbatch__([2])[1].tolist()[0] == 9
        with pytest.raises(IndexError):
            dataset[3]

    def test_missing_files_raise_torchvisions_type(self, home):
        with pytest.raises(RuntimeError, match="Dataset not found"):
            ours.CIFAR10(home / "nowhere")


def test_the_real_test_part(real_data):
    arrays = load_arrays("cifar-10", real_data, train=False, download=False, fallback=False)
    assert arrays.images.shape == (10_000, 32, 32, 3)
    assert np.bincount(arrays.labels).tolist() == [1000] * 10
    assert arrays.labels[:5].tolist() == [3, 8, 8, 0, 6]
    assert "another archive" in arrays.source
    assert isinstance(arrays.files[0], Path)
