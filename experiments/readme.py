"""The README's tables: blocks between markers, each written by the command that its marker names."""

from __future__ import annotations

import re
from pathlib import Path

from experiments import files
from experiments.errors import UsageError

README = Path(__file__).resolve().parents[1] / "README.md"
RESULTS = README.parent / "results"


def block(text: str, name: str) -> str:
    """What stands between ``<!-- NAME: … -->`` and ``<!-- /NAME -->``.

    Raises:
        UsageError: unless there is exactly one such block.
    """
    return _match(text, name)[2]


def filled(text: str, name: str, content: str) -> str:
    r"""The text with the block's content replaced.

    >>> print(filled("<!-- a: by hand -->\nold\n<!-- /a -->", "a", "new\n"))
    <!-- a: by hand -->
    new
    <!-- /a -->

    Raises:
        UsageError: unless there is exactly one such block.
    """
    found = _match(text, name)
    return text[: found.start(2)] + content.strip() + text[found.end(2) :]


def _match(text: str, name: str) -> re.Match[str]:
    found = list(re.finditer(rf"(<!-- {name}: [^\n]*-->\n)(.*?)(\n<!-- /{name} -->)", text, re.DOTALL))
    if len(found) != 1:
        count = "no block" if not found else f"{len(found)} blocks"
        raise UsageError(
            f"{README.name} has {count} between `<!-- {name}: … -->` and `<!-- /{name} -->`; one is needed"
        )
    return found[0]


def fill(folder: Path, usual: Path, name: str, content: str) -> bool:
    """Replaces a block of the README, if the content is of the folder that is shown there; whether it is.

    Raises:
        UsageError: unless there is exactly one such block.
    """
    if folder.resolve() != usual:
        return False
    files.write_text(README, filled(README.read_text(encoding="utf-8"), name, content))
    return True
