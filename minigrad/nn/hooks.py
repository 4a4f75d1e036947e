"""Functions that a user attaches to a module, to look at what passes through it or to change it.

A module without hooks never comes here: see `Module.__call__`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from minigrad.autograd import Function, is_grad_enabled
from minigrad.tensor import Removable, Tensor

if TYPE_CHECKING:
    from minigrad.nn.module import Module


class Hook(NamedTuple):
    """One registered hook."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


@dataclass
class Hooks:
    """The hooks of one module, in the order in which they run."""

    forward_pre: dict[int, Hook] = field(default_factory=dict)
    forward: dict[int, Hook] = field(default_factory=dict)
    backward_pre: dict[int, Hook] = field(default_factory=dict)
    backward: dict[int, Hook] = field(default_factory=dict)


def register(hooks: dict[int, Hook], hook: Hook, prepend: bool) -> Removable:
    """Add a hook at the end, or at the beginning."""
    handle = Removable(hooks, hook)
    if prepend:
        others = {key: other for key, other in hooks.items() if key != handle.key}
        hooks.clear()
        hooks.update({handle.key: hook, **others})
    return handle


def call(module: Module, hooks: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward(*args, **kwargs)``, with the module's hooks around it."""
    for hook in list(hooks.forward_pre.values()):
        if hook.with_kwargs:
            changed = hook.function(module, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                    )
                args, kwargs = changed
        else:
            changed = hook.function(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)

    watch = _Watch(module, hooks) if (hooks.backward or hooks.backward_pre) and is_grad_enabled() else None
    if watch:
        args = watch.inputs(args)
    done: set[int] = set()
    try:
        result = module.forward(*args, **kwargs)
        for key, hook in list(hooks.forward.items()):
            done.add(key)
            changed = _after(module, hook, args, kwargs, result)
            result = result if changed is None else changed
    except Exception:
        for key, hook in list(hooks.forward.items()):
            if hook.always_call and key not in done:
                _after(module, hook, args, kwargs, None)
        raise
    return watch.outputs(result) if watch else result


def _after(module: Module, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    if hook.with_kwargs:
        return hook.function(module, args, kwargs, result)
    return hook.function(module, args, result)


class _Through(Function):
    """Tensors as they are; on the way back, `arrive` sees all their gradients at once, and may change them."""

    @staticmethod
    def forward(ctx: Any, arrive: Callable[[tuple[Any, ...]], Sequence[Any]], *tensors: Tensor) -> Any:
        """Pass on."""
        ctx.arrive = arrive
        return tensors

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Show the gradients."""
        return None, *ctx.arrive(grad_outputs)


class _Watch:
    """Catches the gradients of one call's outputs and inputs, and calls the backward hooks with them."""

    def __init__(self, module: Module, hooks: Hooks) -> None:
        self.module, self.hooks = module, hooks
        self.places: list[int] = []  # of the inputs that require grad
        self.count = 0  # of all inputs
        self.grad_output: tuple[Any, ...] = ()

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, watched."""
        self.count = len(args)
        self.places = [i for i, a in enumerate(args) if isinstance(a, Tensor) and a.requires_grad]
        return _through(args, self.places, self.inputs_arrived)

    def outputs(self, result: Any) -> Any:
        """The results, watched."""
        results = result if isinstance(result, tuple) else (result,)
        places = [i for i, r in enumerate(results) if isinstance(r, Tensor) and r.requires_grad]

        def arrived(gradients: tuple[Any, ...]) -> Sequence[Any]:
            grad_output = _spread(gradients, places, len(results))
            for hook in list(self.hooks.backward_pre.values()):
                changed = hook.function(self.module, grad_output)
                if changed is not None:
                    grad_output = changed if isinstance(changed, tuple) else (changed,)
            self.grad_output = grad_output
            if not self.places:  # no gradient will come back to the inputs
                self.call_hooks((None,) * self.count)
            return [grad_output[i] for i in places]

        watched = _through(results, places, arrived)
        return watched if isinstance(result, tuple) else watched[0]

    def inputs_arrived(self, gradients: tuple[Any, ...]) -> Sequence[Any]:
        """Backward has come through the module."""
        grad_input = self.call_hooks(_spread(gradients, self.places, self.count))
        return [grad_input[i] for i in self.places]

    def call_hooks(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        """Show the gradients of the inputs and outputs; a hook may return other gradients of the inputs."""
        for hook in list(self.hooks.backward.values()):
            changed = hook.function(self.module, grad_input, self.grad_output)
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                if len(changed) != len(grad_input):
                    raise RuntimeError(
                        f"Backward hook returned an invalid number of grad_input, got {len(changed)}, but expected "
                        f"{len(grad_input)}"
                    )
                grad_input = changed
        return grad_input


def _through(values: tuple[Any, ...], places: list[int], arrive: Callable[..., Any]) -> tuple[Any, ...]:
    """`values`, those at `places` watched."""
    if not places:
        return values
    watched = dict(zip(places, _Through.apply(arrive, *(values[i] for i in places)), strict=True))
    return tuple(watched.get(i, value) for i, value in enumerate(values))


def _spread(gradients: tuple[Any, ...], places: list[int], count: int) -> tuple[Any, ...]:
    """Gradients at their `places` among `count`, None elsewhere."""
    found = dict(zip(places, gradients, strict=True))
    return tuple(found.get(i) for i in range(count))
