"""Convolution and pooling beyond what the records draw: memory layouts, sizes over one buffer, modules' habits."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad
from minigrad.ops import columns

F = minigrad.nn.functional


def by_definition(x, w, stride, padding, dilation):
    """The sum in `conv2d`'s documentation, in float64."""
    x = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    span = [dilation * (k - 1) + 1 for k in w.shape[2:]]
    oh, ow = ((x.shape[2 + i] - span[i]) // stride + 1 for i in (0, 1))
    out = np.zeros((len(x), len(w), oh, ow))
    for i, j in np.ndindex(oh, ow):
        window = x[:, :, stride * i :, stride * j :][:, :, : span[0] : dilation, : span[1] : dilation]
        out[:, :, i, j] = np.einsum("nckl,ockl->no", window, w.astype(np.float64))
    return out


def images(layout, n, c, h, w):
    """Random images that lie in memory in one way or another."""
    rng = np.random.default_rng(0)
    if layout == "plain":
        return rng.standard_normal((n, c, h, w), dtype=np.float32)
    if layout == "channels last":
        return rng.standard_normal((n, h, w, c), dtype=np.float32).transpose(0, 3, 1, 2)
    if layout == "turned":  # with one channel or one image NumPy leaves any stride on that axis
        return rng.standard_normal((w, h, c, n), dtype=np.float32).T
    return rng.standard_normal((n, c, 2 * h, w), dtype=np.float32)[:, :, ::-2]


@pytest.mark.parametrize("layout", ["plain", "channels last", "turned", "every other row"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("stride", [1, 2])
def test_any_layout_in_memory_gives_the_same(layout, channels, stride):
    for n in (1, 5):
        x = images(layout, n, channels, 9, 8)
        w = np.random.default_rng(1).standard_normal((4, channels, 3, 2), dtype=np.float32)
        out = F.conv2d(minigrad.from_numpy(x), minigrad.from_numpy(w), stride=stride, padding=1)
        np.testing.assert_allclose(out.numpy(), by_definition(x, w, stride, 1, 1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_many_buffers_of_windows_give_what_one_gives(monkeypatch, stride):
    def gradients():
        minigrad.manual_seed(0)
        x = minigrad.randn(7, 3, 11, 10, requires_grad=True)
        w, b = minigrad.randn(4, 3, 4, 3, requires_grad=True), minigrad.randn(4, requires_grad=True)
        out = F.conv2d(x, w, b, stride=stride, padding=1)
        (out * minigrad.randn(*out.shape)).sum().backward()
        return [t.numpy() for t in (out.detach(), x.grad, w.grad, b.grad)]

    whole = gradients()
    monkeypatch.setattr(columns, "BUFFER", 8_000)
    for a, b in zip(whole, gradients(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_results_can_be_viewed_flat_as_in_torch():
    minigrad.manual_seed(0)
    x = minigrad.randn(2, 3, 8, 8, requires_grad=True)
    out = F.max_pool2d(F.relu(F.conv2d(x, minigrad.randn(4, 3, 3, 3))), 2)
    flat = out.view(2, -1)
    np.testing.assert_array_equal(flat.detach().numpy(), out.detach().numpy().reshape(2, -1))
    (flat * minigrad.arange(36.0)).sum().backward(retain_graph=True)
    expected = minigrad.autograd.grad((out.reshape(2, -1) * minigrad.arange(36.0)).sum(), x)[0]
    np.testing.assert_array_equal(x.grad.numpy(), expected.numpy())
