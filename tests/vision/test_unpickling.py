"""The restricted unpickler: what data files hold is read exactly, whatever else a pickle names is not run."""

import os
import pickle
import pickletools

import numpy as np
import pytest

from minigrad.vision.unpickling import ALLOWED, unpickle


def same(found, expected):
    assert isinstance(found, np.ndarray)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(5, dtype=">i4"),
        np.array([True, False]),
        np.array(3, dtype=np.int16),
    ],
    ids=lambda array: f"{array.dtype}-{array.shape}",
)
def test_arrays_round_trip(array, protocol):
    same(unpickle(pickle.dumps(array, protocol)), array)
    values = unpickle(pickle.dumps({b"data": array, "labels": [1, -2, 3.5, None, "é"], 7: (b"x",)}, protocol))
    assert list(values) == ["data", "labels", "7"]
    same(values["data"], array)
    assert values["labels"] == [1, -2, 3.5, None, "é"]
    assert values["7"] == (b"x",)


def test_python_2_and_numpy_1():
    """What Python 2 wrote: strings of bytes (opcodes U and T), and NumPy under its old name."""
    string = lambda text: b"U" + bytes([len(text)]) + text
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85" + string(b"b") + b"tR"
        b"(K\x01K\x02K\x03\x86cnumpy\ndtype\n(" + string(b"u1") + b"K\0K\x01tR(K\x03" + string(b"|") + b"NNN"
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T\x06\0\0\0\xfe\xff\0\x01\x02\x03tb"
    )
    values = unpickle(b"\x80\x02}(" + string(b"data") + array + string(b"names") + b"]" + string(b"cat") + b"au.")
    same(values["data"], np.array([[254, 255, 0], [1, 2, 3]], np.uint8))
    assert values["names"] == [b"cat"]


class Calls:
    """Its pickle calls `function` when it is read."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("function", [os.system, eval, exec, __import__, getattr, open, os.mkdir, np.fromfile, print])
def test_calls_are_refused_and_not_made(tmp_path, monkeypatch, function, protocol):
    ran = tmp_path / "ran"
    argument = {os.system: f"touch {ran}", eval: f"open({str(ran)!r}, 'w')", exec: f"open({str(ran)!r}, 'w')"}
    content = pickle.dumps({"data": Calls(function, argument.get(function, str(ran)))}, protocol)
    with pytest.raises(pickle.UnpicklingError, match=f"{function.__name__} is not allowed in a data file"):
        unpickle(content)
    assert not ran.exists()


def test_the_malicious_pickle_would_run(tmp_path):
    """Read by `pickle.loads`, the pickle of the test above does what it says: the test can fail."""
    pickle.loads(pickle.dumps(Calls(os.system, f"touch {tmp_path / 'ran'}")))
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (pickle.dumps(np.array([print], dtype=object)), "print is not allowed"),
        (pickle.dumps(np.array([1, "x"], dtype=object)), "arrays of 'O8' are not allowed"),
        (pickle.dumps(np.array(["x"])), "arrays of 'U1' are not allowed"),
        (pickle.dumps(np.array(["2020-01-01"], "M8[D]")), "arrays of 'M8"),
        (pickle.dumps(np.zeros(2, [("x", "u1")])), "arrays of 'V1'"),
        (pickle.dumps(np.float64(1)), "scalar is not allowed"),
        (pickle.dumps({1, 2}, 2), "set is not allowed"),
        (pickle.dumps(Calls(bytearray, 10**15)), "builtins.bytearray is not allowed"),
        (pickle.dumps(Calls(np.ndarray, (3,))), "without values"),
        (b"\x80\x02c_codecs\nencode\n(X\1\0\0\0xX\5\0\0\0rot13tR.", "'rot13' is not allowed"),
        (b"\x80\x02c_codecs\nencode.x\n.", "encode.x is not allowed"),
        (b"\x80\x04\x8c\x07_codecs\x8c\x0fencode.__call__\x93.", "encode.__call__ is not allowed"),
        (b"\x80\x02\x82\x01.", "unregistered extension code"),
        (b"\x80\x02X\1\0\0\0xQ.", "persistent"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_things_are_refused(content, said):
    with pytest.raises(pickle.UnpicklingError, match=said):
        unpickle(content)


def test_a_pickle_cannot_change_the_stand_ins():
    """Opcode b sets attributes of what lies on the stack; on a function that would last."""
    unpickle(b"\x80\x02c_codecs\nencode\nN}X\1\0\0\0xK\1s\x86b0N.")
    assert unpickle(pickle.dumps(b"\xe9", 2)) == b"\xe9"
    for function in ALLOWED.values():
        assert not hasattr(function, "x")


WHOLE = pickle.dumps({"data": np.arange(300, dtype=np.uint8), "labels": list(range(9))}, 2)


def test_truncated_pickles_are_refused():
    for end in range(len(WHOLE)):
        with pytest.raises(pickle.UnpicklingError):
            unpickle(WHOLE[:end])


def test_damaged_pickles_end_in_one_type_of_error():
    rng = np.random.default_rng(0)
    opcodes = [op.code.encode("latin1")[0] for op in pickletools.opcodes if op.code not in "jrLIFVJ"]
    refused = 0
    for _ in range(400):
        content = bytearray(WHOLE)
        content[rng.integers(2, 120)] = rng.choice(opcodes)
        try:
            unpickle(bytes(content))
        except pickle.UnpicklingError:
            refused += 1
    assert refused > 200
