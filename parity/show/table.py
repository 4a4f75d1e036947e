"""Tables on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence


class Table:
    """Rows that are printed in columns when all are there: words to the left, numbers to the right."""

    def __init__(self, header: Sequence[str]) -> None:
        self.lines = [list(header)]

    def row(self, cells: Sequence[str]) -> None:
        """Adds a row, and shows the progress on a terminal."""
        self.lines.append(list(cells))
        _progress(f"{len(self.lines) - 1} done: {cells[0]} {cells[1]}")

    def print(self) -> None:
        """Prints all of it."""
        _progress("")
        print(self)

    def __str__(self) -> str:
        columns = list(zip(*self.lines, strict=True))
        widths = [max(map(len, column)) for column in columns]
        right = [all(cell[:1].isdigit() or cell in ("–", "inf", "") for cell in column[1:]) for column in columns]
        lines = []
        for line in self.lines:
            cells = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True))
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)
