"""Independent seeds on both sides, each training in a process of its own, kept when it is done."""

from __future__ import annotations

import json

import pytest

from parity.cli import main
from parity.measure import training
from parity.measure.training import Task

SMALL = {"data": "digits", "limit": 200, "epochs": 1}


def test_no_seed_is_used_on_both_sides():
    ours, theirs = (set(training.seeds_of(framework, 50, 1)) for framework in ("minigrad", "torch"))
    assert len(ours) == len(theirs) == 50
    assert not ours & theirs


@pytest.mark.parametrize(("name", "stage"), [("mnist_small_mlp", "final"), ("mnist_cnn", "plain")])
def test_a_training_measures_the_test_set(name, stage):
    found = training.train(Task(name, stage, "minigrad", seed=3, **SMALL))
    assert found["measured_on"] == "test"
    counts = found["confusion"]
    assert found["accuracy"] == sum(counts[i][i] for i in range(10)) / sum(map(sum, counts))
    assert found["megabytes"] > 30


def test_the_same_seed_gives_the_same_accuracy_in_both_frameworks():
    ours, theirs = (
        training.train(Task("mnist_small_mlp", "final", framework, seed=3, **SMALL))
        for framework in ("minigrad", "torch")
    )
    assert ours["confusion"] == theirs["confusion"]


def test_trainings_are_kept_and_not_repeated(tmp_path, monkeypatch, capsys):
    arguments = ["accuracy", "mnist_small_mlp", "--data", "digits", "--limit", "200", "--epochs", "1", "--seeds", "2"]
    arguments += ["--keep", str(tmp_path / "kept"), "--json", str(tmp_path / "found.json")]
    status = main(arguments)
    table = capsys.readouterr().out
    found = json.loads((tmp_path / "found.json").read_text())["networks"][0]
    assert [t["task"]["seed"] for t in found["trainings"]["torch"]] == [1001, 1002]
    assert "no margin set" in table  # digits have none
    assert status == 0

    monkeypatch.setattr(training.subprocess, "run", lambda *args, **kwargs: pytest.fail("trained again"))
    assert main(arguments) == 0
    monkeypatch.undo()
    monkeypatch.setattr(training.subprocess, "run", _refuse)
    with pytest.raises(AssertionError, match="another seed is another training"):
        main([*arguments, "--seed", "7"])


def _refuse(*args, **kwargs):
    raise AssertionError("another seed is another training")


def test_one_seed_is_not_enough(capsys):
    assert main(["accuracy", "mnist_small_mlp", "--seeds", "1"]) == 2
    assert "--seeds 1: one accuracy has no spread" in capsys.readouterr().err


def test_a_failing_training_is_named(tmp_path):
    task = Task("mnist_small_mlp", "no such network", "minigrad", seed=1, **SMALL)
    with pytest.raises(
        training.UsageError, match=r"training mnist_small_mlp: no such network in minigrad failed: .*KeyError"
    ):
        training.trained(task, tmp_path)
    assert not list(tmp_path.rglob("*.json"))


def test_an_unknown_stage_is_named_before_anything_is_trained(monkeypatch, capsys):
    monkeypatch.setattr(training.subprocess, "run", lambda *args, **kwargs: pytest.fail("trained"))
    status = main(["accuracy", "mnist_small_mlp", "--data", "digits", "--limit", "200", "--stages", "finl", "final"])
    assert status == 2
    assert "no network is called 'finl'; did you mean 'final'?" in capsys.readouterr().err
