"""Further names of an operation, and its in-place variants, stand where torch has them."""

import numpy as np
import pytest
import torch

import minigrad
from minigrad.ops.record import registry

CASES = [
    (name, method)
    for name, record in registry.items()
    for method in (*record.names, *(f"{name}_" for name in record.names))
    if record.torch and record.torch.count(".") == 0 and not name.startswith("_")
]


@pytest.mark.parametrize(("name", "method"), CASES)
def test_a_name_is_a_function_or_a_method_as_in_torch(name, method):
    for ours, theirs in ((minigrad, torch), (minigrad.Tensor, torch.Tensor)):
        if hasattr(theirs, method):
            assert hasattr(ours, method) or method in ("t_", "transpose_", "swapaxes_", "swapdims_")
        elif hasattr(ours, method):
            assert method in ("leaky_relu", "softplus", "one_hot")


UNARY = sorted(name for name, r in registry.items() if r.in_place and r.forward.__code__.co_argcount == 1 and r.torch)


@pytest.mark.parametrize("name", UNARY)
def test_in_place_variants_and_their_gradients(torch_too, name):
    values = np.array([0.25, 0.5, 0.75])

    def program(fw):
        if name in ("bitwise_not", "logical_not"):
            return getattr(fw.tensor([1, 0, 2]), f"{name}_")()
        leaf = fw.tensor(values, requires_grad=True)
        x = leaf * 1.0
        result = getattr(x, f"{name}_")()
        (x * fw.tensor([1.0, 2.0, 3.0])).sum().backward()
        return result is x, x.detach(), leaf.grad

    torch_too(program)


@pytest.mark.parametrize(
    "program",
    [
        lambda fw: fw.where(fw.tensor([[1, 0], [0, 2]])),
        lambda fw: fw.nonzero(fw.tensor([[1.0, 0.0], [0.0, 2.0]])),
        lambda fw: fw.tensor(3).nonzero(),
        lambda fw: fw.tensor([0.0, float("nan")]).nonzero(as_tuple=True),
        lambda fw: fw.ones(2).where(fw.tensor([True, False]), 3.0),
        lambda fw: fw.where(fw.tensor([True, False]), fw.ones(2)),
        lambda fw: fw.where([True], 1.0, 2.0),
    ],
)
def test_where_and_nonzero(torch_too, program):
    torch_too(program)
