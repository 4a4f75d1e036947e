"""What an experiment is, and which there are: each folder here that has a `train.py`.

`experiments/NAME/train.py` defines `EXPERIMENT`; `report.py` beside it writes the report, with the text of `report.md`;
`data.py`, where there is one, reads data that no other experiment uses.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from experiments.data import folders_with
from experiments.runner.errors import UsageError

if TYPE_CHECKING:
    from experiments.runner.record import Record
    from experiments.runner.run import Run

S = TypeVar("S")


@dataclass(frozen=True)
class Experiment(Generic[S]):
    """A problem of an assignment.

    `train` writes its numbers into the run's folder; the report is made from these alone, so it can be written again
    without training.
    """

    name: str
    assignment: str
    trains: str
    settings: type[S]  #: a frozen dataclass of all hyper-parameters; `epochs` is one of them
    train: Callable[[Run[S]], None]
    headline: tuple[str, ...]  #: the metrics that the table of all results shows
    data: str = "mnist"  #: the data set, unless `--data` names another
    uses_test_each_epoch: bool = False  #: for test curves: see `Run.open_test`


def names() -> tuple[str, ...]:
    """All experiments, in the order of their assignments."""
    found = [(find(name).assignment, name) for name in folders_with("train.py")]
    return tuple(name for _, name in sorted(found))


def find(name: str) -> Experiment[Any]:
    """The experiment of that name.

    Raises:
        UsageError: if there is none, with the nearest name.
    """
    if name not in (known := folders_with("train.py")):
        raise UsageError(f"no experiment is called {name!r}{nearest(name, known)}")
    experiment: Experiment[Any] = importlib.import_module(f"experiments.{name}.train").EXPERIMENT
    return experiment


def report_of(name: str) -> Callable[[Record[Any]], str]:
    """The function that draws the figures of that experiment's report and returns its text."""
    write: Callable[[Record[Any]], str] = importlib.import_module(f"experiments.{name}.report").write
    return write


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of an error message about an unknown word: the nearest known one, or all of them.

    >>> nearest("mnist_backdrop", ["list", "mnist_backprop"])
    "; did you mean 'mnist_backprop'?"
    >>> nearest("x", ["list", "run"])
    ' (there are: list, run)'
    """
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f" (there are: {', '.join(known)})"
