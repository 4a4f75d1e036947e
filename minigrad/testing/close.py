"""`assert_close`, with the tolerances and the messages of torch.testing."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.size import Size

#: Relative and absolute tolerance by dtype; others have to be equal.
TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_dtype: bool = True,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Asserts that ``|actual - expected| <= atol + rtol |expected|`` in every element.

    Args:
        actual: a tensor of any framework, an array, a number; or sequences and mappings of them.
        expected: the right values, of the same structure.
        rtol: relative tolerance; without both, they depend on the dtype, as in torch.
        atol: absolute tolerance.
        equal_nan: whether two nan are equal.
        check_dtype: whether dtypes have to be the same.
        msg: replaces the message, or a function of the message.

    Raises:
        AssertionError: where they differ, in torch's words: how many elements, by how much, and where.
        TypeError: for values that can't be compared.
        ValueError: if only one tolerance is given.

    >>> import minigrad
    >>> assert_close(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 2.0000001]))
    >>> assert_close([1.0, 2.0], [1.0, 2.5])
    Traceback (most recent call last):
    AssertionError: Scalars are not close!
    <BLANKLINE>
    Expected 2.5 but got 2.0.
    Absolute difference: 0.5 (up to 1e-07 allowed)
    Relative difference: 0.2 (up to 1e-07 allowed)
    <BLANKLINE>
    The failure occurred for item [1]
    """
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
    given = None if rtol is None or atol is None else (rtol, atol)
    found = _difference(actual, expected, given, equal_nan, check_dtype, ())
    if found is not None:
        text, where = found
        text += f"\n\nThe failure occurred for item {''.join(f'[{key!r}]' for key in where)}" if where else ""
        raise AssertionError(msg if isinstance(msg, str) else msg(text) if msg is not None else text)


def _difference(
    a: Any, b: Any, given: tuple[float, float] | None, equal_nan: bool, check_dtype: bool, where: tuple[Any, ...]
) -> tuple[str, tuple[Any, ...]] | None:
    """The first difference as text, and the item that it is in."""
    if all(isinstance(x, Mapping) for x in (a, b)):
        if a.keys() != b.keys():
            missing, more = ([key for key in x if key not in y] for x, y in ((b, a), (a, b)))
            text = "The keys of the mappings do not match:\n"
            text += f"Missing keys in the actual mapping: {sorted(missing)}\n" if missing else ""
            text += f"Additional keys in the actual mapping: {sorted(more)}" if more else ""
            return text.strip(), where
        items: Any = sorted(a)
    elif all(isinstance(x, Sequence) and not isinstance(x, str) for x in (a, b)):
        if len(a) != len(b):
            return f"The length of the sequences mismatch: {len(a)} != {len(b)}", where
        items = range(len(a))
    else:
        text = _leaf(a, b, given, equal_nan, check_dtype)
        return (text, where) if text else None
    pairs = (_difference(a[i], b[i], given, equal_nan, check_dtype, (*where, i)) for i in items)
    return next((found for found in pairs if found is not None), None)


def _leaf(a: Any, b: Any, given: tuple[float, float] | None, equal_nan: bool, check_dtype: bool) -> str:
    tensors = [hasattr(x, "detach") or isinstance(x, np.ndarray) for x in (a, b)]
    if not any(tensors) and (a is None or (isinstance(a, bool) and isinstance(b, bool))):
        return "" if a is b else f"{'None' if a is None else 'Booleans'} mismatch: {a} is not {b}"
    if not all(tensors) and any(not isinstance(x, int | float | complex | np.number) for x in (a, b)):
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(a)} and {type(b)}.")
    x, y = (np.asarray(z.detach().numpy() if hasattr(z, "detach") else z) for z in (a, b))
    if x.shape != y.shape:
        return f"The values for attribute 'shape' do not match: {Size(x.shape)} != {Size(y.shape)}."
    if all(tensors) and check_dtype and x.dtype != y.dtype:
        return f"The values for attribute 'dtype' do not match: {a.dtype} != {b.dtype}."
    rtol, atol = given or tuple(map(max, zip(*(TOLERANCES.get(z.dtype.name, (0, 0)) for z in (x, y)), strict=True)))
    return _far(x, y, rtol, atol, equal_nan)


def _far(x: Array, y: Array, rtol: float, atol: float, equal_nan: bool) -> str:
    wide = np.promote_types(x.dtype, y.dtype) if x.dtype.kind == y.dtype.kind == "f" else np.float64
    close = np.isclose(x.astype(wide), y.astype(wide), rtol=rtol, atol=atol, equal_nan=equal_nan)
    if close.all():
        return ""
    how = "equal" if rtol == atol == 0 else "close"
    allowed = [f" (up to {tolerance} allowed)" if how == "close" else "" for tolerance in (atol, rtol)]
    if not x.shape:
        apart = abs(x.item() - y.item())
        ratio = apart / abs(y.item()) if y.item() else cmath.inf
        lines = [f"Scalars are not {how}!", "", f"Expected {y.item()} but got {x.item()}."]
        lines += [f"Absolute difference: {apart}{allowed[0]}", f"Relative difference: {ratio}{allowed[1]}"]
        return "\n".join(lines)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.where(close, 0, abs(x.astype(wide) - y.astype(wide)))
        ratio = np.where(close, 0, apart / abs(y.astype(wide)))
    if "f" not in (x.dtype.kind, y.dtype.kind):
        ratio = ratio.astype(np.float32)  # in which torch divides integers
    lines = [f"Tensor-likes are not {how}!", ""]
    lines.append(f"Mismatched elements: {(~close).sum()} / {close.size} ({(~close).mean():.1%})")
    for name, sizes, tolerance in (("absolute", apart, allowed[0]), ("relative", ratio, allowed[1])):
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(sizes)), sizes.shape))
        size = sizes[index].item()
        shown = int(size) if name == "absolute" and x.dtype.kind in "iub" else size
        lines.append(f"Greatest {name} difference: {shown} at index {index}{tolerance}")
    return "\n".join(lines)
