"""``out=``: which functions take it, and what they do with it, is torch's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from drawing import HypothesisDraw, map_arrays, split_keywords
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
from minigrad.ops.record import registry

records = [
    r
    for r in registry.values()
    if r.torch and not r.name.startswith("_") and (r.torch.startswith("linalg.") or "." not in r.torch)
]
NEVER = {"masked_fill", "max", "min", "sum", "prod", "median", "all", "any"}  # it depends on the other arguments


def called(function, wrap, args, out):
    """The result of a call with `out`, and whether that holds it; or the type of the exception."""
    positional, keywords = split_keywords(map_arrays(wrap, args))
    try:
        result = function(*positional, **keywords, out=out)
    except Exception as error:
        return type(error), None
    return result.detach().numpy(), result is out


@pytest.mark.parametrize("record", [r for r in records if r.name not in NEVER], ids=lambda record: record.name)
@settings(max_examples=3)
@given(data=st.data())
def test_every_function_takes_it_where_torchs_does(record, data):
    theirs = torch
    for part in record.torch.split("."):
        theirs = getattr(theirs, part)
    args = record.sample(HypothesisDraw(data.draw, smooth=True))
    positional, keywords = split_keywords(map_arrays(lambda a: torch.from_numpy(np.array(a)), args))
    plain = theirs(*positional, **keywords)
    if isinstance(plain, tuple):
        return
    out = torch.empty(0, dtype=plain.dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, same = called(theirs, lambda a: torch.from_numpy(np.array(a)), args, out)
    ours = minigrad.from_numpy(np.empty(0, out.numpy().dtype))
    got, ours_same = called(record.public, lambda a: minigrad.from_numpy(np.array(a)), args, ours)
    if isinstance(expected, type):
        assert got is expected
    else:
        assert same
        assert ours_same
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "program",
    [
        lambda fw: fw.exp(fw.ones(2), out=None),
        lambda fw: fw.exp(fw.ones(2), out=fw.zeros(2, dtype=fw.float64)),
        lambda fw: fw.exp(fw.ones(2), out=fw.zeros(2, dtype=fw.int64)),
        lambda fw: fw.mm(fw.ones(2, 2), fw.ones(2, 2), out=fw.zeros(2, 2, dtype=fw.float64)),
        lambda fw: fw.exp(fw.ones(2), out=fw.zeros(3)),  # warns
        lambda fw: fw.exp(fw.ones(2), out=3),
        lambda fw: fw.exp(fw.ones(2), out=(fw.zeros(2),)),
        lambda fw: fw.exp(fw.ones(2, requires_grad=True), out=fw.zeros(2)),
        lambda fw: fw.exp(fw.ones(2), out=fw.zeros(2, requires_grad=True)),
        lambda fw: fw.add(fw.ones(2), 1, out=fw.zeros(1).expand(2)),
        lambda fw: fw.max(fw.eye(2), 1, out=(fw.zeros(0), fw.zeros(0, dtype=fw.int64))),
        lambda fw: fw.max(fw.eye(2), 1, out=fw.zeros(0)),
        lambda fw: fw.sum(fw.eye(3), 0, out=fw.zeros(3)),
        lambda fw: (x := fw.arange(4.0), fw.add(x[1:], x[:3], out=x[1:])),
        lambda fw: (x := fw.arange(4.0), fw.add(x, x, out=x)),
        lambda fw: (x := fw.eye(3), fw.index_select(x, 0, fw.tensor([1, 0, 2]), out=x)),
        lambda fw: (x := fw.eye(3), fw.cat([x[:1], x[1:]], out=x)),
        lambda fw: fw.ones(2).exp(out=fw.zeros(2)),  # methods have none
    ],
)
def test_its_rules(torch_too, program):
    torch_too(program)


@pytest.mark.parametrize("make", ["zeros", "ones", "arange", "eye", "randperm"])
def test_what_makes_tensors_takes_it(torch_too, make):
    torch_too(lambda fw: (fw.manual_seed(0), getattr(fw, make)(3, out=fw.empty(0, dtype=fw.int64)))[1])
    torch_too(lambda fw: (fw.manual_seed(0), getattr(fw, make)(3, out=fw.empty(0)))[1])
    out = minigrad.ones(2)
    assert getattr(minigrad, make)(3, out=out) is out
    assert out.shape == getattr(minigrad, make)(3).shape
