"""Kernels that nobody has to write: an operation runs once on arrays that note which ufuncs it calls.

A function of ufuncs, choices (`numpy.where`) and views does the same ones each time, since shapes, dtypes and numbers
are those of the record; with ``out=`` they need no new arrays. One that looks at values, or does anything that leaves
no note, raises `UntraceableError` and is called as it is.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from threading import get_ident
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds

from minigrad.compiler.builder import Builder, Name, fits
from minigrad.compiler.recorder import Call, Value, values_in
from minigrad.engine import Array, fit
from minigrad.kernels import memory
from minigrad.watch import by


class UntraceableError(Exception):
    """The function does something that leaves no note."""


class Part(NamedTuple):
    """An array that the function meets: one of those that the notes know, or a view of it."""

    number: int
    view: Array | None = None  #: as it lies in the example


class Step(NamedTuple):
    """One line of the notes."""

    function: Callable[..., Any]
    args: tuple[Any, ...]  #: a `Part` for each array
    options: dict[str, Any]
    result: int


class Notes:
    """What a function does with the arrays that it is given.

    Attributes:
        arrays: those that are known: given ones, constants, then results.
        values: the given ones, as the record knows them.
        constants: the numbers of those that always hold the same.
        steps: what is done.
    """

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self.values: dict[int, Value] = {}
        self.constants: set[int] = set()
        self.steps: list[Step] = []
        self.thread = get_ident()

    def give(self, thing: Any) -> Any:
        """An argument of the record, with an array that takes notes in the place of each value."""
        if isinstance(thing, Value):
            if not isinstance(thing.example, (np.ndarray, np.generic)) or not thing.example.size:
                raise UntraceableError
            number = next((n for n, value in self.values.items() if value.number == thing.number), None)
            if number is None:
                number = self.add(np.asarray(thing.example))
                self.values[number] = thing
            return self.noted(number)
        if isinstance(thing, list):
            return [self.give(part) for part in thing]
        if next(values_in(thing), None) is not None:
            raise UntraceableError
        return thing

    def noted(self, number: int) -> Array:
        """An array that takes notes."""
        return taking_notes(self.arrays[number], self)

    def add(self, array: Array) -> int:
        """Know another array."""
        self.arrays.append(array)
        return len(self.arrays) - 1

    def part(self, x: Any) -> Any:
        """How the notes name an array; numbers stay what they are."""
        if not isinstance(x, np.ndarray):
            return x
        start, end = byte_bounds(x)
        found = None
        for number, known in enumerate(self.arrays):
            low, high = byte_bounds(known)
            if low == start and (known.shape, known.strides, known.dtype) == (x.shape, x.strides, x.dtype):
                return Part(number)
            if low <= start and end <= high and known.dtype == x.dtype:
                found = Part(number, x.view(np.ndarray))
        if found is None:
            raise UntraceableError
        return found

    def do(self, function: Callable[..., Any], args: Sequence[Any], options: dict[str, Any], out: Any = None) -> Array:
        """Call a function, and note it."""
        if get_ident() != self.thread:  # the function shares its work by itself
            raise UntraceableError
        known, arrays = tuple(map(self.part, args)), map(plain, args)
        if out is None:
            number = self.add(np.asarray(function(*arrays, **options)))
        else:
            number = self.target(out)
            function(*arrays, **options, out=self.arrays[number])
        self.steps.append(Step(function, known, options, number))
        return self.noted(number)

    def target(self, out: Array) -> int:
        """The array that a function is to write to: a new one, or a result."""
        try:
            part = self.part(out)
        except UntraceableError:
            if out.base is not None and out.base.size > out.size:  # a part of what will be put together
                raise
            return self.add(out.view(np.ndarray))
        if part.view is not None or part.number in self.values or part.number in self.constants:
            raise UntraceableError
        return int(part.number)


def refused(*_: Any, **__: Any) -> Any:
    """Instead of a method that reads or writes values."""
    raise UntraceableError


class Noted(np.ndarray[Any, Any]):
    """An array that takes notes of what is done with it; so do its views."""

    notes: Notes
    __bool__ = __int__ = __float__ = __complex__ = __index__ = __iter__ = __contains__ = __setitem__ = refused
    item = tolist = tobytes = fill = put = sort = partition = dot = trace = argmax = argmin = searchsorted = refused
    flat = property(refused)

    def __array_finalize__(self, source: Any) -> None:
        if isinstance(source, Noted):
            self.notes = source.notes

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if options.get("dtype", 0) is None:
            del options["dtype"]
        if method not in ("__call__", "reduce") or ufunc.nout != 1 or options.pop("where", True) is not True:
            raise UntraceableError
        function = ufunc if method == "__call__" else ufunc.reduce
        return self.notes.do(function, inputs, options, out and out[0])

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if function in ASK:
            return function(*map(plain, args), **options)
        if function in VIEWS:
            return taking_notes(function(*map(plain, args), **options), self.notes)
        if function is np.where and len(args) == 3 and args[0].dtype == bool:
            result = self.notes.do(np.where, args, options)
            if result.itemsize <= 8 and all(x.dtype == result.dtype for x in args[1:] if isinstance(x, np.ndarray)):
                return result
        if function is np.zeros_like and len(args) == 1 and not options:
            number = self.notes.add(np.zeros_like(plain(args[0])))
            self.notes.constants.add(number)
            return self.notes.noted(number)
        raise UntraceableError

    def astype(self, dtype: Any, *, copy: bool = True) -> Any:  # type: ignore[override]
        """The array in another dtype."""
        return self if not copy and self.dtype == dtype else self.notes.do(converted, (self, np.dtype(dtype)), {})

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        if not isinstance(found, np.ndarray):  # a number
            raise UntraceableError
        return found


def taking_notes(x: Array, notes: Notes) -> Noted:
    """The array, noted."""
    noted = x.view(Noted)
    noted.notes = notes
    return noted


def plain(x: Any) -> Any:
    """The array itself."""
    return x.view(np.ndarray) if isinstance(x, Noted) else x


def converted(x: Array, dtype: np.dtype[Any]) -> Array:
    """``x.astype(dtype)``; what the notes call it."""
    return x.astype(dtype)


#: Functions that ask for no values, and such that make views.
ASK = {np.result_type, np.can_cast, np.shape, np.ndim, np.size, np.shares_memory, np.may_share_memory}
VIEWS = {np.broadcast_to, np.reshape, np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze}

ALSO = {fit, operator.add}  #: what backward calls beside the operations' own functions


def traced(b: Builder, call: Call) -> bool:
    """Write the lines of a call, if all that it does can be noted."""
    function = call.function.func if isinstance(call.function, functools.partial) else call.function
    own = call.kind in ("forward", "rule") and function.__module__.startswith("minigrad.")
    made = next(values_in(call.args), None) is None  # of nothing: it may be random, and is made anew each time
    if made or not (own or function in ALSO) or len(call.results) != 1:
        return False
    notes = Notes()
    try:
        with by(None), np.errstate(all="ignore"):
            result = notes.part(call.function(*map(notes.give, call.args)))
        writer = Writer(b, notes, call.results[0], result)
    except UntraceableError:
        return False
    writer.write()
    return True


class Writer:
    """Writes what the notes say into a plan.

    Raises:
        UntraceableError: if the result is not the function's own, or it makes views of what has no fixed place.
    """

    def __init__(self, b: Builder, notes: Notes, out: Any, result: Any) -> None:
        self.b, self.notes, self.out, self.result = b, notes, out, result
        if not isinstance(result, Part) or not isinstance(out, Value) or result.number in notes.constants:
            raise UntraceableError
        if result.view is None and result.number in notes.values:
            raise UntraceableError
        self.places: dict[int, Array] = {}  # of results
        self.last: dict[int, int] = {}  # the step that reads an array last
        for i, step in enumerate(notes.steps):
            self.last[step.result] = i
            for part in parts(step.args):
                self.last[part.number] = i
                if part.view is not None:
                    self.laid_out(part)
        self.last[result.number] = len(notes.steps)
        if result.view is not None:
            self.laid_out(result)

    def laid_out(self, part: Part) -> None:
        """Object to a view that can't be made once and for all."""
        value = self.notes.values.get(part.number)
        if (value is not None and self.b.fixed(value) is None) or not memory.dense(self.notes.arrays[part.number]):
            raise UntraceableError

    def write(self) -> None:
        """The lines."""
        b = self.b
        for i, step in enumerate(self.notes.steps):
            if step.function is np.where:
                self.choose(i, step)
            elif step.function is converted:
                b.line(np.copyto, self.place(i, step), self.name(step.args[0]), casting="unsafe")
            else:
                kind = np.result_type(*[self.example(part) for part in parts(step.args)])
                names = [self.name(arg, kind) for arg in step.args]
                b.line(step.function, *names, **step.options, out=self.place(i, step))
            for number in [n for n in self.places if self.last[n] <= i]:
                b.give(self.places.pop(number))
        number, view = self.result
        if view is None:
            b.adopt(self.out, self.places[number])
        else:
            b.fix(self.out, self.view(number, view), of=self.notes.values.get(number))

    def choose(self, i: int, step: Step) -> None:
        """``where(condition, x, y)``, by bits: ``y ^ ((x ^ y) & mask)``, with a mask of ones and zeros.

        It takes a tenth of the time of a copy of some elements, whatever the condition is.
        """
        b = self.b
        like = self.notes.arrays[step.result]
        condition = self.name(step.args[0])
        kind = np.dtype(f"i{like.itemsize}")
        x, y = (self.as_bits(arg, like.dtype, kind) for arg in step.args[1:])
        mask, bits = b.room(np.empty_like(like, kind)), b.room(np.empty_like(like, kind))
        b.line(np.copyto, mask, condition)
        b.line(np.negative, mask, out=mask)
        b.line(np.bitwise_xor, x, y, out=bits)
        b.line(np.bitwise_and, bits, mask, out=bits)
        place = self.place(i, step)
        b.line(np.bitwise_xor, bits, y, out=b.view(place.view(kind)))
        b.give(mask)
        b.give(bits)

    def as_bits(self, arg: Any, dtype: np.dtype[Any], kind: np.dtype[Any]) -> Any:
        """An argument's bits as integers, in the dtype of the result."""
        if not isinstance(arg, Part):
            return np.asarray(arg, dtype).view(kind)
        value = self.notes.values.get(arg.number)
        if arg.view is None and value is not None and self.b.fixed(value) is None:
            return Name(f"{self.b.name(value)}.view({self.b.name(kind)})")
        return self.b.view(self.array(arg).view(kind))

    def example(self, part: Part) -> Array:
        """What it was when the function ran."""
        return self.notes.arrays[part.number] if part.view is None else part.view

    def array(self, part: Part) -> Array:
        """The array itself, which has a fixed place."""
        number, view = part
        if view is not None:
            return self.view(number, view)
        if number in self.notes.values:
            found = self.b.fixed(self.notes.values[number])
            assert found is not None
            return found
        return self.notes.arrays[number] if number in self.notes.constants else self.places[number]

    def view(self, number: int, view: Array) -> Array:
        """The view of an array's place that lies in it as `view` does in the example."""
        whole, example = self.array(Part(number)), self.notes.arrays[number]
        flat = whole.transpose(memory.axes(whole)).reshape(-1)
        offset = byte_bounds(view)[0] - byte_bounds(example)[0]
        return np.ndarray(view.shape, view.dtype, flat, offset, view.strides)

    def name(self, arg: Any, kind: np.dtype[Any] | None = None) -> Any:
        """An argument in the text; a Python number as an array, which ufuncs take faster."""
        if not isinstance(arg, Part):
            if isinstance(arg, np.generic):
                return np.asarray(arg)
            return np.asarray(arg, kind) if type(arg) in (int, float) and kind is not None and kind.kind == "f" else arg
        if arg.view is not None:
            return self.b.view(self.array(arg))
        if arg.number in self.notes.values:
            return Name(self.b.name(self.notes.values[arg.number]))
        if arg.number in self.notes.constants:
            return self.b.zeros(self.notes.arrays[arg.number])
        return Name(self.b.name(self.places[arg.number]))

    def place(self, i: int, step: Step) -> Array:
        """Where a step writes: over what nobody needs any more, if it is of that shape, else into a buffer."""
        if step.result in self.places:
            return self.places[step.result]
        like = self.notes.arrays[step.result]
        found = None
        if step.function is np.where or getattr(step.function, "signature", "") is None:
            for part in parts(step.args):
                found = self.over(i, step, part.number, like) if found is None else found
        self.places[step.result] = place = self.b.room(like) if found is None else found
        return place

    def over(self, i: int, step: Step, number: int, like: Array) -> Array | None:
        """The place of an array that no other step reads, if it fits."""
        if self.last[number] > i or any(p.number == number and p.view is not None for p in parts(step.args)):
            return None
        if number in self.notes.values:
            return self.b.over(self.notes.values[number], like)
        return self.places.pop(number) if number in self.places and fits(self.places[number], like) else None


def parts(args: Sequence[Any]) -> list[Part]:
    """The arrays among the arguments."""
    return [arg for arg in args if isinstance(arg, Part)]
