"""A module's state: `Module.state_dict` and `Module.load_state_dict`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from minigrad.autograd import no_grad
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    from minigrad.nn.module import Module


EXTRA = "_extra_state"  #: the key of the value of `Module.get_extra_state`


class IncompatibleKeys(NamedTuple):
    """The keys that a state_dict lacked, and those that it should not have."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Entry(NamedTuple):
    """A parameter or a persistent buffer, and where it is."""

    key: str  #: including the path of the module
    owner: Module
    name: str
    value: Tensor


def own_entries(module: Module, prefix: str) -> Iterator[Entry]:
    """A module's own parameters and persistent buffers."""
    for role in ("parameter", "buffer"):
        for name, value in module._own(role).items():
            if value is not None and name not in module._non_persistent_buffers_set:
                yield Entry(prefix + name, module, name, value)


def _defines(module: Module, name: str) -> bool:
    from minigrad.nn.module import Module

    return getattr(type(module), name) is not getattr(Module, name)


def _call_hooks(module: Module, event: str, *args: Any) -> None:
    if module._hooks is not None:
        for hook in list(getattr(module._hooks, event).values()):
            hook.function(module, *args)


def save(module: Module, destination: dict[str, Any] | None, prefix: str, keep_vars: bool) -> dict[str, Any]:
    """Collect the state of a module; see `Module.state_dict`."""
    result: Any = destination
    if result is None:
        result = OrderedDict()
        result._metadata = OrderedDict()
    local = {"version": module._version}
    if hasattr(result, "_metadata"):
        result._metadata[prefix[:-1]] = local
    _call_hooks(module, "state_pre", prefix, keep_vars)
    for key, _, _, value in own_entries(module, prefix):
        result[key] = value if keep_vars else value.detach()
    if _defines(module, "get_extra_state"):
        result[prefix + EXTRA] = module.get_extra_state()
    for name, child in module._own("child module").items():
        if child is not None:
            child.state_dict(destination=result, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    _call_hooks(module, "state_post", result, prefix, local)
    return result  # type: ignore[no-any-return]


@dataclass
class Loading:
    """The findings from reading a state_dict, before anything is changed."""

    metadata: Mapping[str, Any]
    strict: bool
    keys: IncompatibleKeys = field(default_factory=lambda: IncompatibleKeys([], []))
    complaints: list[str] = field(default_factory=list)
    found: list[tuple[Entry, Tensor]] = field(default_factory=list)
    extra: list[tuple[Module, Any]] = field(default_factory=list)
    modules: list[Module] = field(default_factory=list)  #: children first

    def read(self, module: Module, state_dict: dict[str, Any], prefix: str = "") -> None:
        """Read the entries of a module in `state_dict`, in which all keys begin with `prefix`."""
        local = self.metadata.get(prefix[:-1], {})
        _call_hooks(module, "load_pre", state_dict, prefix, local, self.strict, *self.keys, self.complaints)
        module._upgrade(state_dict, prefix, local.get("version"))
        own = {entry.key: entry for entry in own_entries(module, prefix)}
        wanted = [*own]
        if _defines(module, "set_extra_state") or _defines(module, "get_extra_state"):
            wanted.append(prefix + EXTRA)
            if prefix + EXTRA in state_dict:
                self.extra.append((module, state_dict[prefix + EXTRA]))
        self.keys.missing_keys.extend(key for key in wanted if key not in state_dict)
        for key, entry in own.items():
            if key in state_dict:
                self.check(entry, state_dict[key])
        children = {name: child for name, child in module._own("child module").items() if child is not None}
        for key in state_dict:
            first, dot, _ = key[len(prefix) :].partition(".")
            if key not in wanted and not (dot and first in children):
                self.keys.unexpected_keys.append(key)
        for name, child in children.items():
            below = f"{prefix}{name}."
            self.read(child, {key: value for key, value in state_dict.items() if key.startswith(below)}, below)
        self.modules.append(module)

    def check(self, entry: Entry, value: Any) -> None:
        """Collect a value, or what is wrong with it."""
        if not isinstance(value, Tensor):
            self.complaints.append(
                f'While copying the parameter named "{entry.key}", expected minigrad.Tensor or Tensor-like object from '
                f"checkpoint but received {type(value)}"
            )
            return
        if entry.value.ndim == 0 and tuple(value.shape) == (1,):  # scalars were once saved this way
            value = value[0]
        if value.shape != entry.value.shape:
            self.complaints.append(
                f"size mismatch for {entry.key}: copying a param with shape {value.shape} from checkpoint, the shape "
                f"in current model is {entry.value.shape}."
            )
        self.found.append((entry, value))

    def refuse(self, module: Module) -> None:
        """Report all that is wrong.

        Raises:
            RuntimeError: if anything is.
        """
        lacking = []
        if self.strict:
            for what, keys in (("Missing", self.keys.missing_keys), ("Unexpected", self.keys.unexpected_keys)):
                if keys:
                    names = ", ".join(f'"{key}"' for key in keys)
                    lacking.append(f"{what} key(s) in state_dict: {names}. ")
        if lacking or self.complaints:
            complaints = "\n\t".join(lacking + self.complaints)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t{complaints}")


def load(module: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Copy `state_dict` into the module; see `Module.load_state_dict`."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    loading = Loading(getattr(state_dict, "_metadata", None) or {}, strict)
    loading.read(module, OrderedDict(state_dict))
    if loading.complaints or not any(m._hooks and m._hooks.load_post for m in loading.modules):
        loading.refuse(module)
    for entry, value in loading.found:
        _copy(entry, value, assign)
    for owner, extra in loading.extra:
        owner.set_extra_state(extra)
    for each in loading.modules:
        _call_hooks(each, "load_post", loading.keys)
    loading.refuse(module)
    return loading.keys


def _copy(entry: Entry, value: Tensor, assign: bool) -> None:
    """Copy a value into an entry, or (`assign`) assign the tensor itself."""
    if not assign:
        with no_grad():
            entry.value.copy_(value)
    elif isinstance(entry.value, Parameter):
        if not isinstance(value, Parameter):
            value = Parameter(value)
        value.requires_grad = entry.value.requires_grad
        setattr(entry.owner, entry.name, value)
    else:
        setattr(entry.owner, entry.name, value)
