"""`python -m parity`."""

import json
import sys

import pytest

from parity import cli
from parity.judge import tolerances

SMALL = ["gradients", "mnist_logistic", "--data", "digits", "--limit", "120"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["gradient"], "error: no command is called 'gradient'; did you mean 'gradients'?"),
        (["gradients", "mnist_mpl"], "error: no experiment is called 'mnist_mpl'; did you mean 'mnist_mlp'?"),
        (["gradients", "--limit", "0"], "--limit: expected a positive whole number, not '0'"),
        (["gradients", "--nothing"], "error: unrecognized arguments: --nothing"),
        ([*SMALL[:2], "--data", "mnits"], "--data mnits: there is no data set 'mnits'"),
    ],
)
def test_slips_are_named(capsys, arguments, says):
    assert cli.main(arguments) == 2
    out = capsys.readouterr()
    assert says in out.err
    assert out.err.count("\n") == 1


def test_a_missing_torch_says_how_to_install_it(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert cli.main(SMALL) == 2
    assert capsys.readouterr().err == "error: torch is not installed: pip install -e '.[parity]'\n"


def test_gradients_as_a_table_and_as_json(capsys, tmp_path):
    path = tmp_path / "gradients.json"
    assert cli.main([*SMALL, "--json", str(path)]) == 0
    text = capsys.readouterr().out
    header, row, *_ = text.splitlines()
    assert header.split()[:3] == ["experiment", "network", "parameters"]
    assert row.split()[0] == "mnist_logistic"
    assert row.endswith("same")
    assert "All within tolerance" in text
    found = json.loads(path.read_text())
    assert all(network["passed"] for network in found["networks"])
    assert (found["command"], found["seed"], found["limit"]) == ("gradients", 0, 120)
    assert len(found["networks"]) == 6


def test_a_violation_is_named_and_fails(capsys, monkeypatch):
    monkeypatch.setitem(tolerances.GRADIENT, "float32", 1e-12)
    assert cli.main(SMALL) == 1
    text = capsys.readouterr().out
    assert "DIFFERENT mnist_logistic: final, float32 train: " in text
    assert "NOT all within tolerance" in text


def test_without_a_command_it_explains_itself(capsys):
    assert cli.main([]) == 2
    assert all(command in capsys.readouterr().out for command in ["gradients"])
