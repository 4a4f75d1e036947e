"""Layers that are one function with stored options: activations, losses, dropout, pooling."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, dataclass_transform

from minigrad.nn.module import Module
from minigrad.ops.record import registry

PASSED = inspect.Parameter.POSITIONAL_OR_KEYWORD


@dataclass_transform(eq_default=False)
class FunctionLayer(Module):
    """A layer whose `forward` calls one function with the options that the layer was made with.

    A subclass names the function of `minigrad.nn.functional`, and declares the options as annotated attributes in
    torch's order, after those that it inherits. They become the constructor's arguments, the layer's attributes, and
    part of its repr.

    >>> class ELU(FunctionLayer, function="elu"):
    ...     alpha: float = 1.0
    ...     def forward(self, input):
    ...         return self.function(input, **self._stored())
    >>> ELU(0.5)
    ELU(alpha=0.5)
    """

    name: ClassVar[str]  #: the name of the function
    function: ClassVar[Callable[..., Any]]
    options: ClassVar[tuple[str, ...]] = ()
    declared: ClassVar[dict[str, inspect.Parameter]] = {}  #: the constructor's arguments, by name
    old: ClassVar[tuple[str, ...]] = ()  #: arguments that `_check` replaces by options

    def __init_subclass__(cls, function: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if function is not None:
            cls.name, cls.function = function, staticmethod(registry[function].call)
        own = cls.__module__.startswith("minigrad.")  # in a subclass of the user's, annotations are only annotations
        annotations = vars(cls).get("__annotations__", {}) if own else {}
        added = {name: _parameter(cls, name, text) for name, text in annotations.items() if "ClassVar" not in text}
        if added:
            cls.declared = cls.declared | added
            cls.options = tuple(name for name in cls.declared if name not in cls.old)
            cls.__init__ = _constructor(cls)  # type: ignore[method-assign]

    def _check(self) -> None:
        """Reject invalid options, and derive options from others."""

    def _stored(self) -> dict[str, Any]:
        """The options and their current values."""
        here = self.__dict__
        return {name: here[name] for name in self.options}

    def extra_repr(self) -> str:
        """The options; `inplace` only where it is set."""
        return ", ".join(f"{k}={v!r}" for k, v in self._stored().items() if k != "inplace" or v)


def _parameter(cls: type[FunctionLayer], name: str, annotation: str) -> inspect.Parameter:
    """An argument of the constructor, whose default is removed from the class."""
    default = vars(cls).get(name, inspect.Parameter.empty)
    if name in vars(cls):
        delattr(cls, name)
    return inspect.Parameter(name, PASSED, default=default, annotation=annotation)


def _constructor(cls: type[FunctionLayer]) -> Callable[..., None]:
    """``__init__`` with the declared options as arguments."""
    parameters = [inspect.Parameter("self", PASSED), *cls.declared.values()]
    signature = inspect.Signature(parameters, return_annotation="None")

    def __init__(self: FunctionLayer, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        given = signature.bind(self, *args, **kwargs)
        given.apply_defaults()
        Module.__init__(self)
        for name in cls.declared:
            setattr(self, name, given.arguments[name])
        self._check()

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    return __init__
