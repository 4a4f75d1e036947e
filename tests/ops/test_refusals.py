"""What torch refuses is refused, with the same exception; what it takes in an unusual form is taken."""

import numpy as np
import pytest


def differentiated(fw, function):
    x = fw.tensor([1.0, 2.0], requires_grad=True)
    function(x).sum().backward()
    return x.grad


@pytest.mark.parametrize(
    "program",
    [
        lambda fw: differentiated(fw, lambda x: x // 2),
        lambda fw: differentiated(fw, lambda x: fw.floor_divide(x, x)),
        lambda fw: differentiated(fw, lambda x: fw.div(x, 2, rounding_mode="floor")),
        lambda fw: differentiated(fw, lambda x: fw.bernoulli(x / 2)),
        lambda fw: differentiated(fw, lambda x: fw.normal(x, x) * 0),
        lambda fw: fw.nn.functional.soft_margin_loss(fw.ones(2), fw.ones(2, requires_grad=True)),
        lambda fw: fw.nn.functional.threshold(fw.arange(3), 1.5, 2.5),
        lambda fw: fw.nn.functional.prelu(fw.tensor(-1.0), fw.tensor([0.5])),
        lambda fw: fw.nn.functional.prelu(fw.ones(2, 3), fw.ones(1, 3)),
        lambda fw: fw.nn.functional.prelu(fw.ones(2, 3), fw.ones(3, dtype=fw.float64)),
        lambda fw: fw.nn.functional.multi_margin_loss(fw.ones(()), fw.tensor(0)),
        lambda fw: fw.nn.functional.multi_margin_loss(fw.ones(2, 3), fw.tensor([0, 1], dtype=fw.int32)),
        lambda fw: fw.nn.functional.triplet_margin_loss(fw.ones(2), fw.ones(2), fw.ones(2), margin=0),
        lambda fw: fw.nn.functional.one_hot(fw.tensor([1.0])),
        lambda fw: True - fw.ones(2),
        lambda fw: fw.ones(2, 2).addmm(fw.ones(2, 2).double(), fw.ones(2, 2).double()),
        lambda fw: fw.ones(2, 2).long().addmm_(fw.ones(2, 2), fw.ones(2, 2)),
        lambda fw: fw.ones(2).sub_(True),
        lambda fw: fw.arange(2) - True,
        *(lambda fw, name=name: getattr(fw, name)(2, 3) for name in ("add", "sub", "mul", "div", "floor_divide")),
        *(lambda fw, name=name: getattr(fw, name)(2, 3) for name in ("pow", "remainder", "bitwise_and", "eq")),
        lambda fw: fw.ones(2).sort(dim=3),
        lambda fw: float(fw.ones(2)),
        lambda fw: fw.ones(2).copy_(np.ones(2)),
        lambda fw: fw.ones(2).type(f"{fw.__name__}.LongTensor"),
        lambda fw: fw.ones(2).type("foo"),
        lambda fw: fw.ones(2).double(memory_format="contiguous_format" if fw.__name__ == "minigrad" else None),
        lambda fw: fw.linalg.matrix_norm(fw.arange(6.0).view(2, 3), -np.inf, keepdim=True),
    ],
)
def test_as_in_torch(torch_too, program):
    def seeded(fw):
        fw.manual_seed(0)
        return program(fw)

    torch_too(seeded)


@pytest.mark.parametrize(
    "program",
    [
        lambda fw: fw.arange(0, float("inf")),
        lambda fw: fw.arange(0, 3, 1.5, dtype=fw.int64),
        lambda fw: fw.arange(0, 2, 0.5, dtype=fw.int64),
        lambda fw: fw.linspace(0, 3, -1),
        lambda fw: fw.linspace(0, 3, 1.0),
        lambda fw: fw.linspace(0, 10, 5, dtype=fw.int64),
        lambda fw: fw.linspace(fw.ones(1), 3, 3),
        lambda fw: fw.linspace(fw.tensor(0.1), fw.tensor(2), 3, dtype=fw.float64),
        lambda fw: fw.logspace(0, 1, 3, device="cpu"),
        lambda fw: fw.eye(-1),
        lambda fw: fw.eye(2, -1),
        lambda fw: fw.full((2,), fw.tensor(3)),
        lambda fw: fw.zeros(2, dtype=float),
        lambda fw: fw.normal(fw.zeros(2), fw.ones(2), dtype=fw.float64),
        lambda fw: fw.meshgrid(fw.ones(2, 2), fw.ones(2), indexing="ij"),
        lambda fw: fw.meshgrid(fw.ones(2), fw.ones(2).double(), indexing="ij"),
    ],
)
def test_what_makes_tensors(torch_too, program):
    torch_too(program)
