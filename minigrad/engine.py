"""Reverse-mode automatic differentiation.

While a program runs, every operation on a tracked `Variable` leaves a `Node` behind. A node has an **edge**
to each variable that its operation read, and on the edge stands the **rule** that turns the gradient of the
operation's result into the gradient of that input. So the nodes form a graph that points from results back
to inputs. `backward` walks it once, newest operation first:

1. the gradient of the result is given (1, for a loss);
2. each node hands every input its share, ``rule(g)``; shares that meet at one variable are added;
3. what arrives at a leaf (a variable that no operation made) is the leaf's gradient.

That is the chain rule, and all of it. The rules themselves live with the operations, in `minigrad.ops`.

A rule runs on whatever it is given. `backward` normally feeds it NumPy arrays, and nothing is recorded. With
``create_graph=True`` it feeds it tensors: backward is then a recorded program, and can be differentiated too.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minigrad.grad_mode import recording
from minigrad.watch import call, leak, watching

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Value: TypeAlias = Any  # what rules compute with: arrays, or variables when the walk itself is recorded
Hook: TypeAlias = Callable[[Any], Any]


class Variable:
    """What the engine sees of a tensor: an array, and the operation that made it."""

    array: Array
    node: Node | None = None  #: the operation that made it; None for a leaf
    tracked: bool = False  #: whether gradients flow to it
    version: list[int] | None = None  #: counts the writes; shared by all views of one array; None: no write yet
    hooks: dict[int, Hook] | None = None  #: called with the gradient that arrives at a leaf

    def bump(self, seen: bool = False) -> None:
        """Count a write to the array, so that a gradient that needs the old values can object."""
        if not seen:
            leak("an array is written to")
        if self.version is None:
            self.version = [0]
        self.version[0] += 1


class Rule(NamedTuple):
    """The gradient of one input: ``function(g, *needed)``; `needs` are places in `Node.saved`."""

    function: Callable[..., Value]
    needs: tuple[int, ...]


#: Where a gradient goes, by which rule, and the shape and dtype that it must have there.
Edge: TypeAlias = "tuple[Node | Variable, Rule, tuple[int, ...], np.dtype[Any]]"


class Node:
    """One recorded operation.

    `saved` holds what the rules need. The operation's own result, at place `output`, is held as an anonymous
    variable on the same array: the real one would point back here. So the graph has no reference cycle.
    """

    __slots__ = ("__weakref__", "edges", "frees", "hooks", "label", "order", "output", "saved", "writes")
    clock = itertools.count()

    def __init__(self, label: str, edges: list[Edge], saved: Sequence[Any] = (), output: int = -1) -> None:
        self.label = label
        self.edges = edges
        self.saved: Sequence[Any] | None = saved
        self.output = output
        self.order = next(Node.clock)  # a node is younger than all nodes that it leads to
        self.hooks: dict[int, Hook] | None = None
        self.frees, self.writes = False, 0  # whether there is anything to free; writes to all of it until now
        for value in saved:
            if isinstance(value, Variable):
                self.frees = True
                self.writes += value.version[0] if value.version else 0

    def name(self) -> str:
        """What torch calls it: ``"AddBackward0"``."""
        return self.label

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """Where the gradients go: nodes, and `AccumulateGrad` for leaves."""
        return tuple((t if isinstance(t, Node) else AccumulateGrad(t), 0) for t, *_ in self.edges)

    def __repr__(self) -> str:
        return f"<{self.label} object at {id(self):#x}>"

    def unpack(self, wrap: Callable[[Array, Node], Variable] | None) -> list[Any]:
        """The saved values as the rules want them: arrays, or variables if `wrap` is given."""
        if self.saved is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time. What the rules need is freed by the first "
                f"backward (here that of {self.label}), unless retain_graph=True is specified."
            )
        values: list[Any] = []
        writes = 0
        for value in self.saved:
            if isinstance(value, Variable):
                writes += value.version[0] if value.version else 0
                value = value.array if wrap is None else value
            values.append(value)
        if writes != self.writes:
            written = [v.array for v in self.saved if isinstance(v, Variable) and v.version and v.version[0]]
            names = " or ".join(f"[{a.dtype} {list(a.shape)}]" for a in written)
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an inplace operation: "
                f"{names}, which {self.label} needs, is at version {writes}; expected version {self.writes}."
            )
        if wrap is not None and self.output >= 0:
            values[self.output] = wrap(values[self.output].array, self)
        return values


class AccumulateGrad(NamedTuple):
    """The end of the way: a leaf, as `Node.next_functions` shows it."""

    variable: Variable

    def name(self) -> str:
        """``"AccumulateGrad"``."""
        return "AccumulateGrad"


def backward(
    roots: Iterable[tuple[Variable, Value]],
    wrap: Callable[[Array, Node | None], Variable],
    inputs: Sequence[Variable] | None = None,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> dict[Node | Variable, Value]:
    """Carry gradients back through the graph.

    Args:
        roots: pairs of a variable and the gradient to start from, of its shape.
        wrap: makes a variable of an array and the node that it came from.
        inputs: walk only the ways that lead to these. None: to all leaves.
        retain_graph: keep the saved values, so that the same graph can be walked again.
        create_graph: gradients are variables, and the walk is recorded.

    Returns:
        The gradient that arrived at each leaf, or at each of `inputs` (by its node, if it has one).
    """
    if create_graph:
        leak("backward with create_graph=True")
    starts = [(root.node or root, g) for root, g in roots]
    wanted = None if inputs is None else {v.node or v for v in inputs}
    on_the_way = None if wanted is None else leading_to(wanted, [start for start, _ in starts])
    arrived: dict[Node | Variable, Value] = {}  # the gradient so far, by place
    pending: list[tuple[int, Node]] = []  # a heap of the nodes that hold a gradient, newest first

    def deliver(target: Node | Variable, g: Value) -> None:
        before = arrived.get(target)
        if before is None:
            arrived[target] = g
            if isinstance(target, Node):
                heappush(pending, (-target.order, target))
        else:
            arrived[target] = call(operator.add, before, g)

    for start, g in starts:
        deliver(start, g)
    watcher = watching.watcher

    with recording(create_graph), np.errstate(all="ignore"):  # inf and nan are values, as in torch
        while pending:
            node = heappop(pending)[1]
            g = arrived[node]  # complete: whatever adds to it is younger, and is done
            if node.hooks:
                g = arrived[node] = call(call_hooks, node.hooks, g, wrap)
            if wanted is None or node not in wanted:
                del arrived[node]
            values = None
            for target, (rule, needs), shape, dtype in node.edges:
                if on_the_way is not None and target not in on_the_way:
                    continue
                if needs and values is None:
                    values = node.unpack(wrap if create_graph else None)
                needed = [values[place] for place in needs] if values else ()
                share = rule(g, *needed) if watcher is None else watcher.rule(node, rule, g, *needed)
                if share.shape != shape or share.dtype is not dtype:
                    share = call(fit, share, shape, dtype, node.label, g)
                deliver(target, share)
            if node.frees and not retain_graph:
                node.saved = None

        for place, g in arrived.items():
            if isinstance(place, Variable) and place.hooks:
                arrived[place] = call(call_hooks, place.hooks, g, wrap)
    return arrived


def leading_to(wanted: set[Node | Variable], roots: Sequence[Node | Variable]) -> set[Node | Variable]:
    """The places from which one of `wanted` can be reached, among all that `roots` lead to."""
    nodes: set[Node] = set()
    stack = [root for root in roots if isinstance(root, Node)]
    while stack:
        node = stack.pop()
        if node not in nodes:
            nodes.add(node)
            stack.extend(target for target, *_ in node.edges if isinstance(target, Node))
    found = set(wanted)
    for node in sorted(nodes, key=lambda n: n.order):  # inputs come before results
        if any(target in found for target, *_ in node.edges):
            found.add(node)
    return found


def fit(share: Value, shape: tuple[int, ...], dtype: np.dtype[Any], label: str, g: Value) -> Value:
    """Give a gradient the shape and dtype of its input: the one place where broadcasting is undone."""
    array = share.array if isinstance(share, Variable) else share
    if array.shape != shape:
        extra = array.ndim - len(shape)
        stretched = [i for i, n in enumerate(shape, extra) if n == 1 and array.shape[i] != 1]
        if extra < 0 or any(n not in (1, m) for n, m in zip(shape, array.shape[extra:], strict=True)):
            raise AssertionError(f"{label}: a gradient of shape {array.shape} for an input of shape {shape}")
        share = share.sum(axis=(*range(extra), *stretched), keepdims=True).reshape(shape)
    if array.dtype != dtype:
        if (g.array if isinstance(g, Variable) else g).dtype == dtype:
            raise AssertionError(f"{label}: a gradient of {array.dtype} for an input of {dtype}")
        share = share.astype(dtype)  # the operation itself had promoted this input
    return share


def call_hooks(hooks: dict[int, Hook], g: Value, wrap: Callable[[Array, Node | None], Variable]) -> Value:
    """Show a gradient to the hooks; each may return another to take its place."""
    shown = g if isinstance(g, Variable) else wrap(np.asarray(g), None)
    for hook in list(hooks.values()):
        shown = shown if (answer := hook(shown)) is None else answer
    return shown if isinstance(g, Variable) else shown.array
