"""The words that lie in a twister's memory are those that it gives out."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.random import MT19937

from minigrad.kernels.twister import Block, temper


@pytest.mark.parametrize("before", [0, 1, 10, 623, 624, 700])
@pytest.mark.parametrize("count", [0, 1, 5, 614, 624, 1300, 5000])
def test_the_same_words(before, count):
    ours, theirs = MT19937(3), MT19937(3)
    ours.random_raw(before)
    theirs.random_raw(before)
    words = np.empty(count, np.uint32)
    Block(ours).fill(words)
    temper(words, np.empty_like(words))
    np.testing.assert_array_equal(words, theirs.random_raw(count).astype(np.uint32))
    np.testing.assert_array_equal(ours.random_raw(3), theirs.random_raw(3))


def test_it_stays_a_view_of_the_twister():
    twister = MT19937(3)
    block = Block(twister)
    twister.state = MT19937(9).state
    words = np.empty(700, np.uint32)
    block.fill(words)
    temper(words, np.empty_like(words))
    np.testing.assert_array_equal(words, MT19937(9).random_raw(700).astype(np.uint32))


def test_another_layout_is_noticed():
    one, other = MT19937(1), MT19937(2)
    assert Block(one).found
    assert not Block(SimpleNamespace(ctypes=one.ctypes, state=other.state)).found
