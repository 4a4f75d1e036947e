"""`minigrad.compile`: a function that is recorded at first and replayed from then on."""

from __future__ import annotations

import builtins
import functools
import operator
import sys
import types
import warnings
from collections.abc import Callable
from sys import getrefcount
from threading import Lock
from typing import Any, NamedTuple

from minigrad.compiler.analysis import FOLLOW, Unguardable, named, plain, python_defined
from minigrad.compiler.builder import CHANGED, Builder
from minigrad.compiler.guards import Guards
from minigrad.compiler.recorder import Recorder, difference, same
from minigrad.grad_mode import grad_mode
from minigrad.nn.module import Module
from minigrad.tensor import Tensor
from minigrad.watch import by, watching

OWN = {"array", *dir(Tensor)}  #: attributes of a tensor
LIMIT = 16  #: a function that would need more plans is not worth recording (torch: recompile_limit)
MOST_RECORDED = 4 * LIMIT  #: the same, for one that needs new plans again and again


class Plan:
    """A step that can be done again as long as the guards hold.

    Attributes:
        source: the text of the function.
        function: takes the input tensors, returns what the step returned.
        guards: what must hold.
        lock: held by whom the function is running for; its buffers are there once.
    """

    def __init__(self, record: Recorder, output: Any, guards: Guards, name: str) -> None:
        self.guards, self.lock = guards, Lock()
        builder = Builder(record, output)
        self.source = builder.build()
        exec(builtins.compile(self.source, "<minigrad.compile>", "exec"), builder.bound)
        self.function: Callable[..., Any] = builder.bound.pop("step")  # else it would hold itself, and all buffers
        self.function.__name__ = name
        self._leaves = [leaf for leaf, _ in builder.gradients]
        self._stored = [stored for _, stored in builder.gradients]
        self._buffers = [stored.array for stored in self._stored]
        self._counts: list[int] | None = None

    def kept(self) -> bool:
        """Whether somebody still holds a gradient that the next call would overwrite."""
        belong = map(operator.is_, map(operator.attrgetter("_grad"), self._leaves), self._stored)
        counts = [*map(getrefcount, self._buffers), *map(operator.sub, map(getrefcount, self._stored), belong)]
        if self._counts is None:
            self._counts = counts
        return counts != self._counts


class Recording(NamedTuple):
    """What one call leaves for the next one to be compared with."""

    record: Recorder
    output: Any
    guards: Guards


class Compiled:
    """A function that is replayed; see `compile`. Of a module, its attributes can be read and set through it.

    Attributes:
        function: the function itself; call it to run eagerly.
        reason: why it runs eagerly from now on; None as long as it does not.
    """

    function: Callable[..., Any]
    reason: str | None
    _plans: dict[Any, list[Plan]]
    _recordings: dict[Any, list[Recording]]

    def __init__(self, function: Callable[..., Any], fullgraph: bool = False) -> None:
        own = {"function": function, "reason": None, "fullgraph": fullgraph}
        vars(self).update(own, _plans={}, _recordings={}, _recorded=0, _lock=Lock())
        if not isinstance(function, Module):
            functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Replay the function if it is known for arguments of this kind, else run (and record) it."""
        watcher = watching.watcher
        if self.reason is not None or (watcher is not None and watcher.records):
            return self.function(*args, **kwargs)
        inputs: list[Tensor] = []
        others: list[Any] = []
        try:
            key = (kind(args, inputs, others), kind(kwargs, inputs, others) if kwargs else None, grad_mode.enabled)
        except Unguardable as error:
            self._stay_eager(str(error))
            return self.function(*args, **kwargs)
        for plan in tuple(self._plans.get(key, ())):
            if plan.guards.hold(inputs):
                if not plan.lock.acquire(blocking=False):  # another thread's, or a hook's in the plan itself
                    return self.function(*args, **kwargs)
                try:
                    if plan.kept():  # its buffers are somebody else's now
                        self._plans[key] = [other for other in self._plans[key] if other is not plan]
                        break
                    answer = plan.function(*inputs) if watcher is None else watcher.effect(plan.function, *inputs)
                    return self.function(*args, **kwargs) if answer is CHANGED else answer
                finally:
                    plan.lock.release()
        if not self._lock.acquire(blocking=False):
            return self.function(*args, **kwargs)
        try:
            return self._record(key, inputs, others, args, kwargs)
        finally:
            self._lock.release()

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        return self if owner is None else types.MethodType(self, owner)

    def __reduce__(self) -> Any:
        name = getattr(self.function, "__qualname__", "")
        if name and getattr(sys.modules.get(self.function.__module__), name, None) is self:
            return name  # a decorated function is known by its name, as functions are
        return Compiled, (self.function, self.fullgraph)  # a copy records for itself

    def __getattr__(self, name: str) -> Any:
        if name == "function":  # a copy that is being made has none yet
            raise AttributeError(name)
        return getattr(self.function, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self) or not isinstance(self.function, Module):
            object.__setattr__(self, name, value)
        else:
            setattr(self.function, name, value)

    @property
    def source(self) -> str:
        """The functions that are replayed, as Python."""
        return "\n\n".join(plan.source for plans in self._plans.values() for plan in plans)

    @property
    def name(self) -> str:
        """The function's name."""
        return named(self.function).removesuffix("()")

    def _record(self, key: Any, inputs: list[Tensor], others: list[Any], args: Any, kwargs: Any) -> Any:
        """Run the function, and record it; from two runs that did the same, make a plan."""
        recordings = self._recordings.setdefault(key, [])
        before = next((recording for recording in recordings if recording.guards.hold(inputs)), None)
        try:
            guards = Guards(self.function, *others) if before is None else before.guards
        except Unguardable as error:
            self._stay_eager(str(error))
            return self.function(*args, **kwargs)
        recorder = Recorder(inputs)
        with by(recorder):
            result = self.function(*args, **kwargs)
        output = recorder.output(result, guards)
        self._recorded += 1
        change = guards.changed()
        if change is not None and recorder.refusal is None and self._recorded == 1:
            return result  # what the first call sets, may be there for all others
        again = kind(args, [], []), kind(kwargs, [], []) if kwargs else None, grad_mode.enabled
        ways = sum(map(len, self._recordings.values())) + sum(map(len, self._plans.values()))
        reasons = {
            recorder.refusal: recorder.refusal is not None,
            change and f"it has a side effect: {change.what} changes at {change.line}": change is not None,
            "it changes its arguments, or whether gradients are recorded": again != key,
            "an argument has attributes, or is of a class, of its own": any(
                not vars(x).keys() <= OWN or python_defined(type(x)) for x in inputs
            ),
            f"it was called in more than {LIMIT} different ways": before is None and ways == LIMIT,
            "what it reads changes too often, or its gradients are kept": self._recorded > MOST_RECORDED,
        }
        reason = next((reason for reason, holds in reasons.items() if holds), None)
        if reason is None and before is not None:
            reason = difference(before.record, recorder)
            if reason is None and not same(before.output, output):
                reason = "it returns something that is made anew each time, and not of tensors"
        if reason is not None:
            self._stay_eager(reason)
        elif before is None:
            guards.watch(recorder)
            recordings.append(Recording(recorder, output, guards))
        else:
            recordings.remove(before)
            self._plans.setdefault(key, []).append(Plan(recorder, output, guards, self.name))
        recorder.close()
        return result

    def _stay_eager(self, reason: str) -> None:
        self.reason = reason
        self._plans.clear()
        self._recordings.clear()
        if self.fullgraph:
            raise RuntimeError(f"minigrad.compile: {self.name} can't be replayed (fullgraph=True), because {reason}")
        warnings.warn(f"minigrad.compile: {self.name} is not replayed but runs eagerly, because {reason}", stacklevel=4)


FOLLOW[Compiled] = lambda analysis, x, line: analysis.follow(x.function, line)


def kind(thing: Any, inputs: list[Tensor], others: list[Any]) -> Any:
    """What a record depends on of an argument: of a tensor its shape, strides and dtype, of all else the value.

    The tensors are appended to `inputs`, objects that are known by identity to `others`.

    Raises:
        Unguardable: for a tensor with a history or with hooks.
    """
    if isinstance(thing, Tensor):
        if thing.view_of is not None:
            thing.refresh()
        if thing.node is not None or thing.hooks or thing.after_accumulate:
            raise Unguardable("an argument is the result of a recorded operation, or has hooks")
        array, first = thing.array, None
        for i, other in enumerate(inputs):
            if other.array is array and first is None:
                first = i
        inputs.append(thing)
        return array.shape, array.strides, array.dtype, thing.tracked, first, type(thing)
    if plain(thing):
        return type(thing), repr(thing)
    if type(thing) in (tuple, list) or (isinstance(thing, tuple) and hasattr(thing, "_fields")):
        return type(thing), *[kind(part, inputs, others) for part in thing]
    if type(thing) is dict:
        return dict, *[kind(part, inputs, others) for pair in thing.items() for part in pair]
    others.append(thing)
    return id(thing)  # it lives as long as guards that know it


def compile(
    model: Callable[..., Any] | None = None, *, fullgraph: bool = False, disable: bool = False, **options: Any
) -> Any:
    """A function that does what `model` does, faster: recorded when it runs first, replayed from then on.

    `model` is a training step (or any other function of tensors, or a module). Its first two calls run as always,
    and are recorded; if both did the same, all later ones replay the record: no graph is built, operations write into
    buffers that are made once, dropout draws its masks and batch norm updates its statistics in the same order. The
    results are those of the eager step, to the last bit.

    A replay is only as good as what it takes for granted. So all that the step reads from Python (globals, variables
    of a closure, attributes, what is in lists and dicts, hooks, modes) is checked before each replay
    (`minigrad.compiler.guards`); what has changed is recorded anew, as are arguments of another shape or dtype. Hooks
    on tensors and the optimizer's step are called at every replay. A step runs eagerly, with one warning that names
    the line, if its control flow depends on values of tensors (``item()``, ``if loss > 1``), if it changes Python
    objects (appends to a list, counts, sets an attribute), or reads something that can't be checked.

    What it returns is cut off from the graph, so backward belongs into the step.

    Args:
        model: the function; without it, ``compile(**options)`` is a decorator.
        fullgraph: raise an error where the step would run eagerly.
        disable: return `model` as it is.
        options: torch's ``dynamic``, ``backend``, ``mode``, ``options``: without a meaning here.

    Raises:
        TypeError: if `model` can't be called, or there is no such option.
        RuntimeError: with `fullgraph`, from a call that can't be replayed.

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
    if unknown := options.keys() - {"dynamic", "backend", "mode", "options"}:
        raise TypeError(f"compile() got an unexpected keyword argument '{min(unknown)}'")
    if model is None:
        return functools.partial(compile, fullgraph=fullgraph, disable=disable, **options)
    if not callable(model):
        raise TypeError(f"compile expects a function or a module, but got {type(model).__name__}")
    if without := [name for name, value in options.items() if value is not None]:
        warnings.warn(f"minigrad.compile: {', '.join(without)}: without a meaning here", stacklevel=2)
    return model if disable else Compiled(model, fullgraph)
