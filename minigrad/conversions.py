"""Conversions of a tensor: to a number, a list, a NumPy array, text, a copy, a pickle."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from minigrad import views, watch
from minigrad._format import format_tensor
from minigrad.engine import Array, Variable
from minigrad.kernels.memory import axes
from minigrad.methods import Methods

if TYPE_CHECKING:
    from minigrad.tensor import Tensor

OWN: dict[str, Any] = {}  #: the attributes that every tensor has


class Conversions(Methods, Variable):
    """Base class of `Tensor`."""

    if TYPE_CHECKING:  # defined in Tensor
        _grad: Self | None
        requires_grad: bool

        def refresh(self) -> bool: ...  # noqa: D102

    def item(self) -> Any:
        """The only element, as a Python number.

        Raises:
            RuntimeError: if there is more than one, or none.
        """
        if self.array.size != 1:
            raise RuntimeError(f"a Tensor with {self.array.size} elements cannot be converted to Scalar")
        watch.read("the value of a tensor is read")
        return self.array.item()

    def tolist(self) -> Any:
        """The elements as nested Python lists (a number for a 0-d tensor)."""
        watch.read("the values of a tensor are read")
        return self.array.tolist()

    def numpy(self, *, force: bool = False) -> Array:
        """The array itself (shares memory).

        Raises:
            RuntimeError: if the tensor requires grad, and `force` is not set.
        """
        if self.tracked and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        watch.read("a tensor is converted to an array")
        views.lay_out(self)
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def cpu(self) -> Self:
        """This tensor: it is on the CPU."""
        return self

    def cuda(self, *_: Any, **__: Any) -> Self:
        """Not supported.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("minigrad runs on the CPU only; use device 'cpu'")

    def pin_memory(self) -> Self:
        """This tensor: there is no pinned memory."""
        return self

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def _number(self) -> Any:
        if self.array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self.item()

    def __index__(self) -> int:
        if self.array.size != 1 or self.array.dtype.kind not in "iub":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise RuntimeError(
                "Boolean value of Tensor with "
                + ("no values" if self.array.size == 0 else "more than one value")
                + " is ambiguous"
            )
        return bool(self.item())

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return int(self.array.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        if self.array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __contains__(self, value: Any) -> bool:
        watch.read("the values of a tensor are read")
        return bool((self.array == (value.array if isinstance(value, Variable) else value)).any())

    def __format__(self, spec: str) -> str:
        return format(self.item() if self.array.ndim == 0 else str(self), spec)

    def _repr_html_(self) -> str:
        from minigrad import _html  # only notebooks need it

        return _html.tensor(self.array, repr(self))

    def __repr__(self) -> str:
        watch.read("a tensor is printed")
        try:
            self.refresh()
            label = self.node.label if self.node else None
        except RuntimeError:  # its base was written to
            label = "Invalid"
        return format_tensor(self.array, label, self.tracked)

    __hash__ = object.__hash__

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if self.node is not None:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment"
            )
        twin = object.__new__(type(self))
        memo[id(self)] = twin
        twin.array = views.copied(self.array, memo)
        twin.__dict__.update(copy.deepcopy(self._attributes(), memo))
        twin.tracked = self.tracked
        twin.__dict__["_grad"] = copy.deepcopy(self._grad, memo)
        return twin

    def __reduce_ex__(self, protocol: Any) -> Any:
        for hook in (self.hooks or {}).values() if type(self).__name__ == "Tensor" else ():
            warnings.warn(
                f"backward hook {hook!r} on tensor will not be serialized. If this is expected, you can decorate the "
                "function with @torch.utils.hooks.unserializable_hook to suppress this warning",
                stacklevel=3,
            )
        order = axes(self.array)
        inverse = [order.index(i) for i in range(len(order))]
        return _rebuilt, (type(self), self.array.transpose(order), inverse, self.requires_grad, self._attributes())

    def _attributes(self) -> dict[str, Any]:
        """The attributes that the user has set on this tensor."""
        return {name: value for name, value in self.__dict__.items() if name not in OWN}


T = TypeVar("T", bound=Conversions)


def _rebuilt(cls: type[T], array: Array, order: Sequence[int], tracked: bool, attributes: dict[str, Any]) -> T:
    """A tensor as it was pickled: without gradient and hooks, as in torch."""
    self = object.__new__(cls)
    self.array = array.transpose(order)
    self.__dict__.update(attributes)
    self.tracked = tracked
    return self
