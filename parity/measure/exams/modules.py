"""ModuleInfo: torch's constructor and forward arguments for its layers and losses, training and evaluating."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import torch
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

import minigrad
from minigrad.nn.module import Module
from parity.measure.exams import scope
from parity.measure.exams.bridge import lookup, to_minigrad, tracked
from parity.measure.exams.grading import (
    MismatchError,
    Outcome,
    complaint,
    judged,
    same,
    same_complaint,
    same_gradients,
    seed_both,
    shown,
)

FAMILY = "modules"


def title(info: Any) -> str:
    """The module's name."""
    return str(info.module_cls.__name__)


def path(info: Any) -> str:
    """The module's name below `minigrad`."""
    return f"nn.{title(info)}"


def sit() -> Iterator[Outcome]:
    """All inputs and all bad inputs of all modules that minigrad has."""
    for info in module_db:
        if scope.has(path(info)):
            yield from inputs(info)
            yield from errors(info)


def left_out() -> dict[str, str]:
    """What torch's exam has beside that, and why it is left out; and what it lacks."""
    known = {title(info) for info in module_db}
    lacking = [name for name in layers() if name not in known]
    own = {f"{len(lacking)} modules of minigrad": "torch's exam has no inputs for them: " + ", ".join(lacking)}
    return scope.left_out(FAMILY, module_db, path, title) | own


def layers() -> list[str]:
    """The names of all modules that minigrad has."""
    classes = {name: value for name, value in vars(minigrad.nn).items() if isinstance(value, type)}
    return sorted(name for name, cls in classes.items() if issubclass(cls, Module) and cls is not Module)


def inputs(info: Any, most: int | None = None) -> Iterator[Outcome]:
    """Results, gradients and buffers for the module's inputs (the first `most`), training and evaluating."""
    for training in (True, False) if info.train_and_eval_differ else (True,):
        torch.manual_seed(0)
        drawn = info.module_inputs_func(info, "cpu", torch.float64, requires_grad=True, training=training)
        for number, given in enumerate(drawn[:most]):
            if given.forward_input is None:
                continue
            case = f"{number}: {given.desc or shown(given.constructor_input.args, given.constructor_input.kwargs)}"
            exam = "inputs" if training else "inputs, evaluating"
            yield judged(FAMILY, exam, title(info), case, functools.partial(_compare, info, given, training))


def _compare(info: Any, given: Any, training: bool) -> None:
    made = given.constructor_input
    reference, module = _pair(info, made.args, made.kwargs)
    for side in (reference, module):
        side.double().train(training)
    same(dict(module.state_dict()), dict(reference.state_dict()), "initial state")
    theirs = given.forward_input.args, given.forward_input.kwargs
    ours = to_minigrad(theirs)
    seed_both()
    expected = reference(*theirs[0], **theirs[1])
    got = module(*ours[0], **ours[1])
    same(got, expected, "value")
    same(dict(module.state_dict()), dict(reference.state_dict()), "state after the call")
    wanted = tracked([theirs, list(reference.parameters())])
    mine = tracked([ours, list(module.parameters())])
    if len(mine) != len(wanted):
        raise MismatchError(f"{len(mine)} tensors require a gradient, in torch {len(wanted)}")
    if wanted:
        same_gradients(got, expected, mine, wanted)


def _pair(info: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """torch's module and minigrad's, both built from the same seed."""
    cls = lookup(path(info))
    ours = to_minigrad((args, kwargs))
    seed_both()
    reference = info.module_cls(*args, **kwargs)
    seed_both()
    return reference, cls(*ours[0], **ours[1])


def errors(info: Any) -> Iterator[Outcome]:
    """The module's bad constructor arguments and bad inputs."""
    if info.module_error_inputs_func is None:
        return
    torch.manual_seed(0)
    drawn = info.module_error_inputs_func(info, "cpu", torch.float64, requires_grad=False, training=True)
    for number, bad in enumerate(drawn):
        made = bad.module_error_input.constructor_input
        case = f"{number}: {shown(made.args, made.kwargs)}"
        yield judged(FAMILY, "errors", title(info), case, functools.partial(_complain, info, bad))


def _complain(info: Any, bad: Any) -> str:
    made = bad.module_error_input.constructor_input
    if bad.error_on is ModuleErrorEnum.CONSTRUCTION_ERROR:
        cls = lookup(path(info))
        args, kwargs = to_minigrad((made.args, made.kwargs))
        expected = complaint(lambda: info.module_cls(*made.args, **made.kwargs))
        return same_complaint(complaint(lambda: cls(*args, **kwargs)), expected, bad.error_regex)
    reference, module = _pair(info, made.args, made.kwargs)
    given = bad.module_error_input.forward_input
    for side in (reference, module):
        side.double()
    args, kwargs = to_minigrad((given.args, given.kwargs))
    expected = complaint(lambda: reference(*given.args, **given.kwargs))
    return same_complaint(complaint(lambda: module(*args, **kwargs)), expected, bad.error_regex)
