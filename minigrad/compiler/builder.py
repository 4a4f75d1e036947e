"""Turns a record into the source of a function without branches that repeats the step.

The source can be read (`Plan.source`). A recorded call becomes lines with ``out=`` (`minigrad.compiler.tracing`), or,
if its function can't be traced, one line that calls it. Results of traced calls are in buffers of the plan; a buffer is
reused as soon as its content is no longer read.
"""

from __future__ import annotations

import operator
from itertools import count
from typing import Any

import numpy as np

from minigrad.compiler import tracing
from minigrad.compiler.recorder import HOOKS, Call, Recorder, Value
from minigrad.compiler.tracing import Line, Ref, Slot, Text, UntraceableError, check, leaves, mapped
from minigrad.engine import Array, fit
from minigrad.kernels.memory import owner
from minigrad.tensor import Tensor
from minigrad.watch import watched_by

TRACED = {fit, operator.add, np.copy}  #: what backward calls besides operations


class Builder:
    """Writes the source of a plan.

    Attributes:
        bound: the objects that the names in the source refer to.
        gradients: leaves, with the tensors of their gradients, whose arrays are buffers.
    """

    def __init__(self, record: Recorder, output: Any) -> None:
        self.record = record
        self.bound: dict[str, Any] = {
            "errstate": np.errstate,
            "array": np.array,
            "wrap": Tensor.wrap,
            "made": Tensor.made,
        }
        self.gradients: list[tuple[Tensor, Tensor]] = []
        self.lines: list[Line] = []
        self.head: list[Line] = []  #: conditions that are checked before the step changes anything
        self._slots: dict[int, Slot] = {}  # by the id of the object that owns the memory of their examples
        self._places: dict[int, Any] = {}  # of values, by number
        self._names: dict[int, str] = {}  # of bound objects, by identity
        self._counter = count()
        self._written: set[Slot] = set()  # by the step, in place
        self._hooked = False  # whether functions were called that may write to anything
        walk = 0  # the first line of a backward
        for call in record.calls:
            walk = walk or (len(self.lines) if call.event == "backward" else 0)
            self._arrive(call) if call.event == "leaf" else self._lower(call)
        if self.gradients:
            self.lines.insert(walk, Line(save_gradients, [[(leaf, g.array) for leaf, g in self.gradients]]))
        self.output = mapped(self._shown, output)
        self._allocate()

    # ---- lines --------------------------------------------------------------------------------------

    def _slot(self, storage: str, example: Any, array: Array | None = None, name: str = "") -> Slot:
        slot = Slot(storage, tracing.stand_in(example), array, name)
        self._slots[id(owner(slot.example))] = slot
        return slot

    def _given(self, thing: Any) -> Any:
        """The `Ref` of a value."""
        if not isinstance(thing, Value) or thing.role in ("leaf", "older"):
            return thing
        if thing.number not in self._places:
            if thing.role == "input":
                number = next(i for i, x in enumerate(self.record.inputs) if x.array is thing.example)
                slot = self._slot("input", thing.example, name=f"x{number}")
            else:
                slot = self._slot("fixed", thing.example, thing.example)
            self._places[thing.number] = Ref(slot)
        return self._places[thing.number]

    def _shown(self, thing: Any) -> Any:
        """A value that the step returns; computed arrays are copied."""
        if isinstance(thing, Value) and thing.role in ("leaf", "older"):
            return Text("{}", thing.example) if thing.role == "older" else Text("{}._grad", self._tensor(thing))
        ref = self._given(thing)
        if not isinstance(ref, Ref):
            return Text("{}", ref)
        if ref.slot.storage == "input" and ref.view is None:
            return Text(f"t{ref.slot.name[1:]}")
        return Text("wrap({})" if thing.number in self.record.views else "made(array({}))", ref)

    def _lower(self, call: Call) -> None:
        """Write a call as lines with ``out=``, or as it was recorded."""
        effect = call.event == "effect"
        args = list(call.args) if effect else mapped(self._given, list(call.args))
        if call.function in (np.ones_like, np.zeros_like):
            made = call.function(call.results.example)
            self._places[call.results.number] = Ref(self._slot("fixed", made, made))
            return
        self._written.update(ref.slot for ref in leaves(args[:1], Ref) if call.function is np.copyto)
        users = not str(getattr(call.function, "__module__", "")).startswith("minigrad.")
        self._hooked |= call.function in HOOKS or (effect and users)
        traceable = call.event in ("forward", "backward") or call.function in TRACED
        if not (traceable and any(leaves(args, Ref)) and self._traced(call, args)):
            self._plain(call, args)

    def _traced(self, call: Call, args: list[Any]) -> bool:
        """Write a call as lines with ``out=``, if it can be traced."""
        slots = dict(self._slots)
        try:
            with watched_by(tracing.Strict()), np.errstate(all="ignore"):
                lines, found = tracing.traced(call.function, args, self._slots)
            ahead = self._ahead(lines)
            asked = [line for line in lines[ahead:] if line.function is check]
            shown = found if isinstance(found, (tuple, list)) else [found]
            made = any(isinstance(x, Ref) and x.slot.name == "made" for x in shown)
            if (made and call.event == "forward") or (
                asked and not (isinstance(found, Ref) and found.slot.storage == "buffer")
            ):
                raise UntraceableError  # the step may write to a constant; `rerun_unless` needs a buffer
        except Exception:
            self._slots = slots
            return False
        self.head += lines[:ahead]
        self.lines += [line for line in lines[ahead:] if line.function is not check]
        self.lines += [Line(rerun_unless, [*line.args, found, call.function, *args]) for line in asked]
        self._assign(call.results, found)
        return True

    def _ahead(self, lines: list[Line]) -> int:
        """How many of the first lines only check conditions on the step's inputs, and can run before all else."""
        ahead = 0
        for n, line in enumerate(lines, 1):
            if line.function is check:
                made = {line.out.slot for line in lines[:n] if line.out}
                for slot in {slot for line in lines[:n] for slot in line.slots} - made:
                    if self._hooked or not (
                        slot.storage == "input" or (slot.storage == "fixed" and slot.example.dtype.kind in "iub")
                    ):
                        return ahead
                ahead = n
        return ahead

    def _assign(self, results: Any, found: Any) -> None:
        if isinstance(results, Value):
            self._places[results.number] = found
        elif isinstance(results, list):
            for result, part in zip(results, found, strict=True):
                self._assign(result, part)

    def _plain(self, call: Call, args: list[Any]) -> None:
        """Write a call as it was recorded."""
        if call.function in HOOKS:  # they may keep the gradients that they are given
            args[1] = mapped(lambda part: Text("array({})", part) if isinstance(part, Ref) else part, args[1])
        for made in leaves([value.example for value in leaves(call.results, Value)]):
            for value in leaves([] if call.event == "effect" else call.args, Value):
                if any(may_alias(made, x) for x in leaves([value.example])):
                    for ref in leaves([self._places[value.number]], Ref):
                        ref.slot.owned = True
        if takes_out(call):
            slot = self._slot("buffer", call.results.example)
            self._places[call.results.number] = Ref(slot)
            self.lines.append(Line(call.function, args, call.kwargs, Ref(slot)))
        else:
            self.lines.append(Line(call.function, args, call.kwargs, None, self._targets(call.results), call.wraps))
        target = call.args[0] if call.function is np.copyto else None
        for tensor in [*call.written, getattr(target, "tensor", None)]:
            if tensor is not None:
                self.lines.append(Line(tensor.bump, ()))

    def _targets(self, results: Any) -> Any:
        """Names for the results; a tuple that an operation saves is unpacked."""

        def local(example: Any) -> Ref:
            known = isinstance(example, (np.ndarray, np.generic))
            return Ref(self._slot("local", example if known else np.empty(0), name=f"v{next(self._counter)}"))

        if isinstance(results, list):
            return [self._targets(part) for part in results]
        if results is None:
            return Text("_")
        found = self._places[results.number] = mapped(local, results.example)
        return untyped(found)

    def _tensor(self, leaf: Value) -> Any:
        return leaf.tensor if leaf.number < 0 else Text(f"t{leaf.number}")

    def _arrive(self, call: Call) -> None:
        """Store a gradient at a leaf: in a buffer that is kept, or in an array that is made at each call."""
        leaf, value, alone = call.args
        ref = self._given(value)
        slot, whole = ref.slot, alone and ref.view is None and not ref.slot.owned
        if leaf.number >= 0:
            stored: Any = Text("wrap(array({}))", ref)
        elif slot.storage == "local" and whole:
            stored = Text("wrap({})", ref)
        else:
            if slot.storage != "buffer" or not whole:
                slot = self._slot("buffer", np.empty_like(ref.example))
                self.lines.append(Line(np.copyto, (Ref(slot), ref)))
            slot.array, slot.owned = np.empty_like(slot.example), True
            stored = Tensor.wrap(slot.array)
            self.gradients.append((leaf.tensor, stored))
        self.lines.append(Line(arrive, (self._tensor(leaf), stored), {}, None, self._targets(call.results)))

    def _allocate(self) -> None:
        """Give each slot a buffer, from the line that writes it first to the one that reads it last."""
        lines = [*self.head, *self.lines]
        for i, line in enumerate([*lines, Line(array_of, [self.output])]):
            for slot in line.slots:
                slot.last = i
        pool: list[Array] = []

        def free(slots: list[Slot], now: int) -> None:
            for slot in slots:
                if slot.last == now and slot.storage == "buffer" and not slot.owned and slot.array is not None:
                    pool.append(slot.array)
                    slot.owned = True  # its array is in the pool now

        for i, line in enumerate(lines):
            slots = line.slots
            if isinstance(line.function, np.ufunc) and not line.function.signature:
                free(slots, i)  # the result may overwrite an operand that is not read again
            for slot in slots:
                if slot.storage == "buffer" and slot.array is None:
                    place = next((k for k, x in enumerate(pool) if tracing.same_layout(x, slot.example)), None)
                    slot.array = tracing.stand_in(slot.example) if place is None else pool.pop(place)
            free(slots, i)

    # ---- text ---------------------------------------------------------------------------------------

    def build(self) -> str:
        """The source."""
        lines = [*self.head, *self.lines]
        text: list[str] = []
        for i, line in enumerate(lines):
            made = [ref.slot for ref in leaves([line.targets], Ref)]
            read = any(slot.last > i for slot in made)
            text.append(f"{self.name(line.targets)} = {self._text(line)}" if read else self._text(line))
            gone = [x.name for x in line.slots if x.storage == "local" and x.last == i and (read or x not in made)]
            text += [f"del {', '.join(gone)}"] if gone else []
        names = {slot.name for line in [*lines, Line(array_of, [self.output])] for slot in line.slots}
        places = range(len(self.record.inputs))
        head = [f"def step({', '.join(f't{i}' for i in places)}):"]
        head += [f"    x{i} = t{i}.array" for i in places if f"x{i}" in names]
        body = [f"        {line}" for line in text or ["pass"]]
        return "\n".join([*head, '    with errstate(all="ignore"):', *body, f"    return {self.name(self.output)}", ""])

    def _text(self, line: Line) -> str:
        examples = [ref.example for ref in leaves([line.args], Ref)]
        dtype = np.result_type(*examples) if isinstance(line.function, np.ufunc) else None
        args = [self.name(arg, dtype) for arg in line.args]
        args += [f"{key}={self.name(value)}" for key, value in line.options.items()]
        args += [f"out={self.name(line.out)}"] if line.out is not None else []
        text = f"{self.name(line.function)}({', '.join(args)})"
        return f"{self.name(array_of)}({text})" if line.wraps else text

    def name(self, thing: Any, dtype: np.dtype[Any] | None = None) -> str:
        """The expression for something; a ufunc's number as an array of `dtype`, which is faster."""
        if isinstance(thing, Text):
            return thing.template.format(*map(self.name, thing.parts))
        if isinstance(thing, Ref):
            if thing.slot.array is not None:
                return self.name(tracing.viewed(thing.slot.array, thing))
            return f"{thing.slot.name}{tracing.expression(thing) or ''}"
        if dtype is not None and isinstance(thing, (np.generic, int, float)) and not isinstance(thing, bool):
            thing = np.asarray(thing, None if isinstance(thing, np.generic) or dtype.kind != "f" else dtype)
        if thing is None or isinstance(thing, (bool, int, str)):
            return repr(thing)
        if type(thing) is dict:
            return "{" + ", ".join(f"{self.name(key)}: {self.name(part)}" for key, part in thing.items()) + "}"
        if type(thing) is list or (isinstance(thing, (tuple, list)) and written(thing)):
            inside = ", ".join(map(self.name, thing))
            if hasattr(thing, "_fields"):
                return f"{self.name(type(thing))}({inside})"
            return f"[{inside}]" if isinstance(thing, list) else f"({inside},)"
        found = self._names.get(id(thing))
        if found is None:
            word = getattr(thing, "__name__", "c").strip("_<>")
            found = word if word.isidentifier() else "c"
            found = found if isinstance(thing, np.ufunc) else f"{found}_{next(self._counter)}"
            self._names[id(thing)] = found
            self.bound[found] = thing
        return found


def untyped(thing: Any) -> Any:
    """Nested tuples as nested lists."""
    return [untyped(part) for part in thing] if isinstance(thing, (tuple, list)) else thing


def written(thing: Any) -> bool:
    """Whether a structure is made at each call, since it holds arrays or expressions."""
    parts = thing.values() if isinstance(thing, dict) else thing
    return any(isinstance(x, (Ref, Text)) or (isinstance(x, (tuple, list, dict)) and written(x)) for x in parts)


def takes_out(call: Call) -> bool:
    """Whether a recorded function takes ``out=``."""
    code = getattr(call.function, "__code__", None)
    if code is None or not isinstance(call.results, Value) or call.event == "effect" or call.wraps:
        return False
    return "out" in code.co_varnames[len(call.args) : code.co_argcount + code.co_kwonlyargcount]


def may_alias(made: Any, given: Any) -> bool:
    """Whether a result may share memory with an argument."""
    if isinstance(made, np.ndarray) and isinstance(given, np.ndarray):
        return np.may_share_memory(made, given)
    return not isinstance(made, (np.ndarray, np.generic, bool, int, float, str, type(None)))


def rerun_unless(condition: Any, answer: bool, target: Array, function: Any, *args: Any) -> None:
    """Call the function itself if its traced lines are of another branch than the condition now selects."""
    if bool(condition) is not answer:
        np.copyto(target, function(*args))


def array_of(answer: Any) -> Any:
    """Results that are numbers, or tensors, as arrays."""
    if isinstance(answer, (tuple, list)):
        return [np.asarray(answer[0]), *answer[1:]]
    return answer.array if isinstance(answer, Tensor) else np.asarray(answer)


def arrive(leaf: Tensor, g: Tensor) -> Array:
    """Make a gradient the ``grad`` of a leaf, or add it to the present one; returns the leaf's gradient."""
    grad = leaf._grad
    if grad is None:
        leaf._grad = g
        return g.array
    grad.array += g.array
    grad.bump()
    return grad.array


def save_gradients(leaves: list[tuple[Tensor, Array]]) -> None:
    """Copy gradients that are still in use out of their buffers, before new ones, to be added, overwrite these."""
    for leaf, buffer in leaves:
        if leaf._grad is not None and leaf._grad.array is buffer:
            leaf._grad = Tensor.wrap(buffer.copy())
