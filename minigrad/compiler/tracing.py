"""Traces an operation into lines with ``out=``, by running it once on arrays that record what is done with them.

A function of ufuncs, views and indexing does the same ones each time, since shapes, dtypes and numbers are those of the
record; with ``out=`` they need no new arrays. A data-dependent branch becomes a line that checks its condition. A
function that reads values otherwise, or does anything else that is not recorded, raises `UntraceableError`; the plan
then calls the function itself. The lines are verified on other values before they are used.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from threading import get_ident
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds

from minigrad.engine import Array
from minigrad.kernels.memory import owner
from minigrad.watch import Watcher


class UntraceableError(Exception):
    """The function does something that can't be traced."""


class Strict(Watcher):
    """Raises an error before random numbers are drawn, as the trace would not contain the draw."""

    def read(self, what: str) -> None:
        """Values are read, or random numbers drawn."""
        raise UntraceableError


class Slot:
    """An array of the plan.

    Attributes:
        storage: "input" (given in each call), "fixed" (always the same array), "buffer" or "local" (made in each call).
        example: an array of the same layout, with its own memory.
        array: the array itself, of a fixed slot or (once it has one) of a buffer.
        last: the line that reads it last.
        owned: whether its memory must not be used for anything else.
    """

    def __init__(self, storage: str, example: Array, array: Array | None = None, name: str = "") -> None:
        self.storage, self.example, self.array, self.name = storage, example, array, name
        self.last, self.owned = -1, False


class Ref:
    """An array that a line reads or writes: a slot, or a part of it."""

    def __init__(self, slot: Slot, view: Array | None = None) -> None:
        self.slot = slot
        self.view = view  #: the part, as a view of the slot's example
        self.example = slot.example if view is None else view  #: an array of the same layout


class Text:
    """An expression: a template, and what is inserted in it."""

    def __init__(self, template: str, *parts: Any) -> None:
        self.template, self.parts = template, parts


class Line(NamedTuple):
    """One line of a plan: ``targets = function(*args, **options)``, with a `Ref` for each array."""

    function: Callable[..., Any]
    args: Sequence[Any]
    options: dict[str, Any] = {}  # noqa: RUF012 (never changed)
    out: Ref | None = None  #: given as ``out=``
    targets: Any = None  #: the structure of results, if the function makes them
    wraps: bool = False  #: the function returns a number, or a tensor, in the place of an array

    @property
    def slots(self) -> list[Slot]:
        """The slots that it reads or writes, each once."""
        return list(dict.fromkeys(ref.slot for ref in leaves([self.args, self.options, self.out, self.targets], Ref)))


def leaves(thing: Any, cls: Any = object) -> Iterator[Any]:
    """All elements of a nested structure that are instances of `cls`."""
    if isinstance(thing, dict):
        thing = list(thing.values())
    elif isinstance(thing, Text):
        thing = thing.parts
    if isinstance(thing, (tuple, list)):
        for part in thing:
            yield from leaves(part, cls)
    elif isinstance(thing, cls):
        yield thing


def mapped(function: Callable[[Any], Any], thing: Any) -> Any:
    """The same nested structure, with `function` applied to its elements."""
    if isinstance(thing, dict):
        return {key: mapped(function, part) for key, part in thing.items()}
    if isinstance(thing, (tuple, list)):
        parts = [mapped(function, part) for part in thing]
        return type(thing)(*parts) if hasattr(thing, "_fields") else type(thing)(parts)
    return function(thing)


def address(x: Array) -> int:
    """The memory address of the first element."""
    return int(x.__array_interface__["data"][0])


def same_layout(x: Array, y: Array) -> bool:
    """Whether two arrays have the same shape, dtype and strides (except along axes of length 1)."""
    steps = zip(x.shape, x.strides, y.strides, strict=False)
    return x.shape == y.shape and x.dtype == y.dtype and all(n == 1 or one == other for n, one, other in steps)


def stand_in(x: Any) -> Array:
    """An array with the values and the layout of another one, and its own memory."""
    x = np.asarray(x)
    low, high = byte_bounds(x)
    twin = np.ndarray(x.shape, x.dtype, np.empty(high - low, np.uint8), address(x) - low, x.strides)
    twin[...] = x
    return twin


class _Part:
    """A part of another array's memory, in the form that NumPy accepts."""

    def __init__(self, array: Array, interface: dict[str, Any]) -> None:
        self.array, self.__array_interface__ = array, interface


def viewed(array: Array, ref: Ref) -> Array:
    """The view of `array` that corresponds to `ref` in its slot's example."""
    if ref.view is None:
        return array
    start = address(array) + address(ref.view) - address(ref.slot.example)
    return np.asarray(
        _Part(array, {**ref.view.__array_interface__, "data": (start, False), "strides": ref.view.strides})
    )


def expression(ref: Ref) -> str | None:
    """The code that makes a view from an array that is made at each call; None if it isn't simple."""
    x, view = ref.slot.example, ref.example
    axes = sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))
    ways = ["", ".T", f".transpose({axes})", f".reshape({view.shape})", f".view('{view.dtype.str}')"]
    if x.ndim and x.size and view.size % (x.size // len(x)) == 0:
        rows = view.size // (x.size // len(x))
        ways += [f"[:{rows}].reshape({view.shape})", f"[{len(x) - rows}:].reshape({view.shape})"]
    for way in ways:
        try:
            found = eval(f"x{way}", {"x": x})
        except (ValueError, TypeError):
            continue
        if same_layout(found, view) and address(found) == address(view):
            return way
    return None


class Tape:
    """Records the operations of a traced function, line by line."""

    def __init__(self, slots: dict[int, Slot]) -> None:
        self.slots = slots  #: by the id of the object that owns the memory of their examples
        self.lines: list[Line] = []
        self.given: set[Slot] = set()
        self.thread = get_ident()

    def give(self, part: Any) -> Any:
        """The traced array of a `Ref`; anything else itself."""
        if not isinstance(part, Ref):
            return part
        if not part.example.size:
            raise UntraceableError
        self.given.add(part.slot)
        return traced_array(part.example, self)

    def known(self, x: Any) -> Any:
        """The `Ref` of an array; one that was not traced is a constant."""
        if isinstance(x, slice) and any(isinstance(part, np.ndarray) for part in (x.start, x.stop, x.step)):
            raise UntraceableError
        if not isinstance(x, np.ndarray):
            return x
        slot = self.slots.get(id(owner(x)))
        if slot is None:
            if isinstance(x, TracedArray):
                raise UntraceableError
            slot = self.slot("fixed", stand_in(x), x)
            slot.name = "made"
        ref = Ref(slot, plain(x))
        if address(x) == address(slot.example) and same_layout(x, slot.example):
            return Ref(slot)
        if slot.storage in ("input", "local") and expression(ref) is None:
            raise UntraceableError
        return ref

    def slot(self, storage: str, array: Array, example: Array | None = None) -> Slot:
        """A slot for an array that the function makes."""
        example = array if example is None else example
        slot = self.slots[id(owner(example))] = Slot(storage, example, array if storage == "fixed" else None)
        return slot

    def do(self, function: Callable[..., Any], args: Any, options: Any, out: Any = None) -> Array:
        """Record and call a function that takes ``out=``."""
        if get_ident() != self.thread:  # the function uses threads itself
            raise UntraceableError
        known, arrays = mapped(self.known, list(args)), mapped(plain, list(args))
        if out is None:
            found = np.asarray(function(*arrays, **options))
            self.slot("buffer", out := found if found.base is None else stand_in(found))
        else:
            self.writable(out)
            function(*arrays, **options, out=plain(out))
        self.lines.append(Line(function, known, options, self.known(out)))
        return traced_array(plain(out), self)

    def write(self, function: Callable[..., Any], target: Array, *args: Any, **options: Any) -> Array:
        """Record and call a function that writes to its first argument."""
        self.writable(target)
        given = [target, *args], options
        self.lines.append(Line(function, *mapped(self.known, given)))
        args, options = mapped(plain, given)
        function(*args, **options)
        return traced_array(plain(target), self)

    def made(self, function: Callable[..., Any], *args: Any) -> Array:
        """Record and call a function that makes an array."""
        return self.write(copy_of, np.empty_like(function(*mapped(plain, args))), function, *args)

    def writable(self, out: Array) -> None:
        """Reject a write to an array that the function has not made itself."""
        slot = self.slots.get(id(owner(out)))
        if slot is None and isinstance(whole := owner(out), np.ndarray):
            self.slot("buffer", whole.view(np.ndarray))
        elif slot is None or slot in self.given or slot.storage != "buffer":
            raise UntraceableError


def copy_of(target: Array, function: Callable[..., Array], *args: Any) -> None:
    """``target[...] = function(*args)``."""
    np.copyto(target, function(*args))


def check(condition: Any, answer: bool) -> None:
    """Reject a condition with another answer than the recorded one; the step then runs eagerly.

    Raises:
        UntraceableError: if the answers differ.
    """
    if bool(condition) is not answer:
        raise UntraceableError


def refused(*_: Any, **__: Any) -> Any:
    """Takes the place of methods that read or write values."""
    raise UntraceableError


class TracedArray(np.ndarray[Any, Any]):
    """An array that records on its tape what is done with it, as its views do."""

    tape: Tape
    __int__ = __float__ = __complex__ = __index__ = __iter__ = __contains__ = refused
    item = tolist = tobytes = fill = put = sort = partition = dot = trace = argmax = argmin = searchsorted = refused
    nonzero = choose = compress = take = flatten = ravel = refused
    flat = property(refused)

    def __array_finalize__(self, source: Any) -> None:
        if isinstance(source, TracedArray):
            self.tape = source.tape

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if options.get("dtype", 0) is None:
            del options["dtype"]
        if method not in ("__call__", "reduce") or ufunc.nout != 1 or options.pop("where", True) is not True:
            raise UntraceableError
        return self.tape.do(ufunc if method == "__call__" else ufunc.reduce, inputs, options, out and out[0])

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        tape = self.tape
        if function in VALUE_FREE:
            return function(*map(plain, args), **options)
        if function is np.concatenate:
            return tape.do(function, args, {key: value for key, value in options.items() if value is not None})
        if function is np.where and len(args) == 3:
            into = np.empty_like(np.where(*map(plain, args)))
            tape.write(np.copyto, into, args[2])
            return tape.write(np.copyto, into, args[1], where=args[0])
        if function is np.copy and len(args) == 1 and not options:
            return args[0].copy("K")
        raise UntraceableError

    def __bool__(self) -> bool:
        """A branch of the function: record a line that checks the condition."""
        answer = bool(plain(self))
        self.tape.lines.append(Line(check, (self.tape.known(self), answer)))
        return answer

    def __getitem__(self, key: Any) -> Any:
        if any(isinstance(part, (np.ndarray, list)) for part in (key if isinstance(key, tuple) else [key])):
            return self.tape.made(operator.getitem, self, key)
        found = super().__getitem__(key)
        if not isinstance(found, np.ndarray):  # a number
            raise UntraceableError
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        self.tape.write(operator.setitem, self, key, value)

    def astype(self, dtype: Any, *, copy: bool = True) -> Any:  # type: ignore[override]
        """The array in another dtype."""
        if not copy and self.dtype == dtype:
            return self
        return self.tape.write(np.copyto, np.empty_like(plain(self), dtype), self, casting="unsafe")

    def copy(self, order: Any = "C") -> Any:
        """Another array with the same values."""
        return self.tape.write(np.copyto, np.empty_like(plain(self), order=order), self)

    def reshape(self, *shape: Any, **options: Any) -> Any:
        """The same elements in another shape: a view, or a copy."""
        found = super().reshape(*shape, **options)
        return found if owner(found) is owner(self) or options else self.copy().reshape(*shape)


def traced_array(x: Array, tape: Tape) -> TracedArray:
    """A view of the array that records what is done with it."""
    array = x.view(TracedArray)
    array.tape = tape
    return array


def plain(x: Any) -> Any:
    """The array itself, untraced."""
    return x.view(np.ndarray) if isinstance(x, TracedArray) else x


#: Functions that read no values.
VALUE_FREE = {
    *(np.result_type, np.can_cast, np.shape, np.ndim, np.size, np.shares_memory, np.may_share_memory),
    *(np.zeros_like, np.ones_like, np.full_like),
}


def traced(function: Callable[..., Any], args: Sequence[Any], slots: dict[int, Slot]) -> tuple[list[Line], Any]:
    """The lines of a call, and the structure of its results.

    Raises:
        UntraceableError: if something that it does can't be traced.
    """
    tape = Tape(slots)
    result = mapped(tape.known, function(*mapped(tape.give, list(args))))
    verify(function, args, tape.lines, result)
    return tape.lines, result


def verify(function: Callable[..., Any], args: Sequence[Any], lines: Sequence[Line], result: Any) -> None:
    """Run the lines on other values, and compare with the function.

    Raises:
        UntraceableError: if the results differ in one bit.
    """
    arrays: dict[Slot, Array] = {}
    for slot in [ref.slot for ref in leaves(list(args), Ref)]:
        arrays[slot] = stand_in(slot.example)
        arrays[slot][...] = other_values(slot.example)

    def real(part: Any) -> Any:
        if not isinstance(part, Ref):
            return part
        if part.slot not in arrays:
            arrays[part.slot] = twin = stand_in(part.slot.example)
            if part.slot.storage == "buffer":
                owner(twin)[...] = 0xA5
        return viewed(arrays[part.slot], part)

    try:
        wanted = function(*mapped(real, list(args)))
    except Exception as error:
        raise UntraceableError from error
    for line in lines:
        out = {} if line.out is None else {"out": real(line.out)}
        line.function(*mapped(real, line.args), **mapped(real, line.options), **out)
    if not bits_equal(mapped(real, result), wanted):
        raise UntraceableError


def other_values(x: Array) -> Array:
    """Other values that are valid arguments: probabilities stay in [0, 1], classes and indices within their bounds."""
    turned = x[(slice(None, None, -1),) * x.ndim]
    if x.dtype.kind == "b":
        return ~x
    return turned * 0.7311 + 0.1192 if x.dtype.kind in "fc" else turned if (turned != x).any() else x == 0


def bits_equal(a: Any, b: Any) -> bool:
    """Whether two structures hold the same arrays, bit for bit."""
    if isinstance(a, (tuple, list)):
        return isinstance(b, type(a)) and len(a) == len(b) and all(map(bits_equal, a, b))
    if isinstance(a, np.ndarray):
        b = np.asarray(b)
        return bool(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes())
    equal: bool = a == b
    return equal
