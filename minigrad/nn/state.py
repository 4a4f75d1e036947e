"""A module's state: what `Module.state_dict` gives and `Module.load_state_dict` takes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from minigrad.autograd import no_grad
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    from minigrad.nn.module import Module


class IncompatibleKeys(NamedTuple):
    """The keys that a state_dict lacked, and those that it had too many."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Entry(NamedTuple):
    """A parameter or a persistent buffer, and where it lives."""

    key: str  #: with the path of the module
    owner: Module
    name: str
    value: Tensor


def entries(module: Module, prefix: str = "") -> Iterator[Entry]:
    """All of a module's state; what is shared is listed under each of its names."""
    for kind in ("parameter", "buffer"):
        for name, value in module._own(kind).items():
            if value is not None and name not in module._non_persistent_buffers_set:
                yield Entry(prefix + name, module, name, value)
    for name, child in module._own("child module").items():
        if child is not None:
            yield from entries(child, f"{prefix}{name}.")


def load(module: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Copy `state_dict` into the module; see `Module.load_state_dict`."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    own = {entry.key: entry for entry in entries(module)}
    missing = [key for key in own if key not in state_dict]
    unexpected = [key for key in state_dict if key not in own]
    complaints = []
    if strict:
        for what, keys in (("Missing", missing), ("Unexpected", unexpected)):
            if keys:
                names = ", ".join(f'"{key}"' for key in keys)
                complaints.append(f"{what} key(s) in state_dict: {names}. ")
    found = [(entry, state_dict[key]) for key, entry in own.items() if key in state_dict]
    for entry, value in found:
        if not isinstance(value, Tensor):
            complaints.append(
                f'While copying the parameter named "{entry.key}", expected minigrad.Tensor or Tensor-like object from '
                f"checkpoint but received {type(value)}"
            )
        elif value.shape != entry.value.shape:
            complaints.append(
                f"size mismatch for {entry.key}: copying a param with shape {value.shape} from checkpoint, the shape "
                f"in current model is {entry.value.shape}."
            )
    if not complaints:
        for entry, value in found:
            _copy(entry, value, assign)
        return IncompatibleKeys(missing, unexpected)
    raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t" + "\n\t".join(complaints))


def _copy(entry: Entry, value: Tensor, assign: bool) -> None:
    """Give a place in the module a new value: its content, or (`assign`) the tensor itself."""
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
