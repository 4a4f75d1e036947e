"""Batch, layer and group norm against torch's: values, gradients, running statistics, second order, errors."""

import numpy as np
import pytest
import torch

import minigrad
from minigrad import nn
from minigrad.nn import functional as F

TOLERANCE = {"float32": 1e-4, "float64": 1e-10}

LAYERS = [
    (lambda nn, **k: nn.BatchNorm1d(3, **k), (5, 3)),
    (lambda nn, **k: nn.BatchNorm1d(1, **k), (5, 1)),
    (lambda nn, **k: nn.BatchNorm1d(3, **k), (1, 3, 4)),
    (lambda nn, **k: nn.BatchNorm1d(3, eps=0.1, momentum=0.3, **k), (5, 3, 4)),
    (lambda nn, **k: nn.BatchNorm1d(3, affine=False, **k), (5, 3)),
    (lambda nn, **k: nn.BatchNorm1d(3, bias=False, **k), (5, 3)),
    (lambda nn, **k: nn.BatchNorm1d(3, track_running_stats=False, **k), (5, 3)),
    (lambda nn, **k: nn.BatchNorm2d(3, **k), (4, 3, 5, 2)),
    (lambda nn, **k: nn.BatchNorm2d(3, momentum=None, **k), (4, 3, 1, 1)),
    (lambda nn, **k: nn.BatchNorm2d(3, **k), (0, 3, 2, 2)),
    (lambda nn, **k: nn.BatchNorm3d(2, momentum=0, **k), (2, 2, 2, 3, 2)),
    (lambda nn, **k: nn.LayerNorm(4, **k), (5, 4)),
    (lambda nn, **k: nn.LayerNorm(4, eps=0.1, **k), (4,)),
    (lambda nn, **k: nn.LayerNorm([3, 4], **k), (2, 3, 4)),
    (lambda nn, **k: nn.LayerNorm((3, 4), bias=False, **k), (2, 2, 3, 4)),
    (lambda nn, **k: nn.LayerNorm(4, elementwise_affine=False, **k), (2, 4)),
    (lambda nn, **k: nn.LayerNorm(4, **k), (0, 4)),
    (lambda nn, **k: nn.GroupNorm(2, 4, **k), (3, 4)),
    (lambda nn, **k: nn.GroupNorm(1, 4, eps=0.1, **k), (3, 4, 5)),
    (lambda nn, **k: nn.GroupNorm(4, 4, **k), (3, 4, 2, 3)),
    (lambda nn, **k: nn.GroupNorm(2, 4, affine=False, **k), (3, 4, 2, 3)),
    (lambda nn, **k: nn.GroupNorm(2, 4, bias=False, **k), (3, 4, 2)),
]


def both(make, dtype, rng):
    """The layer in both frameworks, with the same random weights."""
    ours = make(nn, dtype=getattr(minigrad, dtype))
    theirs = make(torch.nn, dtype=getattr(torch, dtype))
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert p.detach().tolist() == q.detach().tolist()
        values = np.asarray(rng.normal(size=tuple(p.shape)), dtype)
        p.data = minigrad.from_numpy(values)
        q.data = torch.from_numpy(values.copy())
    return ours, theirs


def same_state(ours, theirs, tolerance):
    ours, theirs = ours.state_dict(), theirs.state_dict()
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        assert str(ours[name].dtype).split(".")[1] == str(value.dtype).split(".")[1], name
        np.testing.assert_allclose(ours[name].numpy(), value.numpy(), rtol=tolerance, atol=tolerance, err_msg=name)
        assert tuple(ours[name].shape) == tuple(value.shape)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_training_and_evaluation(same_run, make, shape, dtype):
    rng = np.random.default_rng(7)
    ours, theirs = both(make, dtype, rng)
    assert repr(ours) == repr(theirs)
    for step in range(6):
        if step == 3:  # three steps of training, then evaluation, then training again
            ours.eval()
            theirs.eval()
        if step == 5:
            ours.train()
            theirs.train()
        same_run(
            lambda fw, x: (ours if fw is minigrad else theirs)(x),
            [np.asarray(rng.normal(2, 3, size=shape), dtype)],
            rng,
            TOLERANCE[dtype],
            what=f"step {step}",
        )
        for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            if p.grad is None or q.grad is None:  # torch gives zeros for an empty batch
                assert q.grad is None or not q.grad.numpy().any()
                continue
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-3, atol=TOLERANCE[dtype], err_msg=name)
        same_state(ours, theirs, TOLERANCE[dtype])


def test_the_running_variance_is_the_unbiased_one():
    layer = nn.BatchNorm1d(1, momentum=1.0)
    out = layer(minigrad.tensor([[0.0], [2.0]]))
    assert layer.running_var.item() == 2.0  # the biased one is 1
    np.testing.assert_allclose(out.detach().numpy(), [[-1.0], [1.0]], rtol=1e-4)


def test_reset_running_stats():
    layer = nn.BatchNorm2d(2)
    layer(minigrad.randn(3, 2, 2, 2))
    assert layer.num_batches_tracked.item() == 1
    layer.reset_running_stats()
    assert [t.tolist() for t in layer.buffers()] == [[0, 0], [1, 1], 0]


def test_a_state_travels_between_the_frameworks():
    ours, theirs = nn.BatchNorm2d(2), torch.nn.BatchNorm2d(2)
    theirs(torch.randn(3, 2, 2, 2))
    ours.load_state_dict({k: minigrad.from_numpy(v.numpy()) for k, v in theirs.state_dict().items()})
    same_state(ours, theirs, 0)


def test_a_far_mean_costs_no_precision():
    rng = np.random.default_rng(0)
    x = (1000 + rng.normal(size=(64, 3, 8, 8))).astype(np.float32)
    got = F.batch_norm(minigrad.from_numpy(x), None, None, training=True).numpy()
    wide = x.astype(np.float64)
    expected = (wide - wide.mean((0, 2, 3), keepdims=True)) / np.sqrt(wide.var((0, 2, 3), keepdims=True) + 1e-5)
    assert np.abs(got - expected).max() < 1e-3


def test_a_transposed_input():
    rng = np.random.default_rng(1)
    x = np.asarray(rng.normal(size=(4, 5, 6, 3)), np.float64)
    view = minigrad.from_numpy(x).permute(0, 3, 1, 2)
    expected = torch.nn.functional.batch_norm(torch.from_numpy(x).permute(0, 3, 1, 2), None, None, training=True)
    np.testing.assert_allclose(F.batch_norm(view, None, None, training=True).numpy(), expected.numpy(), atol=1e-10)


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2), (3, 3, 2, 2)])
@pytest.mark.parametrize("training", [True, False])
def test_second_order(shape, training):
    """The gradient of a squared gradient, as in a gradient penalty."""
    rng = np.random.default_rng(2)
    arrays = [rng.normal(size=shape), rng.normal(size=3), rng.normal(size=3)]
    outer = rng.normal(size=shape)
    results = []
    for fw in (minigrad, torch):
        x, w, b = (fw.from_numpy(a.copy()).requires_grad_() for a in arrays)
        running = None, None
        if not training:
            running = fw.zeros(3, dtype=fw.float64), fw.ones(3, dtype=fw.float64)
        y = fw.nn.functional.batch_norm(x, *running, w, b, training)
        loss = (fw.tanh(y) * fw.from_numpy(outer)).sum()
        first = fw.autograd.grad(loss, (x, w, b), create_graph=True)
        penalty = sum((g * g).sum() for g in first)
        results.append([g.numpy() for g in fw.autograd.grad(penalty, (x, w, b))])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8)


def test_evaluation_writes_no_statistics():
    layer = nn.BatchNorm1d(2).eval()
    layer(minigrad.randn(4, 2))
    assert [t.tolist() for t in layer.buffers()] == [[0, 0], [1, 1], 0]


@pytest.mark.parametrize(
    ("error", "program"),
    [
        ("ValueError", lambda fw: fw.nn.BatchNorm1d(3)(fw.ones(3))),
        ("ValueError", lambda fw: fw.nn.BatchNorm2d(3)(fw.ones(2, 3))),
        ("ValueError", lambda fw: fw.nn.BatchNorm3d(3)(fw.ones(2, 3))),
        ("ValueError", lambda fw: fw.nn.BatchNorm1d(3)(fw.ones(1, 3))),
        ("ValueError", lambda fw: fw.nn.BatchNorm2d(3)(fw.ones(1, 3, 1, 1))),
        ("RuntimeError", lambda fw: fw.nn.BatchNorm1d(3)(fw.ones(2, 4))),
        ("RuntimeError", lambda fw: fw.nn.BatchNorm1d(3).eval()(fw.ones(2, 4))),
        ("RuntimeError", lambda fw: fw.nn.functional.batch_norm(fw.ones(2, 3), None, None)),
        ("RuntimeError", lambda fw: fw.nn.functional.batch_norm(fw.ones(2, 3), fw.ones(4), fw.ones(3))),
        ("RuntimeError", lambda fw: fw.nn.functional.batch_norm(fw.ones(2, 3), fw.ones(3), fw.ones(3), fw.ones(2))),
        ("RuntimeError", lambda fw: fw.nn.LayerNorm(4)(fw.ones(2, 3))),
        ("RuntimeError", lambda fw: fw.nn.functional.layer_norm(fw.ones(2, 3), ())),
        ("RuntimeError", lambda fw: fw.nn.functional.layer_norm(fw.ones(2, 3), (3,), fw.ones(2))),
        ("RuntimeError", lambda fw: fw.nn.functional.layer_norm(fw.ones(2, 3), (3,), fw.ones(3), fw.ones(2))),
        ("RuntimeError", lambda fw: fw.nn.functional.group_norm(fw.ones(2, 3), 2)),
        ("RuntimeError", lambda fw: fw.nn.functional.group_norm(fw.ones(3), 1)),
        ("ValueError", lambda fw: fw.nn.functional.group_norm(fw.ones(1, 3), 3)),
        ("RuntimeError", lambda fw: fw.nn.functional.group_norm(fw.ones(2, 4), 2, fw.ones(3))),
        ("ValueError", lambda fw: fw.nn.GroupNorm(2, 3)),
    ],
)
def test_errors(alike, error, program):
    assert alike(program) == error
