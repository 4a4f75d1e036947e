"""Gather, scatter and their like, at the edges and where torch refuses."""

import pytest


@pytest.mark.parametrize(
    "program",
    [
        lambda fw: fw.take_along_dim(fw.arange(6).view(2, 3), fw.tensor([[0]]), 1),
        lambda fw: fw.take_along_dim(fw.arange(6).view(2, 3), fw.tensor([[-1], [4]]), 1),
        lambda fw: fw.take_along_dim(fw.arange(6).view(2, 3), fw.tensor([[1, 2, 0]]), 0),
        lambda fw: fw.take_along_dim(fw.arange(6).view(2, 3), fw.tensor([5, 1])),
        lambda fw: fw.take_along_dim(fw.arange(6).view(2, 3), fw.tensor([5, -1])),
        lambda fw: fw.take_along_dim(fw.arange(6).view(2, 3), fw.tensor([5]), 1),
        lambda fw: fw.take_along_dim(fw.arange(6).view(2, 3), fw.tensor([[1]], dtype=fw.int32), 1),
        lambda fw: fw.scatter_add(fw.ones(()), 0, fw.tensor(0), fw.ones(())),
        lambda fw: fw.gather(fw.ones(2), 0, fw.zeros(0, dtype=fw.uint8)),
        lambda fw: fw.tensor(3.0).nonzero(as_tuple=True),
        lambda fw: fw.gather(fw.ones(2), 0, fw.tensor([0]), out=fw.zeros(1, dtype=fw.float64)),
        lambda fw: fw.scatter_add(fw.ones(()), 0, fw.tensor([0, 0]), fw.ones(2)),
        lambda fw: fw.scatter_add(fw.ones(2), 0, fw.tensor([0]), fw.ones(1, dtype=fw.float64)),
    ],
)
def test_as_in_torch(torch_too, program):
    torch_too(program)
