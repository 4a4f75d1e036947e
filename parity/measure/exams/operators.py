"""OpInfo: torch's samples of arguments for its operators, and of arguments that they refuse."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Iterator
from typing import Any

import torch
from torch.testing._internal.common_methods_invocations import op_db

from parity.measure.exams import grading, scope
from parity.measure.exams.bridge import leaves, to_minigrad, tracked, translated
from parity.measure.exams.grading import Outcome, judged, shown

FAMILY = "operators"


def title(op: Any) -> str:
    """The operator's name, with its variant."""
    return f"{op.name} ({op.variant_test_name})" if op.variant_test_name else str(op.name)


def path(op: Any) -> str:
    """The operator's name below `minigrad`."""
    return str(op.name)


def outcomes() -> Iterator[Outcome]:
    """All samples and all bad inputs of all operators that minigrad has."""
    return scope.outcomes(op_db, path, samples, errors)


def left_out() -> dict[str, str]:
    """What torch's exam has beside that, and why it is left out."""
    return scope.left_out(FAMILY, op_db, path, title)


def samples(op: Any, most: int | None = None) -> Iterator[Outcome]:
    """Values, and gradients where there are any, of the operator's samples (of the first `most`)."""
    torch.manual_seed(0)
    integers = not op.supports_dtype(torch.float64, "cpu") and op.supports_dtype(torch.int64, "cpu")
    kind = torch.int64 if integers else torch.float64
    drawn = op.sample_inputs("cpu", kind, requires_grad=op.supports_autograd and not integers)
    for number, sample in enumerate(itertools.islice(drawn, most)):
        theirs = (sample.input, *sample.args), sample.kwargs
        ours = to_minigrad(theirs)  # before torch's call, which may write to them
        grading.seed_both()
        expected = op.op(*theirs[0], **theirs[1])
        exam, case = "gradients" if op.supports_autograd else "values", f"{number}: {shown(*theirs)}"
        yield judged(FAMILY, exam, title(op), case, _compare, op, sample.output_process_fn_grad, ours, theirs, expected)


def _compare(op: Any, process: Any, ours: Any, theirs: Any, expected: Any) -> None:
    got = translated(op.op, op.name)(*ours[0], **ours[1])
    grading.same(got, expected, "value")
    grading.same_tensors(ours, theirs, "argument after the call")
    result, wanted = process(expected), tracked(theirs)
    if any(getattr(y, "requires_grad", False) for y in leaves(result)):
        grading.same_gradients(translated(process, "")(got), result, tracked(ours), wanted)


def errors(op: Any) -> Iterator[Outcome]:
    """The operator's bad inputs."""
    torch.manual_seed(0)
    drawn = list(op.error_inputs("cpu") if op.error_inputs_func else ())
    given = [((bad.sample_input.input, *bad.sample_input.args), bad.sample_input.kwargs) for bad in drawn]
    before = copy.deepcopy(given)  # a call that torch refuses can spoil its `out`, which the next question uses too
    for number, (bad, theirs, ours) in enumerate(zip(drawn, given, before, strict=True)):
        case = f"{number}: {shown(*ours)}"
        yield judged(FAMILY, "errors", title(op), case, _compare_exceptions, op, bad, theirs, ours)


def _compare_exceptions(op: Any, bad: Any, theirs: Any, ours: Any) -> str:
    args, kwargs = to_minigrad(ours)
    function = translated(op.op, op.name)
    reference = functools.partial(op.op, *theirs[0], **theirs[1])
    return grading.compare_exceptions(functools.partial(function, *args, **kwargs), reference, bad.error_regex)
