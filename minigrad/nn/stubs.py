"""Writes what type checkers read of the names that come from records: ``ops/__init__.pyi``, ``nn/functional.pyi``."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType

from minigrad import ops
from minigrad.nn import functional
from minigrad.ops.record import WORDS

HEAD = '''# ruff: noqa
# fmt: off
"""Made from the operations' records by `make docs`."""

from collections.abc import Sequence
from typing import Any

from minigrad.dtypes import DTypeLike
from minigrad.ops.record import registry as registry
from minigrad.tensor import Tensor
'''


class Word(str):
    """An annotation that is written without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def stub(module: ModuleType) -> str:
    """A line for each function of the module."""
    lines = [HEAD]
    for name in module.__all__:
        if inspect.isfunction(function := getattr(module, name)):
            signature = inspect.signature(function)
            parameters = [p.replace(annotation=Word(written(p))) for p in signature.parameters.values()]
            lines.append(f"def {name}{signature.replace(parameters=parameters, return_annotation=Word('Any'))}: ...")
    return "\n".join([*lines, "", f"__all__ = {module.__all__!r}", ""])


def written(parameter: inspect.Parameter) -> str:
    """A parameter's annotation as users mean it: operands are tensors."""
    word = WORDS.get(parameter.annotation)
    return str(parameter.annotation) if word is None else word + " | None" * (parameter.default is None)


def stubs() -> dict[Path, str]:
    """The files and their text."""
    root = Path(ops.__file__).parents[1]
    return {root / "ops" / "__init__.pyi": stub(ops), root / "nn" / "functional.pyi": stub(functional)}


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text, encoding="utf-8")
