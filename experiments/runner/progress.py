"""The progress of a run: bars in a terminal, otherwise a line at most once a second; 100 columns are enough."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

LINE_EVERY = 1.0  #: seconds, at least, between two lines of a log
BAR_EVERY = 0.1  #: seconds, at least, between two drawings of a bar
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}]"


class Progress:
    """Epochs of the whole run, batches of the epoch, loss, accuracies, learning rate and the time left.

    In a terminal these are two bars (tqdm), and a line with the last epoch's numbers. If the output is a file or a
    pipe, or tqdm is missing, a line is printed after an epoch, at most one a second.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.epochs: Any = None
        self.batches: Any = None
        self.numbers: Any = None
        self.total = self.done = self.resumed = 0
        self.started = self.last_line = time.perf_counter()

    def expect(self, epochs: int, done: int = 0) -> None:
        """Starts with `epochs` epochs in total, of which `done` are already done."""
        self.total, self.done, self.resumed = epochs, done, done
        self.started = time.perf_counter()
        if self.stream.isatty() and (tqdm := _tqdm()) is not None:
            common: dict[str, Any] = {"file": self.stream, "dynamic_ncols": True, "mininterval": BAR_EVERY}
            self.epochs = tqdm(total=epochs, initial=done, desc="epochs", position=0, bar_format=BAR, **common)
            self.numbers = tqdm(bar_format="{desc}", position=1, leave=False, **common)
            self.batches = tqdm(desc="batches", unit="batch", position=2, leave=False, **common)

    def stage(self, name: str) -> None:
        """Shows the name of the current training."""
        if self.epochs is not None:
            self.epochs.set_description_str(name)

    def epoch_of(self, batches: int) -> Callable[[float], None]:
        """Starts an epoch of so many batches; returns a function to call with each batch's loss."""
        bar = self.batches
        if bar is None:
            return lambda loss: None
        bar.reset(total=batches)

        def show(loss: float) -> None:
            bar.postfix = f"loss {loss:.4f}"  # drawn with the bar
            bar.update()

        return show

    def epoch_done(self, stage: str, row: dict[str, Any], epochs: int) -> None:
        """Shows an epoch's row of the history, one of `epochs` of this training."""
        self.done += 1
        text = describe(row)
        if self.epochs is not None:
            self.numbers.set_description_str(f"  {text}")
            self.epochs.update()
            return
        now = time.perf_counter()
        if now - self.last_line >= LINE_EVERY or row["epoch"] == epochs:
            self.last_line = now
            left = (now - self.started) / (self.done - self.resumed) * max(self.total - self.done, 0)
            self.say(f"{stage}  epoch {row['epoch']}/{epochs}  {text}  {duration(left)} left")

    def say(self, text: str) -> None:
        """Writes a line without tearing the bars."""
        if self.epochs is not None:
            self.epochs.write(text, file=self.stream)
        else:
            print(text, file=self.stream, flush=True)

    def close(self) -> None:
        """Closes the bars; their last state stays visible."""
        for bar in (self.batches, self.numbers, self.epochs):
            if bar is not None:
                bar.close()
        self.epochs = self.batches = self.numbers = None


def describe(row: dict[str, Any]) -> str:
    """A row of the history in words: for each part of the data its loss and its accuracy.

    >>> describe({"stage": "a", "epoch": 3, "learning_rate": 0.05, "loss": 0.25, "train_accuracy": 0.9})
    'lr 0.05  loss 0.2500  train 90.00 %'
    """
    parts = {"lr": f" {row['learning_rate']:g}", "loss": f" {row['loss']:.4f}"}
    for name, value in row.items():
        on, _, what = name.replace("validation", "val").rpartition("_")
        if what in ("loss", "accuracy") and on:
            parts[on] = parts.get(on, "") + (f" {value:.4f}" if what == "loss" else f" {100 * value:.2f} %")
    return "  ".join(name + text for name, text in parts.items())


def duration(seconds: float) -> str:
    """A duration in words.

    >>> duration(3.2), duration(75), duration(4000)
    ('3 s', '1 min 15 s', '1 h 06 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _tqdm() -> Any:
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return None
    return tqdm
