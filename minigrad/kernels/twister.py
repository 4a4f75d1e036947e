"""The words of a Mersenne twister, written into arrays that are there already.

mt19937 (Matsumoto and Nishimura, 1998, https://doi.org/10.1145/272991.272995) makes 624 words of 32 bits at a time: the
twist. What it gives out is each of them in turn, *tempered*: xored with some of its own bits, shifted. NumPy's twister
does both, but hands the words out in new arrays. Its block of 624 lies open, though (`MT19937.ctypes`), so they can be
copied from there and tempered all at once; and of what nobody looks at, the tempering can be left out.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.random
    from numpy.typing import NDArray

LENGTH = 624  #: words in a block

# as arrays, which ufuncs take faster than Python's numbers
U, S, T, L = (np.asarray(n, np.uint32) for n in (11, 7, 15, 18))
B, C = (np.asarray(n, np.uint32) for n in (0x9D2C5680, 0xEFC60000))


class Block:
    """The block that a twister of NumPy's draws from, where it lies in memory.

    Attributes:
        words: (624,) of uint32, not yet tempered.
        position: (1,) of uint32, how many of them have been given out.
        found: whether they lie there: another version of NumPy may keep them elsewhere.
    """

    def __init__(self, twister: numpy.random.MT19937) -> None:
        self._twister = twister  # whose memory it is
        self._memory = (ctypes.c_uint32 * (LENGTH + 1)).from_address(twister.ctypes.state_address)
        state = np.ctypeslib.as_array(self._memory)
        self.words, self.position = state[:LENGTH], state[LENGTH:]
        known: Any = twister.state["state"]
        self.found = self.position[0] == known["pos"] and np.array_equal(self.words, known["key"])

    def fill(self, out: NDArray[np.uint32]) -> None:
        """Write the next words into `out` (n,), not yet tempered; the twister goes on behind them."""
        used = int(self.position[0])
        have = min(LENGTH - used, len(out))
        out[:have] = self.words[used : used + have]
        self.position[0] = used + have
        rest = (len(out) - have) % LENGTH
        block, room = self.words.view(np.uint8).data, out.view(np.uint8).data  # these copy faster than arrays
        for start in range(4 * have, 4 * (len(out) - rest), 4 * LENGTH):
            self.twist()
            room[start : start + 4 * LENGTH] = block
        if rest:
            self.twist()
            out[-rest:] = self.words[:rest]
        if have < len(out):
            self.position[0] = rest or LENGTH

    def twist(self) -> None:
        """Make the next block."""
        self._memory[LENGTH] = LENGTH
        self._twister.random_raw(output=False)  # it twists first, and then takes a word


def temper(words: NDArray[np.uint32], scratch: NDArray[np.uint32]) -> None:
    """Make of a block's words those that the twister gives out, in place; `scratch` is of their shape.

    >>> words = np.array([1, 2], np.uint32)
    >>> temper(words, np.empty_like(words))
    >>> words.tolist()
    [4194449, 2]
    """
    np.right_shift(words, U, out=scratch)
    np.bitwise_xor(words, scratch, out=words)
    np.left_shift(words, S, out=scratch)
    np.bitwise_and(scratch, B, out=scratch)
    np.bitwise_xor(words, scratch, out=words)
    np.left_shift(words, T, out=scratch)
    np.bitwise_and(scratch, C, out=scratch)
    np.bitwise_xor(words, scratch, out=words)
    np.right_shift(words, L, out=scratch)
    np.bitwise_xor(words, scratch, out=words)
