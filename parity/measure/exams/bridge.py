"""From torch to minigrad and back: tensors, arguments, functions, and whole graphs.

The arguments in torch's own tests are tensors in lists, tuples and dicts. `to_minigrad` keeps the structure,
which tensors require a gradient, and which are the same tensor or share memory; arrays are copied, so that no side
sees the other's writes.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import minigrad
from minigrad import nn
from minigrad.nn.parameter import Parameter

SEED = 7


class UnsupportedError(Exception):
    """minigrad has no such function, module or option."""


def to_minigrad(tree: Any, memo: dict[int, Any] | None = None) -> Any:
    """`tree` with minigrad's tensors, parameters and dtypes in place of torch's.

    >>> to_minigrad({"input": [torch.ones(2), 3]})
    {'input': [tensor([1., 1.]), 3]}
    """
    memo = {} if memo is None else memo
    if isinstance(tree, torch.Tensor):
        if id(tree) not in memo:
            memo[id(tree)] = _tensor(tree, memo)
        return memo[id(tree)]
    name = getattr(tree, "__name__", "")
    if callable(tree) and tree is getattr(torch.nn.functional, name, None):
        return lookup(f"nn.functional.{name}")
    if isinstance(tree, torch.dtype):
        return _dtype(tree)
    if isinstance(tree, (torch.device, torch.memory_format, torch.layout)):
        return str(tree)
    return _rebuilt(tree, functools.partial(to_minigrad, memo=memo))


def to_torch(tree: Any) -> Any:
    """`tree` with torch's tensors in place of minigrad's (detached copies)."""
    if isinstance(tree, minigrad.Tensor):
        return torch.from_numpy(np.array(tree.detach().numpy()))
    return _rebuilt(tree, to_torch)


def _rebuilt(tree: Any, convert: Callable[[Any], Any]) -> Any:
    if isinstance(tree, dict):
        return type(tree)((k, convert(v)) for k, v in tree.items())
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*map(convert, tree))
    if isinstance(tree, (list, tuple)):
        return (list if isinstance(tree, list) else tuple)(map(convert, tree))
    return tree


def _tensor(x: torch.Tensor, memo: dict[int, Any]) -> Any:
    if x.layout is not torch.strided or x.dtype is torch.bfloat16:
        raise UnsupportedError(f"minigrad has no tensors of layout {x.layout} and type {x.dtype}")
    if x.ndim > 64:
        raise UnsupportedError("NumPy's arrays have at most 64 dimensions")
    plain = x.detach().resolve_conj().resolve_neg()
    size, length = plain.element_size(), plain.untyped_storage().nbytes() // plain.element_size()
    key = hash((plain.untyped_storage().data_ptr(), length, plain.dtype))
    if key not in memo:
        memo[key] = np.array(plain.as_strided((length,), (1,), 0).numpy())
    steps = [n * size for n in plain.stride()]
    array = np.ndarray(tuple(plain.shape), memo[key].dtype, memo[key], plain.storage_offset() * size, steps)
    array.flags.writeable = all(step or n < 2 for step, n in zip(steps, plain.shape, strict=True))
    tensor = minigrad.Tensor.wrap(array)
    if isinstance(x, torch.nn.Parameter):
        return Parameter(tensor, requires_grad=x.requires_grad)
    return tensor.requires_grad_(x.requires_grad)


def _dtype(kind: torch.dtype) -> Any:
    name = str(kind).removeprefix("torch.")
    try:
        return minigrad.dtype.known[np.dtype(name)]
    except (TypeError, KeyError):
        raise UnsupportedError(f"minigrad has no {name}") from None


def leaves(tree: Any) -> Iterator[Any]:
    """The tensors, numbers and strings in `tree`, in order."""
    if isinstance(tree, dict):
        for key in tree:
            yield from leaves(tree[key])
    elif isinstance(tree, (list, tuple)) and not isinstance(tree, (torch.Size, minigrad.Size)):
        for part in tree:
            yield from leaves(part)
    else:
        yield tree


def tracked(tree: Any) -> list[Any]:
    """The different tensors in `tree` that require a gradient, in order."""
    found = {id(x): x for x in leaves(tree) if getattr(x, "requires_grad", False)}
    return list(found.values())


# ---- functions -------------------------------------------------------------------------------------------


def lookup(path: str) -> Any:
    """What minigrad calls by that name: ``"nn.functional.relu"``, or a method of Tensor such as ``"expand"``.

    Raises:
        UnsupportedError: if there is none.
    """
    found: Any = minigrad
    for part in path.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        found = getattr(minigrad.Tensor, path, None)
    if not callable(found):
        raise UnsupportedError(f"minigrad has no {path}")
    return found


def seeded(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Runs a random function from a fixed seed, as torch's tests do."""
    minigrad.manual_seed(42)
    return function(*args, **kwargs)


def translated(function: Any, name: str) -> Any:
    """minigrad's counterpart of a function in torch's tests.

    A lambda of the tests runs unchanged, with ``torch`` meaning minigrad; a function of torch is looked up by `name`.
    """
    if isinstance(function, functools.partial):
        inner = translated(function.func, name)
        return functools.partial(inner, *to_minigrad(function.args), **to_minigrad(function.keywords))
    if isinstance(function, types.FunctionType) and function.__module__.startswith("torch.testing"):
        return rebound(function)
    return lookup(name)


def rebound(function: types.FunctionType, **names: Any) -> Any:
    """The same code where ``torch``, ``nn``, ``F`` and the names in `names` mean minigrad's."""
    f = nn.functional
    own = {"torch": minigrad, "nn": nn, "F": f, "wrapper_set_seed": seeded, **names}
    cells = tuple(types.CellType(_inner(cell.cell_contents, names)) for cell in function.__closure__ or ())
    copy = types.FunctionType(
        function.__code__, {**function.__globals__, **own}, function.__name__, function.__defaults__, cells
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def _inner(content: Any, names: dict[str, Any]) -> Any:
    if isinstance(content, types.FunctionType) and content.__module__.startswith("torch.testing"):
        return rebound(content, **names)
    return to_minigrad(content)


# ---- graphs ----------------------------------------------------------------------------------------------


class Bridge(torch.autograd.Function):
    """A node of torch's graph whose forward and backward are minigrad's.

    Backward is such a node too, of the function "gradient of `function`"; so torch can differentiate it again.
    """

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], *tensors: torch.Tensor) -> Any:
        """``function(*tensors)``, where `function` takes and returns minigrad's tensors."""
        ctx.function = function
        ctx.save_for_backward(*tensors)
        results = function(*(_tensor(x, {}) for x in tensors))
        return tuple(map(to_torch, results)) if isinstance(results, tuple) else to_torch(results)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        """The vector-Jacobian product by minigrad."""
        tensors, needed = ctx.saved_tensors, ctx.needs_input_grad[1:]
        n, function = len(tensors), ctx.function

        def product(*given: Any) -> Any:
            inputs = [x.requires_grad_(need) for x, need in zip(given[:n], needed, strict=True)]
            results = function(*inputs)
            outputs = list(results) if isinstance(results, tuple) else [results]
            pairs = [(y, g) for y, g in zip(outputs, given[n:], strict=True) if y.requires_grad]
            wanted = [x for x, need in zip(inputs, needed, strict=True) if need]
            return minigrad.autograd.grad(
                [y for y, _ in pairs], wanted, [g for _, g in pairs], create_graph=True, materialize_grads=True
            )

        answers = iter(connected(product, *tensors, *gradients))
        return (None, *(next(answers) if need else None for need in needed))


connected: Any = Bridge.apply  #: call a function on minigrad's tensors with torch's
