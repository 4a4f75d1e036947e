"""Tensors that a module registers: parameters, which are trained, and buffers, which are not."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from minigrad import creation
from minigrad.dtypes import DTypeLike, get_default_dtype
from minigrad.tensor import Tensor

__all__ = ["Buffer", "Parameter"]

T = TypeVar("T", bound=Tensor)


class Parameter(Tensor):
    """A tensor that becomes a parameter of the module that it is assigned to.

    It shares the memory of `data`, and is a leaf that requires grad by default.

    Raises:
        TypeError: if `data` is not a tensor.
        RuntimeError: if it holds integers and `requires_grad` is set.

    >>> import minigrad
    >>> Parameter(minigrad.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        """See the class."""
        return _leaf(cls, data, requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """A parameter of the same values; without the gradient, as in torch."""
        if id(self) not in memo:
            memo[id(self)] = _leaf(type(self), Tensor.wrap(np.array(self.array)), self.requires_grad)
        return memo[id(self)]  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that becomes a buffer of the module that it is assigned to: state that is not trained.

    Args:
        data: the tensor whose memory it shares.
        persistent: whether it belongs to the module's state_dict.

    Raises:
        TypeError: if `data` is not a tensor.

    >>> import minigrad
    >>> module = minigrad.nn.Module()
    >>> module.seen = Buffer(minigrad.zeros(1))
    >>> module.state_dict()
    OrderedDict([('seen', tensor([0.]))])
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        """See the class."""
        self = _leaf(cls, data, False)
        self.persistent = persistent
        return self


def add_parameters(module: Any, device: Any, dtype: DTypeLike | None, **shapes: tuple[int, ...] | None) -> None:
    """Register uninitialised parameters of these shapes under their names; a shape of None registers None."""
    for name, shape in shapes.items():
        values = None if shape is None else Parameter(creation.empty(shape, device=device, dtype=dtype))
        module.register_parameter(name, values)


def _leaf(cls: type[T], data: Tensor | None, requires_grad: bool) -> T:
    """A leaf of that class that shares the memory of `data`."""
    if data is None:
        data = Tensor.wrap(np.empty(0, get_default_dtype().numpy))
    if not isinstance(data, Tensor):
        raise TypeError(f"{cls.__name__} expected a Tensor, but got {type(data).__name__}")
    self = object.__new__(cls)
    self.array = data.array
    self.requires_grad = requires_grad
    return self
