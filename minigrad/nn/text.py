"""The text of modules: their repr, and their names in error messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad.tensor import Tensor

if TYPE_CHECKING:
    from minigrad.nn.module import Module


def bracketed(name: str, extra: list[str], children: list[str]) -> str:
    """A module's repr: its name, and in brackets its options and children."""
    if not children and len(extra) < 2:
        return f"{name}({''.join(extra)})"
    lines = "\n".join([*extra, *children]).replace("\n", "\n  ")
    return f"{name}(\n  {lines}\n)"


def type_name(value: Any) -> str:
    """The name of a value's type in messages; that of a tensor includes its dtype."""
    if isinstance(value, Tensor):
        return str(value.type())
    cls = type(value)
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def say_where(error: Exception, module: Module) -> None:
    """Add the module, and its path, to the message of an error that an operation raised in it.

    The innermost module adds its name; each one around it adds to the path. Errors that a user's own code raised are
    not changed.
    """
    if isinstance(error, NotImplementedError) or len(error.args) != 1 or not isinstance(error.args[0], str):
        return
    known = error.__dict__.get("raised_in")
    if known is None:
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        if place is None or place.tb_frame.f_globals.get("__name__", "").split(".")[0] != __name__.split(".")[0]:
            known = (None, "", "")
        else:
            name = type(module).__name__ if module._own("child module") else repr(module)
            known = (module, f"{error.args[0]} in {name}", "")
    else:
        inner, message, path = known
        name = next((name for name, m in module.named_modules() if m is inner), "") if inner else ""
        known = (module if name else inner, message, ".".join(filter(None, (name, path))))
    error.__dict__["raised_in"] = known
    if known[0] is not None:
        error.args = (known[1] + (f" ({known[2]})" if known[2] else ""),)
