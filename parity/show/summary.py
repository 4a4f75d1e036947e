"""What the page says first, and its tables: the statement, a row for each experiment, time and memory, exams."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.reporting import both
from experiments.reporting.report import circumstances, table
from experiments.runner.progress import duration
from parity.judge import tolerances
from parity.judge.account import DIFFERS, FUNCTION, NOT_COMPARED, RESULT, RUNS, SAME, STATES, TRAINING, Account, error
from parity.measure.networks import FRAMEWORKS

#: What conformance asks, by family and exam; the error inputs of all families are counted together.
EXAMS = {
    ("operators", "gradients"): "operator samples with their gradients",
    ("modules", "inputs"): "module inputs",
    ("optimizers", "configurations"): "optimizer configurations",
    ("optimizers", "schedulers"): "scheduler combinations",
    ("gradcheck", "first order"): "gradchecks",
    ("gradcheck", "second order"): "gradgradchecks",
}


@dataclass(frozen=True)
class Table:
    """A table with words in the first and last column and numbers between, and its caption."""

    header: list[str]
    rows: list[list[str]]
    caption: str

    def markdown(self) -> str:
        """The table above its caption; numbers to the right."""
        align = "l" + "r" * (len(self.header) - 2) + "l"
        return table(self.header, self.rows, align) + "\n\n" + self.caption


@dataclass(frozen=True)
class Line:
    """A line of the statement: of what, in which state, with which numbers."""

    title: str
    state: str
    text: str


def verdict(accounts: Sequence[Account]) -> Line:
    """The verdict on all experiments."""
    states = {state: [a for a in accounts if a.verdict.startswith(state)] for state in STATES}
    if states[DIFFERS]:
        names = ", ".join(account.name for account in states[DIFFERS])
        return Line("Something differs from PyTorch", DIFFERS, f"in {len(states[DIFFERS])} of {len(accounts)}: {names}")
    if len(states[SAME]) == len(accounts):
        return Line("minigrad does what PyTorch does", SAME, f"in all {len(accounts)} experiments, up to rounding")
    waiting = len(accounts) - len(states[SAME])
    text = f"{waiting} of {len(accounts)} experiments are not compared, or not shown to be the same, in every respect"
    return Line("Nothing differs from PyTorch so far", NOT_COMPARED, text)


def statement(accounts: Sequence[Account]) -> list[Line]:
    """The three lines of the statement, and one on runs in float32."""

    def state(question: str) -> str:
        found = [account.answers[question].state for account in accounts]
        return next(s for s in (*(s for s in STATES[1:] if s in found), SAME))

    def numbers(question: str, name: str) -> list[float]:
        return [a.answers[question].numbers.get(name, 0.0) for a in accounts if a.answers[question].numbers]

    def missing(question: str) -> str:
        count = sum(numbers(question, "missing"))
        empty = sum(account.answers[question].text == "–" for account in accounts)
        text = f"; not compared: {count:.0f}" if count else ""
        return text + (f"; nothing measured in {empty} of {len(accounts)} experiments" if empty else "")

    counts = {question: f"{sum(numbers(question, 'networks')):,.0f}" for question in (FUNCTION, TRAINING, RUNS, RESULT)}
    function = f"gradients of {counts[FUNCTION]} networks in float64, largest error "
    worst, allowed = max(numbers(FUNCTION, "worst"), default=0.0), tolerances.GRADIENT["float64"]
    function += f"{error(worst)} of the norm (allowed {error(allowed)})"
    training = f"{counts[TRAINING]} networks after an epoch in float64, largest distance of a parameter "
    training += f"{error(max(numbers(TRAINING, 'worst'), default=0.0))} of its norm (allowed {error(tolerances.EPOCH)})"
    if amplified := sum(numbers(TRAINING, "amplified")):
        far, itself = (error(max(numbers(TRAINING, name))) for name in ("far", "itself"))
        training += f"; in {amplified:.0f} rounding is amplified: up to {far}, where PyTorch is {itself} from itself"
    seeds = [count for account in accounts for count in account.seeds()]
    of = f"over {' to '.join(map(str, sorted({min(seeds), max(seeds)})))} seeds a side " if seeds else ""
    result = f"{sum(numbers(RESULT, 'shown')):.0f} of {counts[RESULT]} networks equivalent {of}in accuracy or loss"
    tested = [account for account in accounts if account.distances]
    apart = sum(account.answers[RUNS].state == DIFFERS for account in tested)
    runs = f"{counts[RUNS]} networks trained to the end; minigrad is further from PyTorch than PyTorch is from itself, "
    runs += f"started one rounding away, in {apart} of {len(tested)} experiments"
    texts = {FUNCTION: function, TRAINING: training, RESULT: result, RUNS: runs}
    titles = {FUNCTION: "Same function", TRAINING: "Same training", RESULT: "Same result", RUNS: "Runs in float32"}
    return [Line(titles[q], state(q), text + missing(q)) for q, text in texts.items()]


def statement_in_markdown(accounts: Sequence[Account]) -> str:
    """The verdict and the statement as a list."""
    first = verdict(accounts)
    lines = [f"- **{line.title}** ({line.state}): {line.text}." for line in statement(accounts)]
    return f"**{first.title}**: {first.text}.\n\n" + "\n".join(lines)


def in_readme(accounts: Sequence[Account]) -> str:
    """The verdict in two sentences."""
    first = verdict(accounts)
    how = "Every network of every experiment is also trained in PyTorch ([how](docs/parity.md); where minigrad differs "
    how += "on purpose: [docs/differences.md](docs/differences.md))."
    return f"{how} **{first.title}**: {first.text}."


def experiments(accounts: Sequence[Account]) -> Table:
    """The answers and the verdict on each experiment."""
    header = ["experiment", "networks", "function", "training", "result", "run in float32", "verdict"]
    rows = []
    for account in accounts:
        cells = [account.answers[question].text for question in (FUNCTION, TRAINING, RESULT, RUNS)]
        rows.append([account.name, str(len(account.stages)), *cells, account.verdict])
    caption = (
        "Function: the largest error of an output, loss or gradient in float64, relative to its norm. Training: the "
        "largest distance of a parameter after an epoch in float64, relative to its norm; in brackets PyTorch's from "
        "itself, where rounding is amplified. Result: networks whose mean result over independent seeds is equivalent. "
        "Run in float32: the mean distance from PyTorch, at the epoch where it is largest, beside that of PyTorch from "
        "itself, started with weights that are moved by at most one unit in the last place; in points of an accuracy, "
        "or percent of a loss. p: how likely minigrad's ranks among PyTorch's are so large by chance (Holm)."
    )
    return Table(header, rows, caption)


def costs(runs: dict[str, Any] | None) -> Table | None:
    """Time and memory of whole runs; None where they weren't measured."""
    if not runs or not runs["runs"]:
        return None
    rows = []
    for run in runs["runs"]:
        ours, theirs = (run[framework] for framework in FRAMEWORKS)
        times, sizes = ([side[key] for side in (ours, theirs)] for key in ("seconds", "megabytes"))
        cells = [*map(duration, times), *(f"{size:,.0f} MB" for size in sizes), f"{times[0] / times[1]:.2f}"]
        rows.append([run["experiment"], *cells])
    header = ["experiment", "time, minigrad", "PyTorch", "memory, minigrad", "PyTorch", "share of PyTorch's time"]
    return Table(header, rows, "Time and memory " + circumstances(runs))


def seeds(account: Account) -> Table:
    """The results over independent seeds of an experiment's networks."""
    rows = []
    for stage, test in account.equivalences.items():
        sides = [both.results_of(account.trainings, stage, framework) for framework in FRAMEWORKS]
        cells = [both.shown(side, account.unit(stage)) for side in sides]
        if test is None:
            rows.append([stage, *cells, "–", "–", "–", "–", NOT_COMPARED])
            continue
        word = "equivalent" if test.equivalent else "not shown"
        interval = f"[{test.low:+.2f}, {test.high:+.2f}]"
        cells += [f"{test.difference:+.2f}", interval, f"{test.margin:.2f}", f"{test.p_difference:.2g}"]
        rows.append([stage, *cells, word])
    header = ["network", "minigrad", "PyTorch", "difference", "90 % interval", "margin", "p", "verdict"]
    caption = (
        "Mean ± standard deviation (number of seeds). Equivalent: two one-sided tests reject that the means are the "
        "margin or more apart: a fifth of PyTorch's error rate, and no more than is usual for the data. p: of no "
        "difference at all."
    )
    return Table(header, rows, caption)


def networks(account: Account) -> Table:
    """Every network of an experiment: errors, distances and their ranks."""
    gradients = {stage: e for e in account.gradients for stage in (e["stage"], *e["alike"])}
    epochs = {stage: e for e in account.epochs for stage in (e["stage"], *e["alike"])}
    rows = []
    for stage in account.stages:
        views = gradients[stage]["views"] if stage in gradients else []
        errors = [[v["error"] for v in views if v["dtype"] == d and not v["skipped"]] for d in tolerances.GRADIENT]
        cells = [error(max(found)) if found else "–" for found in errors]
        epoch = epochs.get(stage)
        cells.append("–" if epoch is None else error(epoch["furthest"]))
        cells[-1] += f" ({error(epoch['itself'])})" if epoch and epoch["itself"] is not None else ""
        ours, theirs = account.distances.get(stage, (None, []))
        cells.append("–" if ours is None else f"{ours:.2f}")
        rows.append([stage, *cells, ", ".join(f"{d:.2f}" for d in sorted(theirs)) or "–"])
    header = ["network", "gradients, float64", "float32", "epoch, float64 (PyTorch)", "run, float32", "PyTorch's own"]
    median = statistics.median([len(theirs) for _, theirs in account.distances.values()] or [0])
    caption = f"Networks of the same layers share one comparison of gradients. {median:.0f} moved starts a network."
    return Table(header, rows, caption if median else caption.split(".")[0] + ".")


def exams(conformance: dict[str, Any]) -> str:
    """How many of each exam's questions were passed, in a sentence."""
    rows = {(row["family"], row["exam"]): row for row in conformance["rows"]}
    counts = [(rows[key], what) for key, what in EXAMS.items() if key in rows]
    errors = [row for (_, exam), row in rows.items() if exam == "errors"]
    if errors:
        counts.append(({key: sum(row[key] for row in errors) for key in ("passed", "asked")}, "error inputs"))
    passed = ", ".join(f"{row['passed']:,} of {row['asked']:,} {what}" for row, what in counts)
    return f"PyTorch's own exams, passed of asked: {passed}."


def markdown(accounts: Sequence[Account], parts: dict[str, dict[str, Any]], runs: dict[str, Any] | None) -> str:
    """The whole summary in Markdown."""
    sections = [statement_in_markdown(accounts)]
    if "conformance" in parts:
        sections.append(exams(parts["conformance"]))
    sections.append(experiments(accounts).markdown())
    if measured := costs(runs):
        sections.append(measured.markdown())
    return "\n\n".join(sections) + "\n"
