"""How a call of an operation runs: bind the arguments, compute on arrays, record a node, mark a view."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from minigrad import dtypes
from minigrad.engine import Array, Edge, Node, Variable, edge_to
from minigrad.grad_mode import grad_mode
from minigrad.kernels.memory import in_order_of, owner
from minigrad.tensor import Tensor
from minigrad.views import lay_out, mark_view
from minigrad.watch import Watcher, call, watching

MISSING: Any = object()
ALIASES = {"axis": "dim", "keepdims": "keepdim"}  # NumPy's names, which torch accepts too
PYTHON_NUMBERS = {bool, int, float, complex}
QUIET = np.errstate(all="ignore")  #: no NumPy warnings for inf and nan, as in torch


@QUIET
def watched(watcher: Watcher, *call: Any) -> Any:
    """The operation, run by the watcher."""
    return watcher.forward(*call)


class Layout(NamedTuple):
    """What an operation's nodes hold, for one set of tracked inputs."""

    function: Callable[..., Any]  #: see `Node.function`
    inputs: tuple[int, ...]  #: the arguments whose gradients it returns; -1 for one that is not tracked
    keeps: tuple[int, ...]  #: the values it needs: arguments by number, then the result, what was saved, and shapes
    output: int  #: the place of the operation's own result among them, or -1


class Primitive:
    """An operation written on arrays, with the gradients of its differentiable inputs; see `record.operation`."""

    def __init__(
        self,
        forward: Callable[..., Any],
        gradients: Mapping[str, Callable[..., Any]] | Callable[..., Any],
        label: str,
        *,
        inputs: Sequence[str] = (),
        promotes: Sequence[str] | bool = False,
        floating: bool | Callable[..., bool] = False,
        view: bool = False,
        saves: bool = False,
        variadic: bool = False,
        outputs: int = 1,
        creates: bool = False,
        writes: Sequence[str] = (),
        booleans: bool = True,
        row_major: bool = False,
    ) -> None:
        assert isinstance(forward, FunctionType)
        self.forward = forward
        self.name = forward.__name__
        self.label = label
        self.names = forward.__code__.co_varnames[: forward.__code__.co_argcount]
        self.count = len(self.names)
        defaults = forward.__defaults__ or ()
        self.defaults = (MISSING,) * (len(self.names) - len(defaults)) + defaults
        self.floating, self.view, self.saves, self.variadic = floating, view, saves, variadic
        self.outputs, self.creates, self.booleans, self.row_major = outputs, creates, booleans, row_major
        self.writes = tuple(map(self.names.index, writes))
        self.rules = {} if callable(gradients) else gradients
        self.joint = gradients if callable(gradients) else None
        given = inputs or (self.names[:1] if self.joint else tuple(self.rules))
        self.inputs = tuple(map(self.names.index, given))
        self.promoted = self.inputs if promotes is True else tuple(map(self.names.index, promotes or ()))
        self.shapes: list[int] = []  # the arguments whose shapes are needed
        self.places = {name: i for i, name in enumerate((*self.names, "out", "saved"))}
        self.needs = {key: self.needed(key, rule) for key, rule in self.rules.items()}
        self.layouts: dict[int, Layout] = {}  # by the arguments that are tracked: a bit for each
        if self.joint:
            self.needs[""] = self.needed("", self.joint, skip=2)
        self.run = self.function()

    def function(self) -> Callable[..., Any]:
        """The public function, which records a node for tensors, but not for plain arrays."""
        n, bind, node, creates = len(self.names), self.bind, self.node, self.creates
        promoted, floating, variadic, saves = self.promoted, self.floating, self.variadic, self.saves
        outputs, view, writes, booleans, row_major = self.outputs, self.view, self.writes, self.booleans, self.row_major
        differentiable = -1 if variadic and self.joint else sum(1 << i for i in self.inputs)
        forward = self.forward
        compute = forward if view else QUIET(forward)

        @functools.wraps(self.forward)
        def run(*args: Any, **kwargs: Any) -> Any:
            if kwargs or len(args) != n:
                args = bind(args, kwargs)
            if promoted:
                if not booleans:
                    refuse_booleans(args, promoted)
                args = promote(args, promoted, floating)
            on_tensors, tracked, bit = creates, 0, 1
            values: list[Any] = []
            for a in args[0] if variadic else args:
                if isinstance(a, Tensor):
                    on_tensors = True
                    if a.tracked if a.view_of is None or not differentiable else a.refresh():
                        tracked += bit
                    values.append(a.array)
                else:
                    values.append(a)
                bit += bit
            if variadic:
                values = [values, *args[1:]]
            watcher = watching.watcher
            if view and isinstance(args[0], Tensor) and args[0].loose:
                lay_out(args[0])
                values[0] = args[0].array
            try:
                if watcher is not None:
                    result = watched(watcher, self, args, values)
                else:
                    result = (compute if on_tensors else forward)(*values)  # the walk is quiet itself
            except ValueError as error:
                raise explained(self.name, values, error) from error
            except AttributeError as error:
                what = type(values[0]).__name__
                raise TypeError(f"{self.name}(): {self.names[0]} must be a Tensor, not {what}") from error
            saved = None
            if saves:
                result, saved = result
            for i in writes:
                if isinstance(args[i], Tensor):
                    args[i].bump()
            if not on_tensors:
                return result
            recorded = tracked & differentiable and grad_mode.enabled
            if outputs > 1:
                outs = tuple(map(Tensor.made, result))
                if recorded:
                    origin = node(args, tracked, result, saved)
                    for i, out in enumerate(outs):
                        if out.array.dtype.kind in "fc":
                            out.node, out.output, out.tracked = origin, i, True
                return outs
            if not isinstance(result, np.ndarray):
                result = np.asarray(result)
            if row_major and not result.flags.c_contiguous and not any(isinstance(a, Tensor) and a.loose for a in args):
                result = call(np.ascontiguousarray, result)
            elif promoted and result.ndim > 1 and leads(args[0], result):
                result = call(in_order_of, result, args[0].array)
            out = Tensor.made(result)
            if out.loose and permuted(args[0] if variadic else args):
                out.loose = False
            if recorded and result.dtype.kind in "fc":  # no gradient passes through integers
                out.node = node(args, tracked, out, saved)
                out.tracked = True
                if watcher is not None:
                    watcher.recorded(out.node)
            if view and shares_memory(result, values[0]):
                out.loose = False
                mark_view(out, args[0], run, args[1:])
            return out

        return run

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

    def node(self, args: tuple[Any, ...], tracked: int, out: Any, saved: Any) -> Node:
        """The record of one call: an edge for each input, and what the gradients need."""
        edges: list[Edge | None]
        layout = self.layouts.get(tracked) or self.layouts.setdefault(tracked, self.layout(tracked))
        if self.variadic:
            edges = [edge_to(a) if isinstance(a, Tensor) else None for a in args[0]]
        else:
            edges = []
            for i in layout.inputs:
                a = args[i]
                if i < 0 or not a.tracked:  # not needed, or see `views.requires_grad`
                    edges.append(None)
                    continue
                array = a.array
                edges.append((a.place if a.output else a.node or a, array.shape, array.dtype))
        kept: list[Any] = []
        n = self.count
        for place in layout.keeps:
            if place < n:
                kept.append(args[place])
            elif place == n:
                out.version = [0]
                held = object.__new__(Variable)  # not `out` itself, to avoid a reference cycle
                held.array, held.version = out.array, out.version
                kept.append(held)
            elif place == n + 1:
                kept.append(saved)
            else:
                a = args[self.shapes[place - n - 2]]
                kept.append(a.array.shape if isinstance(a, Tensor) else np.shape(a))
        return Node(self.label, layout.function, edges, kept, layout.output, self.outputs)

    def layout(self, tracked: int) -> Layout:
        """The layout of a node if these arguments are tracked."""
        inputs = tuple([i if tracked >> i & 1 else -1 for i in self.inputs])
        if self.joint:
            function, keeps = self.joint, self.needs[""]
        else:
            needs = [self.needs[self.names[i]] if i >= 0 else () for i in inputs]
            keeps = tuple(dict.fromkeys(itertools.chain.from_iterable(needs)))
            places = [tuple(map(keeps.index, own)) for own in needs]
            function = joined(list(zip(self.rules.values(), places, strict=True)), len(keeps))
        function.operation = self.name  # type: ignore[attr-defined]  # for watchers
        n = len(self.names)
        return Layout(function, inputs, keeps, keeps.index(n) if n in keeps else -1)

    def needed(self, target: str, function: Callable[..., Any], skip: int = 1) -> tuple[int, ...]:
        """The places of the values that a gradient function names: arguments, ``out``, ``saved``, then shapes."""
        assert not hasattr(function, "__wrapped__"), f"{self.name}: the rule of '{target}' must name what it needs"
        code, places = function.__code__, self.places
        needs = []
        for need in code.co_varnames[skip : code.co_argcount]:
            if need not in places and need.endswith("_shape") and need[:-6] in self.names:
                places[need] = len(places)
                self.shapes.append(self.names.index(need[:-6]))
            if need not in places:
                raise TypeError(f"{self.name}: the gradient rule of '{target}' names '{need}', which isn't an argument")
            needs.append(places[need])
        return tuple(needs)


def joined(rules: Sequence[tuple[Callable[..., Any], tuple[int, ...]]], count: int) -> Callable[..., tuple[Any, ...]]:
    """The rules of single inputs, each with the places of its values among `count`, as one function."""
    names: dict[str, Any] = {f"rule{i}": rule for i, (rule, _) in enumerate(rules)}
    calls = [
        f"rule{i}(g{''.join(f', v{place}' for place in needs)}) if wanted[{i}] else None,"
        for i, (_, needs) in enumerate(rules)
    ]
    given = "".join(f", v{place}" for place in range(count))
    exec(f"def function(wanted, g{given}): return ({' '.join(calls)})", names)
    function = names["function"]
    function.rules = rules
    return function  # type: ignore[no-any-return]


def permuted(args: Sequence[Any]) -> bool:
    """Whether a result lies in memory as an operand does that the user has permuted: so it does in torch, too."""
    wide = [a for a in args if isinstance(a, Tensor) and a.array.ndim > 2]
    return not any(a.loose for a in wide) and not all(a.array.flags.c_contiguous for a in wide)


def leads(first: Any, result: Array) -> bool:
    """Whether the first operand decides how a result lies in memory (NumPy asks all operands)."""
    if not isinstance(first, Tensor) or first.loose or first.array.flags.c_contiguous:
        return False
    x = first.array
    return x.shape == result.shape and result.flags.c_contiguous and 0 not in x.strides


def shares_memory(result: Array, source: Any) -> bool:
    """Whether a result is a view of its source; one without elements may be, too."""
    return np.may_share_memory(result, source) if result.size else owner(result) is owner(source)


def refuse_booleans(args: tuple[Any, ...], places: tuple[int, ...]) -> None:
    """Raise torch's error for an operand of a subtraction that is a boolean."""
    for place in places:
        a = args[place]
        dtype = a.array.dtype if isinstance(a, Tensor) else getattr(a, "dtype", None)
        if type(a) is bool or (dtype is not None and dtype.kind == "b"):
            raise RuntimeError(
                "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a "
                "mask, use the `~` or `logical_not()` operator instead."
            )


def promote(args: tuple[Any, ...], places: tuple[int, ...], floating: bool | Callable[..., bool]) -> tuple[Any, ...]:
    """Convert the arguments at `places` to the dtype that torch would compute in.

    Raises:
        TypeError: if one is neither a tensor, an array, nor a number.
    """
    first: np.dtype[Any] | None = None
    alike, numbers = True, False
    for place in places:
        a = args[place]
        if isinstance(a, Tensor):
            dtype = a.array.dtype
        elif type(a) in PYTHON_NUMBERS:
            numbers = True
            continue
        elif isinstance(a, (np.ndarray, np.generic)):
            dtype = a.dtype
        else:
            raise TypeError(f"expected a Tensor or a number, but got {type(a).__name__}: {a!r}")
        if first is None:
            first = dtype
        elif dtype is not first:
            alike = False
    if alike and first is not None and (first.kind == "f" or not (numbers or floating)):
        return args  # the usual case; a Python number takes the array's dtype
    changed = list(args)
    if any(isinstance(args[place], Tensor) for place in places):  # then NumPy's numbers count as Python's
        for place in places:
            if isinstance(changed[place], np.generic):
                changed[place] = changed[place].item()
    target = dtypes.result_type([a.array if isinstance(a, Tensor) else a for a in (changed[p] for p in places)])
    if target.kind not in "fc" and (floating(*args) if callable(floating) else floating):
        target = dtypes.default.numpy
    for place in places:
        a = changed[place]
        if isinstance(a, Tensor):
            changed[place] = a.astype(target)
        elif type(a) is int and target.kind in "iu":
            changed[place] = call(_wrapped, a, target)
        else:
            changed[place] = call(np.asarray, a, target)
    return tuple(changed)


def _wrapped(number: int, dtype: np.dtype[Any]) -> Any:
    """An integer as an array; if out of range, it wraps around, as in torch."""
    return np.array(number).astype(dtype)


def explained(name: str, values: list[Any], error: ValueError) -> Exception:
    """NumPy's error as torch's, if the shapes do not broadcast."""
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
