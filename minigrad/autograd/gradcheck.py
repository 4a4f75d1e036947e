"""Gradients compared with numerical ones.

A derivative of a function of doubles is compared with its central difference, ``(f(x + eps) - f(x - eps)) / (2 eps)``,
for each element of each input and of each result. https://docs.pytorch.org/docs/stable/autograd.gradcheck.html
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd.derivatives import grad
from minigrad.autograd.modes import enable_grad, no_grad
from minigrad.tensor import Tensor


class GradcheckError(RuntimeError):
    """A gradient differs from the numerical one."""


def _results(function: Callable[..., Any], inputs: Sequence[Any]) -> list[Tensor]:
    found = function(*inputs)
    found = found if isinstance(found, (tuple, list)) else (found,)
    return [y for y in found if isinstance(y, Tensor) and y.is_floating_point()]


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
) -> bool:
    """Whether the gradients of `func` agree with central differences.

    Args:
        func: takes `inputs`, returns a tensor or several.
        inputs: those that require grad are varied; they should be float64.
        eps: the step of the differences.
        atol: absolute tolerance.
        rtol: tolerance relative to the numerical derivative.
        raise_exception: raise instead of returning False.
        nondet_tol: by how much two runs of backward may differ.

    Raises:
        GradcheckError: if a derivative differs.
        ValueError: if no input requires grad.

    >>> import minigrad
    >>> x = minigrad.tensor([0.5, 2.0], dtype=minigrad.float64, requires_grad=True)
    >>> gradcheck(lambda x: x.sin() * x, x)
    True
    """
    given: list[Any] = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    varied = [(i, x) for i, x in enumerate(given) if isinstance(x, Tensor) and x.requires_grad]
    if not varied:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    for i, x in varied:
        if x.array.dtype != np.float64:
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point. This check will likely "
                "fail if all the inputs are not of double precision floating point.",
                stacklevel=2,
            )
    try:
        for j, y in enumerate(_results(func, given)):
            if y.requires_grad:
                _compare(func, given, varied, j, y, eps, atol, rtol, nondet_tol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _compare(
    func: Callable[..., Any],
    given: list[Any],
    varied: Sequence[tuple[int, Tensor]],
    j: int,
    y: Tensor,
    eps: float,
    atol: float,
    rtol: float,
    nondet_tol: float,
) -> None:
    """Compare the derivatives of result `j` with numerical ones, input by input."""

    def analytical() -> list[np.ndarray[Any, Any]]:
        jacobians = [np.zeros((x.array.size, y.array.size), x.array.dtype) for _, x in varied]
        for k in range(y.array.size):
            g = np.zeros(y.array.size, y.array.dtype)
            g[k] = 1
            seed = Tensor.wrap(g.reshape(y.array.shape))
            found = grad(y, [x for _, x in varied], seed, retain_graph=True, allow_unused=True)
            for jacobian, part in zip(jacobians, found, strict=True):
                if part is not None:
                    jacobian[:, k] = part.detach().array.reshape(-1)
        return jacobians

    first = analytical()
    if any(np.abs(a - b).max(initial=0) > nondet_tol for a, b in zip(first, analytical(), strict=True)):
        raise GradcheckError("Backward is not reentrant, i.e., running backward with same input and grad_output twice")
    for (i, x), derivative in zip(varied, first, strict=True):
        expected = np.zeros_like(derivative)
        for place in np.ndindex(x.array.shape):
            with no_grad():
                sides = []
                for step in (eps, -eps):
                    moved = np.array(x.array)
                    moved[place] += step
                    others = [Tensor.wrap(moved) if k == i else other for k, other in enumerate(given)]
                    sides.append(_results(func, others)[j].array.reshape(-1))
            row = int(np.ravel_multi_index(place, x.array.shape)) if place else 0
            expected[row] = (sides[0] - sides[1]) / (2 * eps)
        if not np.allclose(derivative, expected, rtol, atol):
            raise GradcheckError(
                f"Jacobian mismatch for output {j} with respect to input {i},\nnumerical:{expected}\n"
                f"analytical:{derivative}"
            )


def gradgradcheck(
    func: Callable[..., Any], inputs: Tensor | Sequence[Any], grad_outputs: Any = None, **options: Any
) -> bool:
    """`gradcheck` of the gradients of `func`, and so of its second derivatives.

    Args:
        func: as for `gradcheck`.
        inputs: as for `gradcheck`.
        grad_outputs: the gradients of the results; random if not given.
        options: as for `gradcheck`.

    >>> import minigrad
    >>> x = minigrad.tensor([0.5, 2.0], dtype=minigrad.float64, requires_grad=True)
    >>> gradgradcheck(lambda x: x.sin() * x, x)
    True
    """
    given: list[Any] = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    results = [y for y in _results(func, given) if y.requires_grad]
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        seeds = [Tensor.wrap(np.array(rng.uniform(-1, 1, y.array.shape), y.array.dtype)) for y in results]
        seeds = [seed.requires_grad_() for seed in seeds]
    else:
        seeds = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
    n = len(given)

    def gradients(*args: Any) -> tuple[Tensor, ...]:
        varied = [x for x in args[:n] if isinstance(x, Tensor) and x.requires_grad]
        outs = [y for y in _results(func, args[:n]) if y.requires_grad]
        found = grad(outs, varied, args[n:], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(_under_grad(gradients), [*given, *seeds], **options)


def _under_grad(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function that differentiates accept tensors that do not require grad."""

    def call(*args: Any) -> Any:
        with enable_grad():
            ready = [
                x.detach().requires_grad_() if isinstance(x, Tensor) and x.is_floating_point() and not x.tracked else x
                for x in args
            ]
            return function(*ready)

    return call
