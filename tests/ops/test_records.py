"""Every record against torch: values, dtypes, errors, and gradients with a random cotangent."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from both import torch_function
from drawing import HypothesisDraw, is_tracked, map_arrays, split_keywords
from hypothesis import given, note
from hypothesis import strategies as st

import minigrad
from minigrad import Tensor
from minigrad.ops.record import registry

comparable = [r for r in registry.values() if r.torch]
VALUE_TOLERANCE = {"float16": 1e-2, "float32": 3e-5, "float64": 1e-10}


def by_name(record):
    return record.name


@pytest.mark.parametrize("record", comparable, ids=by_name)
@given(data=st.data())
def test_parity_with_torch(record, data):
    layers = record.torch.startswith(("nn.functional", "lstm", "gru", "rnn_"))  # these are for floats
    dtypes = ("float64", "float32") if layers else ("float64", "float32", "float32", "int64", "bool")
    draw = HypothesisDraw(data.draw, smooth=False, dtypes=dtypes, mixed=record.promotes and data.draw(st.booleans()))
    args = record.sample(draw)
    note(f"seed {draw.seed}, {record.name}{args}")
    ours, theirs = [], []

    def as_ours(a):
        t = Tensor.wrap(np.asarray(a))
        ours.append(t.requires_grad_(is_tracked(a)))
        return ours[-1]

    def as_theirs(a):
        t = torch.from_numpy(np.array(a))
        theirs.append(t.requires_grad_(is_tracked(a)))
        return theirs[-1]

    positional, keywords = split_keywords(map_arrays(as_theirs, args))
    try:
        expected = torch_function(record.torch)(*positional, **keywords)
    except (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError) as error:
        note(f"torch: {error}")
        expected = error
    positional, keywords = split_keywords(map_arrays(as_ours, args))
    if isinstance(expected, Exception):
        if draw.mixed or not draw.dtype.startswith("float"):
            return  # torch lacks a kernel for this dtype, or does not mix them; ours may
        with pytest.raises((RuntimeError, IndexError, ValueError, TypeError)):
            record.call(*positional, **keywords)
        return
    got = record.call(*positional, **keywords)
    expected = expected if isinstance(expected, (tuple, list)) else [expected]
    got = got if isinstance(got, (tuple, list)) else [got]
    assert len(got) == len(expected)
    for x, y in zip(got, expected, strict=True):
        same(x, y, "value", draw.mixed)
    tracked = [(x, y) for x, y in zip(got, expected, strict=True) if y.requires_grad]
    if not record.differentiable:
        return
    assert all(x.requires_grad == y.requires_grad for x, y in zip(got, expected, strict=True))
    if not tracked:
        return
    cotangents = [draw.rng.uniform(-1, 1, tuple(y.shape)) for _, y in tracked]
    ours_in, theirs_in = ([t for t in ts if t.requires_grad] for ts in (ours, theirs))
    g = minigrad.autograd.grad(
        [x for x, _ in tracked],
        ours_in,
        [minigrad.tensor(c, dtype=x.dtype) for c, (x, _) in zip(cotangents, tracked, strict=True)],
        allow_unused=True,
    )
    h = torch_gradients(
        [y for _, y in tracked],
        theirs_in,
        [torch.tensor(c, dtype=y.dtype) for c, (_, y) in zip(cotangents, tracked, strict=True)],
        allow_unused=True,
    )
    for x, y, into in zip(g, h or g, ours_in, strict=True):
        if y is None or x is None:  # "no gradient" and "a gradient of zeros" are the same thing
            for z in (x, y):
                assert z is None or not np.asarray(z.detach()).any()
            continue
        assert x.dtype == into.dtype
        same(x, y, "gradient", draw.mixed)


def torch_gradients(*args, **kwargs):
    """Torch's gradients, or None where it can't differentiate a call on a mixture of dtypes."""
    try:
        return torch.autograd.grad(*args, **kwargs)
    except RuntimeError as error:
        if "bool tensor" in str(error):
            return None
        raise


def same(x, y, what, mixed):
    """Shape, dtype and values of our tensor and torch's; those from mixed dtypes are float32 at some point."""
    assert tuple(x.shape) == tuple(y.shape), what
    assert str(x.dtype).split(".")[1] == str(y.dtype).split(".")[1], what
    tolerance = VALUE_TOLERANCE.get("float32" if mixed else x.dtype.name, 0)
    np.testing.assert_allclose(
        x.detach().numpy(), y.detach().numpy(), rtol=tolerance, atol=tolerance, err_msg=what, equal_nan=True
    )
