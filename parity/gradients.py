"""Outputs, loss and gradients of every network: both frameworks, one seed, the same batch with a little noise."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from experiments.runner.options import Options
from minigrad.engine import Array
from parity import networks, tolerances
from parity.compare import Comparison, as_array, compare_all
from parity.networks import Network, Pair

HELP = "outputs, loss and all gradients of every network, in float64 and float32"
LIMIT = 1_000  #: samples: one batch of them is looked at
NOISE = 0.1  #: standard deviation of what is added to the inputs
SHOWN = 6  #: networks of the same layers and objective, by name


@dataclass(frozen=True)
class View:
    """One way to look at a network.

    Attributes:
        dtype: float64 or float32.
        training: in training mode, dropout and batch norm at work; else in evaluation mode.
        probabilities: random probabilities take the place of the targets.
        second: compares the gradient of the gradient's norm.
    """

    dtype: str
    training: bool = True
    probabilities: bool = False
    second: bool = False

    @property
    def name(self) -> str:
        """For a column of the table.

        >>> View("float64", training=False).name
        'float64 eval'
        """
        what = "2nd order" if self.second else "prob. targets" if self.probabilities else ""
        return f"{self.dtype} {what or ('train' if self.training else 'eval')}"

    @property
    def gradient(self) -> str:
        """How the names of the parameters' gradients begin."""
        return "2nd order of " if self.second else "gradient of "


VIEWS = (
    View("float64"),
    View("float64", training=False),
    View("float64", probabilities=True),
    View("float64", second=True),
    View("float32"),
    View("float32", training=False),
    View("float32", probabilities=True),
)


@dataclass(frozen=True)
class Result:
    """What a view found; `skipped` says why there was nothing to see."""

    view: View
    comparisons: tuple[Comparison, ...] = ()
    skipped: str = ""

    @property
    def error(self) -> float:
        """The largest error."""
        return max((c.error for c in self.comparisons), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether all errors are within their tolerances."""
        return all(c.passed for c in self.comparisons)


@dataclass(frozen=True)
class Report:
    """All that was found about one network."""

    pair: Pair
    model: str
    parameters: int
    batch: int
    results: tuple[Result, ...]

    @property
    def passed(self) -> bool:
        """Whether every view passed."""
        return all(result.passed for result in self.results)


class NotApplicable(Exception):  # noqa: N818 - no error
    """Says why a network can't be looked at in this way."""


def look(network: Network, view: View) -> dict[str, Array | None]:
    """Everything that a view compares, by name, of one framework.

    Raises:
        NotApplicable: where probabilities are asked for, and the objective knows none.
    """
    trainer, fw = network.start(view.dtype), network.fw
    model, batch = trainer.model, _untied(fw, next(iter(trainer.loader)), network.seed)
    if view.dtype == "float64":
        batch = [networks.widened(tensor) for tensor in batch]
    if view.probabilities:
        batch = [*batch[:-1], _probabilities(fw, model, batch, network.seed)]
    batch = [t.detach().requires_grad_() if t.is_floating_point() else t for t in batch]
    if not view.training:
        with fw.no_grad():
            trainer.objective(model.train(), *batch)  # running statistics that differ from their start
    model.train(view.training)
    outputs: list[Any] = []
    hook = model.register_forward_hook(lambda module, args, result: outputs.extend(_tensors(result)))
    try:
        loss = trainer.objective(model, *batch)
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        if view.probabilities:
            raise NotApplicable(f"the objective takes no probabilities: {str(error).splitlines()[0]}") from error
        raise
    finally:
        hook.remove()

    inputs = {f"input {i}" if i else "input": t for i, t in enumerate(batch) if t.is_floating_point()}
    if view.probabilities:
        inputs["targets"] = inputs.pop(f"input {len(batch) - 1}")
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    leaves = [*parameters.values(), *inputs.values()]
    gradients = fw.autograd.grad(loss, leaves, create_graph=view.second, allow_unused=True)
    if view.probabilities and gradients[-1] is None:
        raise NotApplicable("the objective uses no targets")
    values: dict[str, Any] = {"loss": loss}
    if view.second:
        values = {"norm of the gradient": sum((g * g).sum() for g in gradients if g is not None).sqrt()}
        gradients = fw.autograd.grad(values["norm of the gradient"], leaves, allow_unused=True)
    else:
        values |= {f"output {i}" if i else "output": tensor for i, tensor in enumerate(outputs)}
        values |= {f"buffer {name}": tensor for name, tensor in model.named_buffers()}
    names = [view.gradient + name for name in parameters] + [f"{view.gradient[:-4]} w.r.t. {name}" for name in inputs]
    return {name: as_array(tensor) for name, tensor in {**values, **dict(zip(names, gradients, strict=True))}.items()}


def _untied(fw: Any, batch: Sequence[Any], seed: int) -> Sequence[Any]:
    """The batch, its inputs with a little noise if they are floating.

    In the even parts of an image all values of a pooling window are the same, but for their rounding, and this alone
    would decide which of them gets the gradient.
    """
    inputs = batch[0]
    if not inputs.is_floating_point():
        return batch
    noise = np.random.default_rng(seed).normal(0.0, NOISE, tuple(inputs.shape))
    return [inputs + fw.from_numpy(noise.astype(np.float32)), *batch[1:]]


def _tensors(result: Any) -> Iterator[Any]:
    """The tensors in what a model returned: one, or nested tuples of them."""
    if isinstance(result, tuple | list):
        for part in result:
            yield from _tensors(part)
    else:
        yield result


def _probabilities(fw: Any, model: Any, batch: Sequence[Any], seed: int) -> Any:
    """Random distributions over the classes in place of labels, numbers in (0, 1) in place of other targets."""
    if len(batch) < 2:
        raise NotApplicable("the objective has no targets")
    rng, inputs, targets = np.random.default_rng(seed), batch[0], batch[-1]
    shape = tuple(targets.shape)
    if not targets.is_floating_point():
        with fw.random.fork_rng(), fw.no_grad():
            outputs = next(_tensors(model(inputs)))
        if tuple(outputs.shape)[:1] != shape or outputs.ndim != 2:
            raise NotApplicable(f"targets {list(shape)} for outputs {list(outputs.shape)} are no labels")
        values = rng.dirichlet(np.ones(outputs.shape[1]), size=len(outputs))
    else:
        values = rng.uniform(0.05, 0.95, shape)
    kind = np.float64 if inputs.dtype == fw.float64 else np.float32
    return fw.from_numpy(values.astype(kind))


def examine(pair: Pair, views: Sequence[View] = VIEWS) -> Report:
    """Looks at one network in every way, in both frameworks."""
    results = []
    for view in views:
        try:
            theirs = look(pair.theirs, view)
        except NotApplicable as reason:
            results.append(Result(view, skipped=str(reason)))
            continue
        try:
            ours = look(pair.ours, view)
        except NotApplicable as reason:
            alone = Comparison("objective", (), np.inf, 0.0, problem=f"{reason} (PyTorch's does)")
            results.append(Result(view, (alone,)))
            continue
        allowed = tolerances.GRADIENT[view.dtype]
        share = (
            1.0 if view.dtype == "float32" else None
        )  # by the whole gradient: PyTorch itself is no closer to float64
        found = compare_all(ours, theirs, lambda _, allowed=allowed: allowed, view.gradient, share)  # type: ignore[misc]
        results.append(Result(view, found))
    trainer = pair.theirs.start()
    parameters = sum(p.numel() for p in trainer.model.parameters())
    return Report(pair, str(trainer.model), parameters, len(next(iter(trainer.loader))[0]), tuple(results))


def examine_all(names: Sequence[str], options: Options) -> Iterator[Report]:
    """Looks at each different network of these experiments, or of all."""
    for pair in networks.merged(networks.pairs(names, options), networks.objective_of):
        yield examine(pair)


# ---- the command -----------------------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own: see `parity.cli`."""
    parser.set_defaults(limit=LIMIT)


def run(names: Sequence[str], options: Options, told: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Prints a row a network; whether all passed, and all numbers for the report."""
    from parity.cli import Table

    table = Table(
        ["experiment", "network", "parameters", *(view.name.replace("float", "f") for view in VIEWS), "verdict"]
    )
    reports = []
    for report in examine_all(names, options):
        reports.append(report)
        errors = ["–" if result.skipped else f"{result.error:.1e}" for result in report.results]
        verdict = "same" if report.passed else "DIFFERENT"
        alike = f" (+{len(report.pair.alike)})" if report.pair.alike else ""
        table.row([report.pair.experiment, report.pair.stage + alike, f"{report.parameters:,}", *errors, verdict])
    table.print()
    print(
        "\nThe largest error of outputs, loss and each gradient, relative to the norm of PyTorch's (in float32, of the "
        "gradient\nof all parameters together). Allowed: "
        + ", ".join(f"{tolerance:g} in {dtype}" for dtype, tolerance in tolerances.GRADIENT.items())
        + ".\n2nd order is the gradient of the gradient's norm. (+n): so many more of the same layers and "
        "objective, which differ in optimizer, learning rate or seed."
    )
    for report in reports:
        if report.pair.alike:
            print(f"{report.pair.name} stands also for {_listed(report.pair.alike)}.")
    for reason in sorted(
        {f"{r.pair.name}, {s.view.name}: {s.skipped}" for r in reports for s in r.results if s.skipped}
    ):
        print(f"– {reason}")
    for report in reports:
        for result in report.results:
            wrong = sorted((c for c in result.comparisons if not c.passed), key=lambda c: -c.error)
            if wrong:
                more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
                print(f"DIFFERENT {report.pair.name}, {result.view.name}: {wrong[0]}{more}")
    return all(report.passed for report in reports), {
        "tolerances": tolerances.GRADIENT,
        "networks": [as_json(report) for report in reports],
    }


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more (all of them in the JSON)" if more > 0 else "")


def as_json(report: Report) -> dict[str, Any]:
    """A report as JSON holds it."""
    pair = report.pair
    return {
        "experiment": pair.experiment,
        "stage": pair.stage,
        "alike": list(pair.alike),
        "data": pair.data,
        "final": pair.final,
        "model": report.model,
        "parameters": report.parameters,
        "batch": report.batch,
        "passed": report.passed,
        "views": [
            {
                **asdict(result.view),
                "name": result.view.name,
                "error": result.error,
                "passed": result.passed,
                "skipped": result.skipped,
                "comparisons": [{**asdict(c), "passed": c.passed} for c in result.comparisons],
            }
            for result in report.results
        ],
    }
