"""A program in one file does what its modules do, whatever names they share."""

import ast
import importlib
import sys

import pytest

import experiments
from experiments.export.flatten import MAIN, Program, Symbol
from experiments.runner.errors import UsageError

MODULES = {
    "base": '''
"""The base."""
from typing import Any, TypeVar

S = TypeVar("S")
Row = dict[str, Any]
SCALE, UNUSED = 2, 3  #: both in one statement
"""A description below."""


# a comment above
def accuracy(x):
    return x * SCALE


def _curves(x):
    return f"base {x}"


def never_called():
    raise AssertionError
''',
    "other": '''
"""The other."""
import math
from typing import Any, TypeVar

from experiments.toys import base
from experiments.toys.base import accuracy as base_accuracy

S = TypeVar("S")
Row = dict[str, Any]
RATE = base.SCALE + math.floor(0.5)


def accuracy(x, scale=base.SCALE):  # the same name as in base
    SCALE = 100
    return base_accuracy(x) + base.accuracy(x) + SCALE + scale


def _curves(x):
    inner = lambda accuracy: f"{accuracy} {base.accuracy(3):>{base.SCALE}} é {base_accuracy(x)} {_name(x)!r}"
    return inner(x) + base._curves(x)


def _name(x) -> Row:
    return {"accuracy": x}


class Thing(dict[S, int]):
    """A class whose method has the name of a function."""

    def accuracy(self):
        return accuracy(self["x"]), [accuracy for accuracy in (1, 2)]
''',
    "last": '''
"""The last."""
from experiments.toys import other
from experiments.toys.other import Thing


def accuracy(x=0, *, RATE=None):
    found = Thing(x=4)
    Thing.note = other.RATE if RATE is None else RATE
    return found.accuracy(), found.note, other.accuracy(x=1), other._curves(5), found


def _curves():
    return accuracy(RATE=7), accuracy()
''',
}
PROGRAM = "from experiments.toys.last import _curves\n\nanswer = _curves()\n"


@pytest.fixture
def toys(tmp_path, monkeypatch):
    folder = tmp_path / "toys"
    folder.mkdir()
    for name, text in {"__init__": "", **MODULES}.items():
        (folder / f"{name}.py").write_text(text.lstrip())
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(tmp_path)])
    for name in [name for name in sys.modules if name.startswith("experiments.toys")]:  # of another test
        monkeypatch.delitem(sys.modules, name)
    importlib.invalidate_caches()
    return folder


def text_of(program):
    return "\n".join([*program.imports, *(code for _, code in program.sections())])


def test_the_file_does_what_the_modules_do(toys):
    program = Program(PROGRAM, {})
    expected, found = {}, {}
    exec(PROGRAM, expected)
    exec(text_of(program), found)
    assert repr(found["answer"]) == repr(expected["answer"])
    assert [module.rpartition(".")[2] for module, _ in program.sections()] == ["base", "other", "last", MAIN]


def test_words_are_kept_and_what_is_not_used_is_left_out(toys):
    text = text_of(Program(PROGRAM, {}))
    for kept in (
        "# a comment above\n",
        "#: both in one statement\n",
        '"""A description below."""',
        "def accuracy(x=0, *",
    ):
        assert text.count(kept) == 1
    assert "experiments" not in text
    assert "never_called" not in text
    names = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert names == ["base_accuracy", "base_curves", "other_accuracy", "other_curves", "_name", "accuracy", "_curves"]


def test_a_definition_can_stand_in_for_another(toys):
    (toys / "instead.py").write_text("def _name(x):\n    return 'instead'\n")
    main = f"import experiments.toys.instead\n{PROGRAM}"
    found = {}
    exec(text_of(Program(main, {Symbol("experiments.toys.other", "_name"): "experiments.toys.instead"})), found)
    assert "'instead'" in found["answer"][0][3]


def test_a_module_as_a_value_is_refused(toys):
    (toys / "last.py").write_text("from experiments.toys import base\n\n\ndef _curves():\n    return vars(base)\n")
    with pytest.raises(UsageError, match=r"experiments\.toys\.base is used as a value"):
        Program(PROGRAM, {})
