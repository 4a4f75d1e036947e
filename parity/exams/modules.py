"""ModuleInfo: torch's constructor and forward arguments for its layers and losses, training and evaluating."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import torch
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

import minigrad
from parity.exams.bridge import UnsupportedError, to_minigrad, tracked
from parity.exams.grading import (
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

#: The modules that minigrad answers for.
NAMES = """
Linear Conv1d Conv2d ConvTranspose2d ReLU Tanh Sigmoid Softmax LogSoftmax LeakyReLU ELU GELU SELU SiLU Softplus
Softsign Hardtanh ReLU6 LogSigmoid CELU BatchNorm1d BatchNorm2d BatchNorm3d LayerNorm GroupNorm MaxPool1d MaxPool2d
AvgPool1d AvgPool2d AdaptiveAvgPool2d CrossEntropyLoss NLLLoss MSELoss L1Loss BCELoss BCEWithLogitsLoss SmoothL1Loss
HuberLoss KLDivLoss Embedding RNNCell LSTMCell GRUCell RNN LSTM GRU Flatten Dropout Bilinear
TransformerEncoderLayer MultiheadAttention
"""
SCOPE = set(NAMES.split())


def title(info: Any) -> str:
    """The module's name."""
    return str(info.module_cls.__name__)


def sit() -> Iterator[Outcome]:
    """All inputs and all bad inputs of all modules in scope."""
    for info in module_db:
        if title(info) in SCOPE:
            yield from inputs(info)
            yield from errors(info)


def left_out() -> dict[str, str]:
    """What torch's exam has beside that, and why it is left out."""
    others = [title(info) for info in module_db if title(info) not in SCOPE]
    without = sorted(SCOPE - {title(info) for info in module_db})
    return {
        f"{len(others)} of {len(module_db)} modules": "not in the scope that minigrad set itself: " + ", ".join(others),
        f"{len(without)} modules of the scope": "torch's exam has no inputs for them: " + ", ".join(without),
    }


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
    cls = counterpart(title(info))
    ours = to_minigrad((args, kwargs))
    seed_both()
    reference = info.module_cls(*args, **kwargs)
    seed_both()
    return reference, cls(*ours[0], **ours[1])


def counterpart(name: str) -> Any:
    """minigrad's module of that name.

    Raises:
        UnsupportedError: if there is none.
    """
    if (found := getattr(minigrad.nn, name, None)) is None:
        raise UnsupportedError(f"minigrad has no nn.{name}")
    return found


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
        cls = counterpart(title(info))
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
