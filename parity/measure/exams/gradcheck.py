"""torch's own checker of first and second derivatives examines minigrad, through the bridge."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import torch
from torch.autograd.gradcheck import GradcheckError
from torch.testing._internal.common_methods_invocations import op_db

from parity.measure.exams import operators, scope
from parity.measure.exams.bridge import connected, leaves, to_minigrad, tracked, translated
from parity.measure.exams.grading import Outcome, judged, shown

FAMILY = "gradcheck"
MOST = 3  #: samples of an operator: each takes some dozen calls


def sit(most: int = MOST) -> Iterator[Outcome]:
    """`torch.autograd.gradcheck` and ``gradgradcheck`` on the first samples of every operator that minigrad has."""
    for op in op_db:
        if scope.has(op.name) and op.supports_autograd and op.supports_dtype(torch.float64, "cpu"):
            yield from checks(op, most)


def left_out() -> dict[str, str]:
    """What torch's exam has beside that, and why it is left out."""
    return scope.EXCLUDED[FAMILY]


def checks(op: Any, most: int) -> Iterator[Outcome]:
    """Both orders, on the first differentiable samples of one operator."""
    torch.manual_seed(0)
    taken = 0
    for number, sample in enumerate(op.sample_inputs("cpu", torch.float64, requires_grad=True)):
        theirs = (sample.input, *sample.args), sample.kwargs
        inputs = tracked(theirs)
        results = list(leaves(sample.output_process_fn_grad(op.op(*theirs[0], **theirs[1]))))
        if not any(getattr(y, "requires_grad", False) for y in results) or not all(x.numel() for x in inputs):
            continue
        case = f"{number}: {shown(*theirs)}"
        subject = operators.title(op)
        for exam, checker in (
            ("first order", torch.autograd.gradcheck),
            ("second order", torch.autograd.gradgradcheck),
        ):
            if exam == "first order" or op.supports_gradgrad:
                check = functools.partial(_check, checker, op, sample, theirs, inputs)
                yield judged(FAMILY, exam, subject, case, check)
        taken += 1
        if taken == most:
            return


def _check(checker: Any, op: Any, sample: Any, theirs: Any, inputs: list[torch.Tensor]) -> str:
    function = translated(op.op, op.name)
    process = translated(sample.output_process_fn_grad, "")

    def ours(*given: Any) -> Any:
        memo = {id(x): y for x, y in zip(inputs, given, strict=True)}
        args, kwargs = to_minigrad(theirs, memo)
        results = [y for y in leaves(process(function(*args, **kwargs))) if y.requires_grad]
        return tuple(results) if len(results) > 1 else results[0]

    try:
        checker(lambda *xs: connected(ours, *xs), inputs, fast_mode=True, nondet_tol=1e-12)
    except GradcheckError as error:
        try:
            checker(lambda *_: sample.output_process_fn_grad(op.op(*theirs[0], **theirs[1])), inputs, fast_mode=True)
        except GradcheckError:
            return "torch's own operator fails here too"
        raise error
    return ""
