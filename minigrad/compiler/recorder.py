"""A recorder: the watcher that writes down a step while it runs.

What it writes is a list of `Call`: a function of arrays, and where each argument comes from. Arrays are known by
identity: one that an earlier call returned is that call's result, wherever it turns up again (in a tensor, in a
detached one, in what a node keeps for backward). An array that no call returned must be an input, or be older than
the step: a parameter, a buffer, a table. Whether it is older shows when the step is recorded a second time: then it
is the same object again.

Whatever the list can't show is a leak (`Watcher.leak`), and the step is not replayed.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import minigrad
from minigrad.tensor import Tensor
from minigrad.watch import Watcher, by

PACKAGE = os.path.dirname(minigrad.__file__) + os.sep


class Value:
    """An array (or what an operation keeps for its rules) that the step computes, reads or is given."""

    __slots__ = ("example", "kind", "number", "tensor")

    def __init__(self, number: int, kind: str, example: Any, tensor: Tensor | None = None) -> None:
        self.number = number
        self.kind = kind  #: "input", "result", or "constant" for what was there before
        self.example = example  #: what it was while recording
        self.tensor = tensor  #: a constant's owner, whose array it must still be


class Call(NamedTuple):
    """One line of the record."""

    kind: str  #: "forward", "rule", "call", "effect", or "leaf": a gradient arrives there
    function: Callable[..., Any]
    args: Any  #: with a `Value` in the place of each array
    kwargs: dict[str, Any]
    results: tuple[Value | None, ...]  #: two if an operation also keeps something
    line: str  #: where the user's program stood
    wraps: bool = False  #: the function returns a number, which becomes an array


class Leaf(NamedTuple):
    """A leaf that a gradient arrives at."""

    tensor: Tensor
    input: int | None  #: which input it is, if it is one


def values_in(thing: Any) -> Iterator[Value]:
    """All values in a structure."""
    if isinstance(thing, Value):
        yield thing
    elif isinstance(thing, (tuple, list)) and not isinstance(thing, Leaf):
        for part in thing:
            yield from values_in(part)
    elif isinstance(thing, dict):
        for part in thing.values():
            yield from values_in(part)


class Recorder(Watcher):
    """Writes down what happens while the step runs on `inputs`."""

    records = True

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        self.inputs = list(inputs)
        self.calls: list[Call] = []
        self.questions: list[tuple[Callable[..., bool], Any, bool]] = []
        self.leaves: dict[int, Tensor] = {}  #: that a gradient arrived at
        self.modules: dict[int, Any] = {}
        self.values: dict[int, Value] = {}
        self.refusal: str | None = None
        self.walked: dict[int, Any] = {}  #: the nodes that backward came through
        self._given: set[int] = set()  # gradients that belong to a leaf
        self._kept: list[Any] = []  # as long as an object lives, nothing else has its id
        for x in inputs:
            self._note(x.array, "input")

    # ---- what it sees -------------------------------------------------------------------------------

    def forward(self, primitive: Any, args: tuple[Any, ...], values: list[Any]) -> Any:
        """An operation."""
        for a in args[0] if primitive.variadic else args:
            if isinstance(a, Tensor) and id(a.array) not in self.values:
                self._note(a.array, "constant", a)
        with by(None):
            answer = primitive.forward(*values)
        result, saved = answer if primitive.saves else (answer, None)
        if primitive.outputs > 1:
            found = [*result, saved]
            self._write("forward", functools.partial(flat, primitive.forward), values, {}, found)
            return result, saved
        wraps = not isinstance(result, np.ndarray)
        if wraps:
            result = np.asarray(result)
        self._write("forward", primitive.forward, values, {}, [result, saved] if primitive.saves else [result], wraps)
        for i in primitive.writes:
            if isinstance(args[i], Tensor):
                self._write("effect", args[i].bump, (), {}, [None])
        return (result, saved) if primitive.saves else result

    def backward(self, node: Any, wanted: Sequence[Any], g: Any, values: Sequence[Any]) -> Sequence[Any]:
        """The gradients of a node's inputs: rule by rule where each has one of its own."""
        self.walked.setdefault(id(node), node)
        rules = getattr(node.function, "rules", None)
        with by(None):
            if rules is None:
                found = node.function(wanted, g, *values)
            else:
                found = [
                    rule(g, *[values[i] for i in needs]) if asked else None
                    for asked, (rule, needs) in zip(wanted, rules, strict=True)
                ]
        if rules is None:
            self._write("rules", node.function, [[w is not None for w in wanted], g, *values], {}, list(found))
        else:
            for (rule, needs), share in zip(rules, found, strict=True):
                if share is not None:
                    self._write("rule", rule, [g, *[values[i] for i in needs]], {}, [share])
        return list(found)

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """A function of arrays."""
        with by(None):
            result = function(*args)
        self._write("call", function, args, {}, [result])
        return result

    def effect(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Something that is done again as a whole."""
        with by(None):
            result = function(*args, **kwargs)
        self._write("effect", function, args, kwargs, [result])
        return result

    def accumulate(self, function: Callable[..., None], leaf: Any, g: Any, taken: set[int]) -> None:
        """A gradient is stored as a leaf's ``grad``, or added to it."""
        place = next((i for i, x in enumerate(self.inputs) if x is leaf), None)
        alone = isinstance(g, np.ndarray) and g.base is None and not {id(g)} & (self._given | taken)
        self._given.add(id(g))
        before = leaf._grad
        with by(None):
            function(leaf, g, taken)
        after = leaf._grad.array
        if before is not None and after is not before.array:
            self.read("a gradient is added to one that is differentiated itself")
        self.leaves[id(leaf)] = leaf
        known = self._known(g)
        self.values[id(after)] = result = Value(len(self._kept), "result", after)
        self._kept.append(after)
        self.calls.append(Call("leaf", function, [Leaf(leaf, place), known, alone], {}, (result,), user_line()))

    def write(self, tensor: Any) -> None:
        """A tensor is written to."""
        self._note(tensor.array, "constant", tensor)

    def gradient(self, leaf: Any) -> None:
        """A gradient is read; only one that the step itself has stored is known."""
        if leaf.node is None and id(leaf) not in self.leaves:
            self.read("a gradient is read that the step has not computed")

    def module(self, module: Any) -> None:
        """A module is called: the record holds as long as it stays as it is."""
        self.modules[id(module)] = module

    def decide(self, question: Callable[..., bool], *args: Any) -> bool:
        """A question that can be asked again before the step, if it is about the inputs."""
        with by(None):
            answer = question(*args)
        known = self._known(args)
        if any(isinstance(v, Value) and v.kind == "result" for v in known):
            self.read("the way goes on by values")
        self.questions.append((question, known, answer))
        return answer

    def output(self, result: Any) -> Any:
        """What the step returned, with a `Value` for each tensor that it was given or has made."""
        if isinstance(result, Tensor):
            value = self.values.get(id(result.array))
            if value is None or (value.kind == "constant" and value.tensor is result):
                return result
            if result.tracked and result.node is not None and id(result.node) not in self.walked:
                self.read("a result is returned that backward has not been called on")
            return value
        if isinstance(result, (tuple, list)):
            parts = [self.output(part) for part in result]
            return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
        if isinstance(result, dict):
            return {key: self.output(part) for key, part in result.items()}
        return result

    def read(self, what: str) -> None:
        """Something that no replay can do."""
        if self.refusal is None:
            self.refusal = f"{what} at {user_line()}"

    def close(self) -> None:
        """Let go of everything that the step made."""
        self._kept.clear()
        self.walked.clear()
        self.values = {key: v for key, v in self.values.items() if v.kind != "result"}
        for call in self.calls:
            for value in call.results:
                if value is not None and value.kind == "result":
                    value.example = None

    # ---- how it writes ------------------------------------------------------------------------------

    def _note(self, thing: Any, kind: str, tensor: Tensor | None = None) -> Value:
        value = self.values.get(id(thing))
        if value is None:
            value = self.values[id(thing)] = Value(len(self._kept), kind, thing, tensor)
            self._kept.append(thing)
        return value

    def _known(self, thing: Any) -> Any:
        """The same structure with a `Value` for each array, and for each thing that an operation kept."""
        if isinstance(thing, Leaf):
            return thing
        if isinstance(thing, Tensor):
            return self._note(thing.array, "constant", thing)
        value = self.values.get(id(thing))
        if value is not None:
            return value
        if isinstance(thing, np.ndarray):
            return self._note(thing, "constant")
        if isinstance(thing, (tuple, list)):
            parts = [self._known(part) for part in thing]
            return type(thing)(*parts) if hasattr(thing, "_fields") else type(thing)(parts)
        return thing

    def _write(
        self,
        kind: str,
        function: Callable[..., Any],
        args: Any,
        kwargs: dict[str, Any],
        found: list[Any],
        wraps: bool = False,
    ) -> None:
        if self.refusal is not None:
            return
        known = args if kind == "effect" else [self._known(a) for a in args]
        if kind in ("forward", "rule") and any(isinstance(a, Value) and a.example is found[0] for a in known):
            return  # it gave an argument back
        results = []
        for thing in found:
            thing = thing.array if isinstance(thing, Tensor) else thing
            plain = thing is None or type(thing) in (bool, int, float, str)  # (not NumPy's numbers)
            results.append(None if plain else self._note(thing, "result"))
        self.calls.append(Call(kind, function, known, kwargs, tuple(results), user_line(), wraps))


def flat(forward: Callable[..., Any], *args: Any) -> tuple[Any, ...]:
    """The results of an operation that has several, and what it saved."""
    results, saved = forward(*args)
    return *results, saved


def user_line() -> str:
    """``file.py:12``: the innermost line of the running program that is not minigrad's own."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def difference(first: Recorder, second: Recorder) -> str | None:
    """Where two records of one step differ, and so cannot be replayed; None if they are the same."""
    for one, other in zip(first.calls, second.calls, strict=False):
        if one.kind != other.kind or not same(one.function, other.function):
            return f"the step does not do the same each time: {one.line} and then {other.line}"
        if not (same(one.args, other.args) and same(one.kwargs, other.kwargs)):
            return f"what the call reads is made anew each time, and not from the step's inputs, at {other.line}"
    if len(first.calls) != len(second.calls):
        longer = max(first, second, key=lambda r: len(r.calls)).calls
        return f"the step does not do the same each time: {longer[min(len(first.calls), len(second.calls))].line}"
    return None


def same(a: Any, b: Any) -> bool:
    """Whether two arguments mean the same: the same place in both records, the same older object, equal numbers."""
    if isinstance(a, Value) and isinstance(b, Value):
        return a.number == b.number and a.kind == b.kind and (a.kind != "constant" or a.example is b.example)
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, Leaf):
        return a.input == b.input and (a.input is not None or a.tensor is b.tensor)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, slice):
        return same((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    if isinstance(a, functools.partial):
        return same((a.func, a.args, a.keywords), (b.func, b.args, b.keywords))
    if isinstance(a, (np.ndarray, Tensor)):
        return False
    return bool(a == b)
