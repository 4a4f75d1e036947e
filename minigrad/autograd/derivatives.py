"""`backward` and `grad` as functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from minigrad.tensor import Tensor, run_backward, seeds, walk_back
from minigrad.watch import call


def listed(x: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """One tensor, or several, as a list."""
    return [x] if isinstance(x, Tensor) else list(x)


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """`Tensor.backward` for several tensors at once."""
    outputs = listed(tensors)
    given: list[Tensor | None] = [None] * len(outputs) if grad_tensors is None else list(listed(grad_tensors))  # type: ignore[arg-type]
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
    """The gradients of `outputs` with respect to `inputs`, without changing any tensor's ``grad``.

    Args:
        outputs: what to differentiate.
        inputs: with respect to what; leaves or results of operations.
        grad_outputs: the gradient of the final result with respect to each output; 1 for single elements.
        retain_graph: keep the graph. Default: `create_graph`.
        create_graph: record the backward pass, so that the gradients can be differentiated.
        allow_unused: return None for an input that the outputs do not depend on, instead of raising.
        materialize_grads: return zeros for such an input.

    Raises:
        RuntimeError: if an input was not used, or nothing requires a gradient.

    >>> import minigrad
    >>> x = minigrad.tensor(3.0, requires_grad=True)
    >>> (dx,) = minigrad.autograd.grad(x**3, x, create_graph=True)
    >>> dx, minigrad.autograd.grad(dx, x)
    (tensor(27., grad_fn=<MulBackward0>), (tensor(18.),))
    """
    outs, ins = listed(outputs), listed(inputs)
    given: list[Tensor | None] = [None] * len(outs) if grad_outputs is None else list(listed(grad_outputs))  # type: ignore[arg-type]
    for x in ins:
        if not x.requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    keep = create_graph if retain_graph is None else retain_graph
    arrived = walk_back(seeds(outs, given, create_graph), ins, keep, create_graph)
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
