"""Recurrent layers and cells against torch's, from the same seed."""

import itertools

import numpy as np
import pytest
import torch

import minigrad
from minigrad import nn

TOLERANCE = {"float32": 2e-5, "float64": 1e-11}
OPTIONS = [
    {},
    {"bias": False},
    {"num_layers": 2, "batch_first": True},
    {"bidirectional": True},
    {"num_layers": 3, "bidirectional": True, "dropout": 0.4},
    {"num_layers": 2, "dropout": 1.0},
]


@pytest.fixture(autouse=True)
def _without_mkldnn(monkeypatch):
    """Torch's plain kernels: the others take a second to prepare."""
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)


def make_both(name, sizes, dtype, options):
    layers = []
    for fw in (minigrad, torch):
        fw.manual_seed(13)
        layers.append(getattr(fw.nn, name)(*sizes, dtype=getattr(fw, dtype), **options))
    ours, theirs = layers
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for (key, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        exactness = 0 if dtype == "float32" else 1e-15
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=0, atol=exactness, err_msg=key)
        assert p.dtype.name == dtype
    return ours, theirs


def flat(results):
    """All tensors of nested tuples."""
    return [t for r in results for t in (flat(r) if isinstance(r, tuple) else [r])]


def compare(ours, theirs, arrays, dtype, forward):
    """Outputs and all gradients, with random cotangents; ``forward(layer, tensors)``."""
    rng = np.random.default_rng(17)
    results = []
    for fw, layer in ((minigrad, ours), (torch, theirs)):
        inputs = [fw.from_numpy(a.copy()).requires_grad_() for a in arrays]
        fw.manual_seed(19)
        results.append((flat([forward(layer, inputs)]), inputs))
    (outs, xs), (torch_outs, ys) = results
    assert len(outs) == len(torch_outs)
    for i, (a, b) in enumerate(zip(outs, torch_outs, strict=True)):
        assert tuple(a.shape) == tuple(b.shape)
        assert a.dtype.name == dtype
        np.testing.assert_allclose(
            a.detach().numpy(), b.detach().numpy(), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype], err_msg=f"output {i}"
        )
    cotangents = [np.asarray(rng.normal(size=tuple(a.shape)), dtype) for a in outs]
    minigrad.autograd.backward(outs, [minigrad.from_numpy(c) for c in cotangents])
    torch.autograd.backward(torch_outs, [torch.from_numpy(c) for c in cotangents])
    pairs = [*zip(xs, ys, strict=True), *zip(ours.parameters(), theirs.parameters(), strict=True)]
    for i, (a, b) in enumerate(pairs):
        assert a.grad.dtype.name == dtype
        np.testing.assert_allclose(
            a.grad.numpy(),
            b.grad.numpy(),
            rtol=10 * TOLERANCE[dtype],
            atol=10 * TOLERANCE[dtype],
            err_msg=f"gradient {i}",
        )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", ["RNN", "RNN relu", "LSTM", "GRU"])
def test_layers(name, options, dtype):
    name, *nonlinearity = name.split()
    if nonlinearity:
        options = {**options, "nonlinearity": nonlinearity[0]}
    ours, theirs = make_both(name, (3, 4), dtype, options)
    rng = np.random.default_rng(23)
    k = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    states = 2 if name == "LSTM" else 1
    for training, batched, given in itertools.product((True, False), (True, False), (True, False)):
        ours.train(training)
        theirs.train(training)
        ours.zero_grad()
        theirs.zero_grad()
        # batch_first: 2 sequences of 5 steps, else 5 steps of 2 sequences
        shape = ((2, 5, 3) if options.get("batch_first") else (5, 2, 3)) if batched else (5, 3)
        shapes = [shape, *[(k, 2, 4) if batched else (k, 4)] * (states * given)]

        def forward(layer, inputs):
            x, *state = inputs
            return layer(x, *([tuple(state)] if len(state) == 2 else state))

        compare(ours, theirs, [np.asarray(rng.normal(size=s), dtype) for s in shapes], dtype, forward)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"bias": False}], ids=str)
@pytest.mark.parametrize("name", ["RNNCell", "RNNCell relu", "LSTMCell", "GRUCell"])
def test_cells(name, options, dtype):
    name, *nonlinearity = name.split()
    if nonlinearity:
        options = {**options, "nonlinearity": nonlinearity[0]}
    ours, theirs = make_both(name, (3, 4), dtype, options)
    rng = np.random.default_rng(29)
    for batch, given in itertools.product(((), (2,)), (True, False)):
        ours.zero_grad()
        theirs.zero_grad()
        shapes = [(*batch, 3), *[(*batch, 4)] * ((2 if name == "LSTMCell" else 1) * given)]

        def forward(cell, inputs):
            x, *state = inputs
            return cell(x, *([tuple(state)] if len(state) == 2 else state))

        compare(ours, theirs, [np.asarray(rng.normal(size=s), dtype) for s in shapes], dtype, forward)


def test_one_step():
    ours, theirs = make_both("LSTM", (3, 4), "float64", {"bidirectional": True})
    compare(ours, theirs, [np.random.default_rng(0).normal(size=(1, 2, 3))], "float64", lambda layer, x: layer(*x))


def test_a_constant_input_needs_no_gradient():
    layer = nn.GRU(3, 4)
    x = minigrad.randn(6, 2, 3)
    out, _ = layer(x)
    out.sum().backward()
    assert x.grad is None
    assert all(p.grad is not None for p in layer.parameters())


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_second_order(name):
    ours, theirs = make_both(name, (2, 3), "float64", {"num_layers": 2})
    x = np.random.default_rng(31).normal(size=(4, 2, 2))
    results = []
    for fw, layer in ((minigrad, ours), (torch, theirs)):
        inputs = fw.from_numpy(x.copy()).requires_grad_()
        (g,) = fw.autograd.grad((layer(inputs)[0] ** 2).sum(), inputs, create_graph=True)
        results.append([h.numpy() for h in fw.autograd.grad((g * g).sum(), (inputs, *layer.parameters()))])
    for i, (a, b) in enumerate(zip(*results, strict=True)):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10, err_msg=f"gradient {i}")


def test_a_state_travels_between_the_frameworks():
    ours, theirs = nn.LSTM(3, 4, 2, bidirectional=True), torch.nn.LSTM(3, 4, 2, bidirectional=True)
    ours.load_state_dict({k: minigrad.from_numpy(v.numpy()) for k, v in theirs.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(5, 2, 3)).astype(np.float32)
    np.testing.assert_allclose(
        ours(minigrad.from_numpy(x))[0].detach().numpy(), theirs(torch.from_numpy(x))[0].detach().numpy(), atol=1e-6
    )


def test_all_weights():
    layer = nn.GRU(3, 4, 2, bidirectional=True)
    assert [len(ps) for ps in layer.all_weights] == [4] * 4
    weights = [p for ps in layer.all_weights for p in ps]
    assert all(p is q for p, q in zip(weights, layer.parameters(), strict=True))
    layer.flatten_parameters()


def test_dropout_of_a_single_layer_warns(alike):
    assert alike(lambda fw: repr(fw.nn.RNN(3, 4, dropout=0.5))) == "result"


@pytest.mark.parametrize(
    ("error", "program"),
    [
        ("ValueError", lambda fw: fw.nn.RNN(3, 4, dropout=2)),
        ("ValueError", lambda fw: fw.nn.LSTM(3, 0)),
        ("ValueError", lambda fw: fw.nn.LSTM(3, 4, proj_size=-1)),
        ("ValueError", lambda fw: fw.nn.LSTM(3, 4, proj_size=4)),
        ("ValueError", lambda fw: fw.nn.GRU(3, 4, 0)),
        ("TypeError", lambda fw: fw.nn.GRU(3, 4.0)),
        ("ValueError", lambda fw: fw.nn.RNN(3, 4, nonlinearity="x")),
        ("ValueError", lambda fw: fw.nn.GRU(3, 4, proj_size=2)),
        ("ValueError", lambda fw: fw.nn.RNN(3, 4, proj_size=2)),
        ("RuntimeError", lambda fw: fw.nn.RNN(3, 4)(fw.ones(2, 3, 5))),
        ("ValueError", lambda fw: fw.nn.RNN(3, 4)(fw.ones(3))),
        ("ValueError", lambda fw: fw.nn.LSTM(3, 4)(fw.ones(3))),
        ("ValueError", lambda fw: fw.nn.GRU(3, 4)(fw.ones(3))),
        ("RuntimeError", lambda fw: fw.nn.GRU(3, 4)(fw.ones(0, 2, 3))),
        ("RuntimeError", lambda fw: fw.nn.RNN(3, 4)(fw.ones(2, 3, 3), fw.ones(1, 2, 4))),
        ("RuntimeError", lambda fw: fw.nn.RNN(3, 4)(fw.ones(2, 3, 3), fw.ones(2, 4))),
        ("RuntimeError", lambda fw: fw.nn.GRU(3, 4)(fw.ones(2, 3), fw.ones(1, 1, 4))),
        ("RuntimeError", lambda fw: fw.nn.LSTM(3, 4)(fw.ones(2, 3, 3), (fw.ones(1, 2, 4), fw.ones(1, 3, 4)))),
        ("RuntimeError", lambda fw: fw.nn.LSTM(3, 4)(fw.ones(2, 3, 3), (fw.ones(1, 3, 4), fw.ones(1, 3, 5)))),
        ("RuntimeError", lambda fw: fw.nn.LSTM(3, 4)(fw.ones(2, 3, 3), (fw.ones(1, 4), fw.ones(1, 4)))),
        ("RuntimeError", lambda fw: fw.nn.LSTM(3, 4)(fw.ones(2, 3), (fw.ones(1, 1, 4), fw.ones(1, 4)))),
        ("ValueError", lambda fw: fw.nn.RNN(3, 4)(fw.ones(2, 3, 3).double())),
        ("RuntimeError", lambda fw: fw.nn.RNNCell(3, 4)(fw.ones(2, 5))),
        ("ValueError", lambda fw: fw.nn.RNNCell(3, 4)(fw.ones(2, 2, 3))),
        ("RuntimeError", lambda fw: fw.nn.RNNCell(3, 4)(fw.ones(2, 3), fw.ones(3, 4))),
        ("RuntimeError", lambda fw: fw.nn.RNNCell(3, 4)(fw.ones(2, 3), fw.ones(2, 5))),
        ("ValueError", lambda fw: fw.nn.RNNCell(3, 4)(fw.ones(2, 3), fw.ones(1, 2, 4))),
        ("RuntimeError", lambda fw: fw.nn.RNNCell(3, 4, nonlinearity="x")(fw.ones(2, 3))),
        ("ValueError", lambda fw: fw.nn.LSTMCell(3, 4)(fw.ones(2, 3), (fw.ones(1, 2, 4), fw.ones(2, 4)))),
        ("RuntimeError", lambda fw: fw.nn.LSTMCell(3, 4)(fw.ones(2, 3), (fw.ones(2, 4), fw.ones(3, 4)))),
        ("ValueError", lambda fw: fw.nn.GRUCell(3, 4)(fw.ones(2, 3), fw.ones(2, 2, 2, 4))),
    ],
)
def test_errors(alike, error, program):
    assert alike(program) == error


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"bias": False, "bidirectional": True}, {"num_layers": 2}], ids=str)
def test_projections(options, dtype):
    ours, theirs = make_both("LSTM", (3, 4), dtype, {**options, "proj_size": 2})
    rng = np.random.default_rng(23)
    k = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    x, h, c = (np.asarray(rng.normal(size=s), dtype) for s in ((5, 2, 3), (k, 2, 2), (k, 2, 4)))
    compare(ours, theirs, [x], dtype, lambda layer, t: layer(t[0]))
    compare(*make_both("LSTM", (3, 4), dtype, {**options, "proj_size": 2}), [x, h, c], dtype,
            lambda layer, t: layer(t[0], (t[1], t[2])))  # fmt: skip
