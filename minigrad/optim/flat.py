"""All parameters of a group as one: weights, gradients and state as parts of a few long vectors.

What an optimizer does to a weight does not depend on the others, so its rule may as well run once on a vector that
holds them all: a handful of ufuncs a step instead of a handful for each parameter.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from itertools import chain
from operator import is_
from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.tensor import Tensor

ALIGNED = 16  #: elements: each part starts where a line of the cache does, if the vector does
SMALL = 2**16  #: elements: up to here it is faster to copy gradients together than to take them one by one


class Flat:
    """Parameters whose arrays are views of one vector.

    Attributes:
        whole: the vector of the weights, in a tensor that stands for all parameters.
        gradient: a vector for their gradients, `homes` its parts in the parameters' shapes.
        state: what the optimizer remembers about the whole.
    """

    state: dict[str, Any]
    _shared: list[Any]  # the values of the state that the parameters have their parts of
    _parts: list[dict[str, Any] | None]  # each parameter's own state; `_own`: those there are; `_values`: all in them
    _own: list[dict[str, Any]]
    _values: list[Any]

    def __init__(self, params: list[Tensor]) -> None:
        self.params = params
        self.starts: list[int] = []
        end = 0
        for p in params:
            self.starts.append(end)
            end += -(-p.array.size // ALIGNED) * ALIGNED
        weights = np.zeros(end, params[0].array.dtype)
        self.whole = Tensor.wrap(weights)
        self.gradient = np.zeros_like(weights)
        self.homes = self.parts(self.gradient)
        self.weights = self.parts(weights)
        for p, w, home in zip(params, self.weights, self.homes, strict=True):
            w[...] = p.array
            p.array, p.home = w, home
        self._start()

    @classmethod
    def of(cls, params: list[Tensor]) -> Flat | None:
        """The parameters laid out anew; None if that can't be done without anybody noticing.

        It can if nobody else holds their arrays: no view, no tensor that shares memory, no plan of a compiled step.
        """
        kind = params[0].array.dtype
        movable = len(set(params)) == len(params) > 1 and kind.kind == "f"
        return cls(params) if movable and all(_movable(p, kind) for p in params) else None

    def parts(self, vector: Array) -> list[Array]:
        """A vector's parts, in the shapes of the parameters."""
        return [
            vector[start : start + p.array.size].reshape(p.array.shape)
            for p, start in zip(self.params, self.starts, strict=True)
        ]

    def ready(self, states: MutableMapping[Any, dict[str, Any]]) -> bool:
        """Bring gradients and states together; False if a parameter has none, or one of its own kind."""
        copies = self.gradient.size <= SMALL
        for p, w, home in zip(self.params, self.weights, self.homes, strict=True):
            grad = p._grad
            if grad is None or p.array is not w:
                return False
            if grad.array is not home:
                if not copies:
                    return False
                home[...] = grad.array
        if not all(map(is_, map(states.get, self.params), self._parts)) or sum(map(len, self._own)) != len(
            self._values
        ):
            return self._gather(states)
        known = all(map(is_, chain.from_iterable(map(dict.values, self._own)), self._values))
        return known or self._gather(states)

    def _gather(self, states: MutableMapping[Any, dict[str, Any]]) -> bool:
        """Copy the parameters' states into long vectors."""
        found = [states.get(p) or {} for p in self.params]
        whole: dict[str, Any] = {}
        for key, like in found[0].items():
            values = [state.get(key) for state in found]
            if like is None and all(value is None for value in values):
                whole[key] = None
                continue
            if not all(isinstance(value, Tensor) for value in values):
                return False
            arrays = [value.array for value in values if value is not None]
            if key == "step":  # one count for all
                if any(a.item() != arrays[0].item() for a in arrays):
                    return False
                whole[key] = Tensor.wrap(arrays[0].copy())
            elif all(a.shape == p.array.shape for a, p in zip(arrays, self.params, strict=True)):
                vector = np.zeros_like(self.gradient)
                for part, a in zip(self.parts(vector), arrays, strict=True):
                    part[...] = a
                whole[key] = Tensor.wrap(vector)
            else:
                return False
        if any(state.keys() != whole.keys() for state in found):
            return False
        self.state, self._shared = whole, []
        self.share(states)
        self._note(states)
        return True

    def share(self, states: MutableMapping[Any, dict[str, Any]]) -> None:
        """Give each parameter its part of the state."""
        if len(self.state) == len(self._shared) and all(map(is_, self.state.values(), self._shared)):
            return
        self._shared = list(self.state.values())
        for key, value in self.state.items():
            long = isinstance(value, Tensor) and key != "step"
            parts = [Tensor.wrap(part) for part in self.parts(value.array)] if long else [value] * len(self.params)
            for p, part in zip(self.params, parts, strict=True):
                states[p][key] = part
        self._note(states)

    def _note(self, states: MutableMapping[Any, dict[str, Any]]) -> None:
        self._parts = list(map(states.get, self.params))
        self._own = [part for part in self._parts if part is not None]
        self._values = list(chain.from_iterable(map(dict.values, self._own)))

    def release(self) -> None:
        """Before parameters move one by one: let each count its own steps."""
        if "step" in self.state:
            count: Tensor = self.state["step"]
            for part in self._own:
                if "step" in part and part["step"] is count:
                    part["step"] = Tensor.wrap(count.array.copy())
        self._start()

    def _start(self) -> None:
        self.state, self._shared = {}, []
        self._parts, self._own, self._values = [None] * len(self.params), [], []


def _movable(p: Tensor, kind: np.dtype[Any]) -> bool:
    """Whether nobody but the parameter holds its array."""
    plain = p.array.dtype is kind and p.array.base is None and p.array.flags.c_contiguous and p.view_of is None
    return plain and sys.getrefcount(p.array) == 2
