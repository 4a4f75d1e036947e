"""What was found about each experiment, judged: the same function, training and result, and the runs in float32."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from experiments import registry
from experiments.reporting import both
from experiments.reporting.both import Training
from experiments.runner.errors import UsageError
from parity.judge import ranks, tolerances
from parity.judge.equivalence import Equivalence, two_one_sided
from parity.measure.networks import FRAMEWORKS

PARTS = ("gradients", "trajectory", "conformance")  #: the commands whose findings are in a file of their name
SAME, DIFFERS, NOT_SHOWN, NOT_COMPARED = STATES = ("same", "differs", "not shown", "not compared")
FUNCTION, TRAINING, RUNS, RESULT = QUESTIONS = ("function", "training", "run in float32", "result")


@dataclass(frozen=True)
class Answer:
    """The answer to one question about an experiment.

    Attributes:
        state: same, differs, not shown (a test that proved neither), or not compared.
        text: the numbers, in short.
        remarks: what is not the same, or not compared, a line for each network.
        numbers: by name, for statements about all experiments.
    """

    state: str
    text: str = "–"
    remarks: tuple[str, ...] = ()
    numbers: dict[str, float] = field(default_factory=dict)


def error(value: float) -> str:
    """A relative error.

    >>> error(3.2e-16), error(0.0)
    ('3e-16', '0')
    """
    return f"{value:.0e}".replace("e-0", "e-") if value else "0"


@dataclass
class Account:
    """All that is known about an experiment.

    Attributes:
        name: of the experiment.
        stages: its networks.
        gradients: what `python -m parity gradients` found of each.
        epochs: what `python -m parity trajectory` found of each in float64.
        trainings: whole trainings in float32.
        experiments: how many are tested together.
        adjusted: the p-value of its runs after Holm's correction.
    """

    name: str
    stages: list[str]
    gradients: list[dict[str, Any]]
    epochs: list[dict[str, Any]]
    trainings: list[Training]
    experiments: int = 1
    adjusted: float = 1.0

    @cached_property
    def data(self) -> str:
        """The name of the data set."""
        return next((str(entry["data"]) for entry in [*self.gradients, *self.epochs, *self.trainings]), "")

    @cached_property
    def answers(self) -> dict[str, Answer]:
        """The answer to each question."""
        found = (self._function(), self._training(), self._runs(), self._result())
        return dict(zip(QUESTIONS, found, strict=True))

    @property
    def remarked(self) -> bool:
        """Whether there is anything to remark."""
        return any(answer.remarks for answer in self.answers.values())

    @property
    def unit_of_runs(self) -> str:
        """What the curves of its runs show: accuracy or loss."""
        columns = (column for t in self.trainings for column in t["curves"])
        return "accuracy" if next(columns, "").endswith("accuracy") else "loss"

    @property
    def verdict(self) -> str:
        """One for all: the worst state, and of what."""
        for state in (DIFFERS, NOT_COMPARED, NOT_SHOWN):
            if named := [question for question, answer in self.answers.items() if answer.state == state]:
                return f"{state}: {', '.join(named)}" if len(named) < len(QUESTIONS) else state
        return SAME

    def _covered(self, entries: Sequence[dict[str, Any]], state: str, text: str, remarks: list[str]) -> Answer:
        """The answer from entries for networks and those alike; not compared, where a network has none."""
        covered = {stage for entry in entries for stage in (entry["stage"], *entry["alike"])}
        missing = [stage for stage in self.stages if stage not in covered]
        remarks += [f"{stage}: not compared" for stage in missing]
        worst = max((entry["worst"] for entry in entries), default=0.0)
        numbers: dict[str, float] = {"networks": len(covered), "missing": len(missing), "worst": worst}
        unknown = missing or not entries
        return Answer(NOT_COMPARED if state == SAME and unknown else state, text, tuple(remarks), numbers)

    def _function(self) -> Answer:
        entries = []
        for entry in self.gradients:
            errors = [v["error"] for v in entry["views"] if v["dtype"] == "float64" and not v["skipped"]]
            entries.append({**entry, "worst": max(errors, default=0.0)})
        views = [(entry["stage"], view) for entry in entries for view in entry["views"]]
        wrong = [f"{stage}, {view['name']}: {view['wrong'][0]}" for stage, view in views if view["wrong"]]
        failed = any(not entry["passed"] for entry in entries)
        worst = max((entry["worst"] for entry in entries), default=None)
        return self._covered(entries, DIFFERS if failed else SAME, "–" if worst is None else error(worst), wrong)

    def _training(self) -> Answer:
        entries, wrong, amplified = [], [], []
        for entry in self.epochs:
            far, itself = entry["furthest"], entry["itself"]
            within = far <= tolerances.EPOCH
            if not within:
                amplified.append((far, itself))
                beside = f"{error(far)} from PyTorch ({entry['which']}), PyTorch {error(itself)} from itself"
                wrong.append(f"{entry['stage']}: {beside}" + ("" if entry["passed"] else "; beyond rounding"))
            entries.append({**entry, "worst": far if within else 0.0})
        failed = any(not entry["passed"] for entry in entries)
        text = error(max(entry["worst"] for entry in entries)) if entries else "–"
        if amplified:
            far, itself = max(amplified)
            text = f"{error(far)} ({error(itself)})"
        found = self._covered(entries, DIFFERS if failed else SAME, text, wrong)
        found.numbers.update(amplified=len(amplified), far=max(amplified, default=(0.0, 0.0))[0])
        found.numbers.update(itself=max((itself for _, itself in amplified), default=0.0))
        return found

    @cached_property
    def distances(self) -> dict[str, ranks.Distances]:
        """For each network, and seed: how far minigrad's run is from PyTorch's, and those of PyTorch's moved starts."""
        runs = {(t["stage"], t["seed"], t["framework"], t["start"]): t for t in self.trainings}
        found: dict[str, ranks.Distances] = {}
        for stage, seed in dict.fromkeys((stage, seed) for stage, seed, _, start in runs if start):
            sides = [runs.get((stage, seed, framework, 0)) for framework in FRAMEWORKS]
            if sides[0] and sides[1]:
                moved = [t for (s, n, _, start), t in runs.items() if (s, n) == (stage, seed) and start]
                theirs = sides[1]
                name = stage if seed == 0 else f"{stage} (seed {seed})"
                found[name] = ranks.distance(sides[0], theirs), [ranks.distance(t, theirs) for t in moved]
        return found

    def _runs(self) -> Answer:
        found = self.distances
        missing = [f"{stage}: not compared" for stage in self.stages if stage not in found]
        if not found:
            return Answer(NOT_COMPARED, "–", tuple(missing), {"missing": len(missing), "networks": 0})
        ours = statistics.fmean(d for d, _ in found.values())
        theirs = statistics.fmean(statistics.fmean(starts) for _, starts in found.values())
        beyond = [
            f"{name}: {d:.2f} from PyTorch, PyTorch at most {max(starts):.2f} from itself ({len(starts)} starts)"
            for name, (d, starts) in found.items()
            if d > max(starts)
        ]
        lowest = ranks.least([len(starts) for _, starts in found.values()])
        state = DIFFERS if self.adjusted < tolerances.SIGNIFICANCE else NOT_COMPARED if missing else SAME
        if state == SAME and lowest * self.experiments > tolerances.SIGNIFICANCE:
            state, beyond = NOT_SHOWN, ["too few starts to find a difference", *beyond]
        numbers = {"networks": len(found), "missing": len(missing), "ours": ours, "theirs": theirs}
        text = f"{ours:.2f} beside {theirs:.2f} (p {self.adjusted:.2g})"
        return Answer(state, text, (*missing, *beyond), numbers)

    @cached_property
    def equivalences(self) -> dict[str, Equivalence | None]:
        """The test of each network that has a result; None where a side has fewer than two seeds."""
        found: dict[str, Equivalence | None] = {}
        for stage in dict.fromkeys(t["stage"] for t in self.trainings if t["result"] is not None):
            ours, theirs = (both.results_of(self.trainings, stage, framework) for framework in FRAMEWORKS)
            if min(len(ours), len(theirs)) < 2:
                found[stage] = None
                continue
            mean, margin = statistics.fmean(theirs), tolerances.LOSS_MARGIN
            scale = 100.0 if self.unit(stage).endswith("accuracy") else 100.0 / mean
            if scale == 100.0:
                margin = tolerances.margin(self.data, 100 * (1 - mean))
            found[stage] = two_one_sided([scale * x for x in ours], [scale * x for x in theirs], margin)
        return found

    def unit(self, stage: str) -> str:
        """What a network's result is: an accuracy or a loss."""
        return next(str(t["of"]) for t in self.trainings if t["stage"] == stage and t["result"] is not None)

    def seeds(self) -> list[int]:
        """How many seeds the sides of each network have that is tested, at least."""
        tested = [stage for stage, test in self.equivalences.items() if test]
        sides = [[both.results_of(self.trainings, stage, f) for f in FRAMEWORKS] for stage in tested]
        return [min(map(len, side)) for side in sides]

    def _result(self) -> Answer:
        found = self.equivalences
        shown = [stage for stage, test in found.items() if test and test.equivalent]
        remarks, states = [], []
        for stage, test in found.items():
            if test is None:
                states.append(NOT_COMPARED)
                remarks.append(f"{stage}: not compared")
            elif not test.equivalent:
                corrected = test.p_difference * len(found) * self.experiments
                states.append(DIFFERS if corrected < tolerances.SIGNIFICANCE else NOT_SHOWN)
                interval = f"[{test.low:+.2f}, {test.high:+.2f}]"
                remarks.append(f"{stage}: {states[-1]}: {test.difference:+.2f}, {interval}, margin {test.margin:.2f}")
        state = next((s for s in (DIFFERS, NOT_COMPARED, NOT_SHOWN) if s in states), SAME if found else NOT_COMPARED)
        text = f"{len(shown)} of {len(found)}" if found else "–"
        numbers: dict[str, float] = {"networks": len(found), "shown": len(shown)}
        return Answer(state, text, tuple(remarks), numbers | {"missing": states.count(NOT_COMPARED)})


def accounts(parts: dict[str, dict[str, Any]], trainings: dict[str, list[Training]]) -> list[Account]:
    """An account of each experiment."""
    gradients = parts.get("gradients", {}).get("networks", [])
    epochs = parts.get("trajectory", {}).get("epochs", [])
    found = []
    for name in dict.fromkeys([*registry.names(), *trainings]):
        mine, other = ([e for e in entries if e["experiment"] == name] for entries in (gradients, epochs))
        stages = [stage for entry in [*mine, *other] for stage in (entry["stage"], *entry["alike"])]
        stages += [t["stage"] for t in trainings.get(name, [])]
        found.append(Account(name, list(dict.fromkeys(stages)), mine, other, trainings.get(name, [])))
    tested = {account.name: ranks.p_value(list(account.distances.values())) for account in found if account.distances}
    adjusted = ranks.holm(tested)
    for account in found:
        account.experiments, account.adjusted = len(found), adjusted.get(account.name, 1.0)
    return found


def read(folder: Path) -> tuple[dict[str, dict[str, Any]], dict[str, list[Training]]]:
    """What the commands found, by their names; and the trainings, by experiment.

    Raises:
        UsageError: for a file that isn't what such a command wrote.
    """
    parts = {}
    for name in PARTS:
        path = folder / f"{name}.json"
        if not path.exists():
            continue
        writer = f"`python -m parity {name} --json {path}`"
        try:
            part = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as problem:
            raise UsageError(f"{path}: no JSON ({problem}); {writer} writes it") from None
        if not isinstance(part, dict) or part.get("command") != name:
            raise UsageError(f"{path} isn't what {writer} writes")
        parts[name] = part
    return parts, {path.stem: both.read(path) for path in sorted((folder / "runs").glob("*.jsonl"))}
