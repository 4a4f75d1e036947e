"""Every count against one made by walking through the sequence."""

from itertools import groupby

import numpy as np
import pytest

from experiments.human_machine import features as human_features
from experiments.human_machine.features import FEATURES, standardised

X = np.random.default_rng(0).choice(np.array([-1, 1], np.float32), (40, 20))
X[0], X[1], X[2] = 1, -1, np.tile([1, -1], 10)


def lengths(row):
    return [len(list(run)) for _, run in groupby(row)]


def test_alternations():
    counted = human_features.unusual_alternations(X)
    for row, (count, square) in zip(X, counted, strict=True):
        assert count == len(lengths(row)) - 1
        assert square == (count - 9.5) ** 2
    assert human_features.alternations(X)[:3, 0].tolist() == [0, 0, 19]


def test_runs():
    counted, longest = human_features.runs(X), human_features.longest_run(X)
    for row, counts, (most,) in zip(X, counted, longest, strict=True):
        assert [sum(length == n for length in lengths(row)) for n in range(1, 21)] == counts.tolist()
        assert most == max(lengths(row))
    np.testing.assert_array_equal(counted @ np.arange(1, 21), 20)
    few = human_features.run_lengths(X)
    np.testing.assert_array_equal(few[:, :6], counted[:, :6])
    np.testing.assert_array_equal(few[:, 6], counted[:, 6:].sum(1))


def test_agreements():
    counted = human_features.agreements(X)
    for i, row in enumerate(X):
        for d in range(1, 11):
            expected = np.mean([row[j] * row[j + d] for j in range(20 - d)])
            assert counted[i, d - 1] == pytest.approx(expected, abs=1e-6)


def test_patterns():
    counted = human_features.patterns(X)
    assert (counted.sum(1) == 17).all()
    assert counted[0, 15] == counted[1, 0] == 17
    assert (counted[2, 0b0101], counted[2, 0b1010]) == (9, 8)  # the first value is the lowest bit


@pytest.mark.parametrize("name", FEATURES)
def test_all_are_arrays_of_floats_that_only_depend_on_their_row(name):
    counted = FEATURES[name](X)
    assert counted.dtype == np.float32
    assert counted.shape[0] == 40
    np.testing.assert_array_equal(FEATURES[name](X[5:9]), counted[5:9])


def test_only_the_raw_values_know_a_sequence_from_its_opposite():
    same = [name for name, count in FEATURES.items() if (count(X) == count(-X)).all()]
    assert len(FEATURES) - len(same) == 3  # the values themselves, and the patterns


def test_standardised_by_the_training_part():
    train, other = standardised(X[:30] * 3 + 1, X[30:] * 3 + 1)
    np.testing.assert_allclose(train.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(train.std(0), 1, atol=1e-6)
    assert abs(other.mean(0)).max() > 0.01
    constant, _ = standardised(np.ones((3, 2), np.float32), np.ones((1, 2), np.float32))
    assert (constant == 0).all()
