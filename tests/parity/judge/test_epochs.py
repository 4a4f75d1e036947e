"""An epoch in float64 in both frameworks, and what it says of wrong ones."""

import dataclasses

import numpy as np
import pytest
import torch

import minigrad
from experiments.runner.errors import NonFinite
from parity.judge import tolerances
from parity.judge.epochs import one_epoch
from parity.measure import epoch


@pytest.mark.parametrize("name", ["mnist_backprop", "fashion_confusion", "mnist_logistic"])
def test_an_epoch_in_float64(final, name):
    found = one_epoch(final(name))
    assert found["passed"], found
    assert found["itself"] is None
    assert found["steps"] == len(final(name).ours.start().loader) > 1
    assert found["losses"][0] == pytest.approx(found["losses"][1], rel=1e-12)


def test_the_parameters_have_moved(final):
    pair = final("mnist_backprop")
    trained, *_ = epoch.trained(pair.ours)
    apart = epoch.apart(trained, pair.theirs.start("float64").model)
    assert set(apart) == set(trained.state_dict())
    assert max(apart.values()) > 1e-3


def test_distances_are_relative_to_the_norm():
    ours, theirs = (fw.nn.BatchNorm1d(2) for fw in (minigrad, torch))
    ours.running_var.fill_(3.3e6)
    theirs.running_var.fill_(3e6)
    assert epoch.apart(ours, theirs)["running_var"] == pytest.approx(0.1)
    ours.running_mean.fill_(float("nan"))
    assert epoch.apart(ours, theirs)["running_mean"] == np.inf


def broken(pair, side, **change):
    network = getattr(pair, side)

    def build():
        return dataclasses.replace(network.build(), **change)

    return dataclasses.replace(pair, **{side: dataclasses.replace(network, build=build)})


def test_another_rule_is_noticed_also_beside_pytorchs_own_distance(final):
    pair = final("fashion_confusion")

    def build():
        trainer = pair.ours.build()
        trainer.optimizer.param_groups[0]["momentum"] = 0.89
        return trainer

    found = one_epoch(dataclasses.replace(pair, ours=dataclasses.replace(pair.ours, build=build)))
    assert not found["passed"]
    assert found["furthest"] > 1e-6
    assert 0 < found["itself"] < 1e-10


def test_where_rounding_is_amplified_pytorchs_own_distance_stands_beside_it(final, monkeypatch):
    monkeypatch.setattr(tolerances, "EPOCH", 0.0)
    found = one_epoch(final("mnist_cnn"))
    assert 0 < found["furthest"] <= 10 * found["itself"]
    assert found["passed"]


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_shorter_epoch_is_noticed(final, side):
    pair = final("mnist_logistic")
    loader = list(getattr(pair, side).start().loader)[:-1]
    with pytest.raises(AssertionError, match="batches an epoch in minigrad"):
        one_epoch(broken(pair, side, loader=loader))


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_an_error_on_either_side_comes_out(final, side):
    pair = final("mnist_logistic")
    with pytest.raises(NonFinite, match="non-finite loss"):
        one_epoch(broken(pair, side, objective=lambda model, x, y: (model(x) * float("nan")).sum()))


def test_each_start_is_another_and_the_same_each_time(final):
    network = final("mnist_logistic").theirs

    def weights(start):
        return epoch.moved(network.start().model, start).state_dict()["0.weight"].numpy()

    np.testing.assert_array_equal(weights(1), weights(1))
    assert (weights(0) != weights(1)).any()
    assert (weights(1) != weights(2)).any()
    np.testing.assert_allclose(weights(0), weights(1), rtol=2e-7)
