"""What torch computes for floats only is refused for integers and booleans, instead of computed somehow."""

import numpy as np
import pytest
from both import torch_function
from drawing import HypothesisDraw, map_arrays, split_keywords
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
from minigrad import Tensor
from minigrad.ops.record import registry

FLOATS = [record for record in registry.values() if record.dtypes]
NAMED = {"int64": "Long", "uint8": "Byte", "bool": "Bool"}


def called(function, args, wrap, dtype):
    """The function with all floats among the arguments in that dtype."""
    positional, keywords = split_keywords(
        map_arrays(lambda a: wrap(np.array(a).astype(dtype) if a.dtype.kind == "f" else np.array(a)), args)
    )
    return function(*positional, **keywords)


@pytest.mark.parametrize("record", FLOATS, ids=lambda record: record.name)
@settings(max_examples=2)
@given(data=st.data(), dtype=st.sampled_from(list(NAMED)))
def test_operands_that_are_no_floats_are_refused(record, data, dtype):
    import torch

    args = record.sample(HypothesisDraw(data.draw, smooth=False))
    if np.dtype(dtype).kind in record.dtypes:
        return
    with pytest.raises((NotImplementedError, RuntimeError, TypeError, ValueError)):
        called(torch_function(record.torch), args, torch.from_numpy, dtype)
    with pytest.raises(NotImplementedError, match=f"\"{record.name}\" not implemented for '{NAMED[dtype]}'"):
        called(record.call, args, Tensor.wrap, dtype)


@pytest.mark.parametrize("target", [[True, False], [1, 0]])
def test_targets_that_are_no_floats(target, torch_too):
    torch_too(lambda fw: fw.nn.functional.binary_cross_entropy_with_logits(fw.ones(2), fw.tensor(target)))


def test_layers_refuse_them_too():
    with pytest.raises(NotImplementedError, match="\"silu\" not implemented for 'Long'"):
        minigrad.nn.SiLU()(minigrad.arange(3))


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic", "area"])
@pytest.mark.parametrize("dtype", ["int64", "bool", "float16", "float32"])
def test_interpolation_of_each_dtype(mode, dtype, torch_too):
    def program(fw):
        x = fw.arange(16).reshape(1, 1, 4, 4).to(getattr(fw, dtype))
        try:
            return fw.nn.functional.interpolate(x, size=(3, 3), mode=mode)
        except NotImplementedError:
            return "refused"

    torch_too(program, 1e-3)


@pytest.mark.parametrize("dtype", ["int64", "float16", "float32", "float64"])
def test_means_of_windows_of_each_dtype(dtype, torch_too):
    torch_too(lambda fw: fw.nn.functional.avg_pool2d(fw.arange(-8, 8).reshape(1, 4, 4).to(getattr(fw, dtype)), 2), 1e-3)
