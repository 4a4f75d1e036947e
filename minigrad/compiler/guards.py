"""The checks of a step: that all it reads from Python is as it was when it was recorded.

A step reads tensors and Python objects. Tensors are observed while it runs (`minigrad.compiler.recorder`), Python
objects are found before it runs (`minigrad.compiler.analysis`). Each becomes a check: numbers and strings by value,
other objects by identity, containers by their elements. The checks are one generated function, called before each
replay. After a recorded run they tell whether the step changes Python objects. (`torch.compile` guards what it meets
while it interprets the bytecode: https://docs.pytorch.org/docs/stable/torch.compiler_dynamo_deepdive.html)
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from minigrad import dtypes
from minigrad.compiler.analysis import Analysis, plain
from minigrad.nn.hooks import EVERYWHERE
from minigrad.tensor import Tensor

NAMES = "abcd"  #: the names of a check's objects in its code
MISSING = object()


@functools.lru_cache(1024)
def compiled(text: str) -> CodeType:
    """The code of a check."""
    return compile(text.format(*NAMES), "<check>", "eval")


class Check(NamedTuple):
    """An expression whose value must not change."""

    text: str  #: in Python; each ``{}`` stands for one of the objects
    objects: tuple[Any, ...]
    each: bool  #: the value is an iterable of several that must not change
    what: str  #: for messages
    line: str


class Guards:
    """All checks of one step, made from its function and arguments before it runs.

    Raises:
        Unguardable: if the step may read something that can't be checked.

    >>> scale = [2.0]
    >>> guards = Guards(sum, scale)
    >>> guards.hold()
    True
    >>> scale[0] = 3.0
    >>> guards.hold()
    False
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        used = dict.fromkeys(("forward", "backward", "setup_context"), "a call")  # called by minigrad itself
        stored: dict[str, str] = {}
        probed: set[str] = set()
        known = -1
        while known != len(used) + len(probed):  # the code of newly reached objects may name more
            known = len(used) + len(probed)
            analysis = Analysis(used, stored, probed)
            analysis.follow(function, "its definition")
            for argument in arguments:
                analysis.follow(argument, "its arguments")
            analysis.methods(Tensor, "its arguments")
            for stage in ("forward_pre", "forward", "backward_pre", "backward"):
                analysis.follow(getattr(EVERYWHERE, stage), "the hooks of all modules")
        self.seen = analysis.seen
        self.checks: list[Check] = []
        self._before: list[Any] = []  #: the value of each check
        self._asked: set[tuple[Any, ...]] = set()
        self._fast: Callable[[], bool] | None = None
        self.aliases: list[tuple[int, Tensor]] = []  #: arguments that share their array with a tensor that is read
        self.add("{}.default", "the default dtype", "", dtypes)
        for text, what, line, objects, each in analysis.checks:
            self.add(text, what, line, *objects, each=each)

    def add(self, text: str, what: str, line: str, *objects: Any, each: bool = False) -> None:
        """Check that `text`, in which ``{}`` stands for an object, keeps its value (`each`: all its values)."""
        asked = text, each, *map(id, objects)
        if asked in self._asked:
            return
        self._asked.add(asked)
        check = Check(text, objects, each, what, line)
        self.checks.append(check)
        self._before.append(self._now(check))
        self._fast = None

    def _now(self, check: Check) -> Any:
        try:
            value = eval(compiled(check.text), dict(zip(NAMES, check.objects, strict=False)))
            return tuple(value) if check.each else value
        except (KeyError, AttributeError, ValueError):  # (ValueError: an empty cell)
            return MISSING

    def hold(self, inputs: Sequence[Tensor] = ()) -> bool:
        """Whether all is as it was; `inputs`: the tensors among the arguments."""
        if self.aliases and any(inputs[i].array is not x.array for i, x in self.aliases):
            return False
        try:
            if self._fast is not None and self._fast():
                return True
        except (KeyError, AttributeError, ValueError, RuntimeError):
            return False
        if self.changed() is not None:
            return False
        self._fast = self._compiled()
        return True

    def watch(self, record: Any) -> None:
        """Check also the tensors that a record of the step has read, and the hooks of its leaves."""
        read = [x for x in self.seen.values() if isinstance(x, Tensor)]
        self.aliases = [(i, x) for i, given in enumerate(record.inputs) for x in read if given.array is x.array]
        for value in record.values.values():
            if value.tensor is not None and id(value.tensor) not in self.seen:
                self.add("{}.array", "a tensor", "", value.tensor)
                self.add("{}.tracked", "requires_grad of a tensor", "", value.tensor)
        for leaf in [leaf for leaf in record.leaves.values() if not any(leaf is x for x in record.inputs)]:
            self.add("{}.hooks", "a hook", "", leaf)
            self.add("{}.after_accumulate", "a hook", "", leaf)
            for hooks in (leaf.hooks, leaf.after_accumulate):
                if hooks is not None:
                    self.add("{}", "a hook", "", hooks, each=True)
                    self.add("{}.values()", "a hook", "", hooks, each=True)

    def _compiled(self) -> Callable[[], bool]:
        """The checks in one function; the contents of all containers are compared at once, in C."""
        names: dict[str, Any] = {f"v{i}": value for i, value in enumerate(self._before)} | {"is_": operator.is_}
        single, many, before = [], [], []
        for i, (text, objects, each, *_) in enumerate(self.checks):
            names |= {f"o{id(x)}": x for x in objects}
            text = text.format(*(f"o{id(x)}" for x in objects))
            if each:
                many.append(f"len({text}), *{text}")
                before += [len(self._before[i]), *self._before[i]]
            else:
                single.append(f"{text} is v{i}")
        text = "\n and ".join([*single, f"all(map(is_, [{', '.join(many)}], before))"])
        exec(f"def fast():\n return ({text})", names := {**names, "before": before})
        fast: Callable[[], bool] = names.pop("fast")  # else it would be part of a reference cycle
        return fast

    def changed(self) -> Check | None:
        """The first check that fails. An equal number or string, if a new object, replaces the old one."""
        for i, check in enumerate(self.checks):
            now = self._now(check)
            if not alike(now, self._before[i]):
                return check
            self._before[i] = now
        return None


def alike(a: Any, b: Any) -> bool:
    """Whether these are the same object, or equal numbers, strings or tuples of them.

    >>> alike((1, "a"), (1, "a")), alike(1, 1.0), alike(0.0, -0.0), alike([], [])
    (True, False, False, False)
    """
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if type(a) is tuple:
        return len(a) == len(b) and all(map(alike, a, b))
    return plain(a) and (repr(a) == repr(b) if isinstance(a, (float, complex, np.generic)) else a == b)
