"""Every record's gradients against numerical ones."""

import pytest
from drawing import HypothesisDraw, check_gradients
from hypothesis import given, note
from hypothesis import strategies as st

from minigrad.ops.record import registry

differentiable = [r for r in registry.values() if r.differentiable]


def test_every_record_has_a_sample_and_a_doc():
    assert not [r.name for r in registry.values() if r.sample is None or not r.doc]


def test_few_gradients_are_written_by_hand():
    assert sum(bool(r.inputs) for r in registry.values()) <= 69  # 67, and two views


@pytest.mark.parametrize("record", differentiable, ids=lambda r: r.name)
@given(data=st.data())
def test_gradients(record, data):
    draw = HypothesisDraw(data.draw, smooth=True)
    args = record.sample(draw)
    note(f"seed {draw.seed}, {record.name}{args}")
    check_gradients(record.call, args, draw.rng, record.order)
