"""Compares a function, layer or framework of yours with PyTorch's: values and gradients.

`docs/parity.md` shows it on a layer whose gradient is written by hand. In a test, ``assert_same`` fails with the text.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.testing.compare import TOLERANCES, Comparison, as_array, blank, compare_all, flat, incomparable, norm


@dataclass(frozen=True)
class Verdict:
    """The result of `check`; true if everything is the same.

    Attributes:
        comparisons: result, gradients, parameters and buffers, one by one.
        notes: what was not compared, and why.
        empty: whether nothing was compared: all outputs and gradients are zero on both sides.
    """

    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...] = ()
    empty: bool = False

    @property
    def passed(self) -> bool:
        """Whether something was compared, and everything is within its tolerance."""
        return not self.empty and all(c.passed for c in self.comparisons)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        notes = [f"  – {note}" for note in self.notes]
        if self.empty:
            return "\n".join(
                ["NOT COMPARED: all outputs and gradients are zero on both sides; try other inputs", *notes]
            )
        if self.passed:
            error = max((c.error for c in self.comparisons), default=0.0)
            allowed = max((c.tolerance for c in self.comparisons), default=0.0)
            names = ", ".join(c.name for c in self.comparisons)
            return "\n".join([f"same: {names}; largest error {error:.2g} (allowed {allowed:g})", *notes])
        wrong = [c for c in self.comparisons if not c.passed]
        lines = [f"  ✗ {c}" for c in wrong] + [f"  ✓ {c.name}" for c in self.comparisons if c.passed]
        return "\n".join([f"DIFFERENT in {len(wrong)} of {len(self.comparisons)}:", *lines, *notes])

    __repr__ = __str__


def check(
    mine: Any,
    theirs: Any,
    inputs: Sequence[Any],
    *,
    backward: Callable[..., Any] | None = None,
    framework: str | ModuleType | None = None,
    reference: str | ModuleType | None = None,
    tolerance: float | None = None,
    second_order: bool = False,
    training: bool | None = None,
    seed: int = 0,
) -> Verdict:
    """Compares two functions or modules: values, and the gradient of every input and parameter.

    The gradients are those of a random weighted sum of the results, in which errors do not cancel as in a plain sum.
    If both are modules, `mine` first gets a copy of the parameters and buffers of `theirs`, paired by name; they are
    compared in the dtype of their parameters, and copies of them in float64 as well.

    Args:
        mine: the function or module to check.
        theirs: the function or module that it should equal.
        inputs: the arguments: arrays, tensors of any framework, or anything else, which is passed on unchanged.
            Gradients are taken with respect to floats, which get the dtype of the parameters, if there are any.
        backward: the gradient of a `mine` that computes on NumPy arrays: ``backward(g, *inputs)`` gives the
            gradient of each input, if `g` is that of the result.
        framework: what `mine` computes with: ``"minigrad"``, ``"torch"``, ``"numpy"``, or any module that has
            torch's names. By default the one that defines `mine`, else NumPy with `backward`, else minigrad.
        reference: the same for `theirs`; by default the framework that defines it, else torch.
        tolerance: the allowed error relative to the norm; by default 1e-10 in float64, 1e-5 in float32.
        second_order: compares the gradient of the gradients' norm too.
        training: sets modules to training (True) or evaluation mode (False); None leaves their mode unchanged.
        seed: for the random weights, and for both frameworks before each call, so that dropout draws the same masks.

    Returns:
        The verdict: true if all is the same; as text, it says what differs. What can't be compared (other shapes,
        unpaired parameters, an error raised on one side only) counts as a difference. Two errors are the same if their
        types and messages are. If all outputs and gradients are zero, nothing has been compared, and the verdict is
        not true.

    Raises:
        ModuleNotFoundError: if a framework is needed and missing, with the command that installs it.
        ValueError: for second order of a function on NumPy arrays.

    >>> import minigrad, torch
    >>> check(minigrad.nn.Linear(3, 2), torch.nn.Linear(3, 2), [np.ones((1, 3))]).passed
    True
    >>> check(minigrad.nn.Linear(2, 2), torch.nn.Linear(3, 2), [np.ones((1, 3))])
    DIFFERENT in 1 of 1:
      ✗ parameter weight: its shape is [2, 2] here, [2, 3] there
    """
    ours = Side(mine, _framework(mine, framework, "minigrad" if backward is None else "numpy"), backward)
    other = Side(theirs, _framework(theirs, reference, "torch"), None)
    if second_order and None in (ours.fw, other.fw):
        raise ValueError("second order needs a framework on both sides; functions on NumPy arrays record nothing")
    if unpaired := _pair_up(ours, other):
        return Verdict(tuple(unpaired))
    for side in (ours, other):
        if training is not None and hasattr(side.function, "train"):
            side.function.train(training)
    values = [_value(x) for x in inputs]
    dtype = next((p.dtype for p in other.arrays("parameters").values() if p.dtype.kind == "f"), None)
    rounds = [(ours, other, values if dtype is None else _cast(values, dtype), "")]
    if dtype == np.float32:
        wide = [Side(_doubled(side.function), side.fw, side.backward) for side in (ours, other)]
        rounds.append((wide[0], wide[1], _cast(values, np.float64), " in float64"))
    verdicts = [_compared(a, b, given, note, tolerance, seed, second_order) for a, b, given, note in rounds]
    comparisons = tuple(c for verdict in verdicts for c in verdict.comparisons)
    notes = tuple(dict.fromkeys(note for verdict in verdicts for note in verdict.notes))
    return Verdict(comparisons, notes, any(verdict.empty for verdict in verdicts))


def _compared(
    ours: Side, other: Side, values: list[Any], note: str, tolerance: float | None, seed: int, second: bool
) -> Verdict:
    names = _names(ours.function, other.function, len(values))
    their_answer = other.answer(values, names, seed, second)
    our_answer = ours.answer(values, names, seed, second)
    if note and isinstance(their_answer, Exception):
        return Verdict((), (f"not compared{note}, where theirs {_said(their_answer)}",))
    if isinstance(their_answer, Exception) or isinstance(our_answer, Exception):
        return _errors(our_answer, their_answer)
    if ours.notes:  # there are no gradients on this side
        their_answer = {name: a for name, a in their_answer.items() if not name.startswith("gradient")}

    def allowed(array: Array | None) -> float:
        dtype = "float64" if array is None else array.dtype.name
        return TOLERANCES.get(dtype, TOLERANCES["float32"]) if tolerance is None else tolerance

    found = tuple(replace(c, name=c.name + note) for c in compare_all(our_answer, their_answer, allowed))
    return Verdict(found, tuple(ours.notes), blank(c for c in found if not c.name.startswith("buffer")))


def assert_same(mine: Any, theirs: Any, inputs: Sequence[Any], **options: Any) -> None:
    """`check` for tests: raises an AssertionError with the whole verdict unless everything is the same.

    >>> import minigrad, torch
    >>> assert_same(minigrad.tanh, torch.tanh, [np.linspace(-1, 1, 5)])
    >>> assert_same(minigrad.exp, torch.expm1, [np.array([0.0])])
    Traceback (most recent call last):
    AssertionError: DIFFERENT in 1 of 2:
      ✗ result [1]: relative error 1 (above 1e-10), most at index [0]: 1 against 0
      ✓ gradient of input (argument 0)
    """
    verdict = check(mine, theirs, inputs, **options)
    if not verdict:
        raise AssertionError(str(verdict))


class Side:
    """A function or module, and the framework it computes with (None: NumPy)."""

    def __init__(self, function: Any, fw: Any, backward: Callable[..., Any] | None) -> None:
        self.function, self.fw, self.backward = function, fw, backward
        self.notes: list[str] = []

    def arrays(self, which: str) -> dict[str, Array]:
        """The "parameters" or "buffers" of a module, by name."""
        named = getattr(self.function, f"named_{which}", dict)
        return {name: _value(tensor) for name, tensor in dict(named()).items()}

    def answer(self, values: list[Any], names: list[str], seed: int, second: bool) -> dict[str, Any] | Exception:
        """Result, gradients and buffers by name; or the error that was raised."""
        if hasattr(self.fw, "manual_seed"):
            self.fw.manual_seed(seed)
        try:
            return self._on_arrays(values, names, seed) if self.fw is None else self._run(values, names, seed, second)
        except Exception as error:
            return error

    def _on_arrays(self, values: list[Any], names: list[str], seed: int) -> dict[str, Any]:
        given = [v.copy() if isinstance(v, np.ndarray) else v for v in values]
        results = [np.asarray(r) for r in flat(self.function(*given))]
        found: dict[str, Any] = _numbered("result", results)
        backward = self.backward or getattr(self.function, "backward", None)
        if backward is None:
            self.notes.append("gradients are not compared: mine computes on NumPy arrays, and no backward is given")
            return found
        weights = _weights(results, seed)
        g = weights if len(weights) > 1 else weights[0]
        gradients = flat(backward(g, *given) if self.backward else backward(g))
        tracked = [name for name, v in zip(names, values, strict=True) if _is_float(v)]
        if len(gradients) == len(values):  # one for each input, also for those that are no floats
            gradients = [g for g, v in zip(gradients, values, strict=True) if _is_float(v)]
        if len(gradients) != len(tracked):
            raise TypeError(f"backward gave {len(gradients)} gradients for {len(tracked)} inputs of floats")
        return found | {f"gradient of {name}": _value(g) for name, g in zip(tracked, gradients, strict=True)}

    def _run(self, values: list[Any], names: list[str], seed: int, second: bool) -> dict[str, Any]:
        fw, leaves, given = self.fw, {}, []
        for name, v in zip(names, values, strict=True):
            tensor = v
            if isinstance(v, np.ndarray):
                tensor = (fw.from_numpy if hasattr(fw, "from_numpy") else fw.tensor)(v.copy())
            if _is_float(v):
                tensor.requires_grad = True
                leaves[name] = tensor
            given.append(tensor)
        named = getattr(self.function, "named_parameters", dict)
        leaves |= {f"parameter {name}": p for name, p in dict(named()).items() if p.requires_grad}
        for leaf in leaves.values():
            leaf.grad = None
        results = flat(self.function(*given))
        found = _numbered("result", [_value(r) for r in results])
        if not all(hasattr(r, "detach") for r in results):
            self.notes.append("gradients are not compared: mine returns no tensor")
            return found
        outputs = [r for r in results if r.requires_grad]
        weights = [fw.from_numpy(w) for w in _weights([_value(r) for r in outputs], seed)]
        total = sum((r * w).sum() for r, w in zip(outputs, weights, strict=True))
        if outputs and second:
            found.update(self._second(total, leaves))
        else:
            if outputs:
                total.backward()
            found.update({f"gradient of {n}": None if p.grad is None else _value(p.grad) for n, p in leaves.items()})
        for leaf in leaves.values():
            leaf.grad = None
        return found | {f"buffer {name}": a for name, a in self.arrays("buffers").items()}

    def _second(self, total: Any, leaves: dict[str, Any]) -> dict[str, Any]:
        tensors = list(leaves.values())
        first = self.fw.autograd.grad(total, tensors, create_graph=True, allow_unused=True)
        found = {f"gradient of {name}": as_array(g) for name, g in zip(leaves, first, strict=True)}
        if not any(g is not None and g.requires_grad for g in first):
            return found
        again = self.fw.autograd.grad(norm(first), tensors, allow_unused=True)
        return found | {f"gradient, 2nd order, of {n}": as_array(g) for n, g in zip(leaves, again, strict=True)}


def _framework(function: Any, given: str | ModuleType | None, default: str) -> Any:
    """The namespace; None for NumPy."""
    if isinstance(given, ModuleType):
        return given
    if given is None:
        owner = getattr(function, "__self__", None)  # of torch's own functions: a class in torch._C
        definers = [*type(function).__mro__, function, owner]
        roots = (str(getattr(definer, "__module__", "")).split(".")[0] for definer in definers)
        given = next((root for root in roots if root in ("minigrad", "torch")), default)
    if given == "numpy":
        return None
    try:
        return importlib.import_module(given)
    except ModuleNotFoundError as error:
        if error.name != given:
            raise
        raise ModuleNotFoundError(f"{given} is not installed: pip install {given}", name=given) from None


def _pair_up(ours: Side, theirs: Side) -> list[Comparison]:
    """Copies the parameters and buffers of their module to ours; returns what has no counterpart of its shape."""
    if not (hasattr(ours.function, "load_state_dict") and hasattr(theirs.function, "state_dict")):
        return []
    problems = []
    for which in ("parameters", "buffers"):
        here, there = ours.arrays(which), theirs.arrays(which)
        for name in {**there, **here}:
            label = f"{which[:-1]} {name}"
            if name not in here or name not in there:
                side, has, other = ("here", here, there) if name in there else ("there", there, here)
                others = ", ".join(n for n in has if n not in other)
                problems.append(incomparable(label, f"missing {side}" + f" (unpaired there: {others})" * bool(others)))
            elif here[name].shape != there[name].shape:
                shapes = f"{list(here[name].shape)} here, {list(there[name].shape)} there"
                problems.append(incomparable(label, f"its shape is {shapes}"))
    if not problems:
        state = {name: _value(tensor) for name, tensor in theirs.function.state_dict().items()}
        ours.function.load_state_dict({name: ours.fw.from_numpy(a) for name, a in state.items()})
    return problems


def _doubled(function: Any) -> Any:
    """A copy of a module in float64; any other function unchanged."""
    return copy.deepcopy(function).double() if hasattr(function, "double") else function


def _cast(values: list[Any], dtype: Any) -> list[Any]:
    return [v.astype(dtype) if _is_float(v) else v for v in values]


def _said(answer: Any) -> str:
    return f"raises {type(answer).__name__}: {answer}" if isinstance(answer, Exception) else "gives a result"


def _errors(ours: Any, theirs: Any) -> Verdict:
    """The verdict: the same if both are errors of one type with, except for the framework's name, one message."""
    words = [re.sub(r"\b(minigrad|torch)\b", "", str(error)).casefold().split() for error in (ours, theirs)]
    if type(ours).__name__ == type(theirs).__name__ and words[0] == words[1]:
        both = Comparison(f"both raise {type(ours).__name__}", (), 0.0, 0.0)
        return Verdict((both,), (f"both say: {theirs}",))
    return Verdict((incomparable("call", f"mine {_said(ours)}; theirs {_said(theirs)}"),))


def _names(ours: Any, theirs: Any, n: int) -> list[str]:
    """The names of the arguments, from the first of the functions that has a signature."""
    for function in (ours, theirs):
        try:
            known = list(inspect.signature(getattr(function, "forward", function)).parameters.values())[:n]
        except (TypeError, ValueError):
            continue
        if len(known) == n and not any(p.kind in (p.VAR_POSITIONAL, p.KEYWORD_ONLY) for p in known):
            return [f"{p.name} (argument {i})" for i, p in enumerate(known)]
    return [f"argument {i}" for i in range(n)]


def _value(x: Any) -> Any:
    """A copy of a tensor's values as an array; anything else unchanged."""
    return np.array(x.detach().numpy()) if hasattr(x, "detach") else x


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _numbered(name: str, values: list[Any]) -> dict[str, Any]:
    return {name if len(values) == 1 else f"{name} {i}": np.asarray(v) for i, v in enumerate(values)}


def _weights(results: list[Array], seed: int) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.uniform(0.5, 1.5, r.shape) * rng.choice([-1, 1], r.shape), r.dtype) for r in results]
