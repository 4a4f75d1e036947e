import numpy as np
import pytest
import scipy.stats
import torch
from scipy.stats import binomtest

from experiments.training import metrics
from experiments.training.metrics import Confusion

# class 0 is often 1, 1 is as often 0 as 2, 2 is always right, 3 has no samples; 4 is rare, and wrong in 2 of 4
COUNTS = [
    [70, 20, 5, 0, 5],
    [15, 70, 15, 0, 0],
    [0, 0, 50, 0, 0],
    [0, 0, 0, 0, 0],
    [1, 0, 1, 0, 2],
]


@pytest.mark.parametrize("seed", range(3))
def test_counts_agree_with_a_plain_count(seed):
    rng = np.random.default_rng(seed)
    labels, predicted = rng.integers(0, 4, 50), rng.integers(0, 4, 50)
    counts = metrics.confusion(torch.from_numpy(labels), torch.from_numpy(predicted), 4)
    expected = [[int(np.sum((labels == i) & (predicted == j))) for j in range(4)] for i in range(4)]
    assert counts == expected
    assert metrics.accuracy(counts) == np.mean(labels == predicted)


def test_each_label_needs_a_decision():
    with pytest.raises(ValueError, match="shorter"):
        metrics.confusion(np.zeros(3, int), np.zeros(2, int), 2)


def test_rates_are_conditioned_on_the_true_class():
    rates = metrics.rates(COUNTS)
    assert rates[0] == [0.7, 0.2, 0.05, 0, 0.05]
    assert [sum(row) for row in rates] == pytest.approx([1, 1, 1, 0, 1])


def test_the_most_confused_class_of_each():
    assert metrics.most_confused(COUNTS) == [
        Confusion(0, 1, 0.2),
        Confusion(1, 0, 0.15),  # the first of equals
        None,
        None,
        Confusion(4, 0, 0.25),
    ]
    assert metrics.most_mistaken(COUNTS) == [
        Confusion(4, 0, 0.25),  # 1 for 0 is more frequent in samples, 4 for 0 as a rate
        Confusion(0, 1, 0.2),
        Confusion(4, 2, 0.25),
        None,
        Confusion(0, 4, 0.05),
    ]


def test_the_most_confused_pair_directed_and_summed():
    assert metrics.most_confused_pair(COUNTS) == Confusion(4, 0, 0.25)
    both = metrics.most_confused_classes(COUNTS)
    assert (both.true, both.predicted) == (0, 1)
    assert both.rate == pytest.approx(0.35)


@pytest.mark.parametrize("of", [metrics.most_confused_pair, metrics.most_confused_classes])
def test_without_errors_there_is_no_pair(of):
    assert of([[3, 0], [0, 4]]) is None


@pytest.mark.parametrize(("successes", "samples"), [(0, 1), (1, 1), (0, 30), (7, 30), (30, 30), (5_000, 10_000)])
def test_wilson_intervals_are_those_of_scipy(successes, samples):
    expected = binomtest(successes, samples).proportion_ci(method="wilson")
    low, high = metrics.wilson(successes, samples)
    np.testing.assert_allclose([low, high], [expected.low, expected.high], atol=1e-7)
    assert 0 <= low <= successes / samples <= high <= 1


@pytest.mark.parametrize("number", [1, 2, 3, 20])
def test_no_error_is_left_out_that_is_as_frequent_as_one_named(number):
    rng = np.random.default_rng(number)
    counts = rng.integers(0, 4, (5, 5)).tolist()
    errors = [(counts[i][j], i, j) for i in range(5) for j in range(5) if i != j and counts[i][j]]
    named = metrics.most_frequent(counts, number)
    assert len(named) >= min(number, len(errors))
    assert set(named) == {error for error in errors if error[0] >= named[-1][0]}
    assert metrics.most_frequent([[3, 0], [0, 3]], number) == []


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (12, 3), (3, 12), (40, 40), (700, 500)])
def test_mcnemars_test_is_the_exact_binomial_one(gained, lost):
    before, after = np.zeros(2_000, bool), np.zeros(2_000, bool)
    after[:gained], before[gained : gained + lost] = True, True
    before[-300:] = after[-300:] = True  # samples that both get right tell nothing
    found = metrics.paired(before, after)
    assert (found.gained, found.lost, found.samples) == (gained, lost, 2_000)
    expected = scipy.stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert found.p == pytest.approx(expected)
    difference = after.astype(float) - before
    assert found.difference == pytest.approx(difference.mean())
    assert found.error == pytest.approx(difference.std() / np.sqrt(2_000))


@pytest.mark.parametrize("z", [-3.0, -0.5, 0.0, 1.0, 2.5])
def test_p_of_a_mean_by_its_standard_error(z):
    assert metrics.p_value(0.02 * z, 0.02) == pytest.approx(2 * scipy.stats.norm.sf(abs(z)))


def test_a_difference_without_any_spread_is_certain():
    assert (metrics.p_value(0.0, 0.0), metrics.p_value(0.1, 0.0)) == (1, 0)
