"""Finds what a step may read from Python: an analysis of its bytecode, and of the objects that it can reach.

Starting from the names that the code loads and from the arguments, it finds every object that the code, or a function
that it can reach, may access. It may find more than the step reads, never less: what it can't follow raises
`Unguardable`.
"""

from __future__ import annotations

import builtins
import collections
import dis
import enum
import functools
import operator
import re
import sys
import types
from abc import ABCMeta
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

import numpy as np

from minigrad import dtypes
from minigrad.nn.hooks import Hooks
from minigrad.nn.module import Module
from minigrad.optim.lr_scheduler.base import LRScheduler
from minigrad.optim.optimizer import Optimizer
from minigrad.random import Generator
from minigrad.tensor import Tensor, device

MOST = 4096  #: elements of a container or an array whose content is checked
HEAP_TYPE = 1 << 9  #: the flag of a class that is created at run time (Py_TPFLAGS_HEAPTYPE)
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...), np.generic, np.dtype, dtypes.dtype, device)
words = str.split
#: Builtins that read only their arguments, and packages whose functions do so too, except for those refused.
PURE = words("""abs all any bool bytes callable classmethod complex dict divmod enumerate filter float frozenset int
    isinstance issubclass iter len list map max min next object pow property range repr reversed round set slice sorted
    staticmethod str sum super tuple type zip __build_class__""")
PARTS = words("""minigrad numpy math cmath operator itertools functools collections typing types enum abc dataclasses
    contextlib _operator _functools _collections _collections_abc _abc""")
REFUSED_PARTS = tuple(
    words("""numpy.random numpy.lib minigrad.utils.data minigrad.vision minigrad.serialization
    minigrad.profiler minigrad.kernels minigrad.viz minigrad.onnx minigrad.distributed minigrad.nn.init""")
)
REFUSED = words("""manual_seed seed initial_seed get_rng_state set_rng_state fork_rng set_default_dtype set_num_threads
    save load savez savez_compressed savetxt loadtxt genfromtxt fromfile fromregex memmap seterr seterrcall setbufsize
    put place set_printoptions attrgetter methodcaller lru_cache cache""")
#: Attributes that give access to whole objects, or bypass the operations.
REFUSED_NAMES = words("""__dict__ __globals__ __closure__ __code__ __getstate__ __subclasses__ _grad array node version
    _version data_ptr f_locals reset_parameters reset_running_stats""")
#: Special methods that syntax does not call: followed only where objects are made, or where something calls them.
MAKING, TEXT = words("__init__ __new__ __post_init__ __del__"), words("__repr__ __str__ __format__")
ORDER = words("__eq__ __ne__ __lt__ __le__ __gt__ __ge__")
SILENT = [*MAKING, *TEXT, *ORDER, *words("""__hash__ __reduce__ __reduce_ex__ __getstate__ __setstate__ __copy__
    __deepcopy__ __dir__ __sizeof__ __set_name__ __init_subclass__ __class_getitem__ __subclasshook__""")]  # fmt: skip
CALLING = {"str": TEXT, "repr": TEXT, **dict.fromkeys(words("sorted min max set dict sort index remove count"), ORDER)}


class Unguardable(Exception):  # noqa: N818 (no error: the step runs eagerly)
    """The step depends on something that can't be checked; the message says on what, and where."""


class Analysis:
    """One pass over all reachable objects; it adds to `used` the attributes that the code names.

    Attributes:
        used: for each attribute, the first line that names it.
        stored: the same for attributes that are set.
        probed: attributes that the code looks up with `getattr` or `hasattr`: they may be missing.
        checks: the arguments for `Guards.add`.
        seen: all objects that were reached, by identity.
    """

    def __init__(self, used: dict[str, str], stored: dict[str, str], probed: set[str]) -> None:
        self.used, self.stored, self.probed = used, stored, probed
        self.checks: list[tuple[str, str, str, tuple[Any, ...], bool]] = []
        self.seen: dict[int, Any] = {}
        self.classes: dict[type, Any] = {}  #: the namespace of each, as one view (`vars` makes a new one each time)
        self.known: set[tuple[type, bool]] = set()  #: classes whose methods were reached

    def refuse(self, what: str, line: str) -> NoReturn:
        """Raise `Unguardable`."""
        raise Unguardable(f"{what} at {line}")

    def check(self, text: str, what: str, line: str, *objects: Any, each: bool = False) -> None:
        """Add a check; see `Guards.add`."""
        self.checks.append((text, what, line, objects, each))

    def need(self, condition: Any, x: Any, line: str) -> None:
        """Refuse the step unless the condition holds: `x` can't be checked."""
        if not condition:
            self.refuse(f"{named(x)} has side effects or can't be guarded,", line)

    def use(self, names: Iterable[str], line: str) -> None:
        """Add attributes that the code names, or calls by syntax."""
        for name in names:
            self.used.setdefault(name, line)

    # ---- objects ------------------------------------------------------------------------------------

    def follow(self, x: Any, line: str) -> None:
        """Visit an object, and all that the code may read from it."""
        if plain(x) or id(x) in self.seen:
            return
        self.seen[id(x)] = x
        for cls, how in FOLLOW.items():
            if isinstance(x, cls):
                how(self, x, line)
                return
        if python_defined(type(x)):
            self.instance(x, line)
        else:
            self.need(type(x).__module__.startswith("minigrad.") and allowed(type(x)), x, line)
            self.attributes(x, line, self.used)

    def scheduler(self, x: LRScheduler, line: str) -> None:
        """What the code names of a scheduler; all of it if it calls a method. (After `step` there is a new record.)"""
        called = self.used.keys() & set(dir(type(x))) - {"step", *dir(object)}
        self.attributes(x, line, {*self.used, *vars(x)} if called else self.used)

    def optimizer(self, x: Optimizer, line: str) -> None:
        """What the code names of an optimizer. (The step changes its state; `recorder` observes that.)"""
        self.need("state_dict" not in self.used, x, line)
        shown = ["param_groups"] if not self.used.keys().isdisjoint(TEXT) else []
        self.attributes(x, line, [*shown, *self.used])

    def generator(self, x: Generator, line: str) -> None:
        """A generator: the step draws from it, but may not ask for its state."""
        self.need(
            self.used.keys().isdisjoint(["initial_seed", "get_state", "set_state", "manual_seed", "seed"]), x, line
        )

    def tensor(self, x: Tensor, line: str) -> None:
        """A tensor: the identity of its array; reads of its values are observed while the step runs."""
        self.need(type(x).__module__.startswith("minigrad.") and x.node is None, x, line)
        self.check("{}.array", "a tensor", line, x)
        self.check("{}.tracked", "requires_grad of a tensor", line, x)
        self.attributes(
            x, line, [n for n in self.used if (n in self.stored or n in vars(x)) and not hasattr(Tensor, n)]
        )

    def array(self, x: Any, line: str) -> None:
        """An array of NumPy: its content."""
        self.need(x.size <= MOST and not x.dtype.hasobject, x, line)
        self.check("{}.tobytes() == {} and {}.shape == {}", "an array of NumPy", line, x, x.tobytes(), x, x.shape)

    def content(self, x: Any, line: str) -> None:
        """A list, a deque, a set, or a dict (its keys, in their order, and values)."""
        self.need(len(x) <= MOST, x, line)
        self.check("{}" if x else "len({})", f"the content of a {type(x).__name__}", line, x, each=bool(x))
        if x and isinstance(x, dict):
            self.check("{}.values()", f"the content of a {type(x).__name__}", line, x, each=True)
            self.elements(x.values(), line)
        self.elements(x, line)
        self.follow(getattr(x, "default_factory", None), line)

    def elements(self, x: Any, line: str) -> None:
        """The elements of a container."""
        for part in list(x):
            self.follow(part, line)
        if python_defined(type(x)):
            self.instance(x, line)

    def module(self, x: Module, line: str) -> None:
        """A layer of minigrad: all of it. One of the user's: parameters, children, and what its code names."""
        inside = vars(x)
        self.methods(type(x), line)
        known = {name for name in inside if name in x._roles or name in ("training", "_hooks", "_roles")}
        if not python_defined(type(x)):
            self.check("{}.values()", f"an attribute of {named(x)}", line, inside, each=True)
            for name in set(inside) - {"_roles", "_non_persistent_buffers_set"}:  # they change with the others
                self.follow(inside[name], line)
            return
        if any(not python_defined(part) and part not in (Module, object) for part in type(x).__mro__):
            known.update(inside)  # its code is in part minigrad's
        self.attributes(x, line, {*known, *self.used, "_hooks"})

    def instance(self, x: Any, line: str) -> None:
        """An object of a class that is written in Python."""
        self.check("{}.__class__", f"the class of {named(x)}", line, x)
        self.attributes(x, line, self.used)
        self.methods(type(x), line)

    def attributes(self, x: Any, line: str, names: Iterable[str]) -> None:
        """The attributes that the code names; those that are missing must stay missing."""
        inside = getattr(x, "__dict__", {})
        absent = {}
        for name in list(names):
            at = self.stored.get(name) or self.used.get(name, line)
            what = f"attribute '{name}' of {named(x)}"
            if name in inside:
                self.check(f"{{}}[{name!r}]", what, at, inside)
                self.follow(inside[name], at)
            elif isinstance(getattr(type(x), name, None), types.MemberDescriptorType):  # __slots__
                self.check(f"{{}}.{name}", what, at, x)
                self.follow(getattr(x, name, None), at)
            else:
                absent[name] = what, at
        if absent and hasattr(x, "__dict__"):
            what, at = absent[next((name for name in absent if name in self.stored), min(absent))]
            self.check("{}.isdisjoint({})", what, at, frozenset(absent), inside)

    def methods(self, of: type, line: str, made: bool = False) -> None:
        """What the class and its bases define of the names that the code uses; syntax calls special methods.

        `made`: the code may make objects of this class.
        """
        if (of, made) in self.known:
            return
        self.known.add((of, made))
        self.need(type(of) in (type, ABCMeta, enum.EnumMeta), of, line)
        self.check("{}.__mro__", f"the classes that {of.__name__} is derived from", line, of)
        for part in of.__mro__:
            users = python_defined(part)
            self.need(users or not part.__flags__ & HEAP_TYPE or allowed(part), part, line)
            if not part.__flags__ & HEAP_TYPE:
                continue
            inside = self.classes.setdefault(part, vars(part))
            if users:
                late = next((at for name, at in self.stored.items() if name not in inside), line)
                self.check("{}", f"what {part.__name__} defines", late, inside, each=True)
            for name, value in list(inside.items()):
                special = users and name[:2] == name[-2:] == "__" and callable(value) and name not in SILENT
                hashed = name in ("__eq__", "__hash__") and isinstance(inside.get("__hash__"), types.FunctionType)
                if not (special or hashed or name in self.used or (made and name in MAKING)):
                    continue
                if users and name in ("__getattr__", "__getattribute__"):
                    self.refuse(f"attributes of {of.__name__} are computed by {name}", line)
                at = self.stored.get(name, line)
                self.check(f"{{}}[{name!r}]", f"{part.__name__}.{name}", at, inside)
                if users:
                    self.follow(value, at)

    def type(self, x: type, line: str) -> None:
        """A class, of which the code may make objects."""
        self.methods(x, line, made=True) if python_defined(x) else self.builtin(x, line)

    def package(self, x: types.ModuleType, line: str) -> None:
        """A module that is passed on as an object: all that the code may name of it."""
        for name in list(self.used):
            if (
                name in vars(x)
                or name in self.probed
                or (name in self.stored and x.__name__.partition(".")[0] not in PARTS)
            ):
                self.member(x, name, self.used[name])

    def member(self, x: types.ModuleType, name: str, line: str) -> Any:
        """One name of a module."""
        self.need(allowed(x), x, line)
        self.check(f"{{}}.get({name!r})", f"{x.__name__}.{name}", line, vars(x))
        return vars(x).get(name)

    def builtin(self, x: Any, line: str) -> None:
        """A function or a class of a library."""
        self.need(allowed(x), x, line)
        if not isinstance(of := getattr(x, "__self__", None), types.ModuleType):
            self.follow(of, line)
        self.use(CALLING.get(getattr(x, "__name__", ""), ()), line)

    def attribute_of(self, x: Any, line: str, *names: str) -> None:
        """An object that wraps others: a method, a property, a partial."""
        for name in names:
            if hasattr(x, name):
                self.check(f"{{}}.{name}", f"{name} of {named(x)}", line, x)
                self.follow(getattr(x, name), line)

    # ---- code ---------------------------------------------------------------------------------------

    def function(self, x: types.FunctionType, line: str) -> None:
        """A function: its code, defaults and closure, and the globals that it names."""
        cells = dict(zip(x.__code__.co_freevars, x.__closure__ or (), strict=True))
        part = (x.__module__ or "").partition(".")[0]
        if part in PARTS:
            self.builtin(x, line)
            for value in contents(cells).values() if part != "minigrad" else ():  # the table of a generic function
                self.follow(value, line)
            return
        self.attribute_of(x, line, "__code__", "__defaults__", "__kwdefaults__")
        self.attributes(x, line, self.used)
        for code in codes(x.__code__):
            self.code(code, x.__globals__, cells)

    def code(self, code: types.CodeType, space: dict[str, Any], cells: dict[str, types.CellType]) -> None:
        """The names in one code object."""
        number = code.co_firstlineno
        instructions = decoded(code)
        for i, (op, name) in enumerate([(x.opname, x.argval) for x in instructions]):
            number = getattr(instructions[i].positions, "lineno", None) or number
            line = f"{code.co_filename}:{number}"
            if ("ATTR" in op or op in ("LOAD_METHOD", "IMPORT_FROM")) and isinstance(name, str):
                if name in REFUSED_NAMES:
                    self.refuse(f"{name} is used", line)
                self.use([name, *CALLING.get(name, ())], line)
                if op.startswith(("STORE", "DELETE")):
                    self.stored.setdefault(name, line)
                    if name == "grad" and op.startswith("STORE") and instructions[max(i - 2, 0)].argval is not None:
                        self.refuse("a gradient is set", line)
            elif op in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL"):
                self.check(f"{{}}.get({name!r})", f"global variable '{name}'", line, space)
                if name not in space:
                    self.check(f"{{}}.get({name!r})", f"builtin '{name}'", line, vars(builtins))
                value = space.get(name, getattr(builtins, name, None))
                if value is getattr or value is hasattr:
                    self.use([asked := self.asked(instructions[i + 1 :], space, contents(cells), line)], line)
                    self.probed.add(asked)
                else:
                    self.chain(value, instructions, i, line)
            elif "DEREF" in op and name in cells:
                self.check("{}.cell_contents", f"variable '{name}'", line, cells[name])
                try:
                    self.chain(cells[name].cell_contents, instructions, i, line)
                except ValueError:
                    self.refuse(f"variable '{name}' has no value yet", line)
            elif op == "IMPORT_NAME":
                level, names = instructions[i - 2].argval, instructions[i - 1].argval
                self.need(level == 0 and name in sys.modules and (names or "." not in name), name, line)
                self.check(f"{{}}.get({name!r})", f"module {name}", line, sys.modules)
                self.chain(sys.modules[name], instructions, i, line)
            elif (op == "COMPARE_OP" and instructions[i - 1].opname != "LOAD_CONST") or op == "CONTAINS_OP":
                self.use(ORDER, line)
            elif "FORMAT" in op:
                self.use(TEXT, line)

    def chain(self, x: Any, instructions: list[dis.Instruction], i: int, line: str) -> None:
        """Follow a value that instruction `i` loads; of a module only the attribute that is then read, if any."""
        while isinstance(x, types.ModuleType) and i + 1 < len(instructions):
            i += 1
            if instructions[i].opname not in ("LOAD_ATTR", "LOAD_METHOD"):
                break
            x = self.member(x, instructions[i].argval, line)
        self.follow(x, line)

    def asked(self, instructions: list[dis.Instruction], space: Any, cells: dict[str, Any], line: str) -> str:
        """The name that a call of `getattr` or `hasattr` looks up: a literal, or a variable that is checked too."""
        depth, found = 0, None
        for one, two, third, last in zip(*(instructions[i:] for i in range(4)), strict=False):
            depth += dis.stack_effect(one.opcode, one.arg)
            if depth == 1 and "ATTR" not in two.opname:
                known: Any = {"LOAD_CONST": {two.argval: two.argval}, "LOAD_GLOBAL": space, "LOAD_DEREF": cells}
                name = known.get(two.opname, {}).get(two.argval)
                end = last if third.opname == "LOAD_CONST" else third
                found = name if isinstance(name, str) and end.opname in ("PRECALL", "CALL") else None
                break
        if found is None:
            self.refuse("the name of an attribute is computed", line)
        return found


@functools.lru_cache(1024)
def decoded(code: types.CodeType) -> list[dis.Instruction]:
    """The instructions of a code object."""
    return list(dis.get_instructions(code))


def plain(x: Any) -> bool:
    """Whether this is a number, a string or the like, and not of a user's subclass."""
    return isinstance(x, PLAIN) and not python_defined(type(x))


def contents(cells: dict[str, types.CellType]) -> dict[str, Any]:
    """The contents of all cells that are not empty."""
    return {name: cell.cell_contents for name, cell in cells.items() if cell != types.CellType()}


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """A code object, and those of the functions and comprehensions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def python_defined(cls: type) -> bool:
    """Whether a class is written in Python, and is neither minigrad's own nor of one of `PARTS`."""
    module = cls.__module__
    file = getattr(sys.modules.get(module), "__file__", "") or ""
    outside = module.partition(".")[0] not in PARTS and module not in sys.builtin_module_names
    return bool(cls.__flags__ & HEAP_TYPE) and outside and not file.endswith((".so", ".pyd"))


def allowed(x: Any) -> bool:
    """Whether a module, function or class reads and changes nothing that would have to be checked."""
    name = "" if isinstance(x, types.ModuleType) else getattr(x, "__name__", type(x).__name__)
    owner = getattr(x, "__objclass__", None) or getattr(x, "__self__", None)
    if not name:
        module = x.__name__
    elif isinstance(owner, types.ModuleType):
        module = owner.__name__
    elif owner is not None:
        return True  # a method; its object is checked separately
    else:
        module = getattr(x, "__module__", None) or ("numpy" if isinstance(x, np.ufunc) else "")
    part = module.partition(".")[0]
    if module == "builtins":
        return name in PURE or (isinstance(x, type) and issubclass(x, BaseException))
    if part not in PARTS:
        return not name and part not in sys.stdlib_module_names
    return not module.startswith(REFUSED_PARTS) and name not in REFUSED


def named(x: Any) -> str:
    """The name of an object in messages."""
    name = None
    if isinstance(x, type) or not python_defined(type(x)):  # whose attributes may be computed
        name = getattr(x, "__qualname__", None) or getattr(x, "__name__", None)
    return (f"{name}()" if callable(x) else name) if name else f"an object of type '{type(x).__name__}'"


_field: Any = type(collections.namedtuple("_", "a").a)  # type: ignore[attr-defined]


def _followed(*names: str) -> Callable[[Analysis, Any, str], None]:
    return lambda analysis, x, line: analysis.attribute_of(x, line, *names)


#: The method for objects of each type; the first match counts.
FOLLOW: dict[Any, Callable[[Analysis, Any, str], None]] = {
    Generator: Analysis.generator,
    Optimizer: Analysis.optimizer,
    LRScheduler: Analysis.scheduler,
    (range, slice, types.CodeType, operator.itemgetter, types.GenericAlias, re.Pattern, _field): _followed(),
    Hooks: lambda analysis, x, line: analysis.elements(vars(x).values(), line),
    types.SimpleNamespace: lambda analysis, x, line: analysis.attributes(x, line, analysis.used),
    Tensor: Analysis.tensor,
    Module: Analysis.module,
    np.ndarray: Analysis.array,
    (dict, list, collections.deque, set): Analysis.content,
    (tuple, frozenset): Analysis.elements,
    types.FunctionType: Analysis.function,
    types.ModuleType: Analysis.package,
    (
        *(types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType, types.MethodWrapperType),
        *(types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType),
        *(np.ufunc, type(np.sum)),
    ): Analysis.builtin,
    (types.MethodType, staticmethod, classmethod): _followed("__func__", "__self__"),
    property: _followed("fget", "fset", "fdel"),
    (functools.partial, functools.cached_property): _followed("func", "args", "keywords"),
    type: Analysis.type,
}
