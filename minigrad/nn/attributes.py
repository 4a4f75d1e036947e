"""The attributes of a module: parameters, buffers and children are registered when they are assigned.

They are ordinary attributes, and one dict, `_roles`, says which attribute has which role. So reading ``self.weight``
costs no more than reading any attribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from minigrad.nn.parameter import Buffer, Parameter
from minigrad.nn.text import type_name
from minigrad.tensor import Tensor

#: The types that an attribute of each role takes, for messages.
WANTED = {
    "parameter": "minigrad.nn.Parameter",
    "child module": "minigrad.nn.Module",
    "buffer": "minigrad.nn.Buffer, minigrad.Tensor",
}


class Attributes:
    """Base class that registers attributes; see `minigrad.nn.Module`."""

    _roles: dict[str, str]
    _non_persistent_buffers_set: set[str]

    def __init__(self) -> None:
        self.__dict__.update(_roles={}, _non_persistent_buffers_set=set())

    def __setattr__(self, name: str, value: Any) -> None:
        role = next((role for role, type_ in ROLES.items() if isinstance(value, type_)), None)
        roles = self.__dict__.get("_roles", {})
        known = roles.get(name)
        order = list(ROLES)
        if role is not None and (known is None or order.index(role) <= order.index(known)):
            if role != known:
                self._check_initialised("parameters" if role == "parameter" else role.removeprefix("child "))
                self._forget(name)
            if isinstance(value, Buffer):
                self.register_buffer(name, value, value.persistent)
            else:
                self._register(role, name, value)
        elif known is not None:
            if value is not None and not (known == "buffer" and isinstance(value, Tensor)):
                raise TypeError(
                    f"cannot assign '{type_name(value)}' as {known} '{name}' ({WANTED[known]} or None expected)"
                )
            self.__dict__[name] = value
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self._forget(name)

    def _forget(self, name: str) -> None:
        self.__dict__.pop(name, None)
        self._roles.pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __dir__(self) -> list[str]:
        return sorted(name for name in object.__dir__(self) if name.isidentifier())

    def _check_initialised(self, what: str) -> None:
        if "_roles" not in self.__dict__:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")

    def _register(self, role: str, name: str, value: Any) -> None:
        """Make `value` an attribute of that role."""
        word = role.removeprefix("child ")
        self._check_initialised(word)
        if not isinstance(name, str):
            raise TypeError(f"{word} name should be a string. Got {type(name).__name__}")
        if self._roles.get(name) != role:
            if hasattr(self, name):
                raise KeyError(f"attribute '{name}' already exists")
            if "." in name:
                raise KeyError(f'{word} name can\'t contain ".", got: {name}')
            if not name:
                raise KeyError(f'{word} name can\'t be empty string ""')
        self._roles[name] = role
        self.__dict__[name] = value

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter; None reserves the name.

        Raises:
            TypeError: if it is not a `Parameter`.
            KeyError: if there is another attribute of that name, or the name is empty or has a dot.
        """
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type_name(param)}' object to parameter '{name}' "
                "(minigrad.nn.Parameter or None required)"
            )
        self._register("parameter", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a buffer: a tensor of the module that is not trained.

        Args:
            name: the attribute.
            tensor: its value; None reserves the name.
            persistent: whether it belongs to the `state_dict`.

        Raises:
            TypeError: if it is not a tensor.
            KeyError: if there is another attribute of that name, or the name is empty or has a dot.
        """
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type_name(tensor)}' object to buffer '{name}' (minigrad Tensor or None required)"
            )
        self._register("buffer", name, tensor)
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: Attributes | None) -> None:
        """Add a child.

        Raises:
            TypeError: if it is not a `Module`.
            KeyError: if there is another attribute of that name, or the name is empty or has a dot.
        """
        if module is not None and not isinstance(module, Attributes):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        self._register("child module", name, module)

    register_module = add_module

    def _own(self, role: str) -> dict[str, Any]:
        """This module's own attributes of one role."""
        here = self.__dict__
        return {name: here[name] for name, what in self._roles.items() if what == role}

    # torch's names for these; to change them, assign to the attributes themselves

    @property
    def _parameters(self) -> Mapping[str, Parameter | None]:
        return MappingProxyType(self._own("parameter"))

    @property
    def _buffers(self) -> Mapping[str, Tensor | None]:
        return MappingProxyType(self._own("buffer"))

    @property
    def _modules(self) -> Mapping[str, Any]:
        return MappingProxyType(self._own("child module"))


#: The roles, by the type of the assigned value. A registered name can only change to a role that comes before its own.
ROLES: dict[str, type] = {"parameter": Parameter, "child module": Attributes, "buffer": Buffer}
