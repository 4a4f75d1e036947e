"""From a record to a function without branches, one line a call, that does the step again.

Its text can be read (`Plan.source`). Results of operations that have a kernel (`minigrad.compiler.kernels`), or whose
own text makes one (`minigrad.compiler.tracing`), are written into buffers that belong to the plan; a buffer is used
again as soon as nobody needs what it holds. All other calls are made as they were recorded.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from minigrad.compiler.recorder import Call, Recorder, Value, values_in
from minigrad.engine import Array
from minigrad.ops.record import registry
from minigrad.tensor import Tensor

CHANGED = object()  #: what the function returns, before doing anything, if a question has another answer now


@functools.cache
def rule_names() -> dict[Any, str]:
    """What the text calls the gradient rules, which have no names of their own."""
    return {rule: f"{record.name}_{input}" for record in registry.values() for input, rule in record.gradients.items()}


class Name(str):
    """An expression in the text."""

    __slots__ = ()


class Builder:
    """Writes the text of a plan, and owns its buffers while it does."""

    def __init__(self, record: Recorder, output: Any) -> None:
        self.record = record
        self.calls = record.calls
        self.lines: list[str] = []
        self.bound: dict[str, Any] = {
            "errstate": np.errstate,
            "asarray": np.asarray,
            "array": np.array,
            "wrap": Tensor.wrap,
        }
        self._names: dict[int, str] = {}  # of bound objects, by id
        self._counter = count()
        self._buffers: dict[int, Array] = {}  # of results, by number
        self._fixed: dict[int, Any] = {}  # what else stays in its place
        self._pinned: set[int] = set()
        self._locals: set[int] = set()
        self._pool: list[Array] = []
        self.stored: list[tuple[Name, Array]] = []  #: leaves, with the buffers of their gradients
        self._zeros: list[Array] = []
        self._last: dict[int, int] = {}
        self._now = -1
        for i, call in enumerate(self.calls):
            for value in values_in(call.args):
                self._last[value.number] = i
        for value in values_in(output):
            self._last[value.number] = len(self.calls)

    # ---- for kernels --------------------------------------------------------------------------------

    def line(self, function: Callable[..., Any], *args: Any, **options: Any) -> None:
        """Write a call."""
        given = [self.name(a) for a in args] + [f"{key}={self.name(a)}" for key, a in options.items()]
        called = function if isinstance(function, Name) else self.name(function)
        self.lines.append(f"{called}({', '.join(given)})")

    def name(self, thing: Any) -> str:
        """How the text refers to something."""
        if isinstance(thing, Name):
            return thing
        if isinstance(thing, Value):
            if thing.kind == "input":
                return f"x{self.place(thing)}"
            if thing.kind == "result":
                buffer = self._fixed.get(thing.number, self._buffers.get(thing.number))
                return f"v{thing.number}" if buffer is None else self.name(buffer)
            if thing.tensor is not None and id(thing.example) not in self._names:
                self._names[id(thing.example)] = name = f"p_{next(self._counter)}"
                self.bound[name] = thing.example
            return self.name(thing.example)
        if thing is None or isinstance(thing, (bool, int, str)):
            return repr(thing)
        if isinstance(thing, (tuple, list)) and next(values_in(thing), None) is not None:
            inside = ", ".join(map(self.name, thing))
            if hasattr(thing, "_fields"):
                return f"{self.name(type(thing))}({inside})"
            return f"[{inside}]" if isinstance(thing, list) else f"({inside},)"
        found = self._names.get(id(thing))
        if found is None:
            word = rule_names().get(thing) if callable(thing) and not isinstance(thing, Tensor) else None
            word = word or getattr(thing, "__name__", "c").strip("_<>")
            found = word if word.isidentifier() else "c"
            if not isinstance(thing, np.ufunc):
                found = f"{found}_{next(self._counter)}"
            self._names[id(thing)] = found
            self.bound[found] = thing
        return found

    def place(self, value: Value) -> int:
        """Which input it is."""
        return next(i for i, x in enumerate(self.record.inputs) if x.array is value.example)

    def fixed(self, value: Value) -> Array | None:
        """The array that the value lies in at every replay: a buffer of the plan or a constant; None if none."""
        if value.kind == "constant":
            return value.example  # type: ignore[no-any-return]
        return self._fixed.get(value.number, self._buffers.get(value.number))

    def transposed(self, value: Value) -> Any:
        """The matrix's transpose."""
        array = self.fixed(value)
        return Name(f"{self.name(value)}.T") if array is None else self.view(array.T)

    def view(self, array: Array) -> Name:
        """A view of fixed memory, made once."""
        name = f"c_{next(self._counter)}"
        self.bound[name] = array
        return Name(name)

    def out(self, value: Value, over: tuple[Any, ...] = ()) -> Array:
        """The buffer for a result: that of one of `over` if nobody needs it after this call, else another."""
        place = None
        for other in over:
            if place is None and isinstance(other, Value):
                place = self.over(other, value.example)
        self._buffers[value.number] = place = self.room(value.example) if place is None else place
        return place

    def over(self, value: Value, like: Array) -> Array | None:
        """The buffer of a value that nobody needs after this call, if it is laid out like an array."""
        mine = self._buffers.get(value.number)
        if mine is None or not fits(mine, like) or not self._dies(value) or value.number in self._pinned:
            return None
        self._pinned.add(value.number)  # it is not given back: it lives on under another name
        return mine

    def adopt(self, value: Value, buffer: Array) -> None:
        """Say that a result lies in this buffer from now on."""
        self._buffers[value.number] = buffer

    def room(self, like: Array) -> Array:
        """A buffer laid out like an array; give it back by `give` when done."""
        for i, free in enumerate(self._pool):
            if fits(free, like):
                return self._pool.pop(i)
        buffer = np.empty_like(like)
        self._names[id(buffer)] = name = f"b_{next(self._counter)}"
        self.bound[name] = buffer
        return buffer

    def zeros(self, like: Array) -> Name:
        """Zeros laid out like an array; all calls share them."""
        for zeros in self._zeros:
            if fits(zeros, like):
                return Name(self.name(zeros))
        self._zeros.append(np.zeros_like(like))
        return Name(self.name(self._zeros[-1]))

    def give(self, buffer: Array) -> None:
        """Let another call have the buffer."""
        self._pool.append(buffer)

    def used_again(self, value: Value) -> bool:
        """Whether a later call needs it."""
        return not self._dies(value)

    def fix(self, value: Value, thing: Any, of: Value | None = None) -> None:
        """Say that a result is always this object; if it is a view `of` another value, that keeps its buffer."""
        self._fixed[value.number] = thing
        if of is not None:
            self._pinned.add(of.number)

    def _dies(self, value: Value) -> bool:
        return self._last.get(value.number, -1) <= self._now

    # ---- the whole ----------------------------------------------------------------------------------

    def build(self, output: Any, kernel: Callable[[Builder, Call], bool]) -> str:
        """The text; `kernel` writes the lines of a call, or none if it can't."""
        walk = None
        for now, call in enumerate(self.calls):
            self._now = now
            if call.kind in ("rule", "rules") and walk is None:
                walk = len(self.lines)
            start = len(self.lines)
            if not kernel(self, call):
                assert len(self.lines) == start
                self._plain(call)
            self._release(call)
        returned = self._output(output)
        if self.stored:
            pairs = ", ".join(f"({leaf}, {self.name(buffer)})" for leaf, buffer in self.stored)
            leaves = Name(f"[{pairs}]")
            if "t" not in {leaf[0] for leaf, _ in self.stored}:
                leaves = Name(self.name([(self.bound[leaf], buffer) for leaf, buffer in self.stored]))
            self.lines.insert(walk or 0, f"{self.name(move_out)}({leaves})")
        parameters = ", ".join(f"t{i}" for i in range(len(self.record.inputs)))
        text = [f"def step({parameters}):"]
        used = {v.number for c in self.calls for v in values_in(c.args)} | {v.number for v in values_in(output)}
        for i, x in enumerate(self.record.inputs):
            value = self.record.values[id(x.array)]
            if value.number in used and self.place(value) == i:
                text.append(f"    x{i} = t{i}.array")
        for question, args, answer in self.record.questions:
            asked = f"{self.name(question)}({', '.join(map(self.name, args))})"
            text.append(f"    if {asked} is not {answer}:\n        return {self.name(CHANGED)}")
        text.append('    with errstate(all="ignore"):')
        text += [f"        {line}" for line in self.lines] or ["        pass"]
        text.append(f"    return {returned}")
        return "\n".join(text) + "\n"

    def _plain(self, call: Call) -> None:
        """A call as it was recorded. It may keep what it is given, so that is not written to any more."""
        self._pinned.update(value.number for value in values_in(call.args))
        if call.kind == "leaf":
            self._to_leaf(call)
            return
        if call.kind == "effect":
            args = [self.name(a) for a in call.args] + [f"{k}={self.name(a)}" for k, a in call.kwargs.items()]
        else:
            args = [self.name(a) for a in call.args]
        text = f"{self.name(call.function)}({', '.join(args)})"
        if call.kind == "effect" and call.results[0] is not None:
            text += ".array"
        if call.wraps:
            text = f"asarray({text})" if len(call.results) == 1 else f"as_array({text})"
            self.bound["as_array"] = as_array
        given = {value.number for value in values_in(call.args)}
        new = [v if v is not None and v.kind == "result" and v.number not in given else None for v in call.results]
        if any(new):
            names = ", ".join(self._local(v) if v else "_" for v in new)
            text = f"{names}{',' if call.kind == 'rules' else ''} = {text}"
        self.lines.append(text)
        if call.function is np.copyto and isinstance(call.args[0], Value) and call.args[0].tensor is not None:
            self.line(call.args[0].tensor.bump)

    def _to_leaf(self, call: Call) -> None:
        leaf, g, alone = call.args
        after = call.results[0]
        assert after is not None
        target = Name(self.name(leaf.tensor) if leaf.input is None else f"t{leaf.input}")
        buffer = self._buffers.get(g.number)
        if buffer is None and alone:
            stored = Name(f"wrap({self.name(g)})")
        else:
            if buffer is None or not alone:  # it is somebody else's too
                buffer = np.empty_like(after.example)
                self.line(np.copyto, buffer, g)
            stored = Name(self.name(Tensor.wrap(buffer)))
            self.stored.append((target, buffer))
        if after.number in self._last:
            self.lines.append(f"{self._local(after)} = {self.name(arrive)}({target}, {stored})")
        else:
            self.line(arrive, target, stored)

    def _local(self, value: Value) -> str:
        self._locals.add(value.number)
        return f"v{value.number}"

    def _release(self, call: Call) -> None:
        """Give back the buffers, and forget the results, that are not needed any more."""
        gone = []
        for value in {v.number: v for v in (*values_in(call.args), *filter(None, call.results))}.values():
            if value.kind != "result" or not self._dies(value):
                continue
            buffer = self._buffers.get(value.number)
            if value.number in self._locals:
                gone.append(f"v{value.number}")
                self._locals.remove(value.number)
            elif buffer is not None and value.number not in self._pinned:
                self._pinned.add(value.number)
                self.give(buffer)
        if gone:
            self.lines.append(f"del {', '.join(gone)}")

    def _output(self, output: Any) -> str:
        if isinstance(output, Tensor):
            return self.name(output)
        if isinstance(output, Value):
            if output.kind == "input":
                return f"t{self.place(output)}"
            return f"wrap(array({self.name(output)}))"
        if isinstance(output, (tuple, list)):
            inside = ", ".join(map(self._output, output))
            if hasattr(output, "_fields"):
                return f"{self.name(type(output))}({inside})"
            return f"[{inside}]" if isinstance(output, list) else f"({inside}{',' * bool(output)})"
        if isinstance(output, dict):
            return "{" + ", ".join(f"{self.name(k)}: {self._output(v)}" for k, v in output.items()) + "}"
        return self.name(output)


def fits(buffer: Array, like: Array) -> bool:
    """Whether a buffer has an array's shape, dtype and order."""
    return (
        buffer.shape == like.shape
        and buffer.dtype == like.dtype
        and buffer.strides == (like.strides if like.flags.forc else np.empty_like(like).strides)
    )


def as_array(answer: tuple[Any, Any]) -> tuple[Any, Any]:
    """A result that is a number as an array, beside what the operation keeps."""
    return np.asarray(answer[0]), answer[1]


def arrive(leaf: Tensor, g: Tensor) -> Array:
    """Make a gradient the ``grad`` of a leaf, or add it to the one that is there; returns what is there then."""
    grad = leaf._grad
    if grad is None:
        leaf._grad = g
        return g.array
    grad.array += g.array
    grad.bump()
    return grad.array


def move_out(leaves: list[tuple[Tensor, Array]]) -> None:
    """Before new gradients are written into buffers: save those that are still there, and shall be added to."""
    for leaf, buffer in leaves:
        if leaf._grad is not None and leaf._grad.array is buffer:
            leaf._grad = Tensor.wrap(buffer.copy())
