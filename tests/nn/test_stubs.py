"""What type checkers read is what the records say."""

import re

import pytest
from drawing import HypothesisDraw, map_arrays, split_keywords
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import Tensor
from minigrad.nn.stubs import OVERLOADS, stub, stubs
from minigrad.ops.record import registry


@pytest.mark.parametrize("path", stubs(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_committed_stub_is_the_generated_one(path):
    assert path.read_text(encoding="utf-8") == stubs()[path], "run `make docs`"


@pytest.mark.parametrize("record", [r for r in registry.values() if not r.name.startswith("_")], ids=lambda r: r.name)
@settings(max_examples=3)
@given(data=st.data())
def test_results_have_the_type_that_the_stub_names(record, data):
    draw = HypothesisDraw(data.draw, smooth=True)
    args, kwargs = split_keywords(map_arrays(Tensor.wrap, record.sample(draw)))
    text = next(line for line in stub(record.name, record.public).splitlines() if line.startswith("def "))
    result, expected = record.public(*args, **kwargs), re.search(r" -> (.*):", text)[1]
    if record.name in OVERLOADS:
        assert isinstance(result, (Tensor, tuple))
    elif expected == "Tensor":
        assert isinstance(result, Tensor)
    else:
        assert expected == "State" or expected.startswith(("tuple[Tensor", "MaxMin"))
        assert isinstance(result, tuple)
        assert isinstance(result[0], Tensor)
