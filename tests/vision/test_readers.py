"""IDX and HDF5 files: what is right is read exactly, what is not is refused with the file's name."""

import gzip
import math

import h5py
import numpy as np
import pytest

from minigrad.vision.readers import (
    IDX_DTYPES,
    DataFileError,
    check_labels,
    read_course,
    read_hdf5,
    read_idx,
    read_idx_pair,
)


def idx_bytes(array):
    code = next(code for code, letters in IDX_DTYPES.items() if np.dtype(letters) == array.dtype.newbyteorder(">"))
    header = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def refused(path, read, *parts):
    with pytest.raises(DataFileError) as caught:
        read(path)
    message = str(caught.value)
    for part in (str(path), "found", "expected", *parts):
        assert part in message
    return message


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4), (0, 28, 28), (1, 2, 3, 4)], ids=str)
@pytest.mark.parametrize("letters", ["u1", "i1", "i2", "i4", "f4", "f8"])
def test_every_dtype_round_trips(tmp_path, letters, shape, zipped):
    dtype = np.dtype(letters)
    low, high = (-1e30, 1e30) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    array = np.linspace(low, high, math.prod(shape)).astype(dtype).reshape(shape)
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(idx_bytes(array)) if zipped else idx_bytes(array))
    read = read_idx(path)
    assert read.dtype == dtype
    assert read.dtype.isnative
    assert read.flags.writeable
    np.testing.assert_array_equal(read, array)


GOOD = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ["an empty file"]),
        (gzip.compress(b"", mtime=0), ["an empty file"]),
        (GOOD[:-1], ["23 bytes", "24 for shape (2, 3, 4) of uint8", "truncated"]),
        (GOOD + b"x", ["25 bytes", "24 for shape", "followed by something else"]),
        (GOOD[:10], ["cut off after 10 bytes", "16 bytes of header"]),
        (GOOD[:4], ["cut off after 4 bytes", "16 bytes of header"]),
        (GOOD[:2], ["the first bytes 00 00"]),
        (b"<!DOCTYPE html>", ["3c 21 44 4f", "<!DO", "08, 09, 0b, 0c, 0d, 0e"]),
        (b"\0\0\x0a" + GOOD[3:], ["00 00 0a 03"]),
        (b"\0\0\x08\0" + GOOD[4:], ["00 00 08 00"]),
        (b"\0\0\x08\xff" + GOOD[4:], ["00 00 08 ff"]),
        (b"\0\0\x08\x03" + b"\xff" * 12 + GOOD, ["truncated"]),
        (gzip.compress(GOOD, mtime=0)[:-9], ["broken gzip", "a whole gzip file"]),
        (gzip.compress(GOOD, mtime=0)[:12], ["broken gzip"]),
        (gzip.compress(GOOD, mtime=0) + b"junk", ["broken gzip"]),
        (gzip.compress(GOOD, mtime=0)[:-8] + bytes(8), ["broken gzip", "CRC"]),
        (gzip.compress(GOOD, mtime=0)[:10] + b"\xff" * 30, ["broken gzip"]),
    ],
    ids=lambda value: repr(value[:8]) if isinstance(value, bytes) else "",
)
def test_wrong_idx_files_are_refused(tmp_path, content, parts):
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    refused(path, read_idx, *parts)


def test_a_missing_file_is_named(tmp_path):
    for read in (read_idx, lambda path: read_hdf5(path, ["x"])):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            read(tmp_path / "nowhere")


def test_errors_survive_pickling(tmp_path):
    import pickle

    error = DataFileError(tmp_path / "x", "this", "that")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


class TestPairs:
    @staticmethod
    def write(folder, images, labels):
        paths = folder / "images", folder / "labels"
        for path, array in zip(paths, (images, labels), strict=True):
            path.write_bytes(idx_bytes(array))
        return paths

    images = np.arange(3 * 784, dtype=np.uint8).reshape(3, 28, 28)
    labels = np.array([0, 9, 5], dtype=np.uint8)

    def test_read(self, tmp_path):
        images, labels = read_idx_pair(*self.write(tmp_path, self.images, self.labels))
        np.testing.assert_array_equal(images, self.images)
        np.testing.assert_array_equal(labels, self.labels)
        assert labels.dtype == np.int64

    @pytest.mark.parametrize(
        ("images", "labels", "named", "found", "expected"),
        [
            (
                images,
                np.array([0, 10, 12], np.uint8),
                "labels",
                "label 10 at index 1 (2 such labels)",
                "from 0 to 9",
            ),
            (images, np.array([0, -1, 2], np.int8), "labels", "label -1 at index 1", "from 0 to 9"),
            (images, np.array([0, 1, 2], np.float32), "labels", "float32 labels", "integers of shape (N,)"),
            (images, labels[:2], "labels", "2 labels", "3, one for each image"),
            (images, images, "labels", "uint8 labels of shape (3, 28, 28)", "integers of shape (N,)"),
            (labels, labels, "images", "uint8 of shape (3,)", "uint8 images of shape (N, 28, 28)"),
            (images[:, :, :14], labels, "images", "uint8 of shape (3, 28, 14)", "(N, 28, 28)"),
            (images[:0], labels[:0], "images", "uint8 of shape (0, 28, 28)", "(N, 28, 28)"),
            (images.astype(np.int16), labels, "images", "int16 of shape", "uint8 images"),
        ],
    )
    def test_wrong_pairs_are_refused(self, tmp_path, images, labels, named, found, expected):
        paths = self.write(tmp_path, images, labels)
        with pytest.raises(DataFileError) as caught:
            read_idx_pair(*paths)
        message = str(caught.value)
        assert message.startswith(str(tmp_path / named))
        assert found in message.split("expected")[0]
        assert expected in message.split("expected")[1]


def test_check_labels_allows_exactly_the_classes():
    assert check_labels(np.array([0, 2]), 3, "file").tolist() == [0, 2]
    with pytest.raises(DataFileError, match="label 3 at index 0"):
        check_labels(np.array([3]), 3, "file")


class TestHDF5:
    @pytest.fixture
    def path(self, tmp_path):
        with h5py.File(tmp_path / "data.hdf5", "w") as file:
            file.create_dataset("human", data=np.ones((51, 20)), compression="gzip")
            file["machine"] = -np.ones((51, 20), dtype=np.int32)
            file["name"] = "a string"
            file["empty"] = np.ones((0, 20))
            file.create_group("group")
        return tmp_path / "data.hdf5"

    def test_read(self, path):
        arrays = read_hdf5(path, {"human": (None, 20), "machine": (51, None)})
        assert {key: (array.shape, str(array.dtype)) for key, array in arrays.items()} == {
            "human": ((51, 20), "float64"),
            "machine": ((51, 20), "int32"),
        }
        np.testing.assert_array_equal(read_hdf5(path, ["machine"])["machine"], -np.ones((51, 20)))

    @pytest.mark.parametrize(
        ("keys", "parts"),
        [
            (["xdata"], ["the keys 'empty', 'group', 'human', 'machine', 'name'", "a key 'xdata'"]),
            ({"human": (None, 784)}, ["shape (51, 20) under key 'human'", "(N, 784)"]),
            ({"human": (None,)}, ["shape (51, 20)", "(N,)"]),
            (["empty"], ["shape (0, 20) under key 'empty'"]),
            (["group"], ["a group under key 'group'", "an array of numbers"]),
            (["name"], ["object values under key 'name'", "an array of numbers"]),
        ],
    )
    def test_wrong_keys_are_refused(self, path, keys, parts):
        refused(path, lambda path: read_hdf5(path, keys), *parts)

    def test_files_that_are_no_hdf5_are_refused(self, tmp_path):
        path = tmp_path / "x.hdf5"
        path.write_bytes(b"")
        refused(path, lambda path: read_hdf5(path, ["x"]), "an empty file", "HDF5")
        path.write_bytes(b"<!DOCTYPE html>")
        refused(path, lambda path: read_hdf5(path, ["x"]), "<!DOCTYP", "HDF5")

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
    def test_truncated_files_are_refused(self, path, share):
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        refused(path, lambda path: read_hdf5(path, ["human"]), "truncated or damaged")

    def test_damaged_blocks_are_refused(self, path):
        with h5py.File(path) as file:
            block = file["human"].id.get_chunk_info(0)
        content = bytearray(path.read_bytes())
        content[block.byte_offset : block.byte_offset + block.size] = bytes(block.size)
        path.write_bytes(content)
        refused(path, lambda path: read_hdf5(path, ["human"]), "truncated or damaged")

    def test_without_h5py_one_line_says_how_to_get_it(self, path, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "h5py", None)
        with pytest.raises(ImportError, match=r"^h5py is not installed: pip install 'minigrad-numpy\[data\]'$"):
            read_hdf5(path, ["human"])


class TestCourse:
    pixels = np.arange(2500 * 784, dtype=np.uint8).reshape(2500, 28, 28)
    labels = np.arange(2500) % 10

    @pytest.fixture
    def arrays(self):
        x = self.pixels.reshape(-1, 784).astype(np.float32) / 256
        return {"xdata": x, "ydata": np.eye(10)[self.labels]}

    @staticmethod
    def write(path, arrays):
        with h5py.File(path, "w") as file:
            for key, array in arrays.items():
                file[key] = array
        return path

    def test_read(self, tmp_path, arrays):
        pixels, labels = read_course(self.write(tmp_path / "x", arrays))
        np.testing.assert_array_equal(pixels, self.pixels)
        np.testing.assert_array_equal(labels, self.labels)
        assert (pixels.dtype, labels.dtype) == (np.uint8, np.int64)

    @pytest.mark.parametrize("value", [1.0, -1 / 256, 1 / 255, np.nan, np.inf, 300.0])
    def test_pixels_must_be_multiples_of_one_256th(self, tmp_path, arrays, value):
        arrays["xdata"][2100, 5] = value
        refused(
            self.write(tmp_path / "x", arrays),
            read_course,
            "row 2100 of 'xdata'",
            "pixel/256, from 0 to 0.99609375",
        )

    @pytest.mark.parametrize(
        "row", [np.zeros(10), np.ones(10), np.eye(10)[3] * 2, np.full(10, 0.1), np.full(10, np.nan)]
    )
    def test_labels_must_be_one_hot(self, tmp_path, arrays, row):
        arrays["ydata"][7] = row
        refused(self.write(tmp_path / "x", arrays), read_course, "row 7 of 'ydata'", "one 1 and nine 0")

    def test_rows_must_agree(self, tmp_path, arrays):
        arrays["ydata"] = arrays["ydata"][:-1]
        refused(self.write(tmp_path / "x", arrays), read_course, "2,500 rows of 'xdata' and 2,499 of 'ydata'")
