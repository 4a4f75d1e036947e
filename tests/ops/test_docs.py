"""The page of operations is up to date."""

from pathlib import Path

from minigrad.ops.docs import table
from minigrad.ops.record import registry


def test_every_record_has_a_row():
    page = table()
    assert all(f"`{name}(" in page for name in registry)


def test_the_committed_page_is_the_generated_one():
    committed = Path(__file__).parents[2] / "docs" / "operations.md"
    assert committed.read_text(encoding="utf-8") == table(), "run `make docs`"
