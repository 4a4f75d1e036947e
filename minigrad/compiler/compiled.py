"""`minigrad.compile`: a function is recorded in its first calls and replayed from then on."""

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
from typing import Any

from minigrad.compiler.analysis import FOLLOW, Unguardable, named, plain, python_defined
from minigrad.compiler.builder import Builder
from minigrad.compiler.guards import Guards
from minigrad.compiler.recorder import Recorder, difference, same
from minigrad.compiler.tracing import UntraceableError
from minigrad.grad_mode import grad_mode
from minigrad.nn.module import Module
from minigrad.tensor import Tensor
from minigrad.watch import watched_by, watching

OWN = {"array", *dir(Tensor)}  #: attributes of a tensor
LIMIT = 16  #: a function that would need more plans is not worth recording (torch: recompile_limit)
MOST_RECORDED = 4 * LIMIT  #: the most recordings of a function whose guards keep failing


class Plan:
    """A recorded step, which can be replayed as long as its guards hold.

    Attributes:
        key: what the arguments must be, see `described`.
        guards: what else must hold.
        source: the source of the function.
        function: takes the input tensors, returns what the step returned.
        lock: held while the function runs, as there is one set of buffers.
    """

    def __init__(self, key: Any, guards: Guards, record: Recorder, output: Any, name: str) -> None:
        self.key, self.guards, self.lock = key, guards, Lock()
        builder = Builder(record, output)
        self.source = builder.build()
        exec(builtins.compile(self.source, "<minigrad.compile>", "exec"), builder.bound)
        self.function: Callable[..., Any] = builder.bound.pop("step")  # avoids a reference cycle
        self.function.__name__ = name
        self._leaves = [leaf for leaf, _ in builder.gradients]
        self._stored = [stored for _, stored in builder.gradients]
        self._held: list[Any] = [*self._stored, *(stored.array for stored in self._stored)]
        self._own: list[int] | None = None  # the numbers of the plan's own references to them
        self._free: Any = None  # which belonged to their leaves, and all references, when nobody else had one

    def kept(self) -> bool:
        """Whether a gradient that the next call would overwrite is still referenced elsewhere."""
        belong = [*map(operator.is_, map(operator.attrgetter("_grad"), self._leaves), self._stored)]
        counts = [*map(getrefcount, self._held)]
        if (belong, counts) == self._free:
            return False
        own = [*map(operator.sub, counts, belong), *counts[len(self._stored) :]]
        if self._own is None:
            self._own = own
        self._free = (belong, counts) if own == self._own else None
        return own != self._own


class Compiled:
    """A compiled function; see `compile`. The attributes of a compiled module can be read and set through it.

    Attributes:
        function: the function itself; call it to run eagerly.
        reason: why it runs eagerly from now on; None if it does not.
    """

    function: Callable[..., Any]
    reason: str | None
    _plans: list[Plan]
    _records: list[tuple[Any, Guards, Recorder, Any]]  #: recordings to be compared with a second one

    def __init__(self, function: Callable[..., Any], fullgraph: bool = False) -> None:
        own = {"function": function, "reason": None, "fullgraph": fullgraph}
        vars(self).update(own, _plans=[], _records=[], _recorded=0, _lock=Lock())
        if not isinstance(function, Module):
            functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Replay the function if there is a plan for such arguments, else run (and record) it."""
        watcher = watching.watcher
        if self.reason is not None or (watcher is not None and watcher.records):
            return self.function(*args, **kwargs)
        inputs: list[Tensor] = []
        others: list[Any] = []
        try:
            key = described(args, kwargs, inputs, others)
            lock = self._lock
            for plan in self._plans:
                if plan.key == key and plan.guards.hold(inputs):
                    lock = plan.lock
                    break
            if lock.acquire(False):  # else another thread, or a caller of this hook, is running it
                try:
                    if lock is self._lock:
                        return self._record(key, inputs, others, args, kwargs)
                    if not plan.kept():
                        return plan.function(*inputs) if watcher is None else watcher.effect(plan.function, *inputs)
                    self._plans = [other for other in self._plans if other is not plan]  # its buffers are in use
                finally:
                    lock.release()
        except Unguardable as error:
            self._stay_eager(str(error))
        except UntraceableError:  # raised before the plan changes anything
            pass
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        state = f"eager: {self.reason}" if self.reason else f"{len(self._plans)} recorded"
        return f"minigrad.compile({self.function!r}; {state})"

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __reduce__(self) -> Any:
        name = getattr(self.function, "__qualname__", "")
        if name and getattr(sys.modules.get(self.function.__module__), name, None) is self:
            return name  # a decorated function is pickled by name, as functions are
        return Compiled, (self.function, self.fullgraph)  # a copy records for itself

    def __getattr__(self, name: str) -> Any:
        if name == "function":  # a copy under construction has none yet
            raise AttributeError(name)
        return getattr(self.function, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self) or not isinstance(self.function, Module):
            object.__setattr__(self, name, value)
        else:
            setattr(self.function, name, value)

    @property
    def source(self) -> str:
        """The Python source of the plans."""
        return "\n\n".join(plan.source for plan in self._plans)

    @property
    def name(self) -> str:
        """The function's name."""
        return named(self.function).removesuffix("()")

    def _record(self, key: Any, inputs: list[Tensor], others: list[Any], args: Any, kwargs: Any) -> Any:
        """Run and record the function; make a plan when two runs did the same."""
        known = [entry for entry in self._records if entry[0] == key and entry[1].hold(inputs)]
        guards = known[0][1] if known else Guards(self.function, *others)
        recorder = Recorder(inputs)
        with watched_by(recorder):
            result = self.function(*args, **kwargs)
        output = recorder.output(result, guards)
        self._recorded += 1
        change = guards.changed()
        if change is not None and recorder.refusal is None and self._recorded == 1:
            return result  # the first call may initialise what later calls use
        reasons = {
            recorder.refusal: recorder.refusal is not None,
            change and f"it has a side effect: {change.what} changes at {change.line}": change is not None,
            "it changes its arguments, or whether gradients are recorded": described(args, kwargs, [], []) != key,
            "an argument is a tensor with attributes of the user's, or of a user's class": any(
                not vars(x).keys() <= OWN or python_defined(type(x)) for x in inputs
            ),
            f"it was called in more than {LIMIT} different ways": not known
            and len(self._records) + len(self._plans) == LIMIT,
            "what it reads changes too often, or its gradients are kept": self._recorded > MOST_RECORDED,
        }
        reason = next((reason for reason, holds in reasons.items() if holds), None)
        if reason is None and known:
            reason = difference(known[0][2], recorder)
            if reason is None and not same(known[0][3], output):
                reason = "it returns a new object each time, which is not made of tensors"
        if reason is not None:
            self._stay_eager(reason)
        elif known:
            self._records.remove(known[0])
            self._plans.append(Plan(key, guards, recorder, output, self.name))
        else:
            guards.watch(recorder)
            self._records.append((key, guards, recorder, output))
        recorder.close()
        return result

    def _stay_eager(self, reason: str) -> None:
        self.reason = reason
        self._plans.clear()
        self._records.clear()
        if self.fullgraph:
            raise RuntimeError(f"minigrad.compile: {self.name} can't be replayed (fullgraph=True), because {reason}")
        warnings.warn(f"minigrad.compile: {self.name} is not replayed but runs eagerly, because {reason}", stacklevel=4)


FOLLOW[Compiled] = lambda analysis, x, line: analysis.follow(x.function, line)


def described(args: Any, kwargs: Any, inputs: list[Tensor], others: list[Any]) -> Any:
    """The properties of arguments that a record depends on: shape, strides and dtype of tensors, the value of all else.

    The tensors are appended to `inputs`, objects that are known by identity to `others`.

    Raises:
        Unguardable: for a tensor with a history or with hooks.
    """
    known = form(args, inputs, others), form(kwargs, inputs, others) if kwargs else None
    arrays = [id(x.array) for x in inputs]
    return known, grad_mode.enabled, [*map(arrays.index, arrays)]


def form(thing: Any, inputs: list[Tensor], others: list[Any]) -> Any:
    """`described` for one argument."""
    if isinstance(thing, Tensor):
        if thing.view_of is not None:
            thing.refresh()
        if thing.node is not None or thing.hooks or thing.after_accumulate:
            raise Unguardable("an argument is the result of a recorded operation, or has hooks")
        inputs.append(thing)
        array = thing.array
        return array.shape, array.strides, array.dtype, thing.tracked, type(thing)
    if type(thing) in (tuple, list) or (isinstance(thing, tuple) and hasattr(thing, "_fields")):
        return type(thing), [form(part, inputs, others) for part in thing]
    if plain(thing):
        return type(thing), repr(thing)
    if type(thing) is dict:
        return dict, [form(part, inputs, others) for pair in thing.items() for part in pair]
    others.append(thing)
    return id(thing)  # guards keep it alive


def compile(
    model: Callable[..., Any] | None = None, *, fullgraph: bool = False, disable: bool = False, **options: Any
) -> Any:
    """A function that does what `model` does, faster: recorded in its first calls, replayed from then on.

    `model` is a training step (or any other function of tensors, or a module). Its first two calls run eagerly and
    are recorded; if both did the same, all later ones replay the record: no graph is built, operations write into
    buffers that are made once, dropout draws its masks and batch norm updates its statistics in the same order. The
    results are those of the eager step, to the last bit.

    A replay is valid only if what the step reads from Python has not changed. So all of it (globals, variables of a
    closure, attributes, elements of lists and dicts, hooks, modes) is checked before each replay
    (`minigrad.compiler.guards`); if something has changed, the step is recorded again, as it is for arguments of
    another shape or dtype. Hooks on tensors and the optimizer's step are called in every replay. A step runs eagerly,
    with one warning that names the line, if its control flow depends on values of tensors (``item()``, ``if loss >
    1``), if it changes Python objects (appends to a list, counts, sets an attribute), or if it reads something that
    can't be checked.

    Its results are detached from the graph, so backward must be called inside the step.

    Args:
        model: the function; without it, ``compile(**options)`` is a decorator.
        fullgraph: raise an error where the step would run eagerly.
        disable: return `model` itself.
        options: torch's ``dynamic``, ``backend``, ``mode``, ``options``, which are ignored.

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
        warnings.warn(f"minigrad.compile: {', '.join(without)}: ignored, as it has no meaning here", stacklevel=2)
    return model if disable else Compiled(model, fullgraph)
