"""An epoch of every network in float64; and whole trainings in float32, beside PyTorch's own from moved starts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments import registry
from experiments.cli import positive
from experiments.reporting.pages import RESULTS
from experiments.runner.options import Options
from parity.judge import epochs, ranks, tolerances
from parity.judge.account import Account, error
from parity.measure import networks
from parity.measure.networks import FRAMEWORKS, Pair
from parity.measure.training import Kept, Task
from parity.show.table import Table

HELP = "an epoch of every network in float64; whole trainings in float32, beside PyTorch's own from moved starts"
MOVED_SEEDS = 2_000  #: after which the seeds of further runs begin, where an experiment has few networks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which part, and how the runs are made and kept."""
    parser.add_argument("--dtype", choices=("float64", "float32"), help="only one of the two parts")
    add_trainings(parser)


def add_trainings(parser: argparse.ArgumentParser) -> None:
    """The options of commands that train to the end: how long, which, how many at a time, where they are kept."""
    parser.add_argument("--epochs", type=positive, help="instead of the experiments' own, for a trial")
    parser.add_argument("--stages", nargs="+", metavar="STAGE", help="only the networks of these names, e.g. final")
    parser.add_argument("--jobs", type=positive, default=1, help="processes at a time, one thread each (default 1)")
    keep = "results; trainings are kept in parity/runs there, and aren't repeated"
    parser.add_argument("--keep", type=Path, default=RESULTS, metavar="DIR", help=keep)


def run(names: Sequence[str], options: Options, arguments: argparse.Namespace) -> tuple[bool, dict[str, Any]]:
    """Prints a row for each network; returns whether all passed, and all numbers."""
    passed, found = True, dict[str, Any]()
    if arguments.dtype != "float32":
        measured = networks.merged(networks.pairs(names, options), networks.training_of)
        found["epochs"] = [epochs.one_epoch(pair) for pair in measured]
        passed = _print_epochs(found["epochs"])
    if arguments.dtype != "float64":
        known = [_runs(name, options, arguments) for name in names or registry.names()]
        adjusted = ranks.holm({a.name: ranks.p_value(list(a.distances.values())) for a in known if a.distances})
        passed &= _print_runs(known, adjusted)
    return passed, found


def _print_epochs(found: list[dict[str, Any]]) -> bool:
    header = ["experiment", "network", "optimizer", "steps", "furthest apart", "which", "verdict"]
    table = Table([*header, "PyTorch from itself"])
    for epoch in found:
        label = epoch["stage"] + (f" (+{len(epoch['alike'])})" if epoch["alike"] else "")
        cells = [epoch["experiment"], label, epoch["optimizer"], f"{epoch['steps']:,}", error(epoch["furthest"])]
        itself = "" if epoch["itself"] is None else error(epoch["itself"])
        table.row([*cells, epoch["which"], "same" if epoch["passed"] else "DIFFERENT", itself])
    table.print()
    print(
        "\nOne epoch in float64: the largest distance of any parameter or buffer in the end, relative to its norm; "
        f"allowed: {tolerances.EPOCH:g},\nand where rounding is amplified beyond that, {tolerances.AMPLIFIED:g} times "
        "PyTorch's distance from itself: from starts moved by at most one unit in the last place.\n"
    )
    return all(epoch["passed"] for epoch in found)


def kept(name: str, options: Options, arguments: argparse.Namespace) -> tuple[Kept, list[Pair]]:
    """The trainings of an experiment that are kept, and the networks that were asked for."""
    given = Options(**{**vars(options), "epochs": arguments.epochs})
    found = list(networks.pairs([name], given))
    wanted = [pair for pair in found if arguments.stages is None or pair.stage in arguments.stages]
    return Kept(name, found, given, arguments.keep), wanted


def _runs(name: str, options: Options, arguments: argparse.Namespace) -> Account:
    store, wanted = kept(name, options, arguments)
    stages = [pair.stage for pair in wanted]
    done = store.add([Task(stage, f, options.seed) for stage in stages for f in FRAMEWORKS], arguments.jobs)
    times = [done[Task(stage, "torch", options.seed)]["seconds"] for stage in stages]
    if times:
        print(f"{name}: {len(times)} networks, {sum(times):.0f} s a start", file=sys.stderr, flush=True)
        starts, seeds = ranks.plan(len(times), max(times), len(registry.names()))
        tasks = []
        for seed in [options.seed, *range(MOVED_SEEDS + 1, MOVED_SEEDS + seeds)]:
            sides = [("minigrad", 0), *(("torch", start) for start in range(starts + 1))]
            tasks += [Task(stage, framework, seed, start) for stage in stages for framework, start in sides]
        done = store.add(tasks, arguments.jobs)
    return Account(name, stages, [], [], [t for task, t in done.items() if task.stage in stages])


def _print_runs(known: Sequence[Account], adjusted: dict[str, float]) -> bool:
    table = Table(["experiment", "networks", "minigrad–PyTorch", "PyTorch–PyTorch", "p, corrected", "verdict"])
    for account in known:
        account.experiments, account.adjusted = len(registry.names()), adjusted.get(account.name, 1.0)
        answer = account.answers["run in float32"]
        means = [f"{answer.numbers[side]:.2f}" if side in answer.numbers else "–" for side in ("ours", "theirs")]
        table.row([account.name, str(len(account.distances)), *means, f"{account.adjusted:.2g}", answer.state])
    table.print()
    print(
        "\nWhole runs in float32: the mean distance of minigrad's from PyTorch's, in points of an accuracy after the "
        "same epoch,\nand of PyTorch's from itself, started with weights that are moved by at most one unit in the "
        "last place. p: of ranks that are\npooled over the networks of an experiment, after Holm's correction."
    )
    return all(account.answers["run in float32"].state != "differs" for account in known)
