"""What counts as right: the same structure, dtype, shape and values; for bad input the same exception."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import minigrad
from parity.measure.exams.bridge import SEED, UnsupportedError, leaves

PASSED, FAILED, UNSUPPORTED = "passed", "failed", "not supported"
OTHER_WORDS = "same type and sizes, in other words"
TOLERANCE = {"float64": 1e-10, "float32": 1e-5, "float16": 1e-2}  #: relative to max(1, size of torch's number)


@dataclass(frozen=True)
class Outcome:
    """How one question of an exam was answered."""

    family: str
    exam: str  #: which part of the family's exam: gradients, errors …
    subject: str  #: the operator, module or optimizer
    case: str
    verdict: str
    why: str = ""


class MismatchError(Exception):
    """An answer that differs from torch's."""


def judged(family: str, exam: str, subject: str, case: str, check: Callable[..., Any], *args: Any) -> Outcome:
    """Runs one check with these arguments: it raises where minigrad's answer differs, or where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", RuntimeWarning)  # NumPy's warnings must not reach the user
            remark = check(*args)
    except (UnsupportedError, NotImplementedError) as error:
        return Outcome(family, exam, subject, case, UNSUPPORTED, first_line(error))
    except Exception as error:  # of any kind: a user would have seen it
        why = first_line(error) if isinstance(error, MismatchError) else f"{type(error).__name__}: {first_line(error)}"
        return Outcome(family, exam, subject, case, FAILED, why)
    return Outcome(family, exam, subject, case, PASSED, remark or "")


def first_line(error: BaseException) -> str:
    """The first line of an exception's message."""
    return (str(error).splitlines() or [""])[0][:300]


# ---- values ----------------------------------------------------------------------------------------------


def same(got: Any, expected: Any, what: str) -> None:
    """Compares two trees leaf by leaf.

    Raises:
        MismatchError: naming what differs, and where.
    """
    ours, theirs = list(leaves(got)), list(leaves(expected))
    if len(ours) != len(theirs):
        raise MismatchError(f"{what}: {len(ours)} results for torch's {len(theirs)}")
    for i, (x, y) in enumerate(zip(ours, theirs, strict=True)):
        same_leaf(x, y, what if len(ours) == 1 else f"{what} {i}")


def shown(args: Any, kwargs: dict[str, Any]) -> str:
    """A call's arguments in short, tensors by dtype and shape: ``float64[3, 2], dim=1``."""

    def short(value: Any) -> str:
        if isinstance(value, torch.Tensor):
            return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
        if isinstance(value, (list, tuple)):
            inside = ", ".join(map(short, value))
            return f"[{inside}]" if isinstance(value, list) else f"({inside})"
        return repr(value)

    return ", ".join([*map(short, args), *(f"{name}={short(value)}" for name, value in kwargs.items())])[:150]


def same_tensors(got: Any, expected: Any, what: str) -> None:
    """Compares the tensors in two trees of arguments, of which some may have been written to.

    Raises:
        MismatchError: naming what differs, and where.
    """
    ours = [x for x in leaves(got) if isinstance(x, minigrad.Tensor)]
    same(ours, [x for x in leaves(expected) if isinstance(x, torch.Tensor)], what)


def same_leaf(x: Any, y: Any, what: str) -> None:
    """Compares one tensor, or one number.

    Raises:
        MismatchError: if type, dtype, shape or values differ.
    """
    if isinstance(y, torch.Tensor) != isinstance(x, minigrad.Tensor):
        raise MismatchError(f"{what}: {type(x).__name__} for torch's {type(y).__name__}")
    if not isinstance(y, torch.Tensor):
        x, y = (tuple(v) if isinstance(v, tuple) else v for v in (x, y))
        if x != y and not (x != x and y != y):
            raise MismatchError(f"{what}: {x!r} for torch's {y!r}")
        return
    if (ours := x.dtype.name) != (theirs := str(y.dtype).removeprefix("torch.")):
        raise MismatchError(f"{what}: dtype {ours} for torch's {theirs}")
    if tuple(x.shape) != tuple(y.shape):
        raise MismatchError(f"{what}: shape {list(x.shape)} for torch's {list(y.shape)}")
    close(x.detach().numpy(), y.detach().resolve_conj().resolve_neg().numpy(), what)


def close(a: Any, b: Any, what: str, tolerance: float | None = None) -> None:
    """Compares arrays of one shape and dtype; nan equals nan.

    Raises:
        MismatchError: with the index of the largest difference.
    """
    allowed = TOLERANCE.get(b.dtype.name, 0.0) if tolerance is None else tolerance
    right = np.isclose(a, b, rtol=allowed, atol=allowed, equal_nan=True)
    if not right.all():
        with np.errstate(all="ignore"):
            apart = np.where(right, 0, np.nan_to_num(np.abs(np.subtract(a, b, dtype=np.float64)), nan=np.inf))
        at = tuple(int(i) for i in np.unravel_index(np.argmax(apart), apart.shape))
        count = f"{(~right).sum()} of {right.size}"
        raise MismatchError(f"{what}: {a[at]} for torch's {b[at]} at index {at}; {count} differ")


def same_gradients(got: Any, expected: Any, ours: list[Any], theirs: list[torch.Tensor]) -> None:
    """Compares the products of one random cotangent with both Jacobians.

    Args:
        got: minigrad's results.
        expected: torch's.
        ours: what to differentiate with respect to, in minigrad.
        theirs: the same in torch.

    Raises:
        MismatchError: if they differ; a missing gradient and one of zeros are the same.
    """
    pairs = [(x, y) for x, y in zip(leaves(got), leaves(expected), strict=True) if getattr(y, "requires_grad", False)]
    if wrong := [i for i, (x, _) in enumerate(pairs) if not x.requires_grad]:
        raise MismatchError(f"gradient: result {wrong[0]} does not require a gradient")
    rng = np.random.default_rng(SEED)
    cotangents = [rng.uniform(-1, 1, tuple(y.shape)) for _, y in pairs]
    gradients = []
    for fw, results, inputs in ((minigrad, [x for x, _ in pairs], ours), (torch, [y for _, y in pairs], theirs)):
        products = [fw.tensor(c, dtype=result.dtype) for c, result in zip(cotangents, results, strict=True)]
        gradients.append(fw.autograd.grad(results, inputs, products, allow_unused=True))
    for i, (x, y, like) in enumerate(zip(*gradients, theirs, strict=True)):
        zeros = torch.zeros_like(like)
        same_leaf(minigrad.tensor(zeros.numpy()) if x is None else x, zeros if y is None else y, f"gradient {i}")


def seed_both() -> None:
    """Both random streams from the same seed: what follows draws the same numbers."""
    torch.default_generator.manual_seed(SEED)  # `torch.manual_seed` looks for accelerators each time
    minigrad.manual_seed(SEED)


# ---- errors ----------------------------------------------------------------------------------------------


def raised(function: Callable[[], Any]) -> BaseException | None:
    """The exception that a call raises, or None; TypeError for a method that returns ``NotImplemented``."""
    try:
        answer = function()
    except Exception as error:
        return error
    return TypeError("NotImplemented") if answer is NotImplemented else None


def compare_exceptions(ours: Callable[[], Any], theirs: Callable[[], Any], regex: str) -> str:
    """Makes both calls, torch's first, and compares the exceptions: see `same_exception`."""
    expected = raised(theirs)
    return same_exception(raised(ours), expected, regex)


def same_exception(ours: BaseException | None, theirs: BaseException | None, regex: str) -> str:
    """Compares minigrad's exception with torch's.

    The type must be the same, and minigrad's message must name every shape and size that torch's names. Where
    it lacks the words that torch's tests look for (`regex`), a remark says so.

    Returns:
        The remark, if there is one.

    Raises:
        MismatchError: if not.
    """
    if theirs is None and ours is None:
        return "torch itself takes it"
    mine, other = (error and f"{type(error).__name__}: {first_line(error)}" for error in (ours, theirs))
    if theirs is None:
        raise MismatchError(f"torch itself takes it; minigrad raises {mine}")
    if ours is None:
        raise MismatchError(f"no complaint; torch raises {other}")
    said = f"minigrad says {mine}; torch: {other}"
    if type(ours) is not type(theirs):
        raise MismatchError(f"another type: {said}")
    if not sizes(str(theirs)) <= sizes(str(ours)):
        raise MismatchError(f"other sizes: {said}")
    return "" if re.search(regex, str(ours)) else OTHER_WORDS


def sizes(message: str) -> set[tuple[int, ...]]:
    """The shapes and sizes that a message names: ``[2, 3]``, ``(2x3 and 4x5)``, ``(3)``, ``size 4``.

    >>> sorted(sizes("mat1 and mat2 shapes cannot be multiplied (2x5 and 3x4)"))
    [(2, 5), (3, 4)]
    """
    if "invalid combination of arguments" in message or "incompatible function arguments" in message:
        return set()  # the list of all overloads: no shape of the caller's
    found = re.findall(r"\d+(?:x\d+)+|[\[(]-?\d+(?:, ?-?\d+)*,?[\])]|\bsize -?\d+", message)
    return {tuple(int(n) for n in re.findall(r"-?\d+", text)) for text in found}
