"""ModuleInfo: torch's constructor and forward arguments for its layers and losses, training and evaluating."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

import minigrad
from minigrad.nn.module import Module
from parity.measure.exams import grading, scope
from parity.measure.exams.bridge import lookup, to_minigrad, tracked
from parity.measure.exams.grading import Outcome, judged, shown

FAMILY = "modules"


def title(info: Any) -> str:
    """The module's name."""
    return str(info.module_cls.__name__)


def path(info: Any) -> str:
    """The module's name below `minigrad`."""
    return f"nn.{title(info)}"


def outcomes() -> Iterator[Outcome]:
    """All inputs and all bad inputs of all modules that minigrad has."""
    return scope.outcomes(module_db, path, inputs, errors)


def left_out() -> dict[str, str]:
    """What torch's exam has beside that, and why it is left out; and what it lacks."""
    own = scope.classes(minigrad.nn, Module)
    return scope.left_out(FAMILY, module_db, path, title) | scope.lacking(FAMILY, own, map(title, module_db))


def inputs(info: Any, most: int | None = None) -> Iterator[Outcome]:
    """Results, gradients and buffers for the module's inputs (the first `most`), training and evaluating."""
    for training in (True, False) if info.train_and_eval_differ else (True,):
        torch.manual_seed(0)
        drawn = info.module_inputs_func(info, "cpu", torch.float64, requires_grad=True, training=training)
        for number, given in enumerate(drawn[:most]):
            if given.forward_input is not None:
                made = given.constructor_input
                case = f"{number}: {given.desc or shown(made.args, made.kwargs)}"
                exam = "inputs" if training else "inputs, evaluating"
                yield judged(FAMILY, exam, title(info), case, _compare, info, given, training)


def _compare(info: Any, given: Any, training: bool) -> None:
    reference, module = _pair(info, given.constructor_input)
    for side in (reference, module):
        side.train(training)
    grading.same(dict(module.state_dict()), dict(reference.state_dict()), "initial state")
    theirs = given.forward_input.args, given.forward_input.kwargs
    ours = to_minigrad(theirs)
    grading.seed_both()
    expected, got = reference(*theirs[0], **theirs[1]), module(*ours[0], **ours[1])
    grading.same(got, expected, "value")
    grading.same(dict(module.state_dict()), dict(reference.state_dict()), "state after the call")
    wanted, mine = tracked([theirs, list(reference.parameters())]), tracked([ours, list(module.parameters())])
    if len(mine) != len(wanted):
        raise grading.MismatchError(f"{len(mine)} tensors require a gradient, in torch {len(wanted)}")
    if wanted:
        grading.same_gradients(got, expected, mine, wanted)


def _pair(info: Any, made: Any) -> tuple[Any, Any]:
    """torch's module and minigrad's, both built from the same seed, in float64."""
    args, kwargs = to_minigrad((made.args, made.kwargs))
    grading.seed_both()
    reference = info.module_cls(*made.args, **made.kwargs).double()
    grading.seed_both()
    return reference, lookup(path(info))(*args, **kwargs).double()


def errors(info: Any) -> Iterator[Outcome]:
    """The module's bad constructor arguments and bad inputs."""
    if info.module_error_inputs_func is None:
        return
    torch.manual_seed(0)
    drawn = info.module_error_inputs_func(info, "cpu", torch.float64, requires_grad=False, training=True)
    for number, bad in enumerate(drawn):
        made = bad.module_error_input.constructor_input
        case = f"{number}: {shown(made.args, made.kwargs)}"
        yield judged(FAMILY, "errors", title(info), case, _compare_exceptions, info, bad)


def _compare_exceptions(info: Any, bad: Any) -> str:
    given = bad.module_error_input.constructor_input
    reference, module = info.module_cls, lookup(path(info))
    if bad.error_on is not ModuleErrorEnum.CONSTRUCTION_ERROR:
        reference, module = _pair(info, given)
        given = bad.module_error_input.forward_input
    args, kwargs = to_minigrad((given.args, given.kwargs))
    return grading.compare_exceptions(
        lambda: module(*args, **kwargs), lambda: reference(*given.args, **given.kwargs), bad.error_regex
    )
