"""Reports in Markdown, made from the files of a run, and the table of all of them."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import re
import shlex
import statistics
import string
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments import registry
from experiments.reporting.pages import RESULTS
from experiments.runner import files, parallel
from experiments.runner.code import code_hash
from experiments.runner.options import Options
from experiments.runner.progress import duration
from experiments.runner.record import CONFIG, Record

REPORT, INDEX, RUNS = "report.md", "README.md", "runs.json"
COVERAGE = Path(__file__).with_name("coverage.md")


def render(experiment: registry.Experiment[Any], folder: Path) -> Record[Any]:
    """Draws an experiment's figures and writes its report, from the files in `folder`."""
    from experiments.reporting import both  # which makes its tables with this module

    record = Record.read(folder, experiment)
    config = record.config
    parts = [f"# {experiment.name}: {experiment.trains}", f"Assignment: {experiment.assignment}."]
    if record.warning:
        parts.append(f"> **{record.warning}.** The numbers show that everything works; they compare with no others.")
    parts.append(registry.report_of(experiment.name)(record))
    versions = ", ".join(f"{name} {version}" for name, version in config["versions"].items())
    parts += [
        "## The same in PyTorch",
        both.section(record),
        "## This run",
        bullets(
            [
                f"Data: {config['data']['description']}"
                + (f"; only the first {config['limit']:,} samples" if config["limit"] else ""),
                f"Framework: {config['framework']} ({versions}), seed {config['seed']}",
                f"Training and evaluation: {duration(record.seconds)} ([every epoch's time](timings.csv))",
                "Files: [settings](config.json), [every epoch](history.csv), [results](metrics.json)",
                f"Again: `{command(config)}`; another processor sums in another order, so last digits differ",
            ]
        ),
    ]
    files.write_text(folder / REPORT, "\n\n".join(part.strip() for part in parts) + "\n")
    return record


def write_index(out: Path) -> list[str]:
    """Writes every report under `out` and `README.md` with a table of them; returns their names.

    The report of a run that other code has recorded, without what the report asks for today, stays as it is.
    """
    rows = []
    names = _finished(out)
    for name in names:
        experiment = registry.find(name)
        try:
            record = render(experiment, out / name)
        except (KeyError, FileNotFoundError) as error:
            record = Record.read(out / name, experiment)
            if record.config.get("code") == code_hash():
                raise  # the report is wrong, not the run old
            missing = Path(error.filename).name if isinstance(error, FileNotFoundError) else error
            print(f"{name}: its run has no {missing}: its report stays as it is; run it again", file=sys.stderr)
        row = _row(experiment, record, f"[{name}]({name}/{REPORT})")
        rows.append([*row, record.config["framework"], duration(record.seconds)])
    text = table([*HEADER, "framework", "time"], _complete(rows)) if rows else "No experiment has been run yet."
    intro = "Every number comes from the files of its run."
    intro += f" `python -m experiments report --out {out.name}` writes this page."
    sections = [intro, text, *_both_frameworks(out / RUNS)]
    if out.resolve() == RESULTS:  # only there are all the files that its links lead to
        sections.insert(2, COVERAGE.read_text(encoding="utf-8").strip())
    files.write_text(out / INDEX, "\n\n".join(["# Results", *sections]) + "\n")
    return names


HEADER = ["experiment", "assignment", "what it trains", "result"]


def _row(experiment: registry.Experiment[Any], record: Record[Any], link: str) -> list[str]:
    numbers = ", ".join(_headline(key, record.metrics) for key in experiment.headline)
    return [link, experiment.assignment, experiment.trains, numbers + " (stand-in data)" * bool(record.warning)]


def _headline(key: str, metrics: Mapping[str, Any]) -> str:
    """A metric with its name, and over the seeds where there are several."""
    rates = metrics.get(f"{key.removesuffix('accuracy')}accuracies", [])
    seeds = f" ({over_seeds(rates)} over {len(rates)} seeds)" if len(rates) > 1 else ""
    return f"{key.replace('_', ' ')} **{shown(key, metrics[key])}**{seeds}"


def readme_table(out: Path) -> str:
    """The table of the experiments that have results in `out`, for the README beside that folder: name and result.

    Raises:
        UsageError: if a file of the results is missing or damaged.
    """
    rows = []
    for name in _finished(out):
        experiment = registry.find(name)
        link = f"[`{name}`]({out.name}/{name}/{REPORT})"
        link, assignment, _, result = _row(experiment, Record.read(out / name, experiment), link)
        rows.append([link, assignment, result])
    return table(["experiment", "assignment", "result"], _complete(rows))


MISSING = ["–", "hw3 4", "text not available: a notebook behind a link"]


def _complete(rows: list[list[str]]) -> list[list[str]]:
    """The rows of the experiments, and in its place one for the problem whose text is missing."""
    missing = [*MISSING, *["–"] * (len(rows[0]) - len(MISSING))] if rows else MISSING
    return sorted([*rows, missing], key=lambda row: row[1])


def _finished(out: Path) -> list[str]:
    return [name for name in registry.names() if (out / name / CONFIG).exists()]


def _both_frameworks(path: Path) -> list[str]:
    """The section with the measurements of `python -m benchmarks runs`, if there are any."""
    if not path.exists():
        return []
    measured = json.loads(path.read_text(encoding="utf-8"))
    runs = measured["runs"]
    whole: dict[str, Any] = {"experiment": "**all**"}
    for side in ("minigrad", "torch"):
        times = {key: sum(run[side][key] for run in runs) for key in ("seconds", "cpu")}
        whole[side] = {**times, "megabytes": max(run[side]["megabytes"] for run in runs)}
    rows = []
    for run in [*runs, whole]:
        ours, theirs = run["minigrad"], run["torch"]
        took = [duration(side["seconds"]) for side in (ours, theirs)]
        ratios = [f"{ours[key] / theirs[key]:.2f}" for key in ("seconds", "cpu")]
        rows.append([run["experiment"], *took, *ratios, *(f"{side['megabytes']:,.0f} MB" for side in (ours, theirs))])
    header = ["experiment", "minigrad", "PyTorch", "ratio", "of processor time", "memory, minigrad", "memory, PyTorch"]
    threads, jobs, epochs = measured["threads"], measured["jobs"], measured["epochs"]
    options = (
        f"--epochs {epochs} " * bool(epochs)
        + f"--threads {threads} --jobs {jobs} --file {path.parent.name}/{path.name}"
    )
    how = f"`python -m benchmarks runs {options}`: the same file in either framework, {circumstances(measured)}"
    return ["## Both frameworks", how, table(header, rows)]


def circumstances(measured: dict[str, Any]) -> str:
    """The conditions of the measurements of `python -m benchmarks runs`, as the end of a sentence."""
    threads, jobs, epochs = measured["threads"], measured["jobs"], measured["epochs"]
    return (
        "of the whole run, from the start of the process to the report, "
        + f"with {epochs} epochs for each training instead of the full number, " * bool(epochs)
        + f"{'one thread' if threads == 1 else f'{threads} threads'} each, "
        f"{'one' if jobs == 1 else jobs} at a time; memory is the peak of the process."
    )


class _Percent(string.Formatter):
    """As str.format, but ``{:.1%}`` gives `percent` of a rate, by default with two digits (``{:%}``)."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        if format_spec.endswith("%"):
            return percent(value, int(format_spec[1:-1] or 2))
        return super().format_field(value, format_spec)


def filled(text: str, values: Mapping[str, Any]) -> str:
    """A text with its fields filled in, as by ``str.format``; a rate is shown by ``{:%}``.

    >>> filled("{name}: {rate:%}, {rate:.1%}", {"name": "a", "rate": 0.98345})
    'a: 98.34 %, 98.3 %'
    """
    return _Percent().vformat(text, (), values)


def fill(module: str, record: Record[Any], **values: Any) -> str:
    """The text of `report.md` beside a report's module, with its fields filled in.

    The fields are the record's settings and metrics, and `values`. A line ``@NAME | {field} | ... |``, or ``@NAME`` and
    any other text, stands for a line for each row of a table: `values[NAME]`, or a table that the run kept. The
    cells of a row with a true ``bold`` are bold.
    """
    known = {"settings": record.settings, "metrics": record.metrics, **values}
    lines = []
    for line in template(module).splitlines():
        if not line.startswith("@"):
            lines.append(filled(line, known))
            continue
        name, _, pattern = line[1:].partition(" ")
        bold_cells = re.sub(r"(?<=\| )([^|]+)(?= \|)", r"**\1**", pattern)
        for row in known[name] if name in known else record.table(name):
            lines.append(filled(bold_cells if row.get("bold") else pattern, {**known, **row}))
    return "\n".join(lines)


def template(module: str) -> str:
    """The text of `report.md` beside a report's module, with its fields."""
    return Path(module).with_suffix(".md").read_text(encoding="utf-8")


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], align: str = "") -> str:
    """A Markdown table; `align` has an r for each column that is aligned to the right, else an l.

    >>> print(table(["a", "b"], [[1, 2]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    >>> print(table(["a", "b"], [[1, 2]], "lr").splitlines()[1])
    |---|--:|
    """
    rule = ["--:" if side == "r" else "---" for side in align.ljust(len(header), "l")]
    cells = ("|".join(f" {cell} " for cell in line) for line in (header, *rows))
    head, *body = (f"|{line}|" for line in cells)
    return "\n".join([head, f"|{'|'.join(rule)}|", *body])


def bold(text: str, when: bool = True) -> str:
    """The text in bold, under a condition."""
    return f"**{text}**" if when else text


def bullets(lines: Iterable[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def image(path: Path, text: str) -> str:
    """A figure that lies beside the report."""
    return f"![{text}]({path.name})"


def percent(rate: float, digits: int = 2) -> str:
    """A rate as a percentage.

    >>> percent(0.9834)
    '98.34 %'
    """
    return f"{100 * rate:.{digits}f} %"


def over_seeds(rates: Sequence[float]) -> str:
    """Mean and standard deviation of the accuracies from several seeds; of a single one, the accuracy.

    >>> over_seeds([0.983, 0.985]), over_seeds([0.983])
    ('98.40 ± 0.14 %', '98.30 %')
    """
    if len(rates) == 1:
        return percent(rates[0])
    return f"{100 * statistics.fmean(rates):.2f} ± {percent(statistics.stdev(rates))}"


def seeds_sentence(rates: Sequence[float]) -> str:
    """What other seeds give, beside the accuracy of the run's own, which comes first."""
    if len(rates) == 1:
        return "This is the accuracy from one seed; `--seeds 5` adds the mean and the deviation of five."
    spread = statistics.stdev(rates)
    off = f", {abs(rates[0] - statistics.fmean(rates)) / spread:.1f} deviations from the mean" if spread else ""
    return (
        f"Trained from {len(rates)} seeds in all, with other initial weights and shuffles: **{over_seeds(rates)}**"
        f" (mean ± standard deviation; {', '.join(percent(rate) for rate in rates)}). The first is the network of this"
        f" report{off}."
    )


def edge(tried: Iterable[float], best: float) -> str:
    """Whether the chosen one of several learning rates lies inside their range.

    >>> edge([0.1, 0.2, 0.4], 0.2)
    'Rates on either side of the chosen one were tried.'
    >>> edge([0.1, 0.2], 0.2)
    'The chosen rate is the highest that was tried, so a higher one may be better.'
    """
    tried = list(tried)
    if best not in (min(tried), max(tried)):
        return "Rates on either side of the chosen one were tried."
    end = "highest" if best == max(tried) else "lowest"
    return f"The chosen rate is the {end} that was tried, so a {end.removesuffix('est')}er one may be better."


def shown(name: str, value: Any) -> str:
    """A metric as text: rates and accuracies in percent."""
    if isinstance(value, float):
        return percent(value) if name.endswith(("accuracy", "rate")) and name != "learning_rate" else f"{value:g}"
    return str(value)


def operation_link(name: str, folder: Path) -> str:
    """A link, as seen from `folder`, to where minigrad defines an operation; with its present line."""
    from minigrad.nn import functional
    from minigrad.ops.record import registry as operations

    # the record with the gradient rules, if the public function only prepares its arguments
    record = operations.get(f"_{name}") or operations.get(name)
    code = inspect.unwrap(record.forward if record else getattr(functional, name)).__code__
    return f"[`{name}`]({_path_from(folder, code.co_filename)}#L{code.co_firstlineno})"


def module_link(name: str, folder: Path) -> str:
    """A link, as seen from `folder`, to the source of the module of that name."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ImportError(f"there is no source of a module {name}")
    return f"[`{name}`]({_path_from(folder, spec.origin)})"


def _path_from(folder: Path, file: str) -> str:
    return Path(os.path.relpath(Path(file).resolve(), folder.resolve())).as_posix()


def command(config: dict[str, Any]) -> str:
    """The command that runs this again."""
    experiment, epochs, data = registry.find(config["experiment"]), config["settings"]["epochs"], config["data"]["name"]
    options = Options(
        framework=config["framework"],
        seed=config["seed"],
        epochs=None if epochs == experiment.settings().epochs else epochs,
        data=None if data == experiment.data else data,
        limit=config["limit"],
        compile=config.get("compile"),
        seeds=config.get("seeds", 1),
    )
    return shlex.join(["python", "-m", "experiments", "run", experiment.name, *parallel.arguments(options)])
