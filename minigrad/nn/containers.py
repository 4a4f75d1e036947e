"""Modules that hold others: sequences, lists, dicts; and lists and dicts of parameters."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import index
from typing import Any, Self, SupportsIndex

from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.nn.text import bracketed, type_name
from minigrad.tensor import Tensor

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _Row(Module):
    """Base of containers whose members are ordered, and named by their index: 0, 1, 2 …"""

    def _members(self) -> list[Any]:
        return list(self._own("child module").values())

    def _place(self, key: SupportsIndex) -> int:
        """An index, counted from the front.

        Raises:
            IndexError: if it does not exist.
        """
        place, n = index(key), len(self)
        if not -n <= place < n:
            raise IndexError(f"index {place} is out of range")
        return place % n

    def __len__(self) -> int:
        return len(self._members())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._members())


class _ModuleRow(_Row):
    """Base of `Sequential` and `ModuleList`."""

    def _rebuild(self, modules: list[Any]) -> None:
        """Replace all modules by these, in this order."""
        for module in modules:
            _check(module)
        for name in self._own("child module"):
            delattr(self, name)
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def append(self, module: Module) -> Self:
        """Add a module at the end; returns the container."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end; returns the container.

        Raises:
            TypeError: if `modules` can't be iterated over, or one of them is not a module.
        """
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{type(self).__name__}.extend should be called with an iterable, but got {type(modules).__name__}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Insert a module before the one at `index`; returns the container.

        Raises:
            TypeError: if it is not a module.
            IndexError: if the index is out of range.
        """
        members = self._members()
        if not -len(members) <= index <= len(members):
            raise IndexError(f"Index out of range: {index}")
        members.insert(index, module)
        self._rebuild(members)
        return self

    def pop(self, key: SupportsIndex) -> Module:
        """Remove a module, and return it."""
        module: Module = self._members()[self._place(key)]
        del self[key]
        return module

    def __setitem__(self, key: SupportsIndex, module: Module) -> None:
        setattr(self, list(self._own("child module"))[self._place(key)], module)

    def __delitem__(self, key: Any) -> None:
        members = self._members()
        del members[key if isinstance(key, slice) else self._place(key)]
        self._rebuild(members)

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)


def _check(module: Any) -> None:
    if not isinstance(module, Module):
        raise TypeError(f"{type(module).__name__} is not a Module subclass")


class Sequential(_ModuleRow):
    """Modules in sequence: each one's output is the next one's input.

    Takes the modules, or an OrderedDict of them with their names. Can be indexed, sliced and iterated over.

    >>> from minigrad import nn
    >>> nn.Sequential(nn.Linear(4, 2), nn.ReLU())[0]
    Linear(in_features=4, out_features=2, bias=True)
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            self.extend(args)

    def forward(self, input: Any) -> Any:
        """Pass `input` through all modules."""
        here = self.__dict__
        for name, role in self._roles.items():
            if role == "child module":
                input = here[name](input)
        return input

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return type(self)(OrderedDict(list(self._own("child module").items())[key]))
        return self._members()[self._place(key)]

    def __add__(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return Sequential(*self, *other)


class ModuleList(_ModuleRow):
    """A list of registered modules; it has no `forward`.

    >>> from minigrad import nn
    >>> nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, key: Any) -> Any:
        members = self._members()
        return type(self)(members[key]) if isinstance(key, slice) else members[self._place(key)]

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        children, start = [], 0
        for text, group in groupby(map(repr, self)):
            n = len(list(group))
            children.append(f"({start}): {text}" if n == 1 else f"({start}-{start + n - 1}): {n} x {text}")
            start += n
        return bracketed(self._get_name(), [], children)


class _Mapping(Module):
    """Base of containers whose members have names."""

    def _named(self) -> Mapping[str, Any]:
        """The members by name."""
        return self._own("child module")

    def __getitem__(self, key: str) -> Any:
        return self._named()[key]

    def __delitem__(self, key: str) -> None:
        self[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._named())

    def __iter__(self) -> Iterator[str]:
        return iter(self._named())

    def __contains__(self, key: object) -> bool:
        return key in self._named()

    def keys(self) -> Any:
        """The names."""
        return self._named().keys()

    def values(self) -> Any:
        """The members."""
        return self._named().values()

    def items(self) -> Any:
        """The names with their members."""
        return self._named().items()

    def clear(self) -> None:
        """Remove all members."""
        for key in list(self):
            del self[key]

    def pop(self, key: str) -> Any:
        """Remove a member, and return it."""
        value = self[key]
        del self[key]
        return value


class ModuleDict(_Mapping):
    """A dict of modules, registered under their keys; it has no `forward`.

    >>> from minigrad import nn
    >>> choices = nn.ModuleDict({"relu": nn.ReLU(), "tanh": nn.Tanh()})
    >>> choices["tanh"]
    Tanh()
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | ModuleDict) -> None:
        """Add modules, from a mapping or from pairs of a name and a module.

        Raises:
            TypeError: if `modules` is neither.
            ValueError: if one of the pairs is none.
        """
        for key, module in _pairs("ModuleDict", modules):
            self[key] = module


def _pairs(name: str, items: Any) -> Iterable[tuple[str, Any]]:
    """The keys and values of a mapping, or of a sequence of pairs."""
    if isinstance(items, (Mapping, _Mapping)):
        return list(items.items())
    if not isinstance(items, Iterable):
        raise TypeError(
            f"{name}.update should be called with an iterable of key/value pairs, but got {type(items).__name__}"
        )
    pairs = []
    for i, pair in enumerate(items):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{name} update sequence element #{i} should be Iterable; is {type(pair).__name__}")
        found = tuple(pair)
        if len(found) != 2:
            raise ValueError(f"{name} update sequence element #{i} has length {len(found)}; 2 is required")
        pairs.append(found)
    return pairs


def _as_parameter(value: Any) -> Any:
    """A tensor becomes a parameter; anything else is kept unchanged."""
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value)
    return value


def _describe(value: Any, tensor: str) -> str:
    """The text for a member of a list or dict of parameters."""
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    word = "Parameter" if isinstance(value, Parameter) else "Tensor"
    return f"{word} containing: [{tensor} of size {'x'.join(map(str, value.shape))}]"


class ParameterList(_Row):
    """A list of registered parameters. Tensors become parameters; other values are kept unchanged.

    >>> import minigrad
    >>> from minigrad import nn
    >>> nn.ParameterList([minigrad.zeros(2, 3)])
    ParameterList(  (0): Parameter containing: [minigrad.float32 of size 2x3])
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _members(self) -> list[Any]:
        return [self.__dict__[str(i)] for i in range(self._size)]

    def __getitem__(self, key: Any) -> Any:
        members = self._members()
        return type(self)(members[key]) if isinstance(key, slice) else members[self._place(key)]

    def __setitem__(self, key: SupportsIndex, value: Any) -> None:
        setattr(self, str(self._place(key)), _as_parameter(value))

    def append(self, value: Any) -> ParameterList:
        """Add a value at the end; returns the list."""
        setattr(self, str(self._size), _as_parameter(value))
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add values at the end; returns the list.

        Raises:
            TypeError: if `values` can't be iterated over.
        """
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Not supported."""
        raise RuntimeError("ParameterList should not be called.")

    def extra_repr(self) -> str:
        """One line for each value."""
        return "\n".join(f"  ({i}): {_describe(v, str(getattr(v, 'dtype', '')))}" for i, v in enumerate(self))


class ParameterDict(_Mapping):
    """A dict of parameters, registered under their keys. Tensors become parameters; other values are kept unchanged.

    >>> import minigrad
    >>> from minigrad import nn
    >>> scales = nn.ParameterDict({"left": minigrad.ones(1)})
    >>> scales["left"]
    Parameter containing:
    tensor([1.], requires_grad=True)
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def _named(self) -> Mapping[str, Any]:
        return {key: self.__dict__[key] for key in self._keys}

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string (type is "
                f"'{type(key).__name__}')."
            )
        if key not in self._keys and hasattr(self, key):
            raise KeyError(f"attribute '{key}' already exists")
        self._keys[key] = None
        setattr(self, key, _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        del self._keys[key]

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key`, or `default` if there is none."""
        return self._named().get(key, default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of `key`, set to `default` if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def popitem(self) -> tuple[str, Any]:
        """Remove the last name and its value, and return both."""
        key = next(reversed(self))
        return key, self.pop(key)

    def copy(self) -> ParameterDict:
        """Another dict of the same parameters."""
        return ParameterDict(self)

    def update(self, parameters: Any) -> None:
        """Add values, from a mapping (a plain dict is sorted by name, as in torch) or from pairs of a name and a value.

        Raises:
            TypeError: if `parameters` is neither.
            ValueError: if one of the pairs is none.
        """
        pairs = _pairs("ParameterDict", parameters)
        ordered = isinstance(parameters, (OrderedDict, ParameterDict)) or not isinstance(parameters, Mapping)
        for key, value in pairs if ordered else sorted(pairs):
            self[key] = value

    def __or__(self, other: ParameterDict) -> ParameterDict:
        joined = self.copy()
        joined.update(other)
        return joined

    def __ior__(self, other: ParameterDict) -> ParameterDict:
        self.update(other)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Not supported."""
        raise RuntimeError("ParameterDict should not be called.")

    def extra_repr(self) -> str:
        """One line for each value."""
        return "\n".join(f"  ({k}): {_describe(v, type_name(v))}" for k, v in self.items())
