"""Reverse-mode automatic differentiation.

While a program runs, every operation on a tracked `Variable` leaves a `Node` behind. A node has an **edge** to each
of the operation's inputs, and one **function** that turns the gradient of its result into those of the inputs. So the
nodes form a graph that points from results back to inputs. `backward` walks it once, newest operation first:

1. the gradient of the result is given (1, for a loss);
2. each node passes a gradient to each of its inputs; gradients that reach the same variable are added;
3. the sum at a leaf (a variable that no operation made) is the leaf's gradient.

That is the chain rule, and `walk` implements it. The gradient formulas are in `minigrad.ops`, with the operations. They
compute with NumPy arrays or, if ``create_graph=True``, with tensors: then backward is recorded and differentiable too.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minigrad.hooks import Hook, call_hooks, hooked
from minigrad.watch import call, watching

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Value: TypeAlias = Any  # an array, or a variable when the walk itself is recorded
Values: TypeAlias = Sequence[Any]
Function: TypeAlias = Callable[..., Values]


class Variable:
    """The part of a tensor that the engine uses: an array, and the operation that made it."""

    array: Array
    node: Node | None = None  #: the operation that made it; None for a leaf
    output: int = 0  #: which of the operation's results it is
    tracked: bool = False  #: whether gradients flow to it
    version: list[int] | None = None  #: counts the writes; shared by all views of one array; None: no write yet
    hooks: dict[int, Hook] | None = None  #: called with the gradient that arrives at a leaf

    @property
    def place(self) -> Place:
        """Where its gradient arrives: at the operation that made it, or at the leaf itself."""
        return self if self.node is None else Output(self.node, self.output) if self.output else self.node


class Output(NamedTuple):
    """The second or a later result of an operation that has several."""

    node: Node
    number: int


Place: TypeAlias = "Node | Output | Variable"
Edge: TypeAlias = "tuple[Place, tuple[int, ...], np.dtype[Any]]"  #: where a gradient goes, its shape and dtype there
Edges: TypeAlias = "Sequence[Edge | None]"


def edge_to(variable: Variable) -> Edge | None:
    """The edge to an input; None if no gradient flows to it."""
    return (variable.place, variable.array.shape, variable.array.dtype) if variable.tracked else None


class Node:
    """One recorded operation.

    ``function(wanted, g, *saved)`` returns a gradient, or None, for each edge; `wanted` holds None for those that are
    not needed. `g` is the gradient of the result (a tuple for several results, None where no gradient arrived). The
    operation's own result, ``saved[output]``, is a separate variable with the same array, which avoids a cycle.
    """

    __slots__ = ("__weakref__", "edges", "function", "hooks", "label", "order", "output", "outputs", "saved", "writes")
    clock = itertools.count()

    def __init__(
        self, label: str, function: Function, edges: Edges, saved: Values = (), output: int = -1, outputs: int = 1
    ) -> None:
        self.label, self.function, self.edges = label, function, edges
        self.saved: Values | None = saved
        self.output, self.outputs, self.order = output, outputs, next(Node.clock)  # greater than its inputs'
        self.hooks: dict[int, dict[int, Hook]] | None = None  # by result
        writes = None  # the sum of all saved variables' versions; None: no saved variable, nothing to check or free
        for value in saved:
            if isinstance(value, Variable):
                writes = (writes or 0) + (value.version[0] if value.version else 0)
        self.writes: int | None = writes

    def name(self) -> str:
        """Its name in torch: ``"AddBackward0"``."""
        return self.label

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """Where the gradients go: nodes, each with the number of its result, and `AccumulateGrad` for leaves."""
        places = [AccumulateGrad(e[0]) if e and isinstance(e[0], Variable) else e and e[0] for e in self.edges]
        return tuple((p.node, p.number) if isinstance(p, Output) else (p, 0) for p in places)

    def __repr__(self) -> str:
        return f"<{self.label} object at {id(self):#x}>"

    def unpack(self, wrap: Callable[[Array, Node], Variable] | None) -> Values:
        """The saved values for the function: arrays, or variables if `wrap` is given."""
        if self.saved is None:
            freed = f"The values saved by {self.label} are freed the first time unless retain_graph=True is specified."
            raise RuntimeError(f"Trying to backward through the graph a second time. {freed}")
        if self.writes is None:
            return self.saved
        values: list[Any] = []
        writes = 0
        for value in self.saved:
            if isinstance(value, Variable):
                writes += value.version[0] if value.version else 0
                value = value.array if wrap is None else value
            values.append(value)
        if writes != self.writes:
            written = [v.array for v in self.saved if isinstance(v, Variable) and v.version and v.version[0]]
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an inplace operation: "
                f"{' or '.join(f'[{a.dtype} {list(a.shape)}]' for a in written)}, which {self.label} needs, is at "
                f"version {writes}; expected version {self.writes}."
            )
        if wrap is not None and self.output >= 0:
            values[self.output] = wrap(values[self.output].array, self)
        return values


class AccumulateGrad(NamedTuple):
    """A leaf in `Node.next_functions`."""

    variable: Variable

    def name(self) -> str:
        """``"AccumulateGrad"``."""
        return "AccumulateGrad"


Grads: TypeAlias = Iterable[tuple[Place, Value]]
Arrived: TypeAlias = dict[Place, Value]


def walk(grads: Grads, visit: Callable[[Node, Arrived], Grads], add: Callable[[Value, Value], Value]) -> Arrived:
    """Propagate gradients back through the graph: ``visit(node, arrived)`` returns those of the node's inputs."""
    arrived: Arrived = {}  # the gradient so far, by place
    pending: list[tuple[int, Node]] = []  # a heap of nodes, newest first, so that each comes after all its users
    while True:
        for place, g in grads:
            if place in arrived:
                arrived[place] = add(arrived[place], g)
                continue
            arrived[place] = g
            if not isinstance(place, Variable):
                node = place if isinstance(place, Node) else place.node
                heappush(pending, (-node.order, node))
        if not pending:
            return arrived
        grads = visit(heappop(pending)[1], arrived)


def backward(
    roots: Sequence[tuple[Variable, Value]],
    wrap: Callable[[Array, Node | None], Variable],
    inputs: Sequence[Variable] | None = None,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> Arrived:
    """The gradient of each leaf, or of each of `inputs`, by place, given the gradients of the `roots`.

    With `inputs` only the paths to them are walked. `retain_graph` keeps the saved values for another walk.
    With `create_graph` gradients are variables, which `wrap` makes from an array and its node; the caller must turn
    recording on.
    """
    wanted = None if inputs is None else {v.place for v in inputs}
    useful = None if wanted is None else on_paths(wanted, [root.place for root, _ in roots])
    captured: Arrived = {}
    watcher = watching.watcher

    def visit(node: Node, arrived: Arrived) -> Grads:
        g = arrived.pop(node, None)
        if node.outputs > 1:
            g = (g, *[arrived.pop(Output(node, i), None) for i in range(1, node.outputs)])
            if not any(part is not None for part in g):
                return ()  # queued once for each result; all were handled at the first
        if node.hooks:
            g = call(hooked, node.hooks, g, wrap)
        asked = node.edges if useful is None else [edge if edge and edge[0] in useful else None for edge in node.edges]
        if wanted is not None:
            for i, part in enumerate(g if node.outputs > 1 else [g]):
                if (at := Output(node, i) if i else node) in wanted and part is not None:
                    captured[at] = part
            if not any(asked):
                return ()
        values = node.unpack(wrap if create_graph else None)
        found = node.function(asked, g, *values) if watcher is None else watcher.backward(node, asked, g, values)
        if node.writes is not None and not retain_graph:
            node.saved = None
        grads = []
        for edge, grad in zip(asked, found, strict=True):
            if grad is not None and edge is not None:
                place, shape, dtype = edge
                if grad.shape != shape or grad.dtype is not dtype:
                    grad = call(fit, grad, shape, dtype, node.label, g)
                grads.append((place, grad))
        return grads

    with np.errstate(all="ignore"):  # inf and nan are values, as in torch
        add = operator.add if watcher is None else functools.partial(watcher.call, operator.add)
        arrived = walk([(root.place, g) for root, g in roots], visit, add)
        for place, g in arrived.items():
            if isinstance(place, Variable) and place.hooks:
                arrived[place] = call(call_hooks, place.hooks, g, wrap)
    return {**arrived, **captured}


def on_paths(wanted: Collection[Place], roots: Iterable[Place]) -> set[Place]:
    """The places on all paths from `roots` to one of `wanted`."""
    nodes: set[Node] = set()
    stack = list(roots)
    while stack:
        place = stack.pop()
        node = place.node if isinstance(place, Output) else place
        if isinstance(node, Node) and node not in nodes:
            nodes.add(node)
            stack.extend(edge[0] for edge in node.edges if edge is not None)
    found = set(wanted)
    for node in sorted(nodes, key=lambda n: n.order):  # inputs come before results
        if any(edge is not None and edge[0] in found for edge in node.edges):
            found.update([node, *(Output(node, i) for i in range(1, node.outputs))])
    return found


def fit(grad: Value, shape: tuple[int, ...], dtype: np.dtype[Any], label: str, g: Value) -> Value:
    """Give a gradient the shape and dtype of its input: the one place where broadcasting is undone."""
    array = grad.array if isinstance(grad, Variable) else grad
    if array.shape != shape:
        extra = array.ndim - len(shape)
        stretched = [i for i, n in enumerate(shape, extra) if n == 1 and array.shape[i] != 1]
        if extra < 0 or any(n not in (1, m) for n, m in zip(shape, array.shape[extra:], strict=True)):
            wrong = f"got {list(array.shape)} but expected shape compatible with {list(shape)}"
            raise RuntimeError(f"Function {label} returned an invalid gradient: {wrong}")
        grad = grad.sum(axis=(*range(extra), *stretched), keepdims=True).reshape(shape)
    if array.dtype != dtype:
        if not isinstance(g, tuple) and (g.array if isinstance(g, Variable) else g).dtype == dtype:
            raise AssertionError(f"{label}: a gradient of {array.dtype} for an input of {dtype}")
        grad = grad.astype(dtype)  # the operation itself had promoted this input
    return grad
