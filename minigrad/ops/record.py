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

Where the gradients of several inputs share work, one function gives all of them. It is told which are `wanted`
(a bool for each input), and names what it needs as a rule does:

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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from minigrad.engine import Array
from minigrad.ops.dispatch import PYTHON_NUMBERS, Primitive
from minigrad.tensor import Tensor

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
    gradients: Mapping[str, Callable[..., Any]]  #: the rule of each input; empty if one function gives them all
    inputs: Sequence[str]  #: those that have gradients; empty if composed
    sample: Sample | None
    torch: str  #: what torch calls it, below `torch`
    methods: Sequence[str]
    composed: bool
    differentiable: bool
    in_place: bool = False
    promotes: bool = False  #: mixes dtypes
    order: int = 2  #: the highest derivative that is compared with a numerical one
    primitive: Primitive | None = field(default=None, repr=False)  #: how it runs; None if composed
    call: Callable[..., Any] = field(init=False, repr=False)  #: the public function

    @property
    def doc(self) -> str:
        """The first line of the documentation."""
        return (self.forward.__doc__ or "").strip().split("\n")[0]


registry: dict[str, Record] = {}

REFLECTED = {"add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"}


def operation(
    gradients: Mapping[str, Callable[..., Any]] | Callable[..., Any] | None = None,
    *,
    inputs: Sequence[str] = (),
    sample: Sample | None = None,
    methods: Sequence[str] | None = None,
    torch: str | None = None,
    promotes: Sequence[str] | bool = False,
    floating: bool = False,
    tensors: Sequence[str] = (),
    in_place: bool = False,
    view: bool = False,
    saves: bool = False,
    variadic: bool = False,
    outputs: int = 1,
    creates: bool = False,
    writes: Sequence[str] = (),
    grad_fn: str | None = None,
    order: int = 2,
) -> Callable[[F], F]:
    """Register an operation written on arrays, with the gradient rule of each input.

    Args:
        gradients: a rule for each differentiable input, by name; or one function for all of them.
        inputs: the differentiable inputs, in the order in which that function returns their gradients.
        sample: draws the arguments of a test call.
        methods: its names as Tensor methods; by default its own name.
        torch: its name in torch, if it differs.
        promotes: the inputs that are brought to one dtype first (True: all that have rules).
        floating: integers become float32 first.
        tensors: the inputs that can't be Python numbers.
        in_place: there is a method ``name_`` too.
        view: the result may share the first input's memory.
        saves: the forward function returns ``(result, saved)``.
        variadic: the first argument is a sequence of tensors; one function gives the gradients of all.
        outputs: how many results there are; if several, the forward function returns a tuple.
        creates: the result is a tensor even if no argument is one.
        writes: the arguments that the forward function writes to.
        grad_fn: the name under which it shows in the graph.
        order: the highest derivative that is tested against a numerical one.
    """

    def register(forward: F) -> F:
        name = forward.__name__
        label = grad_fn or "".join(part.capitalize() for part in name.split("_")) + "Backward0"
        rules = gradients or {}
        primitive = Primitive(
            forward,
            rules,
            label,
            inputs=inputs,
            promotes=promotes,
            floating=floating,
            view=view,
            saves=saves,
            variadic=variadic,
            outputs=outputs,
            creates=creates,
            writes=writes,
        )
        record = Record(
            name=name,
            forward=forward,
            gradients={} if callable(rules) else rules,
            inputs=[primitive.names[i] for i in primitive.inputs],
            sample=sample,
            torch=name if torch is None else torch,
            methods=[name] if methods is None else methods,
            composed=False,
            differentiable=bool(rules),
            in_place=in_place,
            promotes=bool(promotes),
            order=order,
            primitive=primitive,
        )
        call = primitive.run
        return cast(F, publish(record, no_numbers(call, primitive, tensors) if tensors else call))

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
        record = Record(
            name=name,
            forward=function,
            gradients={},
            inputs=(),
            sample=sample,
            torch=name if torch is None else torch,
            methods=[name] if methods is None else methods,
            composed=True,
            differentiable=differentiable,
            in_place=in_place,
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
            if plain == "truediv":
                setattr(Tensor, "__rdiv__", reflected(call))  # noqa: B010 (its name in torch, from Python 2)
            if record.in_place:
                setattr(Tensor, f"__i{plain}__", in_place_of(record.name, call))
    if record.in_place:
        setattr(Tensor, f"{record.name}_", in_place_of(record.name, call))
    return call


def no_numbers(call: Callable[..., Any], primitive: Primitive, tensors: Sequence[str]) -> Callable[..., Any]:
    """The same function, which refuses Python numbers in place of these inputs, as torch does."""
    places, n = [(primitive.names.index(name), name) for name in tensors], len(primitive.names)

    @functools.wraps(call)
    def checked(*args: Any, **kwargs: Any) -> Any:
        bound = primitive.bind(args, kwargs) if kwargs or len(args) != n else args
        for place, name in places:
            if type(bound[place]) in PYTHON_NUMBERS:
                raise TypeError(
                    f"{primitive.name}(): argument '{name}' (position {place + 1}) must be Tensor, not "
                    f"{type(bound[place]).__name__}"
                )
        return call(*bound)

    return checked


def reflected(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same binary operation with its operands exchanged: ``2 - x``."""
    return lambda self, other: call(other, self) if isinstance(self, Tensor) else NotImplemented


def in_place_of(name: str, call: Callable[..., Any]) -> Callable[..., Tensor]:
    """The same operation, its result written into its first argument."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        result: Tensor = call(self, *args, **kwargs)
        return self.assign(result)

    method.__name__ = f"{name}_"
    method.__doc__ = f"`minigrad.{name}`, in place."
    return method


def public(namespace: Mapping[str, Any]) -> list[str]:
    """The names that a module of operations exports: its operations, and its other public functions."""
    module = namespace["__name__"]
    return [
        name
        for name, value in namespace.items()
        if not name.startswith("_") and callable(value) and getattr(value, "__module__", None) == module
    ]
