"""A run's state as one `.npz` without pickles: the arrays by name, and everything around them as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from experiments.runner import files
from experiments.runner.errors import UsageError

STRUCTURE = "structure"


def save(path: Path, state: Any) -> None:
    """Writes nested dicts, lists, tuples, numbers, strings and tensors; the file is replaced as a whole."""
    arrays: dict[str, np.ndarray] = {}
    structure = json.dumps(_pack(state, arrays, "state"))
    files.write_npz(path, {STRUCTURE: np.frombuffer(structure.encode(), np.uint8), **arrays})


def frozen(state: Any) -> Any:
    """The same nested state with the tensors' present values, as arrays, in place of tensors."""
    return _changed(state, lambda value: as_array(value) if hasattr(value, "detach") else value)


def load(path: Path) -> Any:
    """Reads what `save` wrote; tensors come back as arrays.

    Raises:
        UsageError: where the file is damaged or isn't a checkpoint.
    """
    arrays = files.read_npz(path)
    if STRUCTURE not in arrays:
        raise UsageError(f"{path} isn't a checkpoint; run without --resume")
    return _unpack(json.loads(arrays[STRUCTURE].tobytes()), arrays)


def tensors(state: Any, framework: Any) -> Any:
    """The same nested state with tensors in place of arrays, as `load_state_dict` wants it."""
    return _changed(state, lambda value: framework.from_numpy(value) if isinstance(value, np.ndarray) else value)


def _changed(state: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(state, dict) and not isinstance(state, Counter):
        return {key: _changed(value, change) for key, value in state.items()}
    if isinstance(state, list | tuple):
        values = [_changed(value, change) for value in state]
        return tuple(values) if isinstance(state, tuple) else values
    return change(state)


def as_array(value: Any) -> np.ndarray:
    """A tensor's values, of either framework, as an array of its own."""
    return np.array(value.detach().numpy() if hasattr(value, "detach") else value)


def _pack(value: Any, arrays: dict[str, np.ndarray], path: str) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "detach") or isinstance(value, np.ndarray):
        arrays[path] = as_array(value)
        return {"$array": path}
    if isinstance(value, dict):  # pairs, since JSON would turn the optimizers' whole-number keys into strings
        kind = "$counter" if isinstance(value, Counter) else "$dict"  # MultiStepLR's milestones are a Counter
        return {kind: [[key, _pack(item, arrays, f"{path}.{key}")] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        items = [_pack(item, arrays, f"{path}.{i}") for i, item in enumerate(value)]
        return {"$tuple": items} if isinstance(value, tuple) else items
    raise TypeError(f"{path}: a checkpoint can't hold a {type(value).__name__}")


def _unpack(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unpack(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "$array":
        return arrays[content]
    if kind == "$tuple":
        return tuple(_unpack(item, arrays) for item in content)
    pairs = {key: _unpack(item, arrays) for key, item in content}
    return Counter(pairs) if kind == "$counter" else pairs


def plain(value: Any) -> Any:
    """A value as JSON gives it back (tuples as lists), so that two can be compared.

    >>> plain({"widths": (200, 100)})
    {'widths': [200, 100]}
    """
    return json.loads(json.dumps(value))
