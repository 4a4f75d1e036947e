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


def outcomes(most: int = MOST) -> Iterator[Outcome]:
    """`torch.autograd.gradcheck` and ``gradgradcheck`` on the first samples of every operator that minigrad has."""
    exam = [op for op in op_db if op.supports_autograd and op.supports_dtype(torch.float64, "cpu")]
    return scope.outcomes(exam, operators.path, functools.partial(checks, most=most))


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
        checkers = {"first order": torch.autograd.gradcheck, "second order": torch.autograd.gradgradcheck}
        for exam, checker in checkers.items():
            if exam == "first order" or op.supports_gradgrad:
                yield judged(FAMILY, exam, operators.title(op), case, _check, checker, op, sample, theirs, inputs)
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
