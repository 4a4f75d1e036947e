"""torch's tests of losses, each with a reference of its own beside torch's kernels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.testing._internal import common_nn
from torch.testing._internal.common_utils import set_default_dtype

import minigrad
from parity.measure.exams.bridge import leaves, rebound, to_minigrad, tracked
from parity.measure.exams.grading import Outcome, judged, same, same_gradients

FAMILY = "criterions"
criterion_tests: Any = common_nn.criterion_tests
new_module_tests: Any = common_nn.get_new_module_tests


def outcomes() -> Iterator[Outcome]:
    """The criterions without a batch dimension, and the losses as functions, mostly without a reduction."""
    for test in criterion_tests:
        yield judged(FAMILY, "criterions", *test["fullname"].partition("_")[::2], criterion, test)
    with set_default_dtype(torch.float64):
        tests = [test for test in new_module_tests() if is_loss(test)]
    for test in tests:
        yield judged(FAMILY, "functions", *test["fullname"].partition("_")[::2], _function, test)


def is_loss(test: dict[str, Any]) -> bool:
    """Whether it is the test of a loss, by a function and its reference."""
    return "loss" in test.get("fullname", "").lower() and "reference_fn" in test


def drawn(test: dict[str, Any]) -> Any:
    """The test's input."""
    return test["input_fn"]() if "input_fn" in test else torch.rand(test["input_size"])


def _function(test: dict[str, Any]) -> None:
    """The value is the reference's, value and gradient are torch's."""
    torch.manual_seed(0)
    forward = test["constructor"].forward  # of a module around a function, which its closure holds
    cells = dict(zip(forward.__code__.co_freevars, forward.__closure__, strict=True))
    function = cells["fn"].cell_contents
    with set_default_dtype(torch.float64):
        given = test["input"] if "input" in test else drawn(test)
    argument = given.detach().double().requires_grad_()
    expected = function(argument)
    ours = to_minigrad(argument)
    got = rebound(function)(ours)
    same(got, test["reference_fn"](argument.detach(), [], None).double(), "value beside the reference")
    same(got, expected, "value")
    same_gradients(got, expected, [ours], [argument])


def criterion(test: dict[str, Any]) -> None:
    """The value is the reference's, value and gradient are torch's.

    The tests' constructors read a loop variable `reduction`, which holds its last value; it is set from the name here.
    """
    reduction = test["fullname"].rpartition("_")[2]
    torch.manual_seed(0)
    reference = _constructed(test["constructor"], torch.nn, reduction)
    module = _constructed(test["constructor"], minigrad.nn, reduction)
    given = drawn(test)
    target = test["target_fn"]() if "target_fn" in test else torch.randn(test["target_size"])
    arguments = [x.double().requires_grad_() for x in leaves(given)]
    target = target.double() if target.is_floating_point() else target
    ours = to_minigrad([arguments, target])
    expected = reference(*arguments, target)
    got = module(*ours[0], ours[1])
    independent = test["reference_fn"](tuple(arguments) if len(arguments) > 1 else arguments[0], target, reference)
    same(got, independent.detach(), "value beside the reference")
    same(got, expected, "value")
    same_gradients(got, expected, tracked(ours), tracked(arguments))


def _constructed(constructor: Any, nn: Any, reduction: str) -> Any:
    return rebound(constructor, nn=nn, reduction=reduction)()
