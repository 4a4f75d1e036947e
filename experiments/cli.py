"""The command line."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import NoReturn

from experiments import registry
from experiments.registry import nearest
from experiments.reporting import figures
from experiments.runner import frameworks, parallel
from experiments.runner.errors import Interrupted, NonFinite, SealError, UsageError
from experiments.runner.options import Options

COMMANDS = ("list", "run", "all", "report", "page", "export")


class Parser(argparse.ArgumentParser):
    """An argument parser that raises its errors."""

    def error(self, message: str) -> NoReturn:
        """Raises the message as an error, which `main` prints; for an unknown word with the one that is near it."""
        wrong = re.match(r"(.*): invalid choice: '(.*)' \(choose from (.*)\)", message)
        if wrong:
            hint = nearest(wrong[2], re.sub("[', ]+", " ", wrong[3]).split())
            message = f"{wrong[1]}: there is no {wrong[2]!r}{hint}"
        raise UsageError(message)


def parser() -> Parser:
    """All commands and options, with their defaults from `Options`."""
    usual = Options()
    about = "Trains the networks of the assignments and writes the reports."
    top = Parser(prog="python -m experiments", description=about, allow_abbrev=False)
    commands = top.add_subparsers(dest="command", parser_class=Parser, metavar="{list,run,report,page,export}")
    commands.add_parser("list", help="list the experiments", allow_abbrev=False)
    run = commands.add_parser("run", help="train one or more experiments, or all", allow_abbrev=False)
    run.add_argument("names", nargs="*", metavar="NAME", help="experiments, or 'all'")
    option = run.add_argument
    option("--framework", default=usual.framework, help=f"{' or '.join(frameworks.NAMES)} (default %(default)s)")
    option("--seed", type=natural, default=usual.seed, help="of all random numbers (default %(default)s)")
    option("--epochs", type=positive, help="number of epochs (default: the experiment's)")
    option("--data", metavar="NAME", help="another data set than the experiment's, e.g. digits or mnist-hdf5")
    option("--data-dir", metavar="DIR", help="folder of the data files (default MINIGRAD_DATA_DIR, else ./data)")
    option("--limit", type=positive, metavar="N", help="only the first N samples")
    seeds = "train each final network from so many seeds, for the mean and deviation of its accuracy (default 1)"
    option("--seeds", type=positive, default=usual.seeds, metavar="N", help=seeds)
    option("--jobs", type=positive, default=1, metavar="N", help="experiments at a time (default 1)")
    option("--resume", action="store_true", help="go on from the folder's checkpoint, if there is one")
    done = "leave out what is done with these settings and this code; resume what was interrupted"
    option("--skip-done", action="store_true", help=done)
    steps = run.add_mutually_exclusive_group()
    compiled = "compile training steps and evaluations (default with minigrad)"
    steps.add_argument("--compile", action="store_true", default=None, help=compiled)
    steps.add_argument("--eager", dest="compile", action="store_false", help="do not compile them")
    report = commands.add_parser("report", help="write all reports and their table again", allow_abbrev=False)
    export = commands.add_parser("export", help="write it as one file, and as a notebook", allow_abbrev=False)
    page = commands.add_parser("page", help="write reports as single HTML files", allow_abbrev=False)
    for command in (export, page):
        command.add_argument("names", nargs="*", metavar="NAME", help="experiments, or 'all'")
    for command in (run, report, export, page):
        command.add_argument("--out", metavar="DIR", default=usual.out, help="results' folder (default %(default)s/)")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["all"]:
        arguments = ["run", *arguments]
    try:
        return _command(arguments)
    except UsageError as error:
        return _say(2, f"error: {error}")
    except (NonFinite, SealError) as error:
        return _say(1, f"error: {error}\nThe run stopped there; its checkpoint is the end of the last good epoch.")
    except Interrupted as error:
        goes_on = "--resume" in arguments or "--skip-done" in arguments
        again = shlex.join(["python", "-m", "experiments", *arguments, *([] if goes_on else ["--resume"])])
        return _say(130, f"Interrupted: {error}. To go on: {again}")
    except KeyboardInterrupt:
        return _say(130, "Interrupted before any training.")


def _command(arguments: Sequence[str]) -> int:
    known, unknown = parser().parse_known_args(_checked(arguments))
    if unknown:
        raise UsageError(f"unrecognized arguments: {' '.join(unknown)}")
    if known.command is None:
        parser().print_help()
        return 2
    if known.command == "list":
        experiments = [registry.find(name) for name in registry.names()]
        _print_table(["name", "assignment", "trains"], [[e.name, e.assignment, e.trains] for e in experiments])
        return 0
    figures.check_installed()
    if known.command == "report":
        return _report(Path(known.out))
    if not known.names:
        raise UsageError(f"{known.command} what? Name experiments, or all (there are: {', '.join(registry.names())})")
    names = registry.names() if "all" in known.names else tuple(dict.fromkeys(known.names))
    experiments = [registry.find(name) for name in names]
    if known.command == "page":
        from experiments.reporting import html

        for name in names:
            print(f"Now open {html.write(Path(known.out) / name)}")
        return 0
    if known.command == "export":
        from experiments.export.write import export
        from experiments.runner.files import writable_folder

        for experiment in experiments:
            print(*export(experiment, writable_folder(Path(known.out) / experiment.name)))
        return 0
    if known.framework not in frameworks.NAMES:
        hint = nearest(known.framework, frameworks.NAMES)
        raise UsageError(f"--framework: no framework is called {known.framework!r}{hint}")
    options = Options(**{field.name: getattr(known, field.name) for field in fields(Options)})
    if known.jobs > 1 and len(names) > 1:
        return parallel.execute_all(names, options, known.jobs)
    from experiments.runner.execute import execute

    for experiment in experiments:
        execute(experiment, options)
    return 0


def _report(out: Path) -> int:
    from experiments.reporting import pages
    from experiments.reporting.report import INDEX, readme_table, write_index
    from experiments.runner.files import writable_folder

    if not out.is_dir():
        raise UsageError(f"--out: there is no folder {out}; `python -m experiments run` writes one")
    names = write_index(writable_folder(out))
    print(f"{out / INDEX}: {', '.join(names) or 'no results yet'}")
    pages.fill(out, pages.RESULTS, "experiments", readme_table(out))
    return 0


def _checked(arguments: Sequence[str]) -> Sequence[str]:
    """The same arguments, after a check that the command and the options exist."""
    words = [word for word in arguments if not word.startswith("-")]
    if words and arguments[0] == words[0] and words[0] not in COMMANDS:
        raise UsageError(f"no command is called {words[0]!r}{nearest(words[0], COMMANDS)}")
    known = ["--help", "--jobs", "--eager", *("--" + field.name.replace("_", "-") for field in fields(Options))]
    for argument in arguments:
        name = argument.split("=")[0]
        if re.fullmatch(r"--[\w-]+", name) and name not in known:
            raise UsageError(f"no option is called {name!r}{nearest(name, known)}")
    return arguments


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a positive whole number, not {text!r}")
    return int(text)


def natural(text: str) -> int:
    """A whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, not {text!r}")
    return int(text)


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _say(status: int, text: str) -> int:
    print(text, file=sys.stderr)
    return status
