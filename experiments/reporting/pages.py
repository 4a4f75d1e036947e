"""Generated blocks of the README and of `docs/`, between markers that name the command that writes them."""

from __future__ import annotations

import re
from pathlib import Path

from experiments.runner import files
from experiments.runner.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results"
PAGES = {
    "experiments": ROOT / "README.md",
    "parity": ROOT / "docs" / "parity.md",
    "same": ROOT / "README.md",
    "speed": ROOT / "docs" / "performance.md",
}
"""The page that holds each block."""


def block(text: str, name: str) -> str:
    """The text between ``<!-- NAME: … -->`` and ``<!-- /NAME -->``.

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
        page = PAGES[name].name if name in PAGES else "the page"
        raise UsageError(f"{page} has {count} between `<!-- {name}: … -->` and `<!-- /{name} -->`; one is needed")
    return found[0]


def fill(folder: Path, usual: Path, name: str, content: str) -> bool:
    """Replaces a block on its page if the content comes from the committed results; returns whether it does.

    Args:
        folder: where the content's numbers come from.
        usual: the folder of the committed results.
        name: the block.
        content: its new text.

    Raises:
        UsageError: unless there is exactly one such block.
    """
    if folder.resolve() != usual:
        return False
    page = PAGES[name]
    files.write_text(page, filled(page.read_text(encoding="utf-8"), name, content))
    return True
