"""`python -m parity trajectory`: epochs in float64; runs in float32, kept, and added to by later calls."""

import json

import pytest

from experiments.reporting import both
from parity.cli import main
from parity.judge import ranks, tolerances

SMALL = ["--data", "digits", "--limit", "120"]
NAME = "mnist_small_mlp"


def test_epochs_in_float64(capsys, tmp_path):
    path = tmp_path / "trajectory.json"
    assert main(["trajectory", NAME, *SMALL, "--dtype", "float64", "--json", str(path)]) == 0
    assert "One epoch in float64" in capsys.readouterr().out
    (epoch,) = json.loads(path.read_text())["epochs"]
    assert epoch["passed"]
    assert epoch["furthest"] <= tolerances.EPOCH
    assert epoch["alike"] == ["rate 0.05", "rate 0.1", "rate 0.2"]


def test_a_difference_fails(capsys, monkeypatch):
    monkeypatch.setattr(tolerances, "EPOCH", 0.0)
    monkeypatch.setattr(tolerances, "AMPLIFIED", 0.0)
    assert main(["trajectory", NAME, *SMALL, "--dtype", "float64"]) == 1
    assert "DIFFERENT" in capsys.readouterr().out


def test_the_findings_of_several_calls_are_joined(tmp_path):
    path = tmp_path / "trajectory.json"
    for name in (NAME, "mnist_logistic", NAME):
        assert main(["trajectory", name, *SMALL, "--dtype", "float64", "--json", str(path)]) == 0
    names = [entry["experiment"] for entry in json.loads(path.read_text())["epochs"]]
    assert list(dict.fromkeys(names)) == ["mnist_logistic", NAME]
    assert names.count(NAME) == 1


@pytest.fixture
def arguments(tmp_path, monkeypatch, in_this_process):
    monkeypatch.setattr(ranks, "plan", lambda networks, seconds, experiments: (2, 1))
    return ["trajectory", NAME, *SMALL, "--dtype", "float32", "--epochs", "1", "--keep", str(tmp_path)]


def test_runs_in_float32_are_kept_and_an_interrupted_measurement_goes_on(arguments, in_this_process, tmp_path, capsys):
    arguments += ["--stages", "final", "rate 0.05"]
    assert main(arguments) == 0
    assert "minigrad–PyTorch" in capsys.readouterr().out
    path = both.path_of(tmp_path, NAME)
    lines = path.read_text().splitlines()
    kept = {(t["stage"], t["framework"], t["start"]) for t in both.read(path)}
    sides = [("minigrad", 0), ("torch", 0), ("torch", 1), ("torch", 2)]
    assert kept == {(stage, *side) for stage in ("final", "rate 0.05") for side in sides}
    runs = {(t["stage"], t["framework"], t["start"]): t for t in both.read(path)}
    assert list(runs["final", "torch", 0]["curves"]) == ["train_accuracy"]
    assert runs["final", "minigrad", 0]["of"] == "test accuracy"
    assert runs["rate 0.05", "minigrad", 0]["result"] is None

    path.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:40])  # cut off in the middle of a line
    in_this_process.clear()
    assert main(arguments) == 0
    last = json.loads(lines[-1])
    assert in_this_process == [((last["framework"], last["seed"], last["start"]), [last["stage"]])]
    assert len(both.read(path)) == len(kept)


def test_a_training_of_another_network_is_not_taken_for_it(arguments, tmp_path):
    arguments += ["--stages", "final"]
    main(arguments)
    path = both.path_of(tmp_path, NAME)
    before = len(path.read_text().splitlines())
    main([*arguments, "--epochs", "2"])
    assert len(path.read_text().splitlines()) == 2 * before
    assert {len(t["curves"]["train_accuracy"]) for t in both.read(path)} == {2}
