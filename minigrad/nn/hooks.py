"""Module hooks: functions of the user's that observe or change a module's inputs, outputs and gradients.

A module without hooks does not use this code: see `Module.__call__`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad.autograd import Function, is_grad_enabled
from minigrad.hooks import Removable
from minigrad.tensor import Tensor

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
    state_pre: dict[int, Hook] = field(default_factory=dict)
    state_post: dict[int, Hook] = field(default_factory=dict)
    load_pre: dict[int, Hook] = field(default_factory=dict)
    load_post: dict[int, Hook] = field(default_factory=dict)

    def with_own(self, own: Hooks) -> Hooks:
        """These hooks, followed by a module's `own`."""
        both = Hooks()
        for name in ("forward_pre", "forward", "backward_pre", "backward"):
            for side, hooks in enumerate((self, own)):
                getattr(both, name).update({(side, key): hook for key, hook in getattr(hooks, name).items()})
        return both


#: The hooks of all modules.
EVERYWHERE = Hooks()


def register(hooks: dict[int, Any], hook: Hook, prepend: bool) -> Removable:
    """Add a hook at the end, or at the beginning."""
    handle = Removable(hooks, hook)  # type: ignore[arg-type]
    if prepend:
        others = {key: other for key, other in hooks.items() if key != handle.key}
        hooks.clear()
        hooks.update({handle.key: hook, **others})
    return handle


def call(module: Module, hooks: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward(*args, **kwargs)`` with the module's hooks."""
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
    if watch and not isinstance(result, (Tensor, tuple)):
        warnings.warn(
            "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
            f"{type(result)}",
            stacklevel=3,
        )
    return watch.outputs(result) if watch else result


def _after(module: Module, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    if hook.with_kwargs:
        return hook.function(module, args, kwargs, result)
    return hook.function(module, args, result)


class _Through(Function):
    """The identity; in backward, `arrive` is called with all gradients at once, and may change them."""

    @staticmethod
    def forward(ctx: Any, arrive: Callable[[tuple[Any, ...]], Sequence[Any]], *tensors: Tensor) -> Any:
        """The identity."""
        ctx.arrive = arrive
        return tensors

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Call `arrive`."""
        return None, *ctx.arrive(grad_outputs)


class _Watch:
    """Captures the gradients of one call's outputs and inputs, and calls the backward hooks with them."""

    def __init__(self, module: Module, hooks: Hooks) -> None:
        self.module, self.hooks = module, hooks
        self.into = _Gate(())
        self.grad_output: tuple[Any, ...] | None = None  #: None until the gradients of the outputs arrive

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, whose gradients will be captured."""
        self.into = _Gate(args)
        return self.into.through(args, self.inputs_arrived)

    def outputs(self, result: Any) -> Any:
        """The results, whose gradients will be captured."""
        results = result if isinstance(result, tuple) else (result,)
        gate = _Gate(results)

        def arrived(gradients: tuple[Any, ...]) -> Sequence[Any]:
            grad_output = gate.spread(gradients)
            for hook in list(self.hooks.backward_pre.values()):
                changed = hook.function(self.module, grad_output)
                if changed is not None:
                    grad_output = changed if isinstance(changed, tuple) else (changed,)
            self.grad_output = grad_output
            if not self.into.places:
                if self.hooks.backward:
                    warnings.warn(
                        "Full backward hook is firing when gradients are computed with respect to module outputs since "
                        "no inputs require gradients.",
                        stacklevel=2,
                    )
                self.call_hooks((None,) * len(self.into.blanks))
            return [grad_output[i] for i in gate.places]

        watched = gate.through(results, arrived)
        return watched if isinstance(result, tuple) else watched[0]

    def inputs_arrived(self, gradients: tuple[Any, ...]) -> Sequence[Any]:
        """Called with the gradients of the inputs, at the end of the module's backward."""
        if self.grad_output is None:
            return gradients
        grad_input = self.call_hooks(self.into.spread(gradients))
        return [grad_input[i] for i in self.into.places]

    def call_hooks(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        """Call the hooks with the gradients of inputs and outputs; they may return other gradients of the inputs."""
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


class _Gate:
    """The inputs or outputs of a call, and the places of those that require grad."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.places = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
        self.blanks = [(v.array.shape, v.array.dtype) if isinstance(v, Tensor) else None for v in values]

    def through(self, values: tuple[Any, ...], arrive: Callable[..., Any]) -> tuple[Any, ...]:
        """`values`; `arrive` will be called with the gradients of those that require grad."""
        if not self.places:
            return values
        watched = dict(zip(self.places, _Through.apply(arrive, *(values[i] for i in self.places)), strict=True))
        passed = (watched.get(i, value) for i, value in enumerate(values))
        return type(values)(*passed) if hasattr(values, "_fields") else tuple(passed)

    def spread(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        """The gradients at their places; zeros for other tensors, None for other values."""
        found = dict(zip(self.places, gradients, strict=True))
        return tuple(
            found[i] if i in found else None if blank is None else Tensor.wrap(np.zeros(*blank))
            for i, blank in enumerate(self.blanks)
        )
