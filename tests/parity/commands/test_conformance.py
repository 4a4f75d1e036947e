"""A small share of the exams, and that an exam is failed by whom it should fail."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import minigrad
from experiments.runner.errors import UsageError
from minigrad.ops.record import registry
from minigrad.optim import Optimizer
from parity import cli
from parity.commands import conformance
from parity.measure.exams import bridge, criterions, gradcheck, grading, modules, operators, optimizers, scope
from parity.measure.exams.grading import FAILED, PASSED, UNSUPPORTED

torch.set_num_threads(1)  # with samples as small as these, more threads are slower
OPERATORS = {op.name: op for op in operators.op_db if not op.variant_test_name}
MODULES = {modules.title(info): info for info in modules.module_db}
OPTIMIZERS = {info.name: info for info in optimizers.optim_db}


def verdicts(outcomes):
    return {outcome.verdict for outcome in outcomes}


@pytest.mark.parametrize("name", ["matmul", "prod", "nn.functional.conv2d", "nn.functional.nll_loss", "__getitem__"])
def test_operators(name):
    assert verdicts(operators.samples(OPERATORS[name], most=12)) == {PASSED}
    assert verdicts(gradcheck.checks(OPERATORS[name], most=1)) == {PASSED}


@pytest.mark.parametrize("name", ["Linear", "GroupNorm", "GRUCell"])
def test_modules(name):
    assert verdicts(modules.inputs(MODULES[name], most=4)) == {PASSED}


@pytest.mark.parametrize(
    ("family", "exam", "path", "least"),
    [
        (operators, operators.op_db, operators.path, 330),
        (modules, modules.module_db, modules.path, 82),
        (optimizers, optimizers.optim_db, optimizers.path, 58),
    ],
    ids=lambda value: getattr(value, "FAMILY", None),
)
def test_every_error_input_is_refused_as_in_torch(family, exam, path, least):
    asked = [outcome for outcome in scope.outcomes(exam, path, family.errors) if not scope.excluded(outcome)]
    assert len(asked) >= least
    assert [outcome for outcome in asked if outcome.verdict != PASSED] == []


def test_optimizers_and_schedulers():
    assert verdicts(optimizers.configurations(OPTIMIZERS["RMSprop"])) == {PASSED}
    assert verdicts(optimizers.schedulers(OPTIMIZERS["Adam"])) == {PASSED}


def test_criterions():
    tests = [t for t in criterions.common_nn.criterion_tests if t["fullname"].startswith(("HuberLoss", "NLLLoss"))]
    assert len(tests) == 6
    for test in tests:
        criterions.criterion(test)


# ---- the scope -----------------------------------------------------------------------------------------------


def asked(family):
    """The paths below `minigrad` of all that a family's exam asks about."""
    exam = {"operators": operators.op_db, "modules": modules.module_db, "optimizers": optimizers.optim_db}[family]
    path = {"operators": lambda op: op.name, "modules": modules.path, "optimizers": optimizers.path}[family]
    return {path(info) for info in exam}, {path(info) for info in exam if scope.has(path(info))}


def own(family):
    """The paths of all that minigrad has, as its registry and its packages list them."""
    if family == "operators":
        paths = {(record.torch or name).removeprefix("Tensor.") for name, record in registry.items()}
        return paths | {f"nn.functional.{name}" for name in dir(minigrad.nn.functional)}
    package, base = {"modules": (minigrad.nn, minigrad.nn.Module), "optimizers": (minigrad.optim, Optimizer)}[family]
    classes = (value for value in vars(package).values() if isinstance(value, type) and issubclass(value, base))
    return {f"{package.__name__.removeprefix('minigrad.')}.{cls.__name__}" for cls in classes}


@pytest.mark.parametrize("family", ["operators", "modules", "optimizers"])
def test_whatever_minigrad_and_the_exam_both_have_is_asked(family):
    exam, sat = asked(family)
    assert own(family) & exam <= sat


def test_the_scope_has_grown_from_the_one_that_was_stated_first():
    assert sum(scope.has(op.name) for op in operators.op_db) >= 296
    assert sum(scope.has(modules.path(info)) for info in modules.module_db) >= 70
    assert sum(scope.has(optimizers.path(info)) for info in optimizers.optim_db) >= 7
    assert len(criterions.common_nn.criterion_tests) == 48


def test_what_is_added_is_asked_at_once(monkeypatch):
    for owner, name in ((minigrad.optim, "Adamax"), (minigrad.nn, "Conv3d"), (minigrad, "lgamma")):
        assert not scope.has(f"{owner.__name__}.{name}".removeprefix("minigrad.").removeprefix("minigrad"))
        monkeypatch.setattr(owner, name, lambda *args, **options: None, raising=False)
    for family, path in (("optimizers", "optim.Adamax"), ("modules", "nn.Conv3d"), ("operators", "lgamma")):
        assert path in asked(family)[1]
    assert "Adamax" not in next(iter(optimizers.left_out().values()))


def test_an_exclusion_is_of_a_question_that_would_be_asked():
    titles = {title(info) for title, exam in ((operators.title, operators.op_db), (modules.title, modules.module_db))
              for info in exam}  # fmt: skip
    names = titles | {op.name for op in operators.op_db}
    for family in ("operators", "modules"):
        for key, why in scope.listed(family).items():
            assert key.partition(": ")[0] in names
            assert why


def test_exclusions_are_of_a_name_a_variant_or_some_samples(monkeypatch):
    def outcome(subject, case, exam="values", family="operators"):
        return grading.Outcome(family, exam, subject, case, FAILED, "why")

    listed = {"eye: errors": "why", "linspace (tensor_overload)": "why", "normal": "why", "zero_": "why"}
    monkeypatch.setattr(scope, "listed", lambda family: listed if family == "operators" else {})
    assert scope.excluded(outcome("zero_", "0: float64[]"))
    assert scope.excluded(outcome("normal (number_mean)", "0: 1.6"))
    assert scope.excluded(outcome("zero_", "0: float64[]", "first order", "gradcheck"))
    assert scope.excluded(outcome("eye", "0: -1", "errors"))
    assert not scope.excluded(outcome("eye", "0: -1"))
    assert scope.excluded(outcome("linspace (tensor_overload)", "6: float32[]"))
    assert not scope.excluded(outcome("linspace", "6: 0, 3"))
    assert not scope.excluded(outcome("zero", "0: float64[]"))


# ---- an exam that nobody can fail examines nothing -------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda x: minigrad.exp(x) + 1e-6, "value"),
        (lambda x: minigrad.exp(x).float(), "dtype float32"),
        (lambda x: minigrad.exp(x).reshape(-1, 1), "shape"),
        (lambda x: minigrad.exp(x.detach()), "require a gradient"),
        (lambda x: minigrad.exp(x) + x.sum() - x.sum().detach() - (x - x.detach()), "gradient 0"),
        (lambda x: minigrad.exp(x.mul_(1.0)), "RuntimeError"),
        (lambda x: np.exp(x.detach().numpy()), "ndarray"),
    ],
)
def test_a_wrong_operator_fails(monkeypatch, wrong, why):
    monkeypatch.setattr(operators, "translated", lambda function, name: wrong if name == "exp" else lambda y: y)
    failed = [o for o in operators.samples(OPERATORS["exp"], most=1) if o.verdict == FAILED]
    assert failed
    assert why in failed[0].why


def test_a_missing_operator_is_not_supported():
    (outcome,) = operators.samples(OPERATORS["lgamma"], most=1)
    assert (outcome.verdict, outcome.why) == (UNSUPPORTED, "minigrad has no lgamma")


def test_an_error_must_have_the_type_and_name_the_sizes():
    theirs = RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x5 and 3x4)")
    assert not grading.same_exception(RuntimeError(str(theirs)), theirs, "cannot be multiplied")
    assert grading.same_exception(RuntimeError("(2, 5) @ [3, 4]"), theirs, "cannot") == grading.OTHER_WORDS
    for ours in (None, ValueError(str(theirs)), RuntimeError("shapes (2x5)")):
        with pytest.raises(grading.MismatchError):
            grading.same_exception(ours, theirs, "cannot")


# ---- the bridge --------------------------------------------------------------------------------------------


def test_tensors_cross_with_their_identity_and_flags():
    x = torch.ones(2, requires_grad=True)
    a, (b, c) = bridge.to_minigrad([x, (x, {"k": torch.nn.Parameter(torch.zeros(1))})])
    assert a is b
    assert a.requires_grad
    assert isinstance(c["k"], minigrad.nn.Parameter)
    assert bridge.to_torch(a).equal(x.detach())


def test_torch_differentiates_minigrad_three_times():
    x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    y = bridge.connected(lambda t: t**4, x)
    for expected in (4 * x**3, 12 * x**2, 24 * x):
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        torch.testing.assert_close(y, expected)


def test_torch_finds_a_wrong_gradient_through_the_bridge():
    x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    with pytest.raises(gradcheck.GradcheckError):
        torch.autograd.gradcheck(lambda t: bridge.connected(lambda u: u * u.detach(), t), [x])


# ---- the command -------------------------------------------------------------------------------------------


def test_the_command(tmp_path, capsys, monkeypatch):
    answers = [
        grading.Outcome("criterions", "criterions", "MSELoss", "mean", PASSED),
        grading.Outcome("criterions", "criterions", "MSELoss", "sum", FAILED, "value: 1 for torch's 2"),
        grading.Outcome("criterions", "criterions", "L1Loss", "no_reduce_complex", FAILED),
        grading.Outcome("operators", "errors", "eye", "0: -1", PASSED),
    ]
    monkeypatch.setattr(criterions, "outcomes", lambda: iter(answers))
    assert cli.main(["conformance", "--only", "criterions", "--json", str(tmp_path / "a" / "exams.json")]) == 1
    out = capsys.readouterr().out
    assert "MSELoss, sum" in out
    assert "value: 1 for torch's 2" in out
    assert "L1Loss: no_reduce_complex" in out  # what is left out is named
    record = json.loads((tmp_path / "a" / "exams.json").read_text())
    assert [o["verdict"] for o in record["outcomes"]] == [FAILED]
    assert "error inputs: 1 of 1 are refused as in torch; 0 are not asked" in out
    del answers[1]
    assert cli.main(["conformance", "--only", "criterions"]) == 0


def test_a_missing_package_is_named(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError("No module named 'expecttest'", name="expecttest")

    monkeypatch.setattr(conformance.importlib, "import_module", missing)
    with pytest.raises(UsageError, match=r"expecttest is not installed: pip install -e '\.\[parity\]'"):
        conformance.load("modules")


def test_an_experiment_is_out_of_place(capsys):
    assert cli.main(["conformance", "mnist_mlp"]) == 2
    assert "no experiment: leave out mnist_mlp" in capsys.readouterr().err
