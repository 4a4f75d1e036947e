"""Writes stub files, for type checkers and editors, of the names that come from records.

``methods.pyi`` has the methods of `Tensor`, ``ops/__init__.pyi`` the functions of `minigrad`, ``nn/functional.pyi``
those of `minigrad.nn.functional`.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from minigrad import ops
from minigrad.nn import functional
from minigrad.ops.record import REFLECTED, WORDS
from minigrad.tensor import Tensor

HEAD = '''# ruff: noqa
# fmt: off
"""Made from the operations' records by `make docs`."""

import builtins
from collections.abc import Sequence
from typing import Any, Literal, Self, overload

import numpy as np

from minigrad import dtypes
from minigrad.dtypes import DTypeLike
from minigrad.ops.record import registry as registry
from minigrad.ops.recurrence import State
from minigrad.ops.reduction import MaxMin
from minigrad.random import Generator
from minigrad.tensor import Tensor

Number = complex | np.number[Any] | np.bool
'''
WRITTEN = ("minigrad.tensor", "minigrad.conversions", "minigrad.engine")  # type checkers read these themselves
BY_HAND = {"__eq__": "object", "__ne__": "object", "__getitem__": "Any"}  #: the argument of some operators
EXTREME = ("input: Tensor", "input: Tensor, dim: int, keepdim: bool = False", "input: Tensor, other: Tensor")
POOLING = (
    "input: Tensor, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None, "
    "padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, ceil_mode: bool = False, "
)
POOLS = (
    (POOLING + "return_indices: Literal[False] = False", "Tensor"),
    (POOLING + "*, return_indices: Literal[True]", "tuple[Tensor, Tensor]"),
)
OVERLOADS: dict[str, tuple[tuple[str, str], ...]] = {  #: parameters and result, if the result's type depends on them
    "max": tuple(zip(EXTREME, ("Tensor", "MaxMin", "Tensor"), strict=True)),
    "min": tuple(zip(EXTREME, ("Tensor", "MaxMin", "Tensor"), strict=True)),
    "median": tuple(zip(EXTREME[:2], ("Tensor", "MaxMin"), strict=True)),
    "where": (
        ("condition: Tensor", "tuple[Tensor, ...]"),
        ("condition: Tensor, input: Tensor | Number, other: Tensor | Number", "Tensor"),
    ),
    "max_pool1d": POOLS,
    "max_pool2d": POOLS,
}


class Word(str):
    """An annotation that is written without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def stub(name: str, function: Callable[..., Any], method: bool = False) -> str:
    """The function's signature, or several, with the first paragraph of its docstring."""
    signature, own = inspect.signature(function), inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = [p.replace(annotation=Word(written(p))) for p in signature.parameters.values()]
    given = "Any" if signature.return_annotation is inspect.Signature.empty else signature.return_annotation
    result = "Self" if method and re.fullmatch(r".*[^_]_", name) else "Tensor" if given == "Any" else given
    bare = name.strip("_")
    if method:
        parameters[0] = own
    if name.startswith("__") and len(parameters) > 1 and name != "__setitem__":
        reflected = bare[0] == "r" and bare[1:] in REFLECTED
        operand = BY_HAND.get(name, "Number" if reflected else "Tensor" if "matmul" in name else "Tensor | Number")
        parameters = [own, inspect.Parameter("other", own.kind, annotation=Word(operand))]
        result = "Self" if bare[0] == "i" and bare[1:] in REFLECTED else "Tensor"
    shown = signature.replace(parameters=parameters, return_annotation=Word(result))
    text = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\\", "\\\\")
    doc = textwrap.indent(f'\n"""{text}"""', "    ") if text else " ..."
    override = name in ("__eq__", "__ne__")  # `object` has them with another result
    ignored = "  # type: ignore[override]" if override else ""
    if name in OVERLOADS:
        variants = [(f"self{p.partition('Tensor')[2]}" if method else p, r) for p, r in OVERLOADS[name]]
        return "\n".join(f"@overload\ndef {name}({p}) -> {r}:{doc}" for p, r in variants)
    return f"def {name}{shown}:{ignored}{doc}"


def written(parameter: inspect.Parameter) -> str:
    """A parameter's annotation for users: operands are tensors."""
    if parameter.annotation is inspect.Parameter.empty:
        return "Any"
    word = WORDS.get(parameter.annotation)
    return str(parameter.annotation) if word is None else word + " | None" * (parameter.default is None)


def functions(module: ModuleType) -> str:
    """The stub of a module."""
    names = sorted(module.__all__)  # whatever imports what
    found = [(name, getattr(module, name)) for name in names]
    lines = [stub(name, function) for name, function in found if inspect.isfunction(function)]
    return "\n".join([HEAD, *lines, "", f"__all__ = {names!r}", ""])


def methods() -> str:
    """The stub of the methods that are attached to `Tensor`."""
    lines = ["def __hash__(self) -> int: ..."]
    for name, value in sorted(vars(Tensor).items()):
        function = value.fget if isinstance(value, property) else value
        if inspect.isfunction(function) and function.__module__ not in WRITTEN:
            lines.append("@property\n" * isinstance(value, property) + stub(name, function, method=True))
    # methods have these names
    text = re.sub(r"(?<=[\[ ])(bool|float|int)\b(?!\(| \()", r"builtins.\1", "\n".join(lines))
    return "\n".join([HEAD, "class Methods:", textwrap.indent(text, "    "), ""])


def stubs() -> dict[Path, str]:
    """The files and their text."""
    root = Path(ops.__file__).parents[1]
    return {
        root / "methods.pyi": methods(),
        root / "ops" / "__init__.pyi": functions(ops),
        root / "nn" / "functional.pyi": functions(functional),
    }


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text, encoding="utf-8")
