"""Custom operations."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from minigrad.engine import Edge, Node, edge_to
from minigrad.grad_mode import grad_mode, recording
from minigrad.tensor import Tensor
from minigrad.views import check_write, rewrite
from minigrad.watch import read


class FunctionCtx:
    """The context that a `Function` keeps from forward to backward.

    Attributes:
        needs_input_grad: for each input whether a gradient flows to it.
    """

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        #: each tensor with its version, and its number among the results or -1
        self._saved: list[tuple[Tensor | None, int, int]] = []
        self._not_differentiable: set[int] = set()
        self._dirty: set[int] = set()
        self._materializes = True
        self._node: Callable[[], Node | None] = lambda: None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors; backward finds them in `saved_tensors`."""
        self._saved = [(t, t.version[0] if t is not None and t.version else 0, -1) for t in tensors]

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to `save_for_backward`.

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
            if t is not None and output >= 0:  # a result: in the graph, but without a reference cycle
                t = Tensor.wrap(t.array, self._node())
                t.output = output
            tensors.append(t)
        return tuple(tensors)

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Declare that these results have no gradient."""
        self._not_differentiable |= {id(t) for t in tensors}

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Declare that these inputs were modified in place; they have to be among the results."""
        self._dirty |= {id(t) for t in tensors}

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward is given zeros, and not None, for results that receive no gradient."""
        self._materializes = value


class Function:
    """A custom operation: static methods ``forward(ctx, *inputs)`` and ``backward(ctx, *gradients)``.

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
        read(f"a custom operation ({cls.__name__})")
        ctx = FunctionCtx()
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
            filled = [
                np.zeros(*shape) if part is None and shape is not None and ctx._materializes else part
                for part, shape in zip(given, shapes, strict=True)
            ]
            shown = [x if x is None or isinstance(x, Tensor) else Tensor.wrap(np.asarray(x)) for x in filled]
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
    """The gradient that a custom `backward` returned, in the dtype of its input."""
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
