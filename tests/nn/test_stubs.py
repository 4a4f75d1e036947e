"""What type checkers read is what the records say."""

import pytest

from minigrad.nn.stubs import stubs


@pytest.mark.parametrize("path", stubs(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_committed_stub_is_the_generated_one(path):
    assert path.read_text(encoding="utf-8") == stubs()[path], "run `make docs`"
