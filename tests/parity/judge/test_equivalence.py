"""Two one-sided tests: they show equivalence only where there is enough of it."""

from __future__ import annotations

import numpy as np
import pytest

from parity.judge.equivalence import two_one_sided


def samples(difference, spread, n, seed=0):
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((2, n))
    noise -= noise.mean(1, keepdims=True)
    return 98 + difference + spread * noise[0], 98 + spread * noise[1]


def test_close_means_and_little_spread_are_equivalent():
    found = two_one_sided(*samples(0.05, 0.1, 6), margin=0.3)
    assert found.equivalent
    assert found.difference == pytest.approx(0.05)
    assert -0.3 < found.low < 0.05 < found.high < 0.3


def test_the_same_means_with_much_spread_show_nothing():
    assert not two_one_sided(*samples(0.0, 1.0, 6), margin=0.3).equivalent


@pytest.mark.parametrize("difference", [0.5, -0.5])
def test_a_difference_beyond_the_margin_is_never_equivalent(difference):
    assert not two_one_sided(*samples(difference, 0.01, 20), margin=0.3).equivalent


@pytest.mark.parametrize("seed", range(5))
def test_the_verdict_is_that_of_the_90_percent_interval(seed):
    for difference in np.linspace(-0.4, 0.4, 9):
        found = two_one_sided(*samples(difference, 0.2, 5, seed), margin=0.3)
        assert found.equivalent == (found.low > -0.3 and found.high < 0.3), f"seed {seed}"


def test_samples_without_spread():
    assert two_one_sided([97.0, 97.0], [97.1, 97.1], margin=0.3).equivalent
    assert not two_one_sided([97.0, 97.0], [97.4, 97.4], margin=0.3).equivalent


def test_a_single_number_has_no_spread():
    with pytest.raises(ValueError, match="second: a sample of 1 has no spread"):
        two_one_sided([97.0, 97.1], [97.0], margin=0.3)


def test_the_p_value_of_no_difference():
    assert two_one_sided(*samples(0.0, 0.1, 6), margin=0.3).p_difference == pytest.approx(1)
    small = two_one_sided(*samples(0.07, 0.02, 12), margin=0.11)
    assert small.equivalent
    assert small.p_difference < 1e-6
