"""docs/differences.md: each of its programs gives in either framework what its last line says."""

import re
import warnings
from pathlib import Path

import pytest
import torch
from programs import ALLOWED

import minigrad

PAGE = (Path(__file__).parents[1] / "docs" / "differences.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def given(program, fw):
    """What the last line of a program gives, in words: a value, or the type of the error."""
    *before, last = program.strip().split("\n")
    names = {"fw": fw}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec("\n".join(before), names)
            result = eval(last, names)
        except Exception as error:
            return type(error).__name__
    return repr(result.tolist() if isinstance(result, fw.Tensor) else result)


@pytest.mark.parametrize("program", PROGRAMS)
def test_both_frameworks_give_what_the_page_says(program):
    theirs, ours = re.search(r"# torch: (.*), minigrad: (.*)\n$", program).groups()
    assert theirs != ours
    assert (given(program, torch), given(program, minigrad)) == (theirs, ours)


def test_what_random_programs_may_do_stands_on_the_page():
    page = " ".join(PAGE.split())
    assert not [words for words in ALLOWED if words not in page]
