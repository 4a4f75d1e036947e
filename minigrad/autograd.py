"""Differentiation on demand, and operations of one's own.

https://docs.pytorch.org/docs/stable/autograd.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import ContextDecorator
from typing import Any

import numpy as np

from minigrad import engine
from minigrad.engine import Edge, Node, Rule
from minigrad.grad_mode import grad_mode, recording
from minigrad.tensor import Tensor, run_backward, seeds
from minigrad.watch import call, leak


class set_grad_enabled(ContextDecorator):  # noqa: N801 (torch's name)
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


class _Switch(ContextDecorator):
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
        g = arrived.get(x.node or x)
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
    """What a `Function` keeps from forward to backward."""

    def __init__(self) -> None:
        self._saved: tuple[Tensor | None, ...] = ()
        self.needs_input_grad: tuple[bool, ...] = ()
        self.not_differentiable: set[int] = set()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors; backward finds them in `saved_tensors`."""
        self._saved = tensors
        self._versions = [t.version[0] if t is not None and t.version else 0 for t in tensors]

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What `save_for_backward` was given.

        Raises:
            RuntimeError: if one of them has been written to since.
        """
        for t, then in zip(self._saved, self._versions, strict=True):
            if t is not None and t.version and t.version[0] != then:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an inplace operation: "
                    f"[{t.dtype.name} {list(t.shape)}] is at version {t.version[0]}; expected version {then} instead."
                )
        return self._saved

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say that these results carry no gradient."""
        self.not_differentiable |= {id(t) for t in tensors}

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that these inputs were written to."""
        for t in tensors:
            t.bump()

    def set_materialize_grads(self, value: bool) -> None:
        """Whether results without a gradient are given zeros in backward (they are)."""


class _Parts(dict[int, Any]):
    """The gradients of a function's several results, on their way to its backward."""

    def __add__(self, other: _Parts) -> _Parts:
        total = _Parts(self)
        for i, g in other.items():
            total[i] = total[i] + g if i in total else g
        return total

    shape: Any = ()
    dtype: Any = None


class Function:
    """An operation of one's own: a static ``forward(ctx, *inputs)`` and ``backward(ctx, *gradients)``.

    Call it by `apply`. Backward returns one gradient (or None) for each input of forward.
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

    @staticmethod
    def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the result."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Compute the gradient of each input."""
        raise NotImplementedError("You must implement the backward function for custom autograd.Function.")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run `forward`, and record `backward` as its rule."""
        leak(f"an operation of one's own ({cls.__name__})")
        ctx = Context()
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        with recording(False):
            results = cls.forward(ctx, *args)
        if not (grad_mode.enabled and any(ctx.needs_input_grad)):
            return results
        outs = results if isinstance(results, tuple) else (results,)
        shapes = [(o.array.shape, o.array.dtype) if isinstance(o, Tensor) else None for o in outs]

        @functools.lru_cache(maxsize=1)  # each input's rule asks; backward runs once
        def gradients(parts: Any) -> tuple[Any, ...]:
            arrays = not any(isinstance(g, Tensor) for g in parts.value.values())
            given = [
                parts.value[i] if i in parts.value else None if s is None else np.zeros(*s)
                for i, s in enumerate(shapes)
            ]
            with recording(not arrays):
                answer = cls.backward(
                    ctx, *(g if g is None or isinstance(g, Tensor) else Tensor.wrap(np.asarray(g)) for g in given)
                )
            answer = answer if isinstance(answer, tuple) else (answer,)
            if len(answer) != len(args):
                raise RuntimeError(
                    f"function {cls.__name__}Backward returned an incorrect number of gradients (expected {len(args)}, "
                    f"got {len(answer)})"
                )
            return tuple(g.array if arrays and isinstance(g, Tensor) else g for g in answer)

        def rule(parts: _Parts, position: int, like: Tensor) -> Any:
            g = gradients(_ByIdentity(parts))[position]
            return np.zeros_like(like.array) if g is None else g

        edges: list[Edge] = [
            (a.node or a, Rule(functools.partial(rule, position=i, like=a), ()), a.array.shape, a.array.dtype)
            for i, a in enumerate(args)
            if ctx.needs_input_grad[i]
        ]
        node = Node(f"{cls.__name__}Backward", edges)
        answers = []
        for i, out in enumerate(outs):
            if not isinstance(out, Tensor) or id(out) in ctx.not_differentiable or not out.is_floating_point():
                answers.append(out)
                continue
            part = Rule(functools.partial(_part, i), ())
            answers.append(Tensor.wrap(out.array, Node(f"{cls.__name__}Backward", [(node, part, (), None)])))  # type: ignore[list-item]
        return tuple(answers) if isinstance(results, tuple) else answers[0]


def _part(position: int, g: Any) -> _Parts:
    return _Parts({position: g})


class _ByIdentity:
    """A key that is equal only to itself."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and self.value is other.value
