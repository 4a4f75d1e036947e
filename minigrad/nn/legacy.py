"""The arguments that torch.nn.functional's functions take in addition to the operations'.

A record's `functional` names them: ``inplace``, the losses' old arguments ``size_average`` and ``reduce``, the
``_stacklevel`` of those with an implicit dimension, or an in-place variant such as ``relu_``.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

from minigrad.ops.convert import clone
from minigrad.ops.record import Record, registry, renamed
from minigrad.tensor import Tensor

NAMESPACE = "nn.functional."
KIND = inspect.Parameter.POSITIONAL_OR_KEYWORD
ADDED = {  # the argument before which each is inserted, its type, its default
    "inplace": (None, "bool", False),
    "_stacklevel": ("dim", "int", 3),
    "size_average": ("reduction", "bool | None", None),
    "reduce": ("reduction", "bool | None", None),
}


def functions() -> dict[str, Callable[..., Any]]:
    """All functions of torch.nn.functional that have a record, by name."""
    found: dict[str, Callable[..., Any]] = {}
    for name, record in registry.items():
        if record.functional is not None or record.torch == NAMESPACE + name:
            found[name] = function = extended(record) if record.functional else record.public
            for variant in record.functional or ():
                if variant.endswith("_"):
                    found[variant] = in_place(variant, function)
    return dict(sorted(found.items()))


def extended(record: Record) -> Callable[..., Any]:
    """The operation with the arguments that torch.nn.functional adds."""
    call, added = record.public, [name for name in record.functional or () if not name.endswith("_")]
    signature = with_arguments(inspect.signature(record.forward), added)
    plain = min(map([*signature.parameters].index, added))  # the number of leading arguments that both have in common

    @functools.wraps(call)
    def function(*args: Any, **kwargs: Any) -> Any:
        if len(args) <= plain and kwargs.keys().isdisjoint(added) and "_stacklevel" not in added:
            return call(*args, **kwargs)
        given = signature.bind(*args, **kwargs).arguments
        extra = {name: given.pop(name, None) for name in added}
        if extra.keys() >= {"reduce"} and (extra["size_average"], extra["reduce"]) != (None, None):
            given["reduction"] = legacy_reduction(extra["size_average"], extra["reduce"])
        if "_stacklevel" in extra and given.get("dim") is None:
            given["dim"] = implicit_dim(record.name, given["input"].ndim)
        if not extra.get("inplace"):
            return call(**given)
        target = given.pop("input")
        result = call(clone(target) if record.composed and isinstance(target, Tensor) else target, **given)
        return target.assign(result)

    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


def with_arguments(signature: inspect.Signature, added: list[str]) -> inspect.Signature:
    """The signature with these arguments, where torch has them."""
    parameters, order = list(signature.parameters.values()), list(signature.parameters)
    for name in reversed(added):
        place, annotation, default = ADDED[name]
        at = len(order) if place is None else order.index(place)
        if name == "_stacklevel":
            parameters[at] = parameters[at].replace(annotation="int | None", default=None)
            at += 1
        elif name == "size_average" and order[at - 1] in ("ignore_index", "eps"):
            at -= 1
        parameters.insert(at, inspect.Parameter(name, KIND, default=default, annotation=annotation))
    return signature.replace(parameters=parameters)


def in_place(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function with ``inplace=True``."""

    def call(input: Any, *args: Any, **kwargs: Any) -> Any:
        return function(input, *args, inplace=True, **kwargs)

    return renamed(call, name, f"`{function.__name__}`, in place.")


def legacy_reduction(size_average: bool | None, reduce: bool | None) -> str:
    """The `reduction` that corresponds to the losses' two old arguments."""
    mean, whole = (old is None or bool(old) for old in (size_average, reduce))
    word = "none" if not whole else "mean" if mean else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{word}' instead.", stacklevel=4
    )
    return word


def implicit_dim(name: str, ndim: int) -> int:
    """torch's old default for the dimension."""
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=3,
    )
    return 0 if ndim in (0, 1, 3) else 1
