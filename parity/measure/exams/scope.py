"""What is examined: whatever minigrad has of torch's exams, but for the exclusions that are listed here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from parity.measure.exams.bridge import UnsupportedError, lookup
from parity.measure.exams.grading import Outcome

Name = Callable[[Any], str]
Part = Callable[[Any], Iterator[Outcome]]

#: Which questions of torch's exams are not asked, by family and reason. A question is a name, with or without its
#: variant; or a name, a colon, and a text that the exam's name, the description of the sample, or minigrad's error
#: message has.
EXCLUDED: dict[str, dict[str, list[str]]] = {
    "operators": {
        "uninitialized memory has no value to compare": ["empty", "empty_like", "new_empty"],
        "minigrad has no spectral norms: the orders 2 and -2": [
            f"linalg.matrix_norm: {order}" for order in ("ord=2", "ord=-2", ", 2, (-2", ", -2, (-2")
        ],
        "torch's own gradient uses 1/6 rounded to float32": ["nn.functional.hardsigmoid"],
        "NumPy's arrays have at most 64 dimensions": ["amax: 64 dimensions", "amin: 64 dimensions"],
    },
    "modules": {},
    "optimizers": {"minigrad never records a step": ["differentiable"]},
    "criterions": {"minigrad has no losses of complex numbers": ["L1Loss: no_reduce_complex"]},
    "gradcheck": {
        "the checker needs a result of the input's dtype": ["float", "half"],
        "time; `operators` compares the gradients of all of them": ["samples after an operator's first 3"],
    },
}


def listed(family: str) -> dict[str, str]:
    """The questions of a family that are not asked, each with its reason."""
    return {question: why for why, questions in EXCLUDED[family].items() for question in questions}


def excluded(outcome: Outcome) -> bool:
    """Whether this question is on the list. Derivatives are those of the operators' samples, and share their list."""
    questions = listed(outcome.family) | (listed("operators") if outcome.family == "gradcheck" else {})
    subjects = (outcome.subject, outcome.subject.partition(" (")[0])
    texts = (outcome.exam, outcome.case, outcome.why)
    keys = (question.partition(": ") for question in questions)
    return any(subject in subjects and any(part in text for text in texts) for subject, _, part in keys)


def has(path: str) -> bool:
    """Whether minigrad has something of that name: ``"nn.Linear"``, ``"optim.Adam"``, an operator or a method."""
    try:
        return bool(lookup(path))
    except UnsupportedError:
        return False


def outcomes(exam: Sequence[Any], path: Name, *parts: Part) -> Iterator[Outcome]:
    """All parts of an exam, for each of its entries that minigrad has; `path` is its name below `minigrad`."""
    for info in exam:
        if has(path(info)):
            for part in parts:
                yield from part(info)


def left_out(family: str, exam: Sequence[Any], path: Name, title: Name) -> dict[str, str]:
    """What a family's exam has that minigrad has not."""
    others = [title(info) for info in exam if not has(path(info))]
    return {f"{len(others)} of {len(exam)} {family}": "minigrad does not have them: " + ", ".join(others)}


def classes(package: Any, base: type) -> list[str]:
    """The names of all classes of that kind in a package, in alphabetical order, without the base."""
    kinds = {name: value for name, value in vars(package).items() if isinstance(value, type)}
    return sorted(name for name, kind in kinds.items() if issubclass(kind, base) and kind is not base)


def lacking(what: str, names: Sequence[str], examined: Iterable[str]) -> dict[str, str]:
    """What minigrad has that torch's exam has not."""
    known = set(examined)
    others = [name for name in names if name not in known]
    return {f"{len(others)} {what} of minigrad": "torch's exam does not have them: " + ", ".join(others)}
