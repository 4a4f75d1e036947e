"""How a call of an operation runs: bind the arguments, compute on arrays, record a node, note a view."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from minigrad import dtypes
from minigrad.engine import Edge, Node, Rule, Variable
from minigrad.grad_mode import grad_mode
from minigrad.tensor import Tensor, View
from minigrad.watch import call, watching

MISSING: Any = object()
ALIASES = {"axis": "dim", "keepdims": "keepdim"}  # NumPy's words, which torch accepts too
PYTHON_NUMBERS = {bool, int, float, complex}


class Layout(NamedTuple):
    """What a node holds: the rules of its inputs, and the places of what they need (see `compile_rules`)."""

    rules: tuple[tuple[int, Rule], ...]  #: by input; their needs are places in `Node.saved`
    keeps: tuple[int, ...]
    output: int  #: where among them the operation's own result stands, or -1


class Primitive:
    """An operation written on arrays, with a gradient rule for each differentiable input."""

    def __init__(
        self,
        forward: Callable[..., Any],
        gradients: Mapping[str, Callable[..., Any]],
        label: str,
        promotes: Sequence[str] | bool,
        floating: bool,
        view: bool,
        saves: bool,
        variadic: bool,
    ) -> None:
        assert isinstance(forward, FunctionType)
        self.forward = forward
        self.name = forward.__name__
        self.label = label
        self.names = forward.__code__.co_varnames[: forward.__code__.co_argcount]
        defaults = forward.__defaults__ or ()
        self.defaults = (MISSING,) * (len(self.names) - len(defaults)) + defaults
        self.rules, self.shapes = compile_rules(self.name, self.names, gradients)
        self.promoted = tuple(self.rules) if promotes is True else tuple(map(self.names.index, promotes or ()))
        self.floating, self.view, self.saves, self.variadic = floating, view, saves, variadic
        self.layouts: dict[tuple[int, ...], Layout] = {}  # by the inputs that are tracked

    def function(self) -> Callable[..., Any]:
        """The public function: on tensors it records, on plain arrays it just computes."""
        n, bind, run = len(self.names), self.bind, self.run

        @functools.wraps(self.forward)
        def call(*args: Any, **kwargs: Any) -> Any:
            return run(bind(args, kwargs) if kwargs or len(args) != n else args)

        self.call = call
        return call

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """All arguments by position, defaults filled in.

        Raises:
            TypeError: naming the argument that is missing or unknown.
        """
        names = self.names
        if len(args) > len(names):
            raise TypeError(
                f"{self.name}() takes {len(names)} arguments ({', '.join(names)}), but {len(args)} were given"
            )
        bound = [*args, *self.defaults[len(args) :]]
        for key, value in kwargs.items():
            key = ALIASES.get(key, key)
            if key not in names:
                raise TypeError(
                    f"{self.name}() got an unexpected keyword argument '{key}'; it takes {', '.join(names)}"
                )
            bound[names.index(key)] = value
        if missing := [name for name, value in zip(names, bound, strict=True) if value is MISSING]:
            raise TypeError(f"{self.name}() missing required argument: {', '.join(missing)}")
        return tuple(bound)

    def run(self, args: tuple[Any, ...]) -> Any:
        """Compute, and record if a gradient flows to one of the arguments."""
        if self.promoted:
            args = promote(args, self.promoted, self.floating)
        on_tensors = tracked = False
        values: list[Any] = []
        for a in args[0] if self.variadic else args:
            if isinstance(a, Tensor):
                on_tensors = True
                if a.view_of is not None:
                    a.refresh()
                if a.tracked:
                    tracked = True
                values.append(a.array)
            else:
                values.append(a)
        if self.variadic:
            values = [values, *args[1:]]
        watcher = watching.watcher
        try:
            result = self.forward(*values) if watcher is None else watcher.forward(self, args, values)
        except ValueError as error:
            raise explained(self.name, values, error) from error
        except AttributeError as error:
            raise TypeError(
                f"{self.name}(): {self.names[0]} must be a Tensor, not {type(values[0]).__name__}"
            ) from error
        saved = None
        if self.saves:
            result, saved = result
        if not on_tensors:
            return result
        if not isinstance(result, np.ndarray):
            result = np.asarray(result)
        out = object.__new__(Tensor)
        out.array = result
        if tracked and self.rules and grad_mode.enabled:
            out.node = self.node(args, out, saved)
            out.tracked = True
        if self.view and np.may_share_memory(result, values[0]):
            note_view(out, args[0], self.call, args[1:])
        return out

    def node(self, args: tuple[Any, ...], out: Tensor, saved: Any) -> Node:
        """The record of one call: an edge for each tracked input, and what their rules need."""
        if self.variadic:
            inputs = args[0]
            layout = self.layout(i for i, a in enumerate(inputs) if isinstance(a, Tensor) and a.tracked)
        else:
            inputs = args
            tracked = tuple([i for i in self.rules if isinstance(a := args[i], Tensor) and a.tracked])
            layout = self.layouts.get(tracked) or self.layouts.setdefault(tracked, self.layout(tracked))
        edges: list[Edge] = []
        for i, rule in layout.rules:
            a = inputs[i]
            array = a.array
            edges.append((a.node or a, rule, array.shape, array.dtype))
        kept: list[Any] = []
        n = len(self.names)
        for place in layout.keeps:
            if place < n:
                kept.append(args[place])
            elif place == n:
                out.version = [0]
                held = object.__new__(Variable)  # not `out` itself: its node must not point back to it
                held.array, held.version = out.array, out.version
                kept.append(held)
            elif place == n + 1:
                kept.append(saved)
            else:
                a = args[self.shapes[place - n - 2]]
                kept.append(a.array.shape if isinstance(a, Tensor) else np.shape(a))
        return Node(self.label, edges, kept, layout.output)

    def layout(self, tracked: Iterable[int]) -> Layout:
        """What a node holds if these inputs are tracked."""
        rules = [(i, at_position(self.rules[0], i) if self.variadic else self.rules[i]) for i in tracked]
        keeps = sorted({place for _, rule in rules for place in rule.needs})
        moved = [(i, Rule(rule.function, tuple(map(keeps.index, rule.needs)))) for i, rule in rules]
        n = len(self.names)
        return Layout(tuple(moved), tuple(keeps), keeps.index(n) if n in keeps else -1)


def compile_rules(
    op: str, names: tuple[str, ...], gradients: Mapping[str, Callable[..., Any]]
) -> tuple[dict[int, Rule], list[int]]:
    """Turn the names that rules ask for into places.

    These are: the arguments in order, ``out``, ``saved``, then the shapes that some rule asks for.
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
        elif isinstance(a, (np.ndarray, np.generic)):
            kind = a.dtype
        else:
            raise TypeError(f"expected a Tensor or a number, but got {type(a).__name__}: {a!r}")
        if first is None:
            first = kind
        elif kind is not first:
            alike = False
    if alike and first is not None and (first.kind == "f" or not (numbers or floating)):
        return args  # the usual case; a Python number takes the array's dtype
    changed = list(args)
    if any(isinstance(args[place], Tensor) for place in places):  # beside tensors NumPy's numbers count as Python's
        for place in places:
            if isinstance(changed[place], np.generic):
                changed[place] = changed[place].item()
    target = dtypes.result_type([a.array if isinstance(a, Tensor) else a for a in (changed[p] for p in places)])
    if floating and target.kind not in "fc":
        target = dtypes.default.numpy
    for place in places:
        a = changed[place]
        changed[place] = a.astype(target) if isinstance(a, Tensor) else call(np.asarray, a, target)
    return tuple(changed)


def at_position(rule: Rule, position: int) -> Rule:
    """The rule of one of several inputs, told which one it is."""
    return Rule(functools.partial(rule.function, position=position), rule.needs)


def note_view(out: Tensor, source: Tensor, call: Callable[..., Any], rest: tuple[Any, ...]) -> None:
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
