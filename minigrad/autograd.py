"""Differentiation on demand, and operations of one's own.

https://docs.pytorch.org/docs/stable/autograd.html
"""

from __future__ import annotations

import functools
import inspect
import types
import weakref
from collections.abc import Callable, Sequence
from contextlib import ContextDecorator
from typing import Any, ClassVar

import numpy as np

from minigrad import engine
from minigrad.engine import Edge, Node, edge_to
from minigrad.grad_mode import grad_mode, recording
from minigrad.tensor import Tensor, run_backward, seeds
from minigrad.views import check_write, rewrite
from minigrad.watch import call, read


class _Mode(ContextDecorator):
    """A context manager that also decorates functions; of a generator, each step runs within the block."""

    def __call__(self, function: Callable[..., Any]) -> Any:
        if not inspect.isgeneratorfunction(function):
            return super().__call__(function)

        @functools.wraps(function)
        def steps(*args: Any, **kwargs: Any) -> Any:
            generator, send = function(*args, **kwargs), "__next__"
            sent: tuple[Any, ...] = ()
            while True:
                try:
                    with self._recreate_cm():  # type: ignore[attr-defined]
                        value = getattr(generator, send)(*sent)
                except StopIteration as end:
                    return end.value
                try:
                    send, sent = "send", ((yield value),)
                except GeneratorExit:
                    with self._recreate_cm():  # type: ignore[attr-defined]
                        generator.close()
                    raise
                except BaseException as error:
                    send, sent = "throw", (error,)

        return steps


class set_grad_enabled(_Mode):  # noqa: N801 (torch's name)
    """Switch recording on or off: at once, and until the end of the block if used with ``with``.

    >>> import minigrad
    >>> with minigrad.set_grad_enabled(False):
    ...     print(minigrad.is_grad_enabled())
    False
    """

    def __init__(self, mode: bool) -> None:
        self.before: list[bool] = [grad_mode.enabled]
        self.mode = mode
        grad_mode.enabled = mode

    def __enter__(self) -> None:
        if not self.before:
            self.before.append(grad_mode.enabled)
        grad_mode.enabled = self.mode

    def __exit__(self, *_: Any) -> None:
        grad_mode.enabled = self.before.pop()


class _Switch(_Mode):
    """A context manager and decorator that records, or does not."""

    enabled: bool

    def __init__(self) -> None:
        self.before: list[bool] = []

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        if function is not None:  # used as a bare decorator, without parentheses
            return cls()(function)
        return super().__new__(cls)

    def __enter__(self) -> None:
        self.before.append(grad_mode.enabled)
        grad_mode.enabled = self.enabled

    def __exit__(self, *_: Any) -> None:
        grad_mode.enabled = self.before.pop()


class no_grad(_Switch):  # noqa: N801 (torch's name)
    """A block, or a function, in which nothing is recorded.

    >>> import minigrad
    >>> x = minigrad.ones(2, requires_grad=True)
    >>> with minigrad.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    enabled = False


class enable_grad(_Switch):  # noqa: N801 (torch's name)
    """A block, or a function, in which operations are recorded, also inside `no_grad`."""

    enabled = True


class inference_mode(no_grad):  # noqa: N801 (torch's name)
    """`no_grad`, under torch's other name."""

    def __new__(cls, mode: Any = True) -> Any:
        """``inference_mode(False)`` changes nothing."""
        if mode is False:
            return set_grad_enabled(grad_mode.enabled)
        return super().__new__(cls, mode if callable(mode) else None)

    def __init__(self, mode: Any = True) -> None:
        super().__init__()


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread."""
    return grad_mode.enabled


def _listed(x: Tensor | Sequence[Tensor]) -> list[Tensor]:
    return [x] if isinstance(x, Tensor) else list(x)


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """`Tensor.backward` for several tensors at once."""
    outputs = _listed(tensors)
    given: list[Tensor | None] = [None] * len(outputs) if grad_tensors is None else list(_listed(grad_tensors))  # type: ignore[arg-type]
    if len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    run_backward(outputs, given, inputs, retain_graph, create_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `outputs` with respect to `inputs`, without touching anybody's ``grad``.

    Args:
        outputs: what to differentiate.
        inputs: with respect to what; leaves or results of operations.
        grad_outputs: the gradient of the final result with respect to each output; 1 for single elements.
        retain_graph: keep the graph. Default: `create_graph`.
        create_graph: the gradients can be differentiated themselves.
        allow_unused: give None for an input that the outputs do not depend on, instead of raising.
        materialize_grads: give zeros for such an input.

    Raises:
        RuntimeError: if an input was not used, or nothing requires a gradient.

    >>> import minigrad
    >>> x = minigrad.tensor(3.0, requires_grad=True)
    >>> (dx,) = minigrad.autograd.grad(x**3, x, create_graph=True)
    >>> dx, minigrad.autograd.grad(dx, x)
    (tensor(27., grad_fn=<MulBackward0>), (tensor(18.),))
    """
    outs, ins = _listed(outputs), _listed(inputs)
    given: list[Tensor | None] = [None] * len(outs) if grad_outputs is None else list(_listed(grad_outputs))  # type: ignore[arg-type]
    for x in ins:
        if not x.requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    keep = create_graph if retain_graph is None else retain_graph
    arrived = engine.backward(seeds(outs, given, create_graph), Tensor.wrap, ins, keep, create_graph)
    results: list[Tensor | None] = []
    for i, x in enumerate(ins):
        g = arrived.get(x.place)
        if g is None:
            if materialize_grads:
                results.append(Tensor.wrap(call(np.zeros_like, x.array)))
                continue
            if not allow_unused:
                raise RuntimeError(
                    f"One of the differentiated Tensors (input {i}, of shape {list(x.shape)}) appears to not have been "
                    "used in the graph. Set allow_unused=True if this is the desired behavior."
                )
            results.append(None)
        else:
            results.append(g if isinstance(g, Tensor) else Tensor.wrap(call(np.array, g)))
    return tuple(results)


# ---- operations of one's own -------------------------------------------------------------------------------


class Context:
    """What a `Function` keeps from forward to backward.

    Attributes:
        needs_input_grad: for each input whether a gradient flows to it.
    """

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._saved: list[tuple[Tensor | None, int, int]] = []  # with its version, and which result it is, or -1
        self._not_differentiable: set[int] = set()
        self._dirty: set[int] = set()
        self._materializes = True
        self._node: Callable[[], Node | None] = lambda: None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors; backward finds them in `saved_tensors`."""
        self._saved = [(t, t.version[0] if t is not None and t.version else 0, -1) for t in tensors]

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What `save_for_backward` was given.

        Raises:
            RuntimeError: if one of them has been written to since.
        """
        tensors = []
        for t, then, output in self._saved:
            if t is not None and t.version and t.version[0] != then:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an inplace operation: "
                    f"[{t.dtype.name} {list(t.shape)}] is at version {t.version[0]}; expected version {then} instead."
                )
            if t is not None and output >= 0:  # a result: it belongs to the graph, but must not point back to it
                t = Tensor.wrap(t.array, self._node())
                t.output = output
            tensors.append(t)
        return tuple(tensors)

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say that these results carry no gradient."""
        self._not_differentiable |= {id(t) for t in tensors}

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that these inputs were written to; they have to be among the results."""
        self._dirty |= {id(t) for t in tensors}

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward is given zeros, and not None, for results that no gradient arrives at."""
        self._materializes = value


class Function:
    """An operation of one's own: a static ``forward(ctx, *inputs)`` and ``backward(ctx, *gradients)``.

    `backward` returns a gradient, or None, for each input of forward. It may itself be made of operations; then the
    gradients can be differentiated. Instead of ``forward(ctx, …)`` a class may define ``forward(*inputs)`` and
    ``setup_context(ctx, inputs, output)``.
    https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.Function

    >>> import minigrad
    >>> class Cube(minigrad.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x**2
    >>> x = minigrad.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    setup_context: ClassVar[Callable[..., None] | None] = None

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Compute the gradient of each input."""
        raise NotImplementedError("You must implement the backward function for custom autograd.Function.")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run `forward`, and record `backward` as its gradient function."""
        read(f"an operation of one's own ({cls.__name__})")
        ctx = Context()
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        edges = [edge_to(a) if isinstance(a, Tensor) else None for a in args]
        with recording(False):
            if cls.setup_context is None:
                results = cls.forward(ctx, *args)
            else:
                results = cls.forward(*args)
                cls.setup_context(ctx, args, results)
        outs = results if isinstance(results, tuple) else (results,)
        for out in outs:
            if id(out) in ctx._dirty:
                check_write(out, out)
                out.bump()
        if not (grad_mode.enabled and any(ctx.needs_input_grad)):
            return results
        shapes = [(o.array.shape, o.array.dtype) if isinstance(o, Tensor) else None for o in outs]

        def gradients(wanted: Sequence[Any], g: Any) -> Sequence[Any]:
            given = g if len(shapes) > 1 else (g,)
            arrays = not any(isinstance(part, Tensor) for part in given)
            shown = [
                part
                if isinstance(part, Tensor)
                else Tensor.wrap(np.asarray(part))
                if part is not None
                else Tensor.wrap(np.zeros(*shape))
                if shape is not None and ctx._materializes
                else None
                for part, shape in zip(given, shapes, strict=True)
            ]
            answer = cls.backward(ctx, *shown)
            answer = answer if isinstance(answer, tuple) else (answer,)
            n = len(edges)
            if len(answer) < n or any(part is not None for part in answer[n:]):
                raise RuntimeError(
                    f"function {cls.__name__}Backward returned an incorrect number of gradients (expected {n}, got "
                    f"{len(answer)})"
                )
            return [_checked(part, edge, arrays, cls) for part, edge in zip(answer, edges, strict=False)]

        node = Node(f"{cls.__name__}Backward", gradients, edges, outputs=len(outs))
        places = {id(out): i for i, out in enumerate(outs)}
        ctx._node = weakref.ref(node)
        ctx._saved = [
            (t, then, -1) if id(t) not in places or any(t is a for a in args) else (_alias(t), then, places[id(t)])
            for t, then, _ in ctx._saved
        ]
        answers = []
        for i, out in enumerate(outs):
            if not isinstance(out, Tensor) or id(out) in ctx._not_differentiable or not out.is_floating_point():
                answers.append(out)
                continue
            answers.append(Tensor.wrap(out.array, node))
            answers[-1].output, answers[-1].version = i, out.version
            if id(out) in ctx._dirty:
                rewrite(out, answers[-1])
                answers[-1] = out
        return tuple(answers) if isinstance(results, tuple) else answers[0]


def _alias(t: Tensor | None) -> Tensor | None:
    """Another tensor on the same array, without a place in the graph."""
    return t if t is None else t.detach()


def _checked(g: Any, edge: Edge | None, arrays: bool, owner: type) -> Any:
    """The gradient that a function of one's own returned, in the dtype of its input."""
    if g is None or edge is None:
        return None
    if not isinstance(g, Tensor):
        raise TypeError(f"function {owner.__name__}Backward: expected Tensor or None (got {type(g).__name__})")
    if g.array.dtype != edge[2]:
        g = g.astype(edge[2])
    return g.array if arrays else g


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """A `Function.backward` whose gradients can't be differentiated again.

    >>> import minigrad
    >>> class Double(minigrad.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...     @staticmethod
    ...     @minigrad.autograd.function.once_differentiable
    ...     def backward(ctx, g):
    ...         return g * 2
    >>> x = minigrad.ones(1, requires_grad=True)
    >>> minigrad.autograd.grad(Double.apply(x), x)
    (tensor([2.]),)
    """

    def refuse(wanted: Sequence[Any], g: Any) -> Any:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")

    @functools.wraps(backward)
    def once(ctx: Any, *grad_outputs: Any) -> Any:
        with recording(False):
            answer = backward(ctx, *grad_outputs)
        given = [g for g in grad_outputs if isinstance(g, Tensor) and g.tracked]
        if not (grad_mode.enabled and given):
            return answer
        edges = [edge_to(g) for g in given]
        found = answer if isinstance(answer, tuple) else (answer,)
        cut = [g if g is None else Tensor.wrap(g.array, Node("DelayedError", refuse, edges)) for g in found]
        return tuple(cut) if isinstance(answer, tuple) else cut[0]

    return once


function = types.SimpleNamespace(Function=Function, FunctionCtx=Context, once_differentiable=once_differentiable)
