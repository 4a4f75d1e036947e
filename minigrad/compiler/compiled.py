"""`minigrad.compile`: a function that is recorded at first and replayed from then on."""

from __future__ import annotations

import functools
import types
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from minigrad.compiler.builder import CHANGED
from minigrad.compiler.plan import Guards, Plan
from minigrad.compiler.recorder import Recorder, difference, same
from minigrad.grad_mode import grad_mode
from minigrad.tensor import Tensor
from minigrad.watch import by, watching

LIMIT = 16  #: a function that would need more plans is not worth recording (torch: recompile_limit)


class Recording(NamedTuple):
    """What one call leaves for the next one to be compared with."""

    record: Recorder
    output: Any
    guards: Guards


class Same:
    """An argument that is known by identity; it lives as long as a record that depends on it."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.thing is other.thing


class Compiled:
    """A function that replays what it did; see `compile`. Of a module, its attributes can be reached through it.

    Attributes:
        function: the function itself; call it to run eagerly.
        reason: why it runs eagerly from now on; None as long as it does not.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.reason: str | None = None
        self._plans: dict[Any, list[Plan]] = {}
        self._recordings: dict[Any, Recording] = {}
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Replay the function if it is known for arguments of this kind, else run (and record) it."""
        watcher = watching.watcher
        if self.reason is not None or (watcher is not None and watcher.records):
            return self.function(*args, **kwargs)
        inputs: list[Tensor] = []
        key = (kind(args, inputs), kind(kwargs, inputs) if kwargs else None, grad_mode.enabled)
        for plan in self._plans.get(key, ()):
            if plan.guards.hold():
                answer = plan.function(*inputs) if watcher is None else watcher.effect(plan.function, *inputs)
                return self.function(*args, **kwargs) if answer is CHANGED else answer
        return self._record(key, inputs, args, kwargs)

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        return self if owner is None else types.MethodType(self, owner)

    def __reduce__(self) -> tuple[Any, ...]:
        return Compiled, (self.function,)  # a copy records for itself

    def __getattr__(self, name: str) -> Any:
        if name == "function":  # a copy that is being made has none yet
            raise AttributeError(name)
        return getattr(self.function, name)

    @property
    def source(self) -> str:
        """The functions that are replayed, as Python."""
        return "\n\n".join(plan.source for plans in self._plans.values() for plan in plans)

    @property
    def name(self) -> str:
        """The function's name."""
        return getattr(self.function, "__qualname__", type(self.function).__name__)

    def _record(self, key: Any, inputs: list[Tensor], args: Any, kwargs: Any) -> Any:
        before = self._recordings.pop(key, None)
        comparable = before is not None and before.guards.hold()
        recorder = Recorder(inputs)
        with by(recorder):
            result = self.function(*args, **kwargs)
        output = recorder.output(result)
        if any(x.node is not None for x in inputs):
            recorder.read("an argument is the result of a recorded operation")
        if recorder.refusal is not None:
            return self._stay_eager(recorder.refusal, result)
        guards = Guards(recorder)
        if before is None and len(self._recordings) + sum(map(len, self._plans.values())) == LIMIT:
            return self._stay_eager(f"it was called in more than {LIMIT} different ways", result)
        if before is None or not comparable:
            self._recordings[key] = Recording(recorder, output, guards)
        elif (what := difference(before.record, recorder)) is not None:
            return self._stay_eager(what, result)
        elif not same(before.output, output):
            return self._stay_eager("it returns something that is made anew each time, and not of tensors", result)
        else:
            self._plans.setdefault(key, []).append(Plan(recorder, output, guards, self.name))
        recorder.close()
        return result

    def _stay_eager(self, reason: str, result: Any) -> Any:
        self.reason = reason
        self._plans.clear()
        self._recordings.clear()
        warnings.warn(f"minigrad.compile: {self.name} is not replayed but runs eagerly, because {reason}", stacklevel=4)
        return result


def kind(thing: Any, inputs: list[Tensor]) -> Any:
    """What a record depends on of an argument: of a tensor its shape, strides and dtype, of all else the value.

    The tensors are appended to `inputs`.
    """
    if isinstance(thing, Tensor):
        if thing.view_of is not None:
            thing.refresh()
        array = thing.array
        first = next((i for i, x in enumerate(inputs) if x.array is array), None)
        inputs.append(thing)
        return array.shape, array.strides, array.dtype, thing.tracked, first
    if isinstance(thing, (tuple, list)):
        return type(thing), *[kind(part, inputs) for part in thing]
    if isinstance(thing, dict):
        return tuple([(key, kind(part, inputs)) for key, part in thing.items()])
    if thing is None or isinstance(thing, (bool, int, float, str)):
        return type(thing), thing
    return Same(thing)


def compile(model: Callable[..., Any] | None = None, **options: Any) -> Any:
    """A function that does what `model` does, faster: recorded when it runs first, replayed from then on.

    `model` is a training step (or any other function of tensors, or a module). Its first two calls run as always,
    and are recorded; if both did the same, all later ones replay the record: no graph is built, operations write into
    buffers that are made once, dropout draws its masks and batch norm updates its statistics in the same order. The
    results are those of the eager step, to the last bit. Arguments of another shape or dtype, another mode of
    training or recording, and exchanged or frozen parameters are recorded anew. An optimizer's learning rate and
    other options are read at every step. What the step returns is a copy; beside it no array is made, but by operations
    that neither have a kernel nor consist of NumPy's ufuncs (``erf``, ``cumsum``, ``gather`` …).

    A step that can't be replayed, since it reads a value (``item()``, ``if loss > 1``, ``print(loss)``), sets an
    attribute, draws or makes numbers in a way that no record shows, runs eagerly; one warning names the line.
    What the step does in Python beside tensors (append to a list, count) it does only while it is recorded.

    What it returns is cut off from the graph, so backward belongs into the step. The arrays of ``grad`` are used again
    by the next call: `clone` what is to be kept.

    Args:
        model: the function; without it, ``compile(**options)`` is a decorator.
        options: torch's (``fullgraph``, ``dynamic``, ``backend``, ``mode`` …): accepted, without effect.

    >>> import minigrad
    >>> w = minigrad.tensor([3.0], requires_grad=True)
    >>> optimizer = minigrad.optim.SGD([w], lr=0.25)
    >>> @minigrad.compile
    ... def step(x):
    ...     optimizer.zero_grad()
    ...     loss = (w * x).square().sum()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> [step(minigrad.ones(1)).item() for _ in range(4)]
    [9.0, 2.25, 0.5625, 0.140625]
    """
    if model is None:
        return functools.partial(compile, **options)
    return Compiled(model)
