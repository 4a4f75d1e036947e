"""OptimizerInfo: torch's configurations of its optimizers, its schedulers, and the configurations they refuse."""

from __future__ import annotations

import copy
import functools
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.testing._internal import common_optimizers
from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

import minigrad
from minigrad.nn.parameter import Parameter
from minigrad.optim import lr_scheduler
from parity.measure.exams import scope
from parity.measure.exams.bridge import lookup, rebound, to_minigrad
from parity.measure.exams.grading import MismatchError, Outcome, close, compare_exceptions, judged, same

FAMILY = "optimizers"
STEPS = 12
SCRATCH = {"al"}  # a list that torch's LBFGS overwrites in each iteration before it reads it
TOLERANCE = {"LBFGS": 1e-7}  #: a step is up to 20 iterations and a search, which amplify rounding


def path(info: Any) -> str:
    """The optimizer's name below `minigrad`."""
    return f"optim.{info.name}"


def outcomes() -> Iterator[Outcome]:
    """All configurations, schedulers and bad configurations of the optimizers that minigrad has."""
    return scope.outcomes(optim_db, path, configurations, schedulers, errors)


def left_out() -> dict[str, str]:
    """What torch's exam has beside that, and why it is left out; and what it lacks."""
    examined = (name for info in optim_db for makers in info.scheduler_inputs for name in named(makers))
    own = scope.classes(lr_scheduler, lr_scheduler.LRScheduler)
    others = scope.left_out(FAMILY, optim_db, path, lambda info: str(info.name))
    return others | scope.lacking("schedulers", own, examined)


def named(makers: Sequence[Any]) -> list[str]:
    """The names of the schedulers that a combination of torch's exam makes."""
    used = (name for make in makers for name in make.__code__.co_names)
    return [name for name in used if isinstance(getattr(torch.optim.lr_scheduler, name, None), type)]


def configurations(info: Any) -> Iterator[Outcome]:
    """Steps from equal parameters with every configuration, and with every implementation that the options choose."""
    for given in info.optim_inputs_func("cpu"):
        yield judged(FAMILY, "configurations", info.name, given.desc, _compare, info, given.kwargs, [])
    for given in common_optimizers._get_optim_inputs_including_global_cliquey_kwargs("cpu", torch.float64, info):
        if given.kwargs.get("foreach") or given.kwargs.get("fused"):
            yield judged(FAMILY, "implementations", info.name, given.desc, _compare, info, given.kwargs, [])


def schedulers(info: Any) -> Iterator[Outcome]:
    """Steps with every configuration and every combination of schedulers."""
    for given in info.optim_inputs_func("cpu"):
        for makers in info.scheduler_inputs:
            case = f"{given.desc}, {' + '.join(named(makers))}"
            yield judged(FAMILY, "schedulers", info.name, case, _compare, info, given.kwargs, makers)


def _compare(info: Any, kwargs: dict[str, Any], makers: list[Any]) -> None:
    """Trains one small model in both: parameters, learning rates and state agree after each step."""
    rng = np.random.default_rng(0)
    start = rng.normal(size=(4, 3)), rng.normal(size=(3,))
    x, y = rng.normal(size=(8, 4)), rng.uniform(-0.5, 0.5, size=(8, 3))
    theirs = [torch.nn.Parameter(torch.tensor(a)) for a in start]
    ours = [Parameter(minigrad.tensor(a)) for a in start]
    kwargs = copy.deepcopy(kwargs)  # schedulers write to a rate that is a tensor
    optimizer = lookup(path(info))(ours, **to_minigrad(kwargs))
    reference = info.optim_cls(theirs, **kwargs)
    names = {name: lookup(f"optim.lr_scheduler.{name}") for name in named(makers)}
    pairs = [(make(reference), rebound(make, **names)(optimizer)) for make in makers]
    agree = functools.partial(close, tolerance=TOLERANCE.get(info.name))
    for step in range(STEPS):
        loss = float(reference.step(_closure(torch, reference, theirs, x, y)))
        got = float(optimizer.step(_closure(minigrad, optimizer, ours, x, y)))
        agree(np.asarray(got), np.asarray(loss), f"loss at step {step}")
        for i, (p, q) in enumerate(zip(ours, theirs, strict=True)):
            agree(p.detach().numpy(), q.detach().numpy(), f"parameter {i} after step {step}")
        for scheduler in (scheduler for pair in pairs for scheduler in pair):
            scheduler.step(*[loss] * (type(scheduler).__name__ == "ReduceLROnPlateau"))
        rates = [np.asarray([float(group["lr"]) for group in side.param_groups]) for side in (optimizer, reference)]
        agree(rates[0], rates[1], f"rate {step}")
    same_state(optimizer.state_dict(), reference.state_dict())


def same_state(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Compares the state of two optimizers.

    Raises:
        MismatchError: if a name or a value differs.
    """
    for index, state in theirs["state"].items():
        mine = ours["state"].get(index, {})
        if set(mine) - SCRATCH != set(state) - SCRATCH:
            raise MismatchError(f"state {index} has {sorted(mine)} for torch's {sorted(state)}")
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.ndim:
                same(mine[name], value, f"state {index} '{name}'")


def _closure(fw: Any, optimizer: Any, parameters: list[Any], x: Any, y: Any) -> Any:
    """Squared error of one layer with tanh, and its gradient."""

    def closure() -> Any:
        optimizer.zero_grad()
        weight, bias = parameters
        loss = ((fw.tanh(fw.tensor(x) @ weight + bias) - fw.tensor(y)) ** 2).mean()
        loss.backward()
        return loss.detach()

    return closure


def errors(info: Any) -> Iterator[Outcome]:
    """The bad configurations."""
    torch.manual_seed(0)
    for number, bad in enumerate(info.optim_error_inputs_func("cpu", torch.float64)):
        given = bad.optimizer_error_input
        yield judged(FAMILY, "errors", info.name, f"{number}: {given.desc}", _compare_exceptions, info, bad, given)


def _compare_exceptions(info: Any, bad: Any, given: Any) -> str:
    cls = lookup(path(info))
    params = [torch.nn.Parameter(torch.randn(2, 3, dtype=torch.float64))] if given.params is None else given.params
    mine, kwargs = to_minigrad((params, given.kwargs))

    def build(maker: Any, parameters: Any, options: dict[str, Any]) -> None:
        optimizer = maker(parameters, **options)
        if bad.error_on is OptimizerErrorEnum.STEP_ERROR:
            optimizer.step()

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # one of the bad configurations causes only a warning
        reference = functools.partial(build, info.optim_cls, params, given.kwargs)
        return compare_exceptions(functools.partial(build, cls, mine, kwargs), reference, bad.error_regex)
