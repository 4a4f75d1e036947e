"""What all optimizers share: parameter groups, state, hooks, and the loop over the parameters.

An optimizer only defines how one parameter is updated: `Optimizer.rule`. The loop in `Optimizer.step` passes that rule
the parameter's array, its gradient (with weight decay added, and negated to maximize) and scratch arrays, so that a
rule is a few in-place ufuncs, and steps after the first allocate nothing.
"""

from __future__ import annotations

import copy
import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import numpy as np

from minigrad.engine import Array
from minigrad.grad_mode import recording
from minigrad.hooks import Removable
from minigrad.optim.rules import Group, Rule, Scratch, counter, with_decay
from minigrad.tensor import Tensor, writes_to_tensors

ParamsT: TypeAlias = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
P = ParamSpec("P")
R = TypeVar("R")
Step: TypeAlias = Callable[Concatenate["Optimizer", P], R]


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()  #: the default of an option that every parameter group must give


def _with_hooks(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
    """A step of an optimizer that has step hooks, which are called before and after it."""
    step = type(self).step
    arguments: Any = (self, *args)
    for hook in self._listeners("step_pre"):
        changed = hook(self, arguments, kwargs)
        if changed is not None:
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}.")
            arguments, kwargs = changed
    result = step(*arguments, **kwargs)
    for hook in self._listeners("step_post"):
        hook(self, arguments, kwargs)
    return result


def _flagged(step: Step[P, R]) -> Step[P, R]:
    """An optimizer's own step, which also sets the flag that schedulers check."""

    @functools.wraps(step)
    def flagged(self: Optimizer, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self._opt_called = True
        return step(self, *args, **kwargs)

    return flagged


class Optimizer:
    """Base class of all optimizers.

    Args:
        params: tensors, or ``(name, tensor)`` pairs, or groups: dicts with ``"params"`` and, for that group,
            other values for the options.
        defaults: the options and their values for the groups that do not give them.

    Attributes:
        param_groups: the groups; change ``param_groups[0]["lr"]`` to change the learning rate.
        state: the optimizer's state for each parameter.

    Raises:
        TypeError: for a single tensor, a set, or anything else that is not a tensor among the parameters.
        ValueError: for no parameters, results of operations, or a parameter in two groups.

    A subclass defines `rule`, or `step` itself.
    """

    _opt_called = False  # lr_scheduler warns when it steps before the optimizer ever did

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = writes_to_tensors(_flagged(cls.step))  # type: ignore[method-assign, arg-type]

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {type(params).__name__}"
            )
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[Group] = []
        self._start()
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _start(self) -> None:
        self._hooks: defaultdict[str, OrderedDict[int, Callable[..., Any]]] = defaultdict(OrderedDict)
        self._scratch: dict[Tensor, Scratch] = {}
        self._memory: dict[np.dtype[Any], Array] = {}  # the memory of the scratch arrays

    # ---- a step -------------------------------------------------------------------------------------

    def rule(self, group: Group, dtype: np.dtype[Any]) -> Rule:
        """The function that updates the parameters of `dtype` in `group`; called in each step."""
        raise NotImplementedError(f"{type(self).__name__} defines neither `rule` nor `step`")

    def begin(self, p: Tensor, *names: str) -> dict[str, Any]:
        """The state of a parameter before its first step: a step count, and zeros of its shape under `names`."""
        self.state[p] |= {"step": counter()} | {name: Tensor.wrap(np.zeros_like(p.array)) for name in names}
        return self.state[p]

    @writes_to_tensors
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: recomputes the loss and its gradients; called once, with gradients enabled.

        Returns:
            What the closure returned.
        """
        self._opt_called = True
        loss = None
        if closure is not None:
            with recording(True):
                loss = closure()
        with np.errstate(all="ignore"):
            for group in self.param_groups:
                rules: dict[np.dtype[Any], Rule] = {}
                for p in group["params"]:
                    if p._grad is None:
                        continue
                    w = p.array
                    rule = rules.get(w.dtype)
                    if rule is None:
                        rule = self.rule(group, w.dtype)
                        if group.get("maximize") or group.get("weight_decay"):
                            rule = with_decay(rule, group, w.dtype)
                        rules[w.dtype] = rule
                    scratch = self._scratch.get(p)
                    if scratch is None or scratch.like is not w:
                        scratch = self._scratch[p] = self._scratch_for(w)
                    rule(p, w, p._grad.array, scratch)
                    if p.version is None:  # as `bump` does, which would be a call for each parameter
                        p.version = [0]
                    p.version[0] += 1
        return loss

    def _scratch_for(self, w: Array) -> Scratch:
        memory = self._memory.get(w.dtype)
        if memory is None or memory.shape[1] < w.size:
            self._scratch = {p: s for p, s in self._scratch.items() if s.like.dtype != w.dtype}
            memory = self._memory[w.dtype] = np.empty((3, w.size), w.dtype)
        order: Any = "F" if w.flags.f_contiguous and not w.flags.c_contiguous else "C"
        gradient, a, b = (row[: w.size].reshape(w.shape, order=order) for row in memory)
        return Scratch(w, gradient, a, b)

    @writes_to_tensors
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, or (with ``set_to_none=False``) fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                grad = p._grad
                if grad is None:
                    continue
                if set_to_none:
                    p._grad = None
                else:
                    grad.detach_()
                    grad.array[...] = 0
                    grad.bump()

    # ---- parameter groups ---------------------------------------------------------------------------

    def add_param_group(self, param_group: Group) -> None:
        """Add a group: a dict with ``"params"`` and options that differ from the defaults.

        Raises:
            TypeError, ValueError: as the class.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        given = param_group["params"]
        if isinstance(given, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
                "sets will change between runs. Please use a list instead."
            )
        items = [given] if isinstance(given, Tensor) else list(given)
        names = [item[0] for item in items if isinstance(item, tuple)]
        params = [item[1] if isinstance(item, tuple) else item for item in items]
        if names and len(names) != len(params):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        for i, p in enumerate(params):
            if not isinstance(p, Tensor):
                raise TypeError(
                    f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__} (params[{i}])"
                )
            if not (p.is_leaf or p.retains_grad):
                raise ValueError(f"can't optimize a non-leaf Tensor (params[{i}], of shape {list(p.shape)})")
        for name, value in self.defaults.items():
            if value is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, value)
        self._refuse(param_group)
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an "
                "error; see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        for group in self.param_groups:
            if ("param_names" in param_group) != ("param_names" in group):
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param group "
                    f"{'with' if names else 'without'} names to the optimizer"
                )
            if not set(params).isdisjoint(group["params"]):
                raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    def _refuse(self, group: Group) -> None:
        """Reject options of PyTorch's that are not supported here."""
        if group.get("fused") and group.get("differentiable"):
            raise RuntimeError("`fused` does not support `differentiable`")
        if group.get("fused") and group.get("foreach"):
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        reasons = {"differentiable": "a step is never recorded", "capturable": "there are no CUDA graphs"}
        for name, reason in reasons.items():
            if group.get(name):
                raise NotImplementedError(f"{type(self).__name__}: {name}=True is not supported: {reason}")

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
        return text + ")"

    # ---- saving and loading -------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The state as ``{"state": {index: …}, "param_groups": […]}``, with numbers in place of parameters.

        The tensors in it are the optimizer's own, not copies.
        """
        for hook in self._listeners("state_dict_pre"):
            hook(self)
        index: dict[Any, int] = {}
        for group in self.param_groups:
            index |= {p: i for i, p in enumerate(group["params"], len(index)) if p not in index}
        result: dict[str, Any] = {
            "state": {index.get(p, p): state for p, state in self.state.items()},
            "param_groups": [
                {**{k: v for k, v in group.items() if k != "params"}, "params": [index[p] for p in group["params"]]}
                for group in self.param_groups
            ],
        }
        for hook in self._listeners("state_dict_post"):
            changed = hook(self, result)
            result = result if changed is None else changed
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state that `state_dict` returned, here or in PyTorch (tensors of either, or arrays).

        Values are copied, into the dtype of their parameter.

        Raises:
            ValueError: if number or sizes of the parameter groups differ.
        """
        state_dict = dict(state_dict)
        for hook in self._listeners("load_state_dict_pre"):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        groups, saved = self.param_groups, copy.deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError(
                "loaded state dict has a different number of parameter groups "
                f"({len(saved)}, and the optimizer {len(groups)})"
            )
        param_of: dict[Any, Tensor] = {}
        for i, (group, other) in enumerate(zip(groups, saved, strict=True)):
            if len(group["params"]) != len(other["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group "
                    f"({len(other['params'])} parameters for {len(group['params'])} in group {i})"
                )
            param_of |= zip(other["params"], group["params"], strict=True)
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for number, value in state_dict["state"].items():
            p = param_of.get(number)
            state[number if p is None else p] = value if p is None else _converted(value, p)
        for group, other in zip(groups, saved, strict=True):
            other["params"] = group["params"]
            for name in group:
                if name == "param_names" or name in self.defaults:
                    other.setdefault(name, group[name])
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._listeners("load_state_dict_post"):
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_hooks" not in self.__dict__:
            self._start()
        self.__dict__.update(state)

    # ---- hooks --------------------------------------------------------------------------------------

    def _listeners(self, event: str) -> list[Callable[..., Any]]:
        return list(self._hooks[event].values()) if event in self._hooks else []

    def _register(self, event: str, hook: Callable[..., Any], prepend: bool = False) -> Removable:
        handle = Removable(self._hooks[event], hook)
        if prepend:
            self._hooks[event].move_to_end(handle.key, last=False)
        return handle

    def _register_step_hook(self, event: str, hook: Callable[..., Any]) -> Removable:
        self.step = writes_to_tensors(functools.partial(_with_hooks, self))  # type: ignore[method-assign]
        return self._register(event, hook)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> Removable:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return other ``(args, kwargs)``."""
        return self._register_step_hook("step_pre", hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> Removable:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return self._register_step_hook("step_post", hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Removable:
        """Call ``hook(optimizer)`` before `state_dict` collects the state."""
        return self._register("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Removable:
        """Call ``hook(optimizer, state_dict)`` on what `state_dict` returns; it may return another dict."""
        return self._register("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Removable:
        """Call ``hook(optimizer, state_dict)`` before it is loaded; it may return another dict."""
        return self._register("load_state_dict_pre", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Removable:
        """Call ``hook(optimizer)`` after a state was loaded."""
        return self._register("load_state_dict_post", hook, prepend)


def _converted(value: Any, p: Tensor, key: str | None = None) -> Any:
    """A copy of a saved value, in the dtype and memory layout of the parameter (step counts: in their own)."""
    if isinstance(value, dict):
        return {k: _converted(v, p, k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_converted(v, p) for v in value)
    if not hasattr(value, "__array__"):
        return value
    array = np.asarray(value.array if isinstance(value, Tensor) else value)
    if key == "step" or array.shape != p.array.shape:
        return Tensor.wrap(np.array(array, array.dtype if key == "step" else p.array.dtype))
    twin = np.empty_like(p.array)
    twin[...] = array
    return Tensor.wrap(twin)


def check_rates(lr: float | Tensor, **others: float) -> None:
    """Reject a negative learning rate, or a negative value of another option.

    Raises:
        ValueError: naming the option.
    """
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not float(lr) >= 0:
        raise ValueError(f"Invalid learning rate: {lr}")
    for name, value in others.items():
        if not value >= 0:
            raise ValueError(f"Invalid {name} value: {value}")


def chosen(arguments: dict[str, Any], names: str) -> dict[str, Any]:
    """The arguments of a function that `names` lists, in that order."""
    return {name: arguments[name] for name in names.split()}
