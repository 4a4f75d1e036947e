"""Errors, where they are, and what can't be compared."""

import numpy as np
import pytest

from minigrad.testing.compare import compare, compare_all

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("ours", "theirs", "error"),
    [
        ([3.0, 4.0], [3.0, 4.0], 0.0),
        ([3.0, 4.5], [3.0, 4.0], 0.1),
        ([0.0, 0.25], [0.0, 0.0], 0.25),
        ([NAN, INF, -INF], [NAN, INF, -INF], 0.0),
        ([NAN, 1.0], [0.0, 1.0], INF),
        ([INF, 1.0], [1.0, 1.0], INF),
        ([INF], [-INF], INF),
        ([], [], 0.0),
        (None, [0.0], 0.0),
        (None, None, 0.0),
        ([1.0], None, INF),
    ],
)
def test_the_error_is_relative_to_the_norm(ours, theirs, error):
    ours, theirs = (None if a is None else np.array(a) for a in (ours, theirs))
    assert compare("x", ours, theirs, 1e-10).error == pytest.approx(error)


def test_integers_and_booleans_compare_too():
    assert compare("x", np.array(2), np.array(2), 0.0).passed
    assert compare("x", np.array([True, False]), np.array([True, True]), 0.5).index == (1,)


def test_other_dtypes_are_a_difference():
    found = compare("x", np.ones(2, np.float32), np.ones(2), 1e-5)
    assert not found.passed
    assert str(found) == "x: its dtype is float32 here, float64 there"


def test_numbers_are_shown_with_as_many_digits_as_they_need():
    assert "1.0000000001 against 1" in str(compare("x", np.array([1.0000000001]), np.array([1.0]), 1e-12))


def test_a_part_that_is_zero_but_for_rounding_is_measured_by_the_whole():
    theirs = {
        "gradient of weight": np.array([3.0, 4.0]),
        "gradient of bias": np.array([1e-16]),
        "loss": np.array(1e-16),
    }
    ours = {name: a * 2 if name != "gradient of weight" else a for name, a in theirs.items()}
    weight, bias, loss = compare_all(ours, theirs, lambda _: 1e-10)
    assert weight.error == 0
    assert bias.error == pytest.approx(2e-17)
    assert loss.error == pytest.approx(1)
    theirs["gradient of bias"] = np.array([1e-3])
    ours["gradient of bias"] = np.array([2e-3])
    assert compare_all(ours, theirs, lambda _: 1e-10)[1].error == pytest.approx(1)
    assert compare_all(ours, theirs, lambda _: 1e-10, share=1.0)[1].error == pytest.approx(1e-3 / 5)
