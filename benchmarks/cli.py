"""``python -m benchmarks``: all of it, or ``steps``, ``runs``, ``report``."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from benchmarks import report, suite, whole
from benchmarks.contenders import CONTENDERS
from benchmarks.networks import NETWORKS
from experiments import registry
from experiments.cli import Parser
from experiments.reporting.pages import RESULTS, fill
from experiments.reporting.report import RUNS
from experiments.runner.errors import UsageError
from experiments.runner.machine import CORES


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 2 wrong usage."""
    try:
        _command(sys.argv[1:] if arguments is None else arguments)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _command(given: list[str]) -> None:
    parser = Parser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", parser_class=Parser)
    everything = commands.add_parser("all", help="everything, written to results/benchmarks/ (the default)")
    steps = commands.add_parser("steps", help="training steps, minigrad against torch; prints only")
    runs = commands.add_parser("runs", help="whole experiments in both frameworks; time and memory")
    report_parser = commands.add_parser("report", help="page, figures and the account in docs/ anew from results.json")
    for timed in (everything, steps):
        timed.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), metavar="NAME")
        timed.add_argument("--threads", nargs="+", type=int, default=sorted({1, CORES}), metavar="N")
        timed.add_argument("--rounds", type=int, default=5, help="fresh processes a side (default 5)")
    for name, choices in (("contenders", CONTENDERS), ("tasks", suite.TASKS)):
        everything.add_argument(f"--{name}", nargs="+", choices=choices, default=list(choices), metavar="NAME")
    for written in (everything, report_parser):
        written.add_argument("--out", type=Path, default=Path("results/benchmarks"), help="default results/benchmarks")
    runs.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help="which ones (default: all)")
    runs.add_argument("--epochs", type=int, help="instead of the experiments' own")
    runs.add_argument("--threads", type=int, default=CORES, help="for each process (default: all cores)")
    runs.add_argument("--jobs", type=int, default=1, help="experiments at a time (default 1)")
    runs.add_argument("--file", type=Path, help="keep the figures there; what it holds isn't run again")
    for side in whole.SIDES:
        runs.add_argument(f"--{side}-out", type=Path, metavar="DIR", help=f"keep {side}'s results there")

    if not given or (given[0].startswith("--") and given[0] != "--help"):
        given = ["all", *given]
    options = parser.parse_args(given)
    if options.command == "runs":
        names = [registry.find(name).name for name in options.experiments or registry.names()]
        outs = {side: out for side in whole.SIDES if (out := getattr(options, f"{side}_out"))}
        print(whole.total(whole.compare(names, options.epochs, options.threads, options.jobs, options.file, outs)))
    elif options.command == "report":
        results = json.loads((options.out / suite.RESULTS).read_text(encoding="utf-8"))
        suite.write(results, options.out)
        found = options.out.parent / RUNS
        whole_runs = json.loads(found.read_text(encoding="utf-8")) if found.exists() else None
        fill(options.out, RESULTS / "benchmarks", "speed", report.speed(results, whole_runs))
    elif options.command == "steps":
        suite.measure(options.networks, whole.SIDES, options.threads, options.rounds, ["steps"])
    else:
        results = suite.measure(options.networks, options.contenders, options.threads, options.rounds, options.tasks)
        command = shlex.join(["python", "-m", "benchmarks", *(given if given != ["all"] else [])])
        suite.add(results, options.out, command)
        print(f"\n{options.out / suite.PAGE}")
