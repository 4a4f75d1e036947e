"""The curves of runs that are done: paired where both are of the same network, refused with the reason where not."""

import json
import shutil

import pytest

from experiments import registry
from experiments.runner import files
from experiments.runner.execute import execute
from experiments.runner.options import Options
from parity import cli
from parity.judge import trajectories

NAME = "mnist_small_mlp"


@pytest.fixture(scope="session")
def done(tmp_path_factory):
    """Two finished runs, one a framework."""
    folder = tmp_path_factory.mktemp("runs")
    for framework in ("minigrad", "torch"):
        arguments = Options(framework=framework, data="digits", limit=150, epochs=2, out=str(folder / framework))
        execute(registry.find(NAME), arguments)
    return folder


@pytest.fixture
def runs(done, tmp_path):
    """A copy to change: ``runs / framework / NAME``."""
    return shutil.copytree(done, tmp_path / "runs")


def compare(folder, *arguments):
    path = folder / "found.json"
    sides = [str(folder / side) for side in ("minigrad", "torch")]
    status = cli.main(["trajectory", NAME, "--dtype", "float32", "--runs", *sides, "--json", str(path), *arguments])
    return status, json.loads(path.read_text()) if path.exists() else None


def change(path, edit):
    if path.suffix == ".json":
        value = json.loads(path.read_text())
        edit(value)
        files.write_json(path, value)
    else:
        rows = files.read_csv(path)
        edit(rows)
        files.write_csv(path, rows)


def test_the_curves_are_those_of_the_runs(runs, capsys):
    status, found = compare(runs)
    assert status == 0
    rows = files.read_csv(runs / "torch" / NAME / "history.csv")
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    assert [entry["stage"] for entry in found["float32"]] == stages == ["rate 0.05", "rate 0.1", "rate 0.2", "final"]
    for entry in found["float32"]:
        assert entry["theirs"] == [
            {k: v for k, v in row.items() if k != "stage"} for row in rows if row["stage"] == entry["stage"]
        ]
        assert entry["followed"] == entry["steps"] > 1  # an epoch of them
        assert entry["drift"][0][0] == 1
        assert entry["reached"] == {"0.0001": None, "0.01": None}
    assert any(entry["ours"] != entry["theirs"] for entry in found["float32"])  # equal by chance in some
    assert found["unpaired"] == []
    assert f"never within {found['float32'][0]['steps']} steps" in capsys.readouterr().out


def test_an_accuracy_outside_is_counted_and_held_against_pytorchs_own(runs, capsys):
    change(runs / "torch" / NAME / "history.csv", lambda rows: rows[1].update(validation_accuracy=0.0))
    status, found = compare(runs)
    assert status == 1
    first, *others = found["float32"]
    assert (first["passed"], first["outside"]) == (False, ["rate 0.05"])
    assert first["points"] > first["allowed"]
    assert 0 < first["itself"] < 1e-5
    assert all(entry["passed"] and entry["itself"] is None for entry in others)
    assert "1 of 1" in capsys.readouterr().out


def test_many_of_a_kind_share_a_row_and_the_worst_is_shown(runs, capsys, monkeypatch):
    monkeypatch.setattr(trajectories, "MANY", 2)
    change(runs / "torch" / NAME / "history.csv", lambda rows: rows[3].update(validation_accuracy=0.0))
    status, found = compare(runs)
    assert status == 1
    (entry,) = found["float32"]
    assert (entry["stage"], entry["shown"], entry["outside"]) == ("final", "rate 0.1", ["rate 0.1"])
    assert list(entry["points_of"]) == ["final", "rate 0.05", "rate 0.1", "rate 0.2"]
    out = capsys.readouterr().out
    assert "final (+3)" in out
    assert "1 of 4" in out


def test_another_choice_makes_another_network(runs, capsys):
    def edit(rows):
        for row in rows:
            row["validation_accuracy"] = float(row["stage"] == "rate 0.05")

    before = json.loads((runs / "minigrad" / NAME / "choice.json").read_text())["chosen"]
    assert before != "rate 0.05"
    change(runs / "torch" / NAME / "history.csv", edit)
    status, found = compare(runs)
    assert status == 1
    assert [(entry["stage"], "chose otherwise" in entry["why"]) for entry in found["unpaired"]] == [("final", True)]
    assert "final" not in [entry["stage"] for entry in found["float32"]]
    assert "1 networks have no counterpart" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "edit", "arguments", "words"),
    [
        ("config.json", lambda c: c.update(seed=3), (), "seed is 0 there, 3 here"),
        ("config.json", lambda c: c["settings"].update(epochs=5), (), "settings.epochs is 2 there, 5 here"),
        ("config.json", lambda c: c.update(framework="minigrad"), (), "is a run in minigrad, not torch"),
        ("config.json", lambda c: c.pop("seed"), (), "config.json is damaged: KeyError('seed')"),
        ("history.csv", lambda rows: rows.pop(), (), "final: 2 and 1 epochs, where it takes 2"),
        ("history.csv", lambda rows: None, ("--limit", "99"), "--limit 99, but the runs are of limit 150"),
        ("history.csv", lambda rows: None, ("--seed", "1"), "--seed 1, but the runs are of seed 0"),
    ],
)
def test_runs_that_are_no_pair(runs, capsys, name, edit, arguments, words):
    change(runs / "torch" / NAME / name, edit)
    assert compare(runs, *arguments) == (2, None)
    assert words in capsys.readouterr().err


def test_runs_of_other_settings_than_the_experiments(runs, capsys):
    for side in ("minigrad", "torch"):
        change(runs / side / NAME / "config.json", lambda config: config["settings"].update(batch_size=7))
    assert compare(runs) == (2, None)
    assert "is no run of mnist_small_mlp as it is: settings.batch_size is 7 there, 64 here" in capsys.readouterr().err


def test_a_missing_run_and_the_command_that_makes_it(runs, capsys):
    shutil.rmtree(runs / "torch" / NAME)
    assert compare(runs) == (2, None)
    err = capsys.readouterr().err
    assert f"holds no finished run of {NAME}" in err
    assert f"python -m experiments run {NAME} --framework torch --out {runs / 'torch'}" in err
    assert cli.main(["trajectory", NAME, "--runs", str(runs), str(runs)]) == 2
    assert "add --dtype float32" in capsys.readouterr().err
