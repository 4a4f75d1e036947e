"""Writes ``docs/operations.md``: one row for each record. Run ``make docs`` after adding an operation."""

from __future__ import annotations

import inspect
from pathlib import Path

from minigrad.ops.record import Record, registry

HEAD = """# Operations

Made from the records in `minigrad/ops/` by `make docs`. *Gradient of* names the inputs that have a gradient rule;
operations without one are composed of others, or have no gradient. `help(minigrad.NAME)` shows the full documentation.
"""


def table() -> str:
    """The whole page."""
    families: dict[str, list[Record]] = {}
    for record in registry.values():
        families.setdefault(record.forward.__module__, []).append(record)
    lines = [HEAD]
    for family, records in sorted(families.items()):  # whatever imports what
        path = f"../{family.replace('.', '/')}.py"
        lines += [
            "",
            f"## [{family}]({path})",
            "",
            "| operation | torch | result | gradient of |",
            "|---|---|---|---|",
        ]
        lines += [row(record, path) for record in records]
    return "\n".join(lines) + "\n"


def row(record: Record, path: str) -> str:
    """The row of one operation."""
    arguments = ", ".join(inspect.signature(record.forward).parameters)
    how = ", ".join(f"`{name}`" for name in record.inputs) or ("composed" if record.composed else "none")
    doc = record.doc.replace("|", "\\|")
    torch = f"`{record.torch}`" if record.torch else ""
    return f"| [`{record.name}({arguments})`]({path}) | {torch} | {doc} | {how} |"


if __name__ == "__main__":
    root = Path(__file__).parents[2]
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs" / "operations.md").write_text(table(), encoding="utf-8")
