"""The watcher that records a step while it runs.

The record is a list of `Call`: a function of arrays, and where each argument comes from. Arrays are recognised by
identity: one that an earlier call returned is that call's result, wherever it appears again (in a tensor, in a
detached one, in what a node saves for backward). An array that no call returned must be an input, or be older than
the step: a parameter, a buffer, a table. It is older if it is the same object again when the step is recorded a second
time.

What the list can't represent (a value that is read, a draw outside of operations) is a reason not to replay the step.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import minigrad
from minigrad.compiler.guards import Guards
from minigrad.compiler.tracing import leaves, mapped
from minigrad.hooks import call_hooks, hooked
from minigrad.tensor import Tensor
from minigrad.watch import Watcher, watched_by

PACKAGE = os.path.dirname(minigrad.__file__) + os.sep
HOOKS = (call_hooks, hooked)


class Value:
    """Something that the step computes, reads or is given.

    Attributes:
        role: of an array (or what an operation saves) "input", "result", or "constant" for what was there before;
            "leaf" for a tensor that a gradient arrives at (among the results its ``grad``); "older" for a result that
            was there before.
        number: its place among the values; of a leaf which input it is, or -1.
        example: what it was while recording.
        tensor: a constant's owner, whose array it must still be; the leaf.
    """

    def __init__(self, number: int, role: str, example: Any, tensor: Tensor | None = None) -> None:
        self.number, self.role, self.example, self.tensor = number, role, example, tensor


class Call(NamedTuple):
    """One line of the record."""

    event: str  #: "forward", "backward", "call", "effect", or "leaf": a gradient arrives there
    function: Callable[..., Any]
    args: Any  #: with a `Value` in the place of each array
    results: Any  #: the structure that the function returns, with a `Value` for each array
    line: str  #: the line of the user's program
    kwargs: dict[str, Any] = {}  # noqa: RUF012 (never changed)
    wraps: bool = False  #: the function returns a number, or a tensor, in the place of an array
    written: Sequence[Tensor] = ()  #: the arguments that the function writes to


class Recorder(Watcher):
    """Records what happens while the step runs on `inputs`."""

    records = True

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        self.inputs = list(inputs)
        self.calls: list[Call] = []
        self.leaves: dict[int, Tensor] = {}  #: those that received a gradient
        self.values: dict[int, Value] = {}
        self.refusal: str | None = None
        self.walked: dict[int, Any] = {}  #: the nodes that backward visited
        self.views: set[int] = set()  #: the results that are views of what was there before
        self._returned: list[Any] = []
        self._given: set[int] = set()  # gradients that belong to a leaf
        self._kept: list[Any] = []  # keeps objects alive, so that their ids are not reused
        for x in inputs:
            self._value(x.array, "input")

    # ---- events -------------------------------------------------------------------------------------

    def forward(self, primitive: Any, args: tuple[Any, ...], values: list[Any]) -> Any:
        """An operation."""
        for a in args[0] if primitive.variadic else args:
            if isinstance(a, Tensor) and id(a.array) not in self.values:
                self._value(a.array, "constant", a)
        answer = self._run(primitive.forward, *values)
        result, saved = answer if primitive.saves else (answer, None)
        wraps = primitive.outputs == 1 and not isinstance(result, np.ndarray)
        if wraps:
            result = np.asarray(result)
        answer = (result, saved) if primitive.saves else result
        results = list(result) if primitive.outputs > 1 else result
        written = [a for i in primitive.writes if isinstance(a := args[i], Tensor)]
        found = [results, saved] if primitive.saves else results
        self._write("forward", primitive.forward, values, found, wraps=wraps, written=written)
        return answer

    def backward(self, node: Any, wanted: Sequence[Any], g: Any, values: Sequence[Any]) -> Sequence[Any]:
        """The gradients of a node's inputs."""
        self.walked.setdefault(id(node), node)
        wanted = [*map(bool, wanted)]
        found = list(self._run(node.function, wanted, g, *values))
        self._write("backward", node.function, [wanted, g, *values], found)
        return found

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """A function of arrays."""
        result = self._run(function, *args)
        if function in HOOKS:  # in a replay they may return another gradient
            args = self._known(args)
            result = list(result) if isinstance(result, tuple) else result
            for part in result if isinstance(result, list) else [result]:
                self.values.pop(id(part), None)
        self._write("call", function, args, result)
        return tuple(result) if isinstance(result, list) else result

    def effect(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A function that is repeated as a whole."""
        for a in leaves([args, kwargs], Tensor):
            value = self.values.get(id(a.array))
            if value is not None and value.role != "constant":
                self.read("a value that the step computes is passed to a function that is not recorded")
        result = self._run(function, *args, **kwargs)
        self._write("effect", function, args, result, kwargs=kwargs, wraps=isinstance(result, Tensor))
        return result

    def accumulate(self, function: Callable[..., None], leaf: Any, g: Any, taken: set[int]) -> None:
        """A gradient is stored as a leaf's ``grad``, or added to it."""
        alone = isinstance(g, np.ndarray) and g.base is None and not {id(g)} & (self._given | taken)
        self._given.add(id(g))
        before = leaf._grad
        self._run(function, leaf, g, taken)
        after = leaf._grad.array
        if before is not None and after is not before.array:
            self.read("a gradient is added to one that is differentiated itself")
        self.leaves[id(leaf)] = leaf
        known = self._known(g)
        self.values.pop(id(after), None)  # its value has changed
        self._write("leaf", function, [self._leaf(leaf), known, alone], after)

    def write(self, tensor: Any) -> None:
        """A tensor is written to."""
        self._value(tensor.array, "constant", tensor)

    def gradient(self, leaf: Any) -> None:
        """A gradient is read; only one that the step itself has stored is known."""
        if leaf.node is None and id(leaf) not in self.leaves:
            self.read("a gradient is read that the step has not computed")

    def output(self, result: Any, guards: Guards) -> Any:
        """The results of the step, with a `Value` for each tensor that was an input or computed."""
        if isinstance(result, Tensor):
            for leaf in self.leaves.values():
                if leaf._grad is result:
                    return self._leaf(leaf)
            value = self.values.get(id(result.array))
            if value is None or (value.role == "constant" and value.tensor is result):
                return Value(-1, "older", result)
            if result.tracked and result.node is not None and id(result.node) not in self.walked:
                self.read("a result with a graph is returned, and a replay builds none")
            older = [x.example for x in self.values.values() if x.role in ("input", "constant") and x is not value]
            if any(np.may_share_memory(x, result.array) for x in older):
                self.views.add(value.number)
            elif any(np.may_share_memory(x, result.array) for x in self._returned):
                self.read("two results share memory, where a replay returns copies")
            self._returned.append(result.array)
            return value
        if id(result) in guards.seen:
            return Value(-1, "older", result)
        if isinstance(result, (tuple, list)):
            parts = [self.output(part, guards) for part in result]
            return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
        if type(result) is dict:
            return {key: self.output(part, guards) for key, part in result.items()}
        return result

    def read(self, what: str) -> None:
        """Something that can't be replayed."""
        if self.refusal is None:
            self.refusal = f"{what} at {user_line()}"

    def close(self) -> None:
        """Drop all references to what the step made."""
        self._kept.clear()
        self.walked.clear()
        self.values = {key: v for key, v in self.values.items() if v.role != "result"}
        for call in self.calls:
            for value in leaves(call.results, Value):
                value.example = None if value.role == "result" else value.example

    # ---- the record ---------------------------------------------------------------------------------

    def _run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function without a watcher; only here may random numbers be drawn."""
        with watched_by(None):
            return function(*args, **kwargs)

    def _leaf(self, leaf: Tensor) -> Value:
        number = next((i for i, x in enumerate(self.inputs) if x is leaf), -1)
        return Value(number, "leaf", leaf if number < 0 else None, leaf)

    def _value(self, thing: Any, role: str, tensor: Tensor | None = None) -> Value:
        value = self.values.get(id(thing))
        if value is None:
            value = self.values[id(thing)] = Value(len(self._kept), role, thing, tensor)
            self._kept.append(thing)
        return value

    def _known(self, thing: Any) -> Any:
        """The same structure with a `Value` for each array, and for each thing that an operation saved."""
        if isinstance(thing, Tensor):
            return self._value(thing.array, "constant", thing)
        if id(thing) in self.values:
            return self.values[id(thing)]
        if isinstance(thing, np.ndarray):
            return self._value(thing, "constant")
        return mapped(self._known, thing) if isinstance(thing, (tuple, list)) and thing else thing

    def _results(self, found: Any) -> Any:
        """A `Value` for what a function returns, or one for each part of a list; None for a plain number."""
        if isinstance(found, list):
            return [self._results(part) for part in found]
        found = found.array if isinstance(found, Tensor) else found
        plain = found is None or type(found) in (bool, int, float, str) or (type(found) is tuple and not found)
        return None if plain else self._value(found, "result")

    def _write(self, event: str, function: Callable[..., Any], args: Any, found: Any, **more: Any) -> None:
        if self.refusal is not None:
            return
        known = args if event == "effect" else [self._known(a) for a in args]
        if event in ("forward", "backward") and any(isinstance(a, Value) and a.example is found for a in known):
            return  # it returned an argument
        self.calls.append(Call(event, function, known, self._results(found), user_line(), **more))


def user_line() -> str:
    """``file.py:12``: the innermost line of the running program that is not minigrad's own."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def difference(first: Recorder, second: Recorder) -> str | None:
    """Where two records of one step differ, and so cannot be replayed; None if they are the same."""
    for one, other in itertools.zip_longest(first.calls, second.calls):
        if one is None or other is None or one.event != other.event or not same(one.function, other.function):
            return f"the step does not do the same each time, at {(other or one).line}"
        if not same((one.args, one.kwargs), (other.args, other.kwargs)):
            return f"an argument is a new object each time, and not computed from the step's inputs, at {other.line}"
    return None


def same(a: Any, b: Any) -> bool:
    """Whether two arguments are equivalent: the same place in both records, the same older object, equal numbers."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, Value):
        known = a.role in ("input", "result") or a.example is b.example
        return a.number == b.number and a.role == b.role and known
    if isinstance(a, slice):
        a, b = (a.start, a.stop, a.step), (b.start, b.stop, b.step)
    elif isinstance(a, functools.partial):
        a, b = (a.func, a.args, a.keywords), (b.func, b.args, b.keywords)
    elif isinstance(a, dict):
        a, b = [*a.items()], [*b.items()]
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)
