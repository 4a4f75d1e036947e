"""Both frameworks trained side by side."""

import dataclasses
import json

import pytest

from experiments.runner.errors import NonFinite
from minigrad.optim import SGD
from parity import cli
from parity.judge import tolerances, trajectories
from parity.measure import lockstep


@pytest.mark.parametrize("name", ["mnist_backprop", "fashion_confusion", "mnist_logistic"])
def test_an_epoch_in_float64(final, name):
    epoch = trajectories.one_epoch(final(name))
    assert epoch.passed, epoch.worst
    assert epoch.steps == len(final(name).ours.start().loader) > 1
    assert set(epoch.apart) == set(final(name).ours.start().model.state_dict())
    assert epoch.losses[0] == pytest.approx(epoch.losses[1], rel=1e-12)


def test_the_parameters_have_moved(final):
    pair = final("mnist_backprop")
    trained = pair.ours.start("float64")
    trained.epoch()
    assert max(lockstep.apart(trained.model, pair.theirs.start("float64").model).values()) > 1e-3


def test_a_trajectory_in_float32(final):
    group = trajectories.whole_trajectory(final("fashion_confusion"), epochs=3)
    (trajectory,) = group.trajectories
    assert [row["epoch"] for row in trajectory.ours] == [row["epoch"] for row in trajectory.theirs] == [1, 2, 3]
    assert trajectory.accuracies == ["train_accuracy"]
    assert trajectory.passed
    assert trajectory.allowed == tolerances.POINTS["fashion-mnist"] or final("fashion_confusion").data == "digits"
    drift = group.drift.curve
    assert drift[0][0] == 1
    assert 0 < drift[0][1] < 1e-5
    assert [step for step, _ in drift] == sorted({step for step, _ in drift})


def test_the_step_of_a_drift_is_the_first_that_far_apart(final, monkeypatch):
    monkeypatch.setattr(lockstep, "DRIFTS", (1e-9, 0.001, 1e9))
    right, steps = SGD.step, []

    def step(self, *arguments):
        steps.append(0)
        if len(steps) == 3:
            self.param_groups[0]["params"][0].data[0, 400] += 0.01
        return right(self, *arguments)

    monkeypatch.setattr(SGD, "step", step)
    drift = trajectories.whole_trajectory(final("mnist_logistic"), epochs=2).drift
    first, third, never = drift.reached.values()
    assert first in (1, 2)
    assert (third, never) == (3, None)


def broken(pair, side, **change):
    network = getattr(pair, side)

    def build():
        return dataclasses.replace(network.build(), **change)

    return dataclasses.replace(pair, **{side: dataclasses.replace(network, build=build)})


def test_another_rule_is_noticed(final):
    pair = final("fashion_confusion")
    network = pair.ours

    def build():
        trainer = network.build()
        trainer.optimizer.param_groups[0]["momentum"] = 0.89
        return trainer

    epoch = trajectories.one_epoch(dataclasses.replace(pair, ours=dataclasses.replace(network, build=build)))
    assert not epoch.passed
    assert epoch.worst[1] > 1e-6


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_shorter_epoch_is_noticed(final, side):
    pair = final("mnist_logistic")
    loader = list(getattr(pair, side).start().loader)[:-1]
    words = "more" if side == "ours" else "fewer"
    with pytest.raises(AssertionError, match=f"PyTorch's epoch has {words} batches"):
        trajectories.one_epoch(broken(pair, side, loader=loader))


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_an_error_on_either_side_comes_out(final, side):
    pair = final("mnist_logistic")
    with pytest.raises(NonFinite, match="non-finite loss"):
        trajectories.one_epoch(broken(pair, side, objective=lambda model, x, y: (model(x) * float("nan")).sum()))


def test_the_command(capsys, tmp_path):
    path, figures = tmp_path / "trajectory.json", tmp_path / "figures"
    arguments = ["--data", "digits", "--limit", "150", "--epochs", "2", "--json", str(path), "--figures", str(figures)]
    assert cli.main(["trajectory", "mnist_small_mlp", *arguments]) == 0
    text = capsys.readouterr().out
    assert "One epoch in float64" in text
    assert "Whole runs in float32" in text
    found = json.loads(path.read_text())
    (epoch,), (trajectory,) = found["float64"], found["float32"]
    assert epoch["passed"]
    assert epoch["furthest"] <= found["tolerance"] == 1e-8
    assert epoch["alike"] == ["rate 0.05", "rate 0.1", "rate 0.2"]
    assert len(trajectory["ours"]) == len(trajectory["theirs"]) == 2
    assert {path.name for path in figures.iterdir()} == {"mnist_small_mlp-final.png"}


def test_following_ends_when_all_is_reached(final, monkeypatch):
    assert lockstep.follow(final("mnist_logistic"), epochs=2).steps == 2 * len(
        final("mnist_logistic").ours.start().loader
    )
    monkeypatch.setattr(lockstep, "DRIFTS", (1e-30, 1e-29))
    drift = lockstep.follow(final("mnist_logistic"), epochs=2)
    assert drift.steps == max(drift.reached.values()) <= 2
    assert drift.last > 1e-29


def test_a_difference_fails_and_is_held_against_pytorchs_own(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(tolerances, "TRAJECTORY", 0.0)
    path = tmp_path / "trajectory.json"
    arguments = ["--data", "digits", "--limit", "120", "--dtype", "float64", "--json", str(path)]
    assert cli.main(["trajectory", "mnist_small_mlp", *arguments]) == 1
    assert "DIFFERENT" in capsys.readouterr().out
    (epoch,) = json.loads(path.read_text())["float64"]
    assert 0 < epoch["itself"] < 1e-12


def test_pytorch_against_itself(final):
    network = final("mnist_cnn").theirs
    same = (lockstep.trained(network.start("float64"), 2, relaid=False) for _ in range(2))
    assert max(lockstep.apart(*same).values()) == 0
    assert 0 < lockstep.from_itself(network, steps=2) < 1e-10
    before = network.start("float64")
    assert max(lockstep.apart(before.model, lockstep.trained(before, 3, relaid=True)).values()) == 0  # in place
    start, end = network.start("float64").model, lockstep.trained(network.start("float64"), 2, relaid=True)
    assert max(lockstep.apart(start, end).values()) > 1e-6
