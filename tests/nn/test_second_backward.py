"""A second walk of the same graph computes anew what the first one computed, though the gradient is the same array."""

import numpy as np
import pytest

import minigrad
from minigrad import nn


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda: nn.RNN(3, 2), (4, 2, 3)),
        (lambda: nn.RNN(3, 2, nonlinearity="relu", bidirectional=True), (4, 2, 3)),
        (lambda: nn.LSTM(3, 2), (4, 2, 3)),
        (lambda: nn.GRU(3, 2), (4, 2, 3)),
        (lambda: nn.BatchNorm2d(3), (4, 3, 2, 5)),
        (lambda: nn.GroupNorm(3, 6), (4, 6, 5)),
        (lambda: nn.Conv2d(3, 2, 2), (4, 3, 5, 4)),
        (lambda: nn.ConvTranspose1d(3, 2, 2, stride=2), (4, 3, 5)),
        (lambda: nn.MaxPool2d(2), (4, 3, 4, 4)),
    ],
)
def test_the_gradient_is_changed_in_place_between_two_walks(layer, shape, create_graph):
    minigrad.manual_seed(0)
    model, x = layer(), minigrad.rand(*shape, requires_grad=True)
    out = model(x)
    out = out[0] if isinstance(out, tuple) else out
    g = minigrad.rand(*out.shape)
    tensors = [x, *model.parameters()]

    def gradients():
        found = minigrad.autograd.grad(out, tensors, g, retain_graph=True, create_graph=create_graph)
        return [t.detach().numpy().copy() for t in found]

    first = gradients()
    g.mul_(2)
    for once, twice in zip(first, gradients(), strict=True):
        np.testing.assert_array_equal(2 * once, twice)
