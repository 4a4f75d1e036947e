"""What is found becomes a verdict, and nothing is the same for want of a comparison."""

import copy

import pytest

from experiments import registry
from experiments.runner.errors import UsageError
from parity.judge import account
from parity.judge.account import DIFFERS, NOT_COMPARED, NOT_SHOWN, SAME, accounts


def of(parts, trainings):
    return next(a for a in accounts(parts, trainings) if a.name == "mnist_mlp")


def test_all_that_is_the_same(parts, trainings):
    found = of(parts, trainings)
    assert {question: answer.state for question, answer in found.answers.items()} == dict.fromkeys(
        account.QUESTIONS, SAME
    )
    assert found.verdict == SAME
    assert found.data == "mnist"


def fail_gradients(parts, trainings):
    parts["gradients"]["networks"][0].update(passed=False)


def fail_epoch(parts, trainings):
    parts["trajectory"]["epochs"][0].update(passed=False, furthest=1e-3, itself=1e-6)


def fail_runs(parts, trainings):
    for t in trainings["mnist_mlp"]:
        if t["framework"] == "minigrad" and t["result"] is None:
            t["curves"]["test_accuracy"] = [0.0, 0.0]


def fail_result(parts, trainings):
    for t in trainings["mnist_mlp"]:
        if t["framework"] == "minigrad" and t["result"] is not None:
            t["result"] -= 0.02


def spread_result(parts, trainings):
    for i, t in enumerate(trainings["mnist_mlp"]):
        if t["result"] is not None:
            t["result"] += 0.01 * (i % 3)


def no_gradients(parts, trainings):
    del parts["gradients"]


def no_epoch_of_one(parts, trainings):
    parts["trajectory"]["epochs"][0]["alike"] = []


def no_starts(parts, trainings):
    trainings["mnist_mlp"] = [t for t in trainings["mnist_mlp"] if not t["start"]]


def no_seeds(parts, trainings):
    trainings["mnist_mlp"] = [t for t in trainings["mnist_mlp"] if not t["seed"]]


def few_networks(parts, trainings):
    starts = [t for t in trainings["mnist_mlp"] if t["stage"] == "final"]
    trainings["mnist_mlp"] = starts
    parts["gradients"]["networks"][0]["alike"] = parts["trajectory"]["epochs"][0]["alike"] = []


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (fail_gradients, f"{DIFFERS}: function"),
        (fail_epoch, f"{DIFFERS}: training"),
        (fail_runs, f"{DIFFERS}: run in float32"),
        (fail_result, f"{DIFFERS}: result"),
        (spread_result, f"{NOT_SHOWN}: result"),
        (no_gradients, f"{NOT_COMPARED}: function"),
        (no_epoch_of_one, f"{NOT_COMPARED}: training"),
        (no_starts, f"{NOT_COMPARED}: run in float32"),
        (no_seeds, f"{NOT_COMPARED}: result"),
        (few_networks, f"{NOT_SHOWN}: run in float32"),
    ],
)
def test_verdicts(parts, trainings, change, verdict):
    parts, trainings = copy.deepcopy((parts, trainings))
    change(parts, trainings)
    assert of(parts, trainings).verdict == verdict


def test_every_experiment_has_an_account_and_without_findings_it_is_not_compared(parts, trainings):
    found = accounts(parts, trainings)
    assert [a.name for a in found] == list(registry.names())
    others = [a.verdict for a in found if a.name != "mnist_mlp"]
    assert {*others} == {NOT_COMPARED}


def test_amplified_rounding_is_the_same_and_stands_beside_pytorchs_own(parts, trainings):
    parts["trajectory"]["epochs"][0].update(furthest=3e-3, itself=4e-3, which="bn.bias")
    found = of(parts, trainings)
    answer = found.answers[account.TRAINING]
    assert (found.verdict, answer.text) == (SAME, "3e-3 (4e-3)")
    assert "final: 3e-3 from PyTorch (bn.bias), PyTorch 4e-3 from itself" in answer.remarks


def test_damaged_and_foreign_files_are_named(tmp_path):
    (tmp_path / "gradients.json").write_text("{")
    with pytest.raises(UsageError, match=r"gradients.json: no JSON"):
        account.read(tmp_path)
    (tmp_path / "gradients.json").write_text('{"command": "trajectory"}')
    with pytest.raises(UsageError, match="isn't what `python -m parity gradients"):
        account.read(tmp_path)
