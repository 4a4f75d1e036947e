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
        "minigrad's tensors take no memory format here": [
            f"{kind}: memory_format" for kind in ("bool", "byte", "short", "int", "long", "half", "float", "double")
        ],
        "uninitialized memory has no value to compare": ["empty", "empty_like", "new_empty"],
        "minigrad's function has no parameter `device`": ["logspace", "randint_like: device"],
        "minigrad has the orders 'fro' and 'nuc' only": ["linalg.matrix_norm: ord="],
        "minigrad has it as a method of tensors only": ["zero_"],
        "torch's own gradient uses 1/6 rounded to float32": ["nn.functional.hardsigmoid"],
        "differs: two numbers are accepted, too": [
            f"{name}: 2, 3" for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "remainder")
        ],
        "differs: a number as the second argument is accepted, too": [
            f"logical_{name}: int64[3], 2" for name in ("and", "or", "xor")
        ],
        "differs: the target is checked before the reduction": [
            f"nn.functional.{name}: reduction='abc'" for name in ("multi_margin_loss", "multilabel_margin_loss")
        ],
        "differs: a scalar input is compare_exceptions": [
            "nn.functional.multi_margin_loss: 0: float64[]",
            "scatter_add: float64[], 0, int64[]",
        ],
        "differs: a scalar input gives a result of one dimension": ["nn.functional.prelu: float64[], float64[1]"],
        "differs: torch's draw has a gradient of zeros, minigrad's has none": ["bernoulli"],
        "differs: a negative size raises ValueError, in torch RuntimeError": ["eye: errors"],
        "differs: the number of steps is not checked": ["linspace: errors"],
        "differs: with ends of float32 or integers, all is computed in float32": ["linspace (tensor_overload)"],
        "differs: its results have no gradient": ["meshgrid"],
        "differs: targets other than 1 and -1": ["nn.functional.hinge_embedding_loss: 9: float64[]"],
        "differs: draws are made in float32, and there is no parameter `dtype`": ["normal"],
        "differs: indices are not broadcast, not negative, and need a dimension": ["take_along_dim"],
    },
    "modules": {"differs: a scalar input gives a result of one dimension": ["PReLU: scalar"]},
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
    others = [name for name in names if name not in set(examined)]
    return {f"{len(others)} {what} of minigrad": "torch's exam does not have them: " + ", ".join(others)}
