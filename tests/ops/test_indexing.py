"""Views and indices as in torch."""

import warnings

import pytest


@pytest.mark.parametrize(
    "write",
    [
        lambda fw, x: x.diagonal().fill_(1),
        lambda fw, x: x.diagonal(1, 1, 0).mul_(2),
        lambda fw, x: x.unfold(0, 2, 2).add_(1),
        lambda fw, x: x[fw.tensor(1)].zero_(),
        lambda fw, x: x[1, fw.tensor(2)].fill_(7),
        lambda fw, x: x[fw.tensor(1), :, None].fill_(7),
        lambda fw, x: x.expand(4, 4).mul_(2),
        lambda fw, x: x.expand(1, 4, 4)[0, 1].mul_(2),
        lambda fw, x: x.ravel().zero_(),
        lambda fw, x: x.t().ravel().zero_(),
        lambda fw, x: x[:, 0].ravel().zero_(),
        lambda fw, x: x.repeat(1, 1).zero_(),
        lambda fw, x: x.tile((1,)).zero_(),
        lambda fw, x: x[:, fw.tensor([0, 2])].flatten().zero_(),
        lambda fw, x: x.view(2, 8)[1, 2:4].fill_(9),
    ],
)
def test_writes_reach_the_base_where_torch_has_a_view(write, torch_too):
    def program(fw):
        x = fw.arange(16.0).reshape(4, 4)
        write(fw, x)
        w = fw.ones(4, 4, requires_grad=True)
        y = w * x
        write(fw, y)
        (y * fw.arange(16.0).reshape(4, 4)).sum().backward()
        return x, y, w.grad

    torch_too(program)


@pytest.mark.parametrize(
    "index",
    [
        lambda fw: (0, slice(None), fw.arange(5)),
        lambda fw: (slice(None), 1, fw.arange(3)),
        lambda fw: (fw.arange(2), slice(None), 3),
        lambda fw: (..., fw.tensor([0, 1]), 2),
        lambda fw: (1, None, slice(1, None), [1, 3]),
        lambda fw: (1, ..., [1, 3]),
        lambda fw: (2, fw.tensor([True, False, True, False]), slice(None)),
        lambda fw: (2, slice(None), fw.tensor([True, False, True, False, True])),
        lambda fw: fw.tensor([1, 0, 1], dtype=fw.uint8),
        lambda fw: [],
        lambda fw: (slice(None), []),
        lambda fw: [[0, 1], [1, 0]],
        lambda fw: (slice(None), [[0, 1], [1, 0]]),
        lambda fw: [fw.tensor(0), fw.tensor([1, 2])],
        lambda fw: [slice(0, 1)],
        lambda fw: fw.tensor(True),
        lambda fw: (fw.tensor([0, 2]), fw.tensor([0, 1]), 1),
        lambda fw: (0, fw.tensor([0, 2]), slice(None, None, 2)),
    ],
)
def test_indices_select_and_write_as_in_torch(index, torch_too):
    def program(fw):
        warnings.simplefilter("ignore")  # torch warns of a mask of bytes again while it differentiates
        x = fw.arange(60.0).reshape(3, 4, 5)
        key = index(fw)
        found = x[key]
        values = fw.arange(float(found.numel())).reshape(found.shape)
        x[key] = values
        w = fw.ones(3, 4, 5, requires_grad=True)
        (w[key] * values).sum().backward()
        return found, x, w.grad

    torch_too(program)
