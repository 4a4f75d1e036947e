"""Joining tensors: what the records' samples do not draw."""

import pytest


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_an_empty_vector_joins_with_anything_and_keeps_its_graph(dtype, torch_too):
    def program(fw):
        x = fw.ones(0, requires_grad=True)
        out = fw.cat([x, fw.ones(2, 3, dtype=getattr(fw, dtype)), fw.ones(0)], dim=1)
        out.sum().backward()
        return out, out.requires_grad, x.grad

    torch_too(program)
