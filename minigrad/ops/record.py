"""An operation is one record, from which everything else about it is made.

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

A gradient rule is a function of ``g``, the gradient of the result. Its other parameters name the values that it needs,
and only these are kept until backward: an argument of the operation (``other``), the result (``out``), what the
forward function saved in addition (``saved``), or only an argument's shape (``input_shape``). A rule consists of
operators and operations, so it runs on arrays as well as on tensors (see `minigrad.engine`).

If the gradients of several inputs share work, one function returns all of them. It gets `wanted`, a bool for each
input, and names the values it needs as a rule does:

    def _gradients(wanted, g, input, weight):
        return g @ weight if wanted[0] else None, g.mT @ input if wanted[1] else None

    @operation(_gradients, inputs=("input", "weight"))
    def _product(input, weight): ...

From the record are generated: the function (`minigrad.ops.dispatch`), the Tensor's methods (here), its row in
``docs/operations.md`` (`minigrad.ops.docs`), its property test and its parity test against torch
(``tests/ops/test_records.py``).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Protocol, TypeAlias, TypeVar, cast

import numpy as np

from minigrad.dtypes import not_implemented
from minigrad.engine import Array
from minigrad.grad_mode import grad_mode
from minigrad.ops import output
from minigrad.ops.dispatch import ALIASES, Primitive
from minigrad.tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])

Operand: TypeAlias = Any  #: an argument that has to be a tensor (in the forward function: an array)
OperandOrNone: TypeAlias = Any  #: or may be None (as one whose default is None)
OperandOrNumber: TypeAlias = Any  #: or may be a number
WORDS = {"Operand": "Tensor", "OperandOrNone": "Tensor | None", "OperandOrNumber": "Tensor | complex"}
ACCEPTED = {
    "Operand": (Tensor,),
    "OperandOrNone": (Tensor, NoneType),
    "OperandOrNumber": (Tensor, int, float, complex, np.generic),
}


OUT = inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="Tensor | None")


class Draw(Protocol):
    """Draws arguments for an operation's tests: from hypothesis, or from a seeded generator.

    To compare gradients with numerical ones, values away from kinks are drawn; to compare with torch's, ties and
    kinks are drawn on purpose.
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


def one_array(draw: Draw) -> tuple[Any, ...]:
    """The sample of an operation that takes a tensor of any shape, and nothing else."""
    return (draw.array(),)


def along_a_dim(draw: Draw) -> tuple[Any, ...]:
    """A tensor and one of its dimensions."""
    x = draw.array(min_ndim=1)
    return x, draw.dim(x.ndim)


@dataclass
class Record:
    """The complete description of one operation."""

    name: str
    forward: Callable[..., Any]  #: on arrays; or, for a composed operation, on tensors
    torch: str  #: its name in torch, without ``torch.``
    methods: Sequence[str]
    sample: Sample = one_array
    gradients: Mapping[str, Callable[..., Any]] = field(default_factory=dict)  #: a function for each input
    inputs: Sequence[str] = ()  #: those that have gradients; empty if composed
    composed: bool = True
    differentiable: bool = True
    in_place: bool | Callable[..., Any] = False
    promotes: bool = False  #: mixes dtypes
    out: bool = True  #: whether torch's function takes `out`, where it may: see `takes_out`
    dtypes: str = ""  #: of its first operand, or of one if it mixes, as letters of `numpy.dtype.kind`; "": any
    order: int = 2  #: the highest derivative that is compared with a numerical one
    functional: Sequence[str] | None = None  #: arguments that torch.nn.functional adds; None: see `torch`
    primitive: Primitive | None = field(default=None, repr=False)  #: how it runs; None if composed
    call: Callable[..., Any] = field(init=False, repr=False)  #: the function, which runs on tensors and on arrays
    public: Callable[..., Any] = field(init=False, repr=False)  #: the same with checks for users: see `checked`

    @property
    def doc(self) -> str:
        """The first line of the documentation."""
        return (self.forward.__doc__ or "").strip().split("\n")[0]

    @property
    def top_level(self) -> bool:
        """Whether it is a function of ``minigrad`` itself."""
        elsewhere = self.torch.startswith(("nn.", "linalg.")) or not self.torch
        own = not self.name.startswith("_") and not self.torch.startswith("Tensor.")
        return own and (not elsewhere or self.name in self.methods)

    @property
    def names(self) -> list[str]:
        """Its own name, and those of its methods that are not operators."""
        return [self.name, *(name for name in self.methods if not name.startswith("__") and name != self.name)]

    @property
    def family(self) -> str:
        """The module that defines it."""
        return self.forward.__module__.rpartition(".")[2]

    @property
    def takes_out(self) -> bool:
        """Whether its result can be written into a given tensor: ``exp(x, out=y)``."""
        own = self.torch.startswith("linalg.") or "." not in self.torch
        return self.out and own and self.family not in output.NONE


registry: dict[str, Record] = {}

#: The settings that say how a `Primitive` runs.
HOW = {"inputs", "floating", "view", "saves", "variadic", "outputs", "creates", "writes", "booleans", "row_major"}
COMPARISONS = {f"__{word}__" for word in ("eq", "ne", "lt", "le", "gt", "ge")}
REFLECTED = {"add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"}


def operation(
    gradients: Mapping[str, Callable[..., Any]] | Callable[..., Any] | None = None,
    *,
    promotes: Sequence[str] | bool = False,
    grad_fn: str | None = None,
    **settings: Any,
) -> Callable[[F], F]:
    """Register an operation written on arrays, with the gradient rule of each input.

    Args:
        gradients: a rule for each differentiable input, by name; or one function for all of them.
        inputs: the differentiable inputs, in the order in which that function returns their gradients.
        sample: draws the arguments of a test call.
        methods: its names as Tensor methods; by default its own name, if it is public and not in nn or linalg.
        torch: its name in torch, if it differs; a private one has none.
        promotes: the inputs that are converted to one dtype first (True: all that have rules).
        floating: integers become float32 first; or a function of the arguments that says so.
        functional: it is in nn.functional too, where it takes these further arguments (`minigrad.nn.legacy`).
        in_place: there is a method ``name_`` too; or what makes it (see `in_place_of`).
        view: the result may share the first input's memory.
        saves: the forward function returns ``(result, saved)``.
        variadic: the first argument is a sequence of tensors; one function returns the gradients of all.
        outputs: how many results there are; if several, the forward function returns a tuple.
        creates: the result is a tensor even if no argument is one.
        writes: the arguments that the forward function writes to.
        booleans: whether it takes tensors of booleans (as all but subtraction do).
        row_major: the result is laid out so, even if an operand is not (as results of most operations with a `dim`).
        grad_fn: the name of its nodes in the graph.
        out: False if torch's function has no `out`.
        dtypes: which its first operand may have, as NumPy's letters: ``"f"`` for floats.
        order: the highest derivative that is tested against a numerical one.
    """

    how = {name: settings.pop(name) for name in HOW & settings.keys()}

    def register(forward: F) -> F:
        label = grad_fn or "".join(part.capitalize() for part in forward.__name__.split("_")) + "Backward0"
        rules = gradients or {}
        primitive = Primitive(forward, rules, label, promotes=promotes, **how)
        fields: dict[str, Any] = {
            "gradients": {} if callable(rules) else rules,
            "differentiable": bool(rules),
            "primitive": primitive,
        }
        inputs = [primitive.names[i] for i in primitive.inputs]
        record = described(forward, inputs=inputs, composed=False, promotes=bool(promotes), **(fields | settings))
        return cast(F, publish(record, primitive.run))

    return register


def composed(**settings: Any) -> Callable[[F], F]:
    """Register an operation that is written in terms of others, and so needs no gradient rule.

    Args:
        settings: `sample`, `methods`, `torch`, `functional`, `in_place`, `order` as for `operation`; and
            ``differentiable=False`` where no gradient flows.
    """
    return lambda function: publish(described(function, **settings), function)


def described(
    forward: Callable[..., Any], torch: str | None = None, methods: Sequence[str] | None = None, **fields: Any
) -> Record:
    """The record, with its own name as the default for its names in torch and as a method."""
    name = forward.__name__
    hidden = name.startswith("_")
    torch = ("" if hidden else name) if torch is None else torch
    own = [] if hidden or torch.startswith(("nn.", "linalg.")) else [name]
    return Record(name, forward, torch, own if methods is None else methods, **fields)


def publish(record: Record, call: F) -> F:
    """Add a record to the registry and attach its methods to Tensor."""
    call = of_dtypes(record, call) if record.dtypes else call
    record.call = call
    record.public = call if record.name.startswith("_") else checked(record, call)
    registry[record.name] = record
    in_place = record.in_place if callable(record.in_place) else in_place_of
    method_call = checked(record, call, first=1) if record.methods or record.in_place else call
    for method in record.methods:
        own = call if method.startswith("__") else method_call  # operators take arrays, too
        setattr(Tensor, method, or_not_implemented(call) if method in COMPARISONS else own)
        plain = method.strip("_")
        if method.startswith("__") and plain in REFLECTED:
            setattr(Tensor, f"__r{plain}__", reflected(call))
            if plain == "truediv":
                setattr(Tensor, "__rdiv__", reflected(call))  # noqa: B010 (its name in torch, from Python 2)
            if record.in_place:
                setattr(Tensor, f"__i{plain}__", in_place(record.name, call, record.composed))
    if record.in_place:
        for name in record.names:
            setattr(Tensor, f"{name}_", in_place(name, method_call, record.composed))
    return call


def of_dtypes(record: Record, call: F) -> F:
    """`call` with torch's error for a tensor of a dtype that the operation does not take."""
    first = next(iter(inspect.signature(call).parameters))

    @functools.wraps(call)
    def function(*args: Any, **kwargs: Any) -> Any:
        operands = args if record.promotes else args[:1] or [kwargs.get(first)]
        given = [x.array.dtype for x in operands if isinstance(x, Tensor)]
        if given and not any(dtype.kind in record.dtypes for dtype in given):
            raise not_implemented(record.name, given[0])
        return call(*args, **kwargs)

    return cast(F, function)


def or_not_implemented(call: Callable[..., Any]) -> Callable[..., Any]:
    """A comparison that returns NotImplemented for other types, so that Python makes ``tensor == None`` False."""

    @functools.wraps(call)
    def compared(self: Any, other: Any) -> Any:
        try:
            return call(self, other)
        except TypeError:
            return NotImplemented

    return compared


def checked(record: Record, call: F, first: int = 0) -> F:
    """The public form of `call`: it raises torch's TypeError for an argument that should have been a tensor.

    Operations call each other without this check, on arrays too. A method's own tensor (`first`: 1) has no position.
    """
    signature = inspect.signature(call)
    parameters = signature.parameters.values()
    accepted = {p.name: ACCEPTED.get(p.annotation, (object,)) + (NoneType,) * (p.default is None) for p in parameters}
    order = list(accepted)
    accepted.update(dict.fromkeys(order[:first], (object,)))
    aliases = set(ALIASES) if "dim" in accepted and record.composed else set()  # for the others see `Primitive.bind`
    takes_out = record.takes_out and not first
    mixed = not first and accepted and all(types == ACCEPTED["OperandOrNumber"] for types in [*accepted.values()][:2])
    if not aliases and not takes_out and not any(Tensor in types for types in accepted.values()):
        return call
    places = [(p.name, accepted[p.name]) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]

    @functools.wraps(call)
    def function(*args: Any, **kwargs: Any) -> Any:
        for (name, types), a in zip(places, args, strict=False):
            if not isinstance(a, types):
                raise refusal(record.name, name, order.index(name) + 1 - first, a)
        if kwargs and not aliases.isdisjoint(kwargs):
            kwargs = {ALIASES.get(name, name): a for name, a in kwargs.items()}
        for name, a in kwargs.items():
            if not isinstance(a, accepted.get(name, object)):
                raise refusal(record.name, name, order.index(name) + 1 - first, a)
        if mixed and not any(isinstance(a, Tensor) for a in (*args[:2], *kwargs.values())):
            return of_numbers(record.name, call, args, kwargs)
        if takes_out and kwargs and (out := kwargs.pop("out", None)) is not None:
            return output.into(record.name, record.family, out, call, args, kwargs)
        return call(*args, **kwargs)

    if takes_out:
        function.__signature__ = signature.replace(parameters=[*parameters, OUT])  # type: ignore[attr-defined]
    return cast(F, function)


def of_numbers(name: str, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """An operation on numbers only, which torch allows for arithmetic: ``add(2, 3)`` is a tensor."""
    if name not in ("add", "sub", "mul", "div", "floor_divide"):
        types = ", ".join(type(a).__name__ for a in args)
        raise TypeError(f"{name}() received an invalid combination of arguments - got ({types}): one must be a Tensor")
    return Tensor.wrap(np.asarray(call(*args, **kwargs)))


def refusal(operation: str, name: str, position: int, value: Any) -> TypeError:
    """Torch's error for an argument that is not a tensor."""
    type_ = type(value)
    what = type_.__name__ if type_.__module__ == "builtins" else f"{type_.__module__}.{type_.__name__}"
    return TypeError(f"{operation}(): argument '{name}' (position {position}) must be Tensor, not {what}")


def reflected(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same binary operation with its operands exchanged: ``2 - x``."""
    return lambda self, other: call(other, self) if isinstance(self, Tensor) else NotImplemented


def in_place_of(name: str, call: Callable[..., Any], composed: bool) -> Callable[..., Tensor]:
    """The same operation, with its result written into its first argument (composed ones compute with a copy of it)."""

    @functools.wraps(call)
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        given = self.clone() if composed and grad_mode.enabled and self.requires_grad else self
        result: Tensor = call(given, *args, **kwargs)
        return self.assign(result)

    return renamed(method, f"{name}_", f"`minigrad.{name}`, in place.")


def renamed(function: F, name: str, doc: str) -> F:
    """The function, with this name and documentation."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def public(namespace: Mapping[str, Any]) -> list[str]:
    """The names that a module of operations exports: its operations, and its other public functions."""
    module = namespace["__name__"]
    return [
        name
        for name, value in namespace.items()
        if not name.startswith("_") and callable(value) and getattr(value, "__module__", None) == module
    ]
