"""What an operation is: one record, from which everything else about it is made.

A record says, in one place, how the operation computes on arrays, what the gradient of each input is, and how
to draw arguments for its tests:

    @operation(
        {"input": lambda g, other: g * other, "other": lambda g, input: g * input},
        methods=["mul", "__mul__"], in_place=True, promotes=True,
        sample=lambda d: d.operands(2),
    )
    def mul(input, other):
        \"\"\"The product of two tensors, element by element …\"\"\"
        return np.multiply(input, other)

A gradient rule is a function of ``g``, the gradient of the result. It names what else it needs, and only what
some rule names is kept until backward: an argument of the operation (``other``), the result (``out``), what the
forward function saved beside it (``saved``), or merely an argument's shape (``input_shape``). A rule is made of
operators and operations, so it runs on arrays as well as on tensors (see `minigrad.engine`).

From the record are generated: the function and the Tensor's methods, in-place ones too (here), its row in
``docs/operations.md`` (`minigrad.ops.docs`), its property test and its parity test against torch
(``tests/ops/test_records.py``).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np

from minigrad import dtypes
from minigrad.engine import Array, Edge, Node, Rule, Variable, grad_mode
from minigrad.tensor import Tensor, View

F = TypeVar("F", bound=Callable[..., Any])


class Draw(Protocol):
    """Draws arguments for an operation's tests: from hypothesis, or from a seeded generator.

    While gradients are compared with numerical ones, values keep away from kinks; while they are compared with
    torch's, ties and kinks are drawn on purpose.
    """

    smooth: bool

    def array(
        self,
        shape: Sequence[int] | None = None,
        *,
        low: float = -3.0,
        high: float = 3.0,
        kinks: Sequence[float] = (),
        distinct: bool = False,
        ties: bool = True,
        min_ndim: int = 0,
        max_ndim: int = 3,
        min_size: int = 0,
    ) -> Array:
        """Floats in [`low`, `high`], away from `kinks` (and from each other if `distinct`) when `smooth`;
        otherwise on a coarse grid, with `ties`."""

    def constant(self, shape: Sequence[int], low: float, high: float) -> Array:
        """Floats that no gradient flows to."""

    def operands(self, n: int, **limits: Any) -> tuple[Array, ...]:
        """`n` arrays that broadcast against each other."""

    def shape(self, min_ndim: int = 0, max_ndim: int = 3, min_size: int = 0, max_size: int = 4) -> tuple[int, ...]:
        """A shape."""

    def integer(self, low: int, high: int) -> int:
        """An integer in [`low`, `high`]."""

    def integers(self, shape: Sequence[int], high: int) -> Array:
        """An int64 array of numbers in [0, `high`)."""

    def mask(self, shape: Sequence[int]) -> Array:
        """A bool array."""

    def dim(self, ndim: int) -> int:
        """A dimension of an array of `ndim` dimensions, from either end."""

    def dims(self, ndim: int) -> Any:
        """None, one dimension, or a tuple of different ones."""

    def boolean(self) -> bool:
        """True or False."""

    def choice(self, options: Sequence[Any]) -> Any:
        """One of `options`."""


Sample: TypeAlias = Callable[[Draw], tuple[Any, ...]]


@dataclass
class Record:
    """Everything there is to know about one operation."""

    name: str
    forward: Callable[..., Any]  #: on arrays; or, for a composed operation, on tensors
    gradients: Mapping[str, Callable[..., Any]]  #: the rule of each input; empty if not differentiable or composed
    sample: Sample | None
    torch: str  #: what torch calls it, below `torch`
    methods: Sequence[str]
    composed: bool
    differentiable: bool
    in_place: bool = False
    promotes: bool = False  #: mixes dtypes
    order: int = 2  #: the highest derivative that is compared with a numerical one
    call: Callable[..., Any] = field(init=False, repr=False)  #: the public function

    @property
    def doc(self) -> str:
        """The first line of the documentation."""
        return (self.forward.__doc__ or "").strip().split("\n")[0]


registry: dict[str, Record] = {}

REFLECTED = {"add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"}


def operation(
    gradients: Mapping[str, Callable[..., Any]] | None = None,
    *,
    sample: Sample | None = None,
    methods: Sequence[str] | None = None,
    torch: str | None = None,
    promotes: Sequence[str] | bool = False,
    floating: bool = False,
    in_place: bool = False,
    view: bool = False,
    saves: bool = False,
    variadic: bool = False,
    grad_fn: str | None = None,
    order: int = 2,
) -> Callable[[F], F]:
    """Register an operation written on arrays, with the gradient rule of each input.

    Args:
        gradients: a rule for each differentiable input, by name.
        sample: draws the arguments of a test call.
        methods: its names as Tensor methods; by default its own name.
        torch: its name in torch, if it differs.
        promotes: the inputs that are brought to one dtype first (True: all that have rules).
        floating: integers become float32 first.
        in_place: there is a method ``name_`` too.
        view: the result may share the first input's memory.
        saves: the forward function returns ``(result, saved)``.
        variadic: the first argument is a sequence of tensors; its rule is told the `position` of the input.
        grad_fn: the name under which it shows in the graph.
        order: the highest derivative that is tested against a numerical one.
    """
    rules_by_name = gradients or {}

    def register(forward: F) -> F:
        assert isinstance(forward, FunctionType)
        code = forward.__code__
        names = code.co_varnames[: code.co_argcount]
        n = len(names)
        defaults = dict(zip(names[::-1], (forward.__defaults__ or ())[::-1], strict=False))
        name = forward.__name__
        label = grad_fn or "".join(part.capitalize() for part in name.split("_")) + "Backward0"
        rules, shapes = compile_rules(name, names, rules_by_name)
        promoted = tuple(rules) if promotes is True else tuple(names.index(p) for p in promotes or ())
        output, extra = n, n + 1
        keeps_output = any(output in rule.needs for rule in rules.values())

        def bind(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
            """All arguments by position, defaults filled in."""
            if len(args) > n:
                raise TypeError(f"{name}() takes {n} arguments ({', '.join(names)}), but {len(args)} were given")
            bound = list(args) + [defaults.get(p, MISSING) for p in names[len(args) :]]
            for key, value in kwargs.items():
                key = ALIASES.get(key, key)
                if key not in names:
                    raise TypeError(f"{name}() got an unexpected keyword argument '{key}'; it takes {', '.join(names)}")
                bound[names.index(key)] = value
            missing = [p for p, value in zip(names, bound, strict=True) if value is MISSING]
            if missing:
                raise TypeError(f"{name}() missing required argument: {', '.join(missing)}")
            return bound

        @functools.wraps(forward)
        def call(*args: Any, **kwargs: Any) -> Any:
            if kwargs or len(args) != n:
                args = tuple(bind(args, kwargs))
            if promoted:
                args = promote(args, promoted, floating)
            on_tensors = tracked = False
            values: list[Any] = []
            for a in args:
                if isinstance(a, Tensor):
                    on_tensors = True
                    if a.view_of is not None:
                        a.refresh()
                    if a.tracked:
                        tracked = True
                    values.append(a.array)
                else:
                    values.append(a)
            if variadic:
                values[0] = [t.array if isinstance(t, Tensor) else t for t in args[0]]
                on_tensors = any(isinstance(t, Tensor) for t in args[0])
                tracked = any(isinstance(t, Tensor) and t.requires_grad for t in args[0])
            try:
                result = forward(*values)
            except ValueError as error:
                raise explained(name, values, error) from error
            saved = None
            if saves:
                result, saved = result
            if not on_tensors:
                return result
            if not isinstance(result, np.ndarray):
                result = np.asarray(result)
            out = object.__new__(Tensor)
            out.array = result
            if tracked and rules and grad_mode.enabled:
                edges: list[Edge] = []
                needs: set[int] = set()
                if variadic:
                    rule = rules[0]
                    needs.update(rule.needs)
                    for i, t in enumerate(args[0]):
                        if isinstance(t, Tensor) and t.tracked:
                            function = functools.partial(rule.function, position=i)
                            edges.append((t.node or t, Rule(function, rule.needs), t.array.shape, t.array.dtype))
                else:
                    for i, rule in rules.items():
                        a = args[i]
                        if isinstance(a, Tensor) and a.tracked:
                            needs.update(rule.needs)
                            array = a.array
                            edges.append((a.node or a, rule, array.shape, array.dtype))
                if needs:
                    kept: list[Any] = [a if i in needs else None for i, a in enumerate(args)]
                    if keeps_output:
                        out.version = [0]
                        held = object.__new__(Variable)
                        held.array, held.version = result, out.version
                        kept += (held, saved)
                    else:
                        kept += (None, saved)
                    for i in shapes:
                        kept.append(args[i].array.shape if isinstance(args[i], Tensor) else np.shape(args[i]))
                    out.node = Node(label, edges, kept, output if keeps_output else -1)
                else:
                    out.node = Node(label, edges)
                out.tracked = True
            if view and np.may_share_memory(result, args[0].array):
                share_memory(out, args[0], call, args[1:])
            return out

        assert extra == n + 1
        record = Record(
            name,
            forward,
            rules_by_name,
            sample,
            name if torch is None else torch,
            [name] if methods is None else methods,
            False,
            bool(rules),
            in_place,
            bool(promotes),
            order,
        )
        return publish(record, call)  # type: ignore[return-value]

    return register


def composed(
    *,
    sample: Sample | None = None,
    methods: Sequence[str] | None = None,
    torch: str | None = None,
    in_place: bool = False,
    differentiable: bool = True,
    order: int = 2,
) -> Callable[[F], F]:
    """Register an operation that is written in terms of others, and so needs no gradient rule."""

    def register(function: F) -> F:
        name = function.__name__
        names = [name] if methods is None else methods
        record = Record(
            name,
            function,
            {},
            sample,
            name if torch is None else torch,
            names,
            True,
            differentiable,
            in_place,
            order=order,
        )
        return publish(record, function)

    return register


def publish(record: Record, call: F) -> F:
    """Enter a record into the registry and attach its methods to Tensor."""
    record.call = call
    registry[record.name] = record
    for method in record.methods:
        setattr(Tensor, method, call)
        plain = method.strip("_")
        if method.startswith("__") and plain in REFLECTED:
            setattr(Tensor, f"__r{plain}__", reflected(call))
            if record.in_place:
                setattr(Tensor, f"__i{plain}__", in_place_of(record.name, call))
    if record.in_place:
        setattr(Tensor, f"{record.name}_", in_place_of(record.name, call))
    return call


def reflected(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same binary operation with its operands exchanged: ``2 - x``."""
    return lambda self, other: call(other, self)


def in_place_of(name: str, call: Callable[..., Any]) -> Callable[..., Tensor]:
    """The same operation, its result written into its first argument."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        result: Tensor = call(self, *args, **kwargs)
        return self.assign(result)

    method.__name__ = f"{name}_"
    method.__doc__ = f"`minigrad.{name}`, in place."
    return method


def compile_rules(
    op: str, names: tuple[str, ...], gradients: Mapping[str, Callable[..., Any]]
) -> tuple[dict[int, Rule], list[int]]:
    """Turn the names that rules ask for into places in `Node.saved`.

    The places are: the arguments in order, ``out``, ``saved``, then the shapes that some rule asks for.
    """
    places = {name: i for i, name in enumerate((*names, "out", "saved"))}
    shapes: list[int] = []
    rules: dict[int, Rule] = {}
    for target, function in gradients.items():
        assert not hasattr(function, "__wrapped__"), f"{op}: the rule of '{target}' must name what it needs"
        code = function.__code__
        needs = []
        for need in code.co_varnames[1 : code.co_argcount]:
            if need not in places and need.endswith("_shape") and need[:-6] in names:
                places[need] = len(places)
                shapes.append(names.index(need[:-6]))
            if need not in places:
                raise TypeError(f"{op}: the gradient rule of '{target}' asks for '{need}', which is no argument")
            needs.append(places[need])
        rules[names.index(target)] = Rule(function, tuple(needs))
    return rules, shapes


MISSING: Any = object()
ALIASES = {"axis": "dim", "keepdims": "keepdim"}  # NumPy's words, which torch accepts too


def promote(args: tuple[Any, ...], places: tuple[int, ...], floating: bool) -> tuple[Any, ...]:
    """Bring the arguments at `places` to the dtype that torch would compute in.

    Raises:
        TypeError: if one is neither a tensor, an array, nor a number.
    """
    first: np.dtype[Any] | None = None
    alike, numbers = True, False
    for place in places:
        a = args[place]
        if isinstance(a, Tensor):
            kind = a.array.dtype
        elif type(a) in PYTHON_NUMBERS:
            numbers = True
            continue
        elif isinstance(a, np.ndarray):
            kind = a.dtype
        elif isinstance(a, np.generic):
            alike = False
            continue
        else:
            raise TypeError(f"expected a Tensor or a number, but got {type(a).__name__}: {a!r}")
        if first is None:
            first = kind
        elif kind is not first:
            alike = False
    if alike and first is not None and (first.kind == "f" or not (numbers or floating)):
        return args  # the usual case; a Python number takes the array's dtype
    changed = list(args)
    for place in places:  # NumPy's numbers count as Python's
        if isinstance(changed[place], np.generic):
            changed[place] = changed[place].item()
    target = dtypes.result_type([a.array if isinstance(a, Tensor) else a for a in (changed[p] for p in places)])
    if floating and target.kind not in "fc":
        target = dtypes.default.numpy
    for place in places:
        a = changed[place]
        changed[place] = a.astype(target) if isinstance(a, (Tensor, np.ndarray)) else np.asarray(a, dtype=target)
    return tuple(changed)


PYTHON_NUMBERS = {bool, int, float, complex}


def share_memory(out: Tensor, source: Tensor, call: Callable[..., Any], rest: tuple[Any, ...]) -> None:
    """Note that ``out = call(source, *rest)`` is a view of `source`'s memory."""

    def replay(base: Any) -> Any:
        return call(base, *rest)

    if source.version is None:
        source.version = [0]
    out.version = source.version
    if source.view_of is None:
        out.view_of = View(source, replay, source.rewrites)
    else:
        base, inner, rewrites = source.view_of
        out.view_of = View(base, lambda b: replay(inner(b)), rewrites)


def explained(name: str, values: list[Any], error: ValueError) -> Exception:
    """NumPy's complaint in torch's words where the shapes do not broadcast."""
    shapes = [list(v.shape) for v in values if isinstance(v, np.ndarray)]
    if "broadcast" in str(error) and len(shapes) == 2:
        a, b = shapes
        for i in range(1, min(len(a), len(b)) + 1):
            if a[-i] != b[-i] and 1 not in (a[-i], b[-i]):
                return RuntimeError(
                    f"The size of tensor a ({a[-i]}) must match the size of tensor b ({b[-i]}) at non-singleton "
                    f"dimension {max(len(a), len(b)) - i} ({name} of shapes {a} and {b})"
                )
    return RuntimeError(f"{name}: {error} (shapes {', '.join(map(str, shapes))})")


def public(namespace: Mapping[str, Any]) -> list[str]:
    """The names that a module of operations exports: its operations, and its other public functions."""
    module = namespace["__name__"]
    return [
        name
        for name, value in namespace.items()
        if not name.startswith("_") and callable(value) and getattr(value, "__module__", None) == module
    ]
