"""A run's state as one `.npz` file without pickles: the arrays by name, and all else as JSON.

Each file holds the number of its format. A later version of this module opens the files of every earlier format.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from experiments.runner import files
from experiments.runner.errors import UsageError

STRUCTURE, NUMBER = "structure", "format"
FORMAT = 1  #: raised by one when the content changes; files of format 0 have no number, and the same content as 1


def save(path: Path, state: Any) -> None:
    """Writes nested dicts, lists, tuples, numbers, strings and tensors; replaces the file atomically."""
    arrays: dict[str, np.ndarray] = {}
    structure = json.dumps(_pack(state, arrays, "state"))
    files.write_npz(path, {NUMBER: np.array(FORMAT), STRUCTURE: np.frombuffer(structure.encode(), np.uint8), **arrays})


def frozen(state: Any) -> Any:
    """A copy of the nested state with each tensor replaced by an array of its values."""
    return _changed(state, lambda value: as_array(value) if hasattr(value, "detach") else value)


def load(path: Path) -> Any:
    """Reads what `save` wrote; tensors come back as arrays.

    Raises:
        UsageError: if the file is damaged, isn't a checkpoint, or was written by a later version.
    """
    arrays = files.read_npz(path)
    if STRUCTURE not in arrays:
        raise UsageError(f"{path} isn't a checkpoint; run without --resume")
    if (number := int(arrays.get(NUMBER, 0))) > FORMAT:
        raise UsageError(
            f"{path} is a checkpoint of format {number}, written by a later version; this one reads up to {FORMAT}"
        )
    return _unpack(json.loads(arrays[STRUCTURE].tobytes()), arrays)


def tensors(state: Any, framework: Any) -> Any:
    """The nested state with each array replaced by a tensor, as `load_state_dict` needs it."""
    return _changed(state, lambda value: framework.from_numpy(value) if isinstance(value, np.ndarray) else value)


def _changed(state: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(state, dict) and not isinstance(state, Counter):
        return {key: _changed(value, change) for key, value in state.items()}
    if isinstance(state, list | tuple):
        values = [_changed(value, change) for value in state]
        return tuple(values) if isinstance(state, tuple) else values
    return change(state)


def as_array(value: Any) -> np.ndarray:
    """A copy of a tensor's values, of either framework, as an array."""
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
        tag = "$counter" if isinstance(value, Counter) else "$dict"  # MultiStepLR's milestones are a Counter
        return {tag: [[key, _pack(item, arrays, f"{path}.{key}")] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        items = [_pack(item, arrays, f"{path}.{i}") for i, item in enumerate(value)]
        return {"$tuple": items} if isinstance(value, tuple) else items
    raise TypeError(f"{path}: a checkpoint can't hold a {type(value).__name__}")


def _unpack(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unpack(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    ((tag, content),) = value.items()
    if tag == "$array":
        return arrays[content]
    if tag == "$tuple":
        return tuple(_unpack(item, arrays) for item in content)
    pairs = {key: _unpack(item, arrays) for key, item in content}
    return Counter(pairs) if tag == "$counter" else pairs


def plain(value: Any) -> Any:
    """A value after a round trip through JSON (tuples become lists), so that two can be compared.

    >>> plain({"widths": (200, 100)})
    {'widths': [200, 100]}
    """
    return json.loads(json.dumps(value))
