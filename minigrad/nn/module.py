"""`Module`: the base class of all layers, losses and networks.

Calling a module without hooks is a single call of its `forward`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from minigrad import dtypes
from minigrad.dtypes import DTypeLike
from minigrad.hooks import Removable
from minigrad.nn import hooks, state
from minigrad.nn.attributes import Attributes
from minigrad.nn.parameter import Parameter
from minigrad.nn.text import bracketed, say_where
from minigrad.ops.convert import wanted_dtype
from minigrad.ops.record import refusal
from minigrad.tensor import Tensor

M = TypeVar("M", bound="Module")


class Module(Attributes):
    """A part of a network: it holds parameters and other modules, and its `forward` computes with them.

    Assigning a `Parameter`, a `Buffer` or a `Module` to an attribute registers it.

    >>> import minigrad
    >>> from minigrad import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc1 = nn.Linear(4, 3)
    ...         self.fc2 = nn.Linear(3, 2)
    ...     def forward(self, x):
    ...         return self.fc2(self.fc1(x).relu())
    >>> net = Net()
    >>> net
    Net(
      (fc1): Linear(in_features=4, out_features=3, bias=True)
      (fc2): Linear(in_features=3, out_features=2, bias=True)
    )
    >>> net(minigrad.ones(5, 4)).shape
    minigrad.Size([5, 2])
    """

    training: bool
    _hooks: hooks.Hooks | None = None
    hooked: ClassVar[bool] = False  #: whether global hooks, for all modules, were ever registered
    operands: ClassVar[tuple[str, ...]] = ()  #: for minigrad's layers: the first arguments, which must be tensors
    _version: ClassVar[int] = 1  #: the version of the module's state

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "forward" in vars(cls):
            own = cls.__module__.startswith("minigrad.")
            annotations = cls.forward.__annotations__.items() if own else ()
            cls.operands = tuple(
                name for name, annotation in annotations if annotation == "Tensor" and name != "return"
            )

    def __init__(self) -> None:
        super().__init__()
        self.__dict__["training"] = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result; each module defines it. Call the module instead, which also runs its hooks."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` with these arguments, and the hooks around it."""
        try:
            for name, a in zip(self.operands, args, strict=False):
                if not isinstance(a, Tensor):
                    raise refusal(type(self).__name__, name, self.operands.index(name) + 1, a)
            if self._hooks is None and not Module.hooked:
                return self.forward(*args, **kwargs)
            return hooks.call(self, hooks.EVERYWHERE.with_own(self._hooks or hooks.Hooks()), args, kwargs)
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            say_where(error, self)
            raise

    # ---- members ------------------------------------------------------------------------------------

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct children of this module, each once, with their names."""
        seen: set[Module] = set()
        for name, child in self._own("child module").items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """The direct children of this module."""
        return (child for _, child in self.named_children())

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, with their dotted paths (its own is `prefix`).

        >>> from minigrad import nn
        >>> [name for name, _ in nn.Sequential(nn.Linear(1, 1), nn.ReLU()).named_modules()]
        ['', '0', '1']
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._own("child module").items():
            if child is not None:
                yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        return (module for _, module in self.named_modules())

    def _named_members(
        self, role: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in module._own(role).items():
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters of this module and (`recurse`) of all below it, each once, with their dotted paths."""
        return self._named_members("parameter", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, for an optimizer.

        >>> from minigrad import nn
        >>> sum(p.numel() for p in nn.Linear(784, 10).parameters())
        7850
        """
        return (param for _, param in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers of this module and (`recurse`) of all below it, each once, with their dotted paths."""
        return self._named_members("buffer", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path.

        Raises:
            AttributeError: if there is none.
        """
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Replace the module at a dotted path, or (unless `strict`) add one there.

        Raises:
            ValueError: for an empty path, or if `module` is not a module.
            AttributeError: if part of the path does not exist.
        """
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if strict or not isinstance(getattr(owner, name, module), Module):
            owner.get_submodule(name)  # raises an error if there is none
        setattr(owner, name, module)

    def _get(self, target: str, role: str, article: str) -> Any:
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if not hasattr(owner, name):
            raise AttributeError(f"{type(owner).__name__} has no attribute `{name}`")
        if owner._roles.get(name) != role:
            raise AttributeError(f"`{name}` is not {article}")
        return getattr(owner, name)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path.

        Raises:
            AttributeError: if there is none.
        """
        return self._get(target, "parameter", "an nn.Parameter")  # type: ignore[no-any-return]

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path.

        Raises:
            AttributeError: if there is none.
        """
        return self._get(target, "buffer", "a buffer")  # type: ignore[no-any-return]

    # ---- modes and values ---------------------------------------------------------------------------

    def train(self: M, mode: bool = True) -> M:
        """Set this module and all below it to training mode (which affects dropout and batch norm), or evaluation.

        Raises:
            ValueError: if `mode` is not a bool.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: M) -> M:
        """Set this module and all below it to evaluation mode."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Set whether the parameters are trained."""
        for param in self.parameters():
            param.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters to None, or to zero."""
        for param in self.parameters():
            if set_to_none:
                param.grad = None
            elif param.grad is not None:
                param.grad.detach_().zero_()

    def apply(self: M, fn: Callable[[Module], object]) -> M:
        """Call ``fn(module)`` on all modules below this one, then on this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def _apply(self: M, fn: Callable[[Tensor], Tensor]) -> M:
        """Replace the values of all parameters, their gradients, and buffers; parameters stay the same objects."""
        for child in self.children():
            child._apply(fn)
        for param in self._own("parameter").values():
            if param is not None:
                param.array = fn(param.detach()).array
                if param.grad is not None:
                    param.grad = fn(param.grad.detach())
        for name, buffer in self._own("buffer").items():
            if buffer is not None:
                self.__dict__[name] = fn(buffer)
        return self

    def to(self: M, *where: Any, **how: Any) -> M:
        """Convert parameters and buffers of floats to another dtype, in place: ``module.to(minigrad.float64)``.

        A device is accepted too (there is only the CPU), or a tensor whose dtype to take.

        Raises:
            TypeError: if the dtype is not one of floats.
            RuntimeError: for another device.
        """
        dtype = wanted_dtype(where, how)
        if dtype is None:
            return self
        wanted = dtypes.dtype.known[dtypes.as_numpy(dtype)]
        if not (wanted.is_floating_point or wanted.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={wanted}"
            )
        return self._apply(lambda t: t.to(wanted) if t.is_floating_point() else t)

    def type(self: M, dst_type: DTypeLike) -> M:
        """Convert all parameters and buffers to a dtype, in place."""
        return self._apply(lambda t: t.to(dst_type))

    def float(self: M) -> M:
        """Convert floats to float32, in place."""
        return self.to(dtypes.float32)

    def double(self: M) -> M:
        """Convert floats to float64, in place."""
        return self.to(dtypes.float64)

    def half(self: M) -> M:
        """Convert floats to float16, in place."""
        return self.to(dtypes.float16)

    def cpu(self: M) -> M:
        """This module: it is on the CPU."""
        return self

    def cuda(self: M, device: Any = None) -> M:
        """Not supported.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("minigrad runs on the CPU only; use device 'cpu'")

    # ---- state --------------------------------------------------------------------------------------

    def state_dict(
        self, *, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """All parameters and persistent buffers, by their dotted paths.

        The tensors share memory with the module's; they are detached, unless `keep_vars`.

        >>> from minigrad import nn
        >>> list(nn.Sequential(nn.Linear(1, 1)).state_dict())
        ['0.weight', '0.bias']
        """
        return state.save(self, destination, prefix, keep_vars)

    def get_extra_state(self) -> Any:
        """Further state to save with parameters and buffers; modules that have such state define this."""
        raise RuntimeError("Reached a code path in Module.get_extra_state() that should never be called.")

    def set_extra_state(self, state: Any) -> None:
        """Load what `get_extra_state` returned; modules that have such state define this."""
        raise RuntimeError("Reached a code path in Module.set_extra_state() that should never be called.")

    def _upgrade(self, state_dict: dict[str, Any], prefix: str, version: int | None) -> None:
        """Convert a state that was saved by an older version of the module."""

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> state.IncompatibleKeys:
        """Copy parameters and buffers from a `state_dict`. If it raises an error, nothing was changed.

        Args:
            state_dict: tensors by their dotted paths.
            strict: its keys must be exactly those of this module.
            assign: assign the tensors themselves instead of copying them.

        Returns:
            ``(missing_keys, unexpected_keys)``.

        Raises:
            RuntimeError: if keys are missing or unexpected (and `strict`), or a shape differs.
        """
        return state.load(self, state_dict, strict, assign)

    # ---- hooks --------------------------------------------------------------------------------------

    def _all_hooks(self) -> hooks.Hooks:
        if self._hooks is None:
            self._hooks = hooks.Hooks()
        return self._hooks

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Removable:
        """Call ``hook(module, args)`` before each `forward`; what it returns, if anything, replaces the arguments.

        With `with_kwargs` it is ``hook(module, args, kwargs)``, and it returns both or None. With `prepend` it is
        called before the hooks registered so far. ``remove()`` on the result removes the hook.
        """
        return hooks.register(self._all_hooks().forward_pre, hooks.Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> Removable:
        """Call ``hook(module, args, output)`` after each `forward`; what it returns, if anything, is the new output.

        With `with_kwargs` it is ``hook(module, args, kwargs, output)``; with `always_call` it is called (with None)
        also when `forward` raises.
        """
        return hooks.register(self._all_hooks().forward, hooks.Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Removable:
        """Call ``hook(module, grad_output)`` when the outputs' gradients are known; it may return others."""
        return hooks.register(self._all_hooks().backward_pre, hooks.Hook(hook), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Removable:
        """Call ``hook(module, grad_input, grad_output)`` when the inputs' gradients are known.

        It may return other gradients of the inputs. Both are tuples, with None for what has no gradient.
        """
        return hooks.register(self._all_hooks().backward, hooks.Hook(hook), prepend)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> Removable:
        """Call ``hook(module, prefix, keep_vars)`` before `state_dict` collects the state."""
        return hooks.register(self._all_hooks().state_pre, hooks.Hook(hook), False)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> Removable:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` on what `state_dict` has collected."""
        return hooks.register(self._all_hooks().state_post, hooks.Hook(hook), False)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> Removable:
        """Call `hook` before `load_state_dict` reads this module's entries; it may change the ``state_dict``.

        It is ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)``.
        """
        return hooks.register(self._all_hooks().load_pre, hooks.Hook(hook), False)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> Removable:
        """Call ``hook(module, incompatible_keys)`` after `load_state_dict`; it may change the lists of keys."""
        return hooks.register(self._all_hooks().load_post, hooks.Hook(hook), False)

    @property
    def _forward_pre_hooks(self) -> dict[int, hooks.Hook]:
        return self._all_hooks().forward_pre

    @property
    def _forward_hooks(self) -> dict[int, hooks.Hook]:
        return self._all_hooks().forward

    @property
    def _backward_hooks(self) -> dict[int, hooks.Hook]:
        return self._all_hooks().backward

    # ---- text ---------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """The module's options, shown in its repr; layers override it."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def _repr_html_(self) -> str:
        from minigrad._html import preformatted

        return preformatted(f"{self!r}\n{sum(p.numel() for p in self.parameters()):,} parameters")

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({name}): {child!r}" for name, child in self._own("child module").items()]
        return bracketed(self._get_name(), extra.split("\n") if extra else [], children)


def _register_everywhere(event: str, hook: Callable[..., Any], **options: bool) -> Removable:
    Module.hooked = True
    return hooks.register(getattr(hooks.EVERYWHERE, event), hooks.Hook(hook, **options), False)


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> Removable:
    """`Module.register_forward_pre_hook` for all modules."""
    return _register_everywhere("forward_pre", hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> Removable:
    """`Module.register_forward_hook` for all modules."""
    return _register_everywhere("forward", hook, with_kwargs=with_kwargs, always_call=always_call)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> Removable:
    """`Module.register_full_backward_pre_hook` for all modules."""
    return _register_everywhere("backward_pre", hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> Removable:
    """`Module.register_full_backward_hook` for all modules."""
    return _register_everywhere("backward", hook)
