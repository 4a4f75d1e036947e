"""Ranks of our distances among PyTorch's own: what is flagged, and how rarely by chance."""

import itertools

import numpy as np
import pytest

from parity.judge import ranks


def by_all_permutations(networks):
    each = [ranks.ranks(found) for found in networks]
    observed = sum(values[0] for values in each)
    sums = [sum(choice) for choice in itertools.product(*each)]
    return sum(total >= observed for total in sums) / len(sums)


@pytest.mark.parametrize("seed", range(5))
def test_the_p_value_counts_all_permutations(seed):
    rng = np.random.default_rng(seed)
    networks = [(float(rng.integers(5)), [float(x) for x in rng.integers(5, size=3)]) for _ in range(4)]
    assert ranks.p_value(networks) == pytest.approx(by_all_permutations(networks))


def test_a_framework_that_is_further_away_is_found_and_one_that_is_not_is_not():
    rng = np.random.default_rng(0)

    def networks(factor):
        return [(factor * x, list(rest)) for x, *rest in rng.exponential(size=(20, 6))]

    assert ranks.p_value(networks(5.0)) < 1e-4
    false = [ranks.p_value(networks(1.0)) < 0.05 for _ in range(200)]
    assert np.mean(false) < 0.1


def test_equal_distances_show_no_difference():
    assert ranks.p_value([(0.0, [0.0] * 5)] * 20) == 1


@pytest.mark.parametrize("networks", [1, 2, 4, 16, 130])
@pytest.mark.parametrize("seconds", [5, 90])
def test_enough_is_planned_for_a_difference_to_be_found(networks, seconds):
    starts, seeds = ranks.plan(networks, seconds, 13)
    assert starts >= (5 if seconds < 60 else 3)
    assert ranks.least([starts] * (networks * seeds)) * 13 <= 0.05
