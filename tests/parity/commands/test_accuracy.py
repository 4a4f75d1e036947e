"""Independent seeds on both sides, kept when they are done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.reporting import both
from experiments.runner.errors import UsageError
from experiments.runner.options import Options
from parity.cli import main
from parity.measure import networks, training
from parity.measure.training import Kept, Task

SMALL = ["--data", "digits", "--limit", "200", "--epochs", "1"]
OPTIONS = Options(data="digits", limit=200, epochs=1)


def test_no_seed_is_used_on_both_sides():
    ours, theirs = (set(both.seeds_of(framework, 50)) for framework in ("minigrad", "torch"))
    assert len(ours) == len(theirs) == 50
    assert not ours & theirs


@pytest.mark.parametrize(
    ("name", "stage", "of"),
    [
        ("mnist_small_mlp", "final", "test accuracy"),
        ("mnist_cnn", "plain", "test accuracy"),
        ("mnist_autoencoder", "autoencoder", "test loss"),
        ("softmax_cross_entropy", "cross entropy, rate 0.1", "validation accuracy"),
    ],
)
def test_each_experiment_has_a_result(name, stage, of):
    (found,) = training.train(name, OPTIONS, 0, {stage: "r"}, [stage])
    assert found["of"] == of
    assert 0 < found["result"] < 1
    assert found["seconds"] >= 0
    assert all(len(curve) == 1 for curve in found["curves"].values())


def test_the_same_seed_gives_the_same_result_in_both_frameworks():
    (ours,), (theirs,) = (
        training.train("mnist_small_mlp", replace(OPTIONS, framework=f), 0, {"final": "r"}, ["final"])
        for f in ("minigrad", "torch")
    )
    assert ours["result"] == theirs["result"]


def test_trainings_are_kept_and_not_repeated(in_this_process, tmp_path, capsys):
    arguments = ["accuracy", "mnist_small_mlp", *SMALL, "--seeds", "2", "--keep", str(tmp_path)]
    main(arguments)
    assert "Mean ± standard deviation" in capsys.readouterr().out
    path = both.path_of(tmp_path, "mnist_small_mlp")
    assert sorted(t["seed"] for t in both.read(path)) == [1, 2, 1001, 1002]
    kept = path.read_text()
    main(arguments)
    assert path.read_text() == kept
    assert len(in_this_process) == 4
    main([*arguments, "--seeds", "3"])
    assert path.read_text().startswith(kept)
    assert sorted(t["seed"] for t in both.read(path)) == [1, 2, 3, 1001, 1002, 1003]


def test_one_seed_is_not_enough(capsys):
    assert main(["accuracy", "mnist_small_mlp", "--seeds", "1"]) == 2
    assert "--seeds 1: one accuracy has no spread" in capsys.readouterr().err


def test_a_process_of_its_own_trains_what_this_one_would(tmp_path):
    store = Kept("mnist_small_mlp", list(networks.pairs(["mnist_small_mlp"], OPTIONS)), OPTIONS, tmp_path)
    task = Task("final", "minigrad", 3)
    (here,) = training.train(store.name, replace(OPTIONS, seed=3), 0, {"final": store.recipes["final"]}, store.final)
    there = store.add([task], jobs=1)[task]
    assert {**there, "seconds": 0} == {**here, "seconds": 0}


def test_a_failing_training_is_named(tmp_path):
    store = Kept("mnist_small_mlp", list(networks.pairs(["mnist_small_mlp"], OPTIONS)), OPTIONS, tmp_path)
    store.recipes["no such network"] = "r"
    with pytest.raises(UsageError, match=r"training mnist_small_mlp in minigrad failed: .*KeyError"):
        store.add([Task("no such network", "minigrad", 1)], 1)
    assert not store.read()


def test_an_unknown_stage_is_named_before_anything_is_trained(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(training.subprocess, "Popen", lambda *args, **kwargs: pytest.fail("trained"))
    status = main(["accuracy", "mnist_small_mlp", *SMALL, "--stages", "finl", "final", "--keep", str(tmp_path)])
    assert status == 2
    assert "no network is called 'finl'; did you mean 'final'?" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for option in ("--keep", "--json"):
        path = tmp_path / "file" / "found.json"
        assert main(["accuracy", "mnist_small_mlp", *SMALL, "--seeds", "2", option, str(path)]) == 2
        err = capsys.readouterr().err
        assert err.startswith(f"error: {option}: can't write into {tmp_path}/file")
        assert err.count("\n") == 1
