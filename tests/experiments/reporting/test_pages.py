"""Generated blocks of a page are replaced as a whole, and nothing else."""

import pytest

from experiments.reporting import pages
from experiments.runner.errors import UsageError

TEXT = (
    "# Title\n\n<!-- a: python -m a -->\nold\nlines\n<!-- /a -->\n\n<!-- b: python -m b -->\nkept\n<!-- /b -->\nend\n"
)


def test_a_block_is_replaced_and_the_rest_kept():
    text = pages.filled(TEXT, "a", "\n| new |\n")
    assert text == TEXT.replace("old\nlines", "| new |")
    assert pages.block(text, "a") == "| new |"
    assert pages.filled(text, "a", r"\1 \g<0>") == TEXT.replace("old\nlines", r"\1 \g<0>")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT.replace("<!-- /a -->", ""), "no block between `<!-- a: … -->` and `<!-- /a -->`"),
        (TEXT.replace("<!-- a: python -m a -->", ""), "no block"),
        (TEXT + TEXT, "2 blocks"),
    ],
)
def test_a_missing_or_double_marker_is_named(text, words):
    with pytest.raises(UsageError, match=words):
        pages.filled(text, "a", "new")


def test_the_file_changes_only_for_the_results_that_it_shows(tmp_path, monkeypatch):
    page = tmp_path / "README.md"
    monkeypatch.setitem(pages.PAGES, "a", page)
    page.write_text(TEXT)
    assert not pages.fill(tmp_path / "trial", tmp_path / "results", "a", "new")
    assert page.read_text() == TEXT
    assert pages.fill(tmp_path / "results" / ".." / "results", tmp_path / "results", "a", "new")
    assert pages.block(page.read_text(), "a") == "new"
