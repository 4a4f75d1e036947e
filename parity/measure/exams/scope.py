"""What is examined: whatever minigrad has of torch's exams, but for the exclusions that are listed here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from parity.measure.exams.bridge import UnsupportedError, lookup
from parity.measure.exams.grading import Outcome

EXCLUDED: dict[str, dict[str, str]] = {
    "operators": {
        **dict.fromkeys(
            [f"{kind}: memory_format" for kind in ("bool", "byte", "short", "int", "long", "half", "float", "double")],
            "minigrad's tensors take no memory format here",
        ),
        **dict.fromkeys(
            ["bitwise_and: 2, 3", "bitwise_or: 2, 3", "bitwise_xor: 2, 3", "remainder: 2, 3"],
            "differs: two numbers are taken, too",
        ),
        **dict.fromkeys(
            ["logical_and: int64[3], 2", "logical_or: int64[3], 2", "logical_xor: int64[3], 2"],
            "differs: a number as the second argument is taken, too",
        ),
        **dict.fromkeys(["empty_like", "new_empty"], "uninitialized memory has no value to compare"),
        **dict.fromkeys(["logspace", "randint_like: device"], "minigrad's function has no parameter `device`"),
        **dict.fromkeys(
            [f"nn.functional.{name}: reduction='abc'" for name in ("multi_margin_loss", "multilabel_margin_loss")],
            "differs: the target is checked first",
        ),
        "bernoulli": "differs: torch's draw has a gradient of zeros, minigrad's has none",
        "eye: errors": "differs: a negative size raises ValueError, in torch RuntimeError",
        "linalg.matrix_norm: ord=": "minigrad has the orders 'fro' and 'nuc' only",
        "linspace: errors": "differs: the number of steps is not checked",
        "linspace (tensor_overload)": "differs: with ends of float32 or integers, all is computed in float32",
        "meshgrid": "differs: its results have no gradient",
        "nn.functional.hardsigmoid": "torch's own gradient uses 1/6 rounded to float32",
        "nn.functional.hinge_embedding_loss: 9: float64[]": "differs: targets other than 1 and -1",
        "nn.functional.multi_margin_loss: 0: float64[]": "differs: a scalar input is refused",
        "nn.functional.prelu: float64[], float64[1]": "differs: a scalar input gives a result of one dimension",
        "normal": "differs: draws are made in float32, and there is no parameter `dtype`",
        "scatter_add: float64[], 0, int64[]": "differs: a scalar input is refused",
        "take_along_dim": "differs: indices are not broadcast, not negative, and need a dimension",
        "zero_": "minigrad has it as a method of tensors only",
    },
    "modules": {"PReLU: scalar": "differs: a scalar input gives a result of one dimension"},
    "optimizers": {"differentiable": "minigrad never records a step"},
    "criterions": {"L1Loss: no_reduce_complex": "minigrad has no losses of complex numbers"},
    "gradcheck": {
        **dict.fromkeys(["float", "half"], "the checker needs a result of the input's dtype"),
        "samples after an operator's first 3": "time; `operators` compares the gradients of all of them",
    },
}
"""Why a question of torch's exams is not asked, by family.

A key is a name, with or without its variant; or a name, a colon, and a text that the exam's name, the description of
the sample, or minigrad's error message has.
"""


def excluded(outcome: Outcome) -> bool:
    """Whether this question is on the list. Derivatives are those of the operators' samples, and share their list."""
    listed = EXCLUDED[outcome.family] | (EXCLUDED["operators"] if outcome.family == "gradcheck" else {})
    subjects = (outcome.subject, outcome.subject.partition(" (")[0])
    texts = (outcome.exam, outcome.case, outcome.why)
    keys = (key.partition(": ") for key in listed)
    return any(subject in subjects and any(part in text for text in texts) for subject, _, part in keys)


def has(path: str) -> bool:
    """Whether minigrad has something of that name: ``"nn.Linear"``, ``"optim.Adam"``, an operator or a method."""
    try:
        return bool(lookup(path))
    except UnsupportedError:
        return False


def left_out(
    family: str, exam: Sequence[Any], path: Callable[[Any], str], title: Callable[[Any], str]
) -> dict[str, str]:
    """What a family's exam has beside what is asked, and why that is left out."""
    others = [title(info) for info in exam if not has(path(info))]
    missing = {f"{len(others)} of {len(exam)} {family}": "minigrad does not have them: " + ", ".join(others)}
    return missing | EXCLUDED[family]
