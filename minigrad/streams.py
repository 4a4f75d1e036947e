"""The stream of random 32-bit words, and how numbers are made from it.

How the stream works
--------------------
A `Generator` is the Mersenne twister mt19937 (Matsumoto and Nishimura, 1998), started by its authors'
``init_genrand`` from the low 32 bits of the seed. It yields an endless sequence of 32-bit words. NumPy has the
same twister and the same start; this module adds how each type of draw turns words into numbers.

Every draw takes the next words, in the order of the elements that it makes (C order):

* a **word** has 32 bits; a **double word** is two of them, the first one in the high bits;
* a **unit** lies in [0, 1): for float32 the low 24 bits of a word times 2⁻²⁴, for float64 the low 53 bits of
  a double word times 2⁻⁵³ (float16 draws are float32 draws, rounded);
* `rand`, `uniform` and `bernoulli_from` take a unit of their dtype for each element;
* `bernoulli`, `exponential` and `multinomial` take float64 units for any dtype;
* `randint`, `random` and `randperm` take a word modulo the range, or a double word where that is large;
* `randn` and `normal` take units in pairs and make two normal numbers of each (Box and Muller, 1958). From 16
  elements on they work in blocks of 16; fewer are made one by one, and when their number is odd the last
  pair's second number is kept for the next such draw.

An additional draw shifts all later ones, so a program gets PyTorch's numbers if it makes PyTorch's draws in
PyTorch's order. Checked against PyTorch 2.13.0 on the CPU: bit-equal, but for draws that need a logarithm
or a sine, and for float64 `uniform`, which agree up to the last bits. (PyTorch built with
a vendor's random number library draws `bernoulli` and `exponential` differently on that vendor's processors.)

"""

from __future__ import annotations

import math
import os
import warnings
from functools import cached_property
from operator import index
from threading import Lock
from typing import TYPE_CHECKING, Any, Self, SupportsIndex, TypeAlias

import numpy as np

from minigrad.tensor import Tensor
from minigrad.watch import read

if TYPE_CHECKING:
    import numpy.random
    from numpy.typing import ArrayLike, DTypeLike

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Shape: TypeAlias = SupportsIndex | tuple[SupportsIndex, ...] | list[int]

FLOAT64 = np.dtype(np.float64)
WORD, LOW24, LOW53 = np.uint64(32), np.uint64(2**24 - 1), np.uint64(2**53 - 1)

#: What a new `Generator` starts from, as in PyTorch.
DEFAULT_SEED = 67280421310721

#: Integers from a range of this size or more take a double word each.
WIDE_RANGE = 2**28

#: How many numbers `Generator.random` draws from: the integers from 0 that the dtype holds (exactly, if it is a float).
SPANS = {
    np.dtype(dtype): span
    for dtype, span in {
        "bool": 2,
        "uint8": 2**8,
        "int8": 2**7,
        "int16": 2**15,
        "int32": 2**31,
        "int64": 2**63,
        "float16": 2**11 + 1,
        "float32": 2**24 + 1,
        "float64": 2**53 + 1,
    }.items()
}

#: The bytes of a generator's state, as PyTorch lays them out.
STATE = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),  # how many words are left in the block, plus one
        ("seeded", "<i4"),
        ("next", "<u8"),
        ("key", "<u8", 624),  # the block
        ("normal_x", "<f8"),
        ("normal_y", "<f8"),  # the normal number kept
        ("normal_rho", "<f8"),
        ("normal_kept", "<i4"),
        ("rest", "V12"),
    ]
)


class Stream:
    """A stream of random words, and its state; `minigrad.random.Generator` draws from it."""

    device = "cpu"

    def __init__(self, device: str = "cpu") -> None:
        if str(device).split(":")[0] != "cpu":
            raise RuntimeError(f"Generator: there is no device {str(device)!r}, only 'cpu'")
        self._lock = Lock()
        self.manual_seed(DEFAULT_SEED)

    def __repr__(self) -> str:
        return f"<minigrad.Generator, seed {self._seed}>"

    # -- seed and state

    def manual_seed(self, seed: int) -> Self:
        """Restart the stream from a seed, and return the generator.

        Args:
            seed: from -2⁶³ to 2⁶⁴ - 1; a negative one stands for ``seed + 2**64``. Only 32 bits count.

        Raises:
            RuntimeError: if it is not an integer.
            ValueError: if it is out of that range.
        """
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise RuntimeError(f"manual_seed expected an int, but got {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed expected a seed from -2**63 to 2**64 - 1, but got {seed}")
        read("the state of a generator is set")
        self._seed = int(seed) % 2**64
        self._kept_normal: float | None = None
        if "_twister" in self.__dict__:
            self._twister._legacy_seeding(self._seed % 2**32)
        return self

    def initial_seed(self) -> int:
        """The seed that the stream was started from."""
        return self._seed

    def seed(self) -> int:
        """Start the stream from a seed that the operating system draws, and return that seed."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def clone_state(self) -> Self:
        """Another generator that continues from the same state."""
        return type(self)().set_state(self._state())

    def get_state(self) -> Tensor:
        """The state as bytes, (5056,) of uint8, in PyTorch's own layout."""
        return Tensor.wrap(self._state())

    def _state(self) -> Array:
        twister: Any = self._twister.state["state"]
        state = np.zeros(1, STATE)
        state["seed"], state["seeded"] = self._seed, 1
        state["key"], state["next"], state["left"] = twister["key"], twister["pos"], 625 - twister["pos"]
        if self._kept_normal is not None:
            state["normal_y"], state["normal_kept"] = self._kept_normal, 1
        return state.view(np.uint8)

    def set_state(self, state: Tensor | ArrayLike) -> Self:
        """Continue from a state that `get_state` returned, here or in PyTorch; returns the generator.

        Raises:
            TypeError: if it is not a tensor (or array) of bytes.
            RuntimeError: if it has another size, or is not the state of a generator.
        """
        found = state.array if isinstance(state, Tensor) else np.asarray(state)
        if found.dtype != np.uint8:
            raise TypeError(f"set_state expected a tensor of uint8, but got {found.dtype}")
        if found.size != STATE.itemsize:
            raise RuntimeError(f"set_state expected a state of {STATE.itemsize} bytes, but got {found.size}")
        fields = np.frombuffer(found.tobytes(), STATE)[0]
        if fields["seeded"] != 1 or not 1 <= fields["left"] <= 624:
            raise RuntimeError("set_state: these bytes are not the state of a generator")
        read("the state of a generator is set")
        self._seed = int(fields["seed"])
        self._kept_normal = float(fields["normal_y"]) if fields["normal_kept"] else None
        block: Any = {"key": fields["key"].astype(np.uint32), "pos": 625 - int(fields["left"])}
        self._twister.state = {"bit_generator": "MT19937", "state": block}
        return self

    # -- words and units

    @cached_property
    def _twister(self) -> numpy.random.MT19937:
        """NumPy's twister, made at the first draw: importing `numpy.random` takes a while."""
        from numpy.random import MT19937

        twister = MT19937(0)
        twister._legacy_seeding(self._seed % 2**32)
        return twister

    @cached_property
    def _numpy(self) -> numpy.random.Generator:
        from numpy.random import Generator

        return Generator(self._twister)

    def _words(self, count: int) -> Array:
        """The next words, as uint64."""
        read("random numbers are drawn")
        with self._lock:
            return self._twister.random_raw(count)

    def _double_words(self, count: int) -> Array:
        """The next double words, as uint64."""
        read("random numbers are drawn")
        if count > 400:  # faster, but slower to start
            with self._lock:
                return self._numpy.integers(0, 2**64, count, dtype=np.uint64)
        with self._lock:
            words = self._twister.random_raw(2 * count)
        return words[::2] << WORD | words[1::2]

    def _units(self, count: int, dtype: np.dtype[Any]) -> Array:
        """The next units, as float64 or float32."""
        if dtype == FLOAT64:
            return self._long_units(count) * 2.0**-53
        bits = self._words(count)
        bits &= LOW24
        return bits.astype(np.float32) * np.float32(2.0**-24)

    def _long_units(self, count: int) -> Array:
        """The next float64 units times 2⁵³, as uint64."""
        bits = self._double_words(count)
        bits &= LOW53
        return bits


def sized(shape: Shape) -> tuple[tuple[int, ...], int]:
    """The shape as a tuple, and how many elements it has."""
    sizes = tuple(map(index, shape)) if isinstance(shape, (tuple, list)) else (index(shape),)
    if sizes and min(sizes) < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(sizes)}: {list(sizes)}")
    return sizes, math.prod(sizes)


def held(low: int, high: int, dtype: np.dtype[Any]) -> tuple[int, int]:
    """The range of integers, rounded inwards as in PyTorch if a float dtype cannot hold its ends exactly.

    Raises:
        RuntimeError: if they are out of the dtype's bounds.
    """
    floats = dtype.kind == "f"
    least, most = (0, 1) if dtype == np.bool_ else (np.finfo(dtype).min, np.finfo(dtype).max) if floats else (
        np.iinfo(dtype).min, np.iinfo(dtype).max
    )  # fmt: skip
    for word, end in (("from", low), ("to - 1", high - 1)):
        if not least <= end <= most:
            raise RuntimeError(f"randint: from={low} to={high} is out of bounds for {dtype}")
        digits = SPANS[dtype] - 1
        if floats and abs(end) > digits:
            warnings.warn(
                f"{word} is out of bounds [-{digits}, {digits}]. Due to precision limitations {dtype} can support "
                "discrete uniform distribution only within this range.",
                stacklevel=5,
            )
    if floats:
        bits = int(SPANS[dtype] - 1).bit_length()
        for end in (low + 1, high - 1):
            step = 2 ** max(abs(end).bit_length() - bits + 1, 0)
            near = int(dtype.type(end))
            if end == low + 1 and near < low:
                low = near + step
            elif end == high - 1 and near >= high:
                high = near - step
    return low, high


def floating(draw: str, dtype: DTypeLike, error: type[Exception] = NotImplementedError) -> np.dtype[Any]:
    """The dtype of a draw of floats.

    Raises:
        NotImplementedError: if it is not one of floats; another error if given.
    """
    dtype = np.dtype(dtype)
    if dtype.kind != "f" or dtype.itemsize > 8:
        raise error(f"{draw} is for float16, float32 and float64, not for {dtype}")
    return dtype


def stretched(numbers: Array, scale: float, shift: float, dtype: np.dtype[Any]) -> Array:
    """numbers · scale + shift, rounded to the dtype only once, as a fused multiply-add does it."""
    if (scale, shift) == (1.0, 0.0):
        return numbers.astype(dtype, copy=False)
    wide = np.multiply(numbers, scale, dtype=FLOAT64)
    wide += shift
    return wide.astype(dtype, copy=False)


def box_muller(units: Array, out: Array) -> None:
    """Fill `out` with normal numbers made from as many units, a multiple of 16."""
    units, out = units.reshape(-1, 2, 8), out.reshape(-1, 2, 8)
    radius = np.sqrt(-2 * np.log(1 - units[:, 0]))
    angle = units[:, 1] * units.dtype.type(2 * math.pi)
    np.multiply(radius, np.cos(angle), out=out[:, 0])
    np.multiply(radius, np.sin(angle), out=out[:, 1])


def stable_order(keys: Array) -> Array:
    """``keys.argsort(kind="stable")`` for keys below 2³², 16 bits at a time (NumPy sorts those by radix)."""
    order = keys.astype(np.uint16).argsort(kind="stable")
    if keys.max() >= 2**16:
        order = order[(keys[order] >> 16).astype(np.uint16).argsort(kind="stable")]
    return order
