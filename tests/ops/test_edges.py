"""Every function of one number at the edges of its dtype, and with infinite gradients: values, gradients, warnings."""

import numpy as np
import pytest
import torch
from both import torch_function

import minigrad
from minigrad.ops.record import registry

INF, NAN = float("inf"), float("nan")
TOLERANCE = {"float16": 2e-3, "float32": 2e-5, "float64": 1e-9}
OTHERWISE = {"dropout", "alpha_dropout"}  # they draw


class Sampled:
    """Notes which arguments a record's sample draws: those that draw one array, and else only numbers, are tested."""

    smooth = True

    def array(self, shape=None, **limits):
        return self if shape is None and not limits.get("min_ndim") else None

    def choice(self, options):
        return next(iter(options))

    def __getattr__(self, name):
        return lambda *args, **limits: None


def of_one_number(record):
    if not record.torch or not record.differentiable or record.name in OTHERWISE:
        return False
    try:
        first, *others = record.sample(Sampled())
    except (TypeError, AttributeError):
        return False
    return isinstance(first, Sampled) and all(isinstance(x, (int, float)) for x in others)


RECORDS = [record for record in registry.values() if of_one_number(record)]


def edges(dtype):
    info = np.finfo(dtype)
    least = [info.smallest_subnormal, info.tiny, info.eps]
    numbers = [*map(float, least), float(info.max), 0.0, 0.5, 1.0, 2.0, 3.0, 6.0, 20.5, 100.0, INF]
    return [NAN, *numbers, *(-x for x in numbers)]


def values(fw, function, arguments, dtype, few):
    x = fw.tensor(few, dtype=getattr(fw, dtype), requires_grad=True)
    y = function(x, *arguments)
    gradients = []
    for g in (1.0, -0.5, 0.0, INF, NAN) if y.requires_grad else ():
        gradients += fw.autograd.grad(y, x, fw.full_like(y, g), retain_graph=True)
    return [y, *gradients]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.filterwarnings("error")
def test_one_number_at_the_edges(record, dtype):
    numbers = edges(dtype)
    arguments = record.sample(Sampled())[1:]
    if record.name == "gelu" and dtype == "float32":  # torch has oneDNN compute these, which overflows
        numbers = [x for x in numbers if np.abs(x) < 1e38]
    for few in zip(*[iter([*numbers, NAN, NAN])] * 3, strict=False):  # torch's vectors of more differ at a nan
        with np.errstate(all="warn"):
            ours = values(minigrad, record.public, arguments, dtype, few)
        theirs = values(torch, torch_function(record.torch), arguments, dtype, few)
        for x, y in zip(ours, theirs, strict=True):
            assert str(x.dtype) == str(y.dtype).replace("torch", "minigrad")
            tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype] / 20}
            np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), **tolerance, err_msg=str(few))


def test_all_functions_of_one_number_are_tried():
    names = {record.name for record in RECORDS}
    assert {"exp", "rsqrt", "erf", "asin", "relu", "gelu", "hardswish", "silu", "softplus", "elu"} <= names
