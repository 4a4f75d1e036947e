"""The steps that are fused by hand compute what minigrad computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import minigrad
from benchmarks import hand_fused_cnn
from benchmarks.contenders import CONTENDERS, HAND_FUSED
from benchmarks.hand_fused import Step
from benchmarks.hand_fused_cnn import BatchNorm, InputGradient, MaxPool
from benchmarks.networks import NETWORKS

REFERENCE = CONTENDERS[HAND_FUSED]
SMALL = {
    "cnn": {"batch": 6},
    "cnn-bn": {"batch": 12},  # with 6, rounding grows to 1e-3 in five steps, in torch as here
}
NAMES = [name for name, network in NETWORKS.items() if REFERENCE.knows(network) and not network.dropout]
RANDOM = [name for name, network in NETWORKS.items() if network.dropout]


@pytest.fixture(params=NAMES)
def trained(request, monkeypatch):
    """A network, its module, and the step by hand with the same parameters."""
    name = request.param
    network = replace(NETWORKS[name], **SMALL.get(name, {"batch": 8}))
    monkeypatch.setattr(hand_fused_cnn, "CACHE", 320_000)
    minigrad.manual_seed(1)
    model, rng = network.build(minigrad), np.random.default_rng(1)
    for parameter in model.parameters():  # where a bias is 0 or a weight 1, much goes unseen
        if parameter.ndim == 1:
            parameter.data += minigrad.from_numpy(rng.uniform(-0.3, 0.3, parameter.shape).astype(np.float32))
    step = REFERENCE.prepare(network)
    for (value, _), parameter in zip(step.parameters, model.parameters(), strict=True):
        assert value.shape == tuple(parameter.shape)
        value[...] = parameter.detach().numpy()
    return network, model, step


def test_gradients_are_minigrads(trained):
    network, model, step = trained
    inputs, targets = map(minigrad.from_numpy, network.arrays())
    loss = network.objective(minigrad)(model(inputs), targets)
    loss.backward()
    for _ in range(2):  # what a call leaves in its buffers does not disturb the next
        assert step.gradients() == pytest.approx(loss.item(), rel=1e-4)
        for (name, parameter), (_, found) in zip(model.named_parameters(), step.parameters, strict=True):
            expected = parameter.grad.numpy()
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max(), err_msg=name)
        assert step.grads.size == sum(parameter.numel() for parameter in model.parameters())


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


@pytest.mark.parametrize("name", RANDOM)
def test_trains_with_dropout(name):
    once = REFERENCE.prepare(NETWORKS[name])
    first = once()
    for _ in range(60):
        last = once()
    assert last < first


def test_portions_share_the_images_equally(monkeypatch):
    monkeypatch.setattr(hand_fused_cnn, "CACHE", 5)
    assert hand_fused_cnn.portions(6, 1) == [slice(0, 3), slice(3, 6)]
    assert hand_fused_cnn.portions(2, 100) == [slice(0, 1), slice(1, 2)]


def step_of(*shapes):
    return Step(NETWORKS["cnn"], *shapes)


@pytest.mark.parametrize(("kernel", "stride"), [((4, 4), 2), ((3, 2), 1), ((2, 4), 2)])
def test_the_gradient_of_an_input(kernel, stride):
    rng = np.random.default_rng(0)
    x = minigrad.zeros(2, 3, 9, 8, requires_grad=True)
    weight = rng.standard_normal((5, 3, *kernel), dtype=np.float32)
    y = minigrad.nn.functional.conv2d(x, minigrad.from_numpy(weight), stride=stride)
    g = rng.standard_normal(y.shape, dtype=np.float32)
    y.backward(minigrad.from_numpy(g))
    below, step = np.full((2, 9, 8, 3), np.nan, np.float32), step_of()
    InputGradient(step, weight, below.shape, stride)(np.ascontiguousarray(g.transpose(0, 2, 3, 1)), below)
    step.gradients()
    np.testing.assert_allclose(below.transpose(0, 3, 1, 2), x.grad.numpy(), atol=1e-5)


def test_batch_norm_keeps_running_statistics():
    x = np.random.default_rng(0).standard_normal((4, 3, 3, 2), dtype=np.float32)
    layer = minigrad.nn.BatchNorm2d(2)
    y = layer(minigrad.from_numpy(x.transpose(0, 3, 1, 2).copy()))
    out, step = np.empty_like(x), step_of((2,), (2,))
    norm = BatchNorm(step, 0, x, out, np.zeros_like(x), 2)
    for images in (slice(0, 2), slice(2, 4)):
        norm.statistics(images, np.empty_like(x[images]))
    norm.normalize(slice(0, 2))
    step.gradients()
    np.testing.assert_allclose(norm.running_mean, layer.running_mean.numpy(), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var, layer.running_var.numpy(), rtol=1e-5)
    np.testing.assert_allclose(out[:2].transpose(0, 3, 1, 2), y.detach().numpy()[:2], atol=1e-5)


def test_of_equal_elements_the_first_gets_the_gradient():
    x = np.ones((1, 3, 3, 1), np.float32)
    y, g, out = np.zeros((1, 1, 1, 1), np.float32), np.full((1, 1, 1, 1), 5, np.float32), np.zeros_like(x)
    step = step_of()
    MaxPool(step, x, y, g, 1)(slice(0, 1), out)
    step.gradients()
    assert out.ravel().tolist() == [5, 0, 0, 0, 0, 0, 0, 0, 0]
