"""The steps that are fused by hand compute what minigrad computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import minigrad
from benchmarks import floor, floor_convolution
from benchmarks.floor_convolution import InputGradient
from benchmarks.floor_images import BatchNorm, MaxPool
from benchmarks.networks import NETWORKS

SMALL = {
    "cnn": {"batch": 6},
    "cnn-bn": {"batch": 12},  # with 6, rounding grows to 1e-3 in five steps, in torch as here
    "conv1d": {"batch": 6, "shape": (8, 11)},
    "lstm": {"batch": 5, "shape": (7, 8)},
    "gru": {"batch": 5, "shape": (7, 8)},
}
CACHES = {"conv1d": 15_000}  # bytes, so that there are three portions of two; else 320,000
NAMES = [name for name, network in NETWORKS.items() if not network.dropout]


@pytest.fixture(params=NAMES)
def trained(request, monkeypatch):
    """A network, its module, and the step by hand with the same parameters."""
    name = request.param
    network = replace(NETWORKS[name], **SMALL.get(name, {"batch": 8}))
    monkeypatch.setattr(floor_convolution, "CACHE", CACHES.get(name, 320_000))
    minigrad.manual_seed(1)
    model, rng = network.build(minigrad), np.random.default_rng(1)
    for parameter in model.parameters():  # where a bias is 0 or a weight 1, much goes unseen
        if parameter.ndim == 1:
            parameter.data += minigrad.from_numpy(rng.uniform(-0.3, 0.3, parameter.shape).astype(np.float32))
    step = floor.step(network)
    step.flat[...] = np.concatenate([parameter.detach().numpy().ravel() for parameter in model.parameters()])
    return network, model, step


def test_gradients_are_minigrads(trained):
    network, model, step = trained
    inputs, targets = map(minigrad.from_numpy, network.arrays())
    loss = network.objective(minigrad)(model(inputs), targets)
    loss.backward()
    for _ in range(2):  # what a call leaves in its buffers does not disturb the next
        assert step.gradients() == pytest.approx(loss.item(), rel=1e-4)
        done = 0
        for name, parameter in model.named_parameters():
            expected = parameter.grad.numpy()
            found = step.grads[done : done + expected.size].reshape(expected.shape)
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max(), err_msg=name)
            done += expected.size
        assert done == step.grads.size


def test_losses_of_five_steps_are_minigrads(trained):
    network, model, step = trained
    optimizer, objective = network.optimizer(minigrad, model.parameters()), network.objective(minigrad)
    inputs, targets = map(minigrad.from_numpy, network.arrays())
    losses = []
    for _ in range(5):
        loss = objective(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert [step() for _ in range(5)] == pytest.approx(losses, rel=1e-4)
    assert losses[4] < losses[0]


def test_portions_share_the_images_equally(monkeypatch):
    monkeypatch.setattr(floor_convolution, "CACHE", 5)
    assert floor_convolution.portions(6, 1) == [slice(0, 3), slice(3, 6)]
    assert floor_convolution.portions(2, 100) == [slice(0, 1), slice(1, 2)]


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [((4, 4), 2, (0, 0)), ((3, 2), 1, (1, 0)), ((2, 4), 2, (0, 2))]
)
def test_the_gradient_of_an_input(kernel, stride, padding):
    rng = np.random.default_rng(0)
    x = minigrad.zeros(2, 3, 9, 8, requires_grad=True)
    weight = rng.standard_normal((5, 3, *kernel), dtype=np.float32)
    y = minigrad.nn.functional.conv2d(x, minigrad.from_numpy(weight), stride=stride, padding=padding)
    g = rng.standard_normal(y.shape, dtype=np.float32)
    y.backward(minigrad.from_numpy(g))
    below = np.full((2, 9, 8, 3), np.nan, np.float32)
    given = np.ascontiguousarray(g.transpose(0, 2, 3, 1))
    back = InputGradient(weight, given, below, stride, padding)
    back.pack()
    back(given, below)
    np.testing.assert_allclose(below.transpose(0, 3, 1, 2), x.grad.numpy(), atol=1e-5)


def test_batch_norm_keeps_running_statistics():
    x = np.random.default_rng(0).standard_normal((4, 3, 3, 2), dtype=np.float32)
    layer = minigrad.nn.BatchNorm2d(2)
    y = layer(minigrad.from_numpy(x.transpose(0, 3, 1, 2).copy()))
    out, grads = np.empty_like(x), np.zeros((2, 2), np.float32)
    norm = BatchNorm((np.ones(2, np.float32), np.zeros(2, np.float32), *grads), x, out, np.zeros_like(x), 2)
    norm.begin()
    for images in (slice(0, 2), slice(2, 4)):
        norm.see(images)
    norm.settle()
    norm.forward(slice(0, 2))
    np.testing.assert_allclose(norm.running_mean, layer.running_mean.numpy(), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var, layer.running_var.numpy(), rtol=1e-5)
    np.testing.assert_allclose(out[:2].transpose(0, 3, 1, 2), y.detach().numpy()[:2], atol=1e-5)


def test_of_equal_elements_the_first_gets_the_gradient():
    x = np.ones((1, 3, 3, 1), np.float32)
    y, g, out = np.zeros((1, 1, 1, 1), np.float32), np.full((1, 1, 1, 1), 5, np.float32), np.zeros_like(x)
    pool = MaxPool(x, y, g, 1)
    pool.forward(slice(0, 1))
    pool.backward(slice(0, 1), out)
    assert out.ravel().tolist() == [5, 0, 0, 0, 0, 0, 0, 0, 0]
