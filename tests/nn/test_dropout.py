"""Dropout with torch's masks; in evaluation, at p = 0 and 1, in place, and of second order."""

import numpy as np
import pytest
import torch

import minigrad
from minigrad import nn
from minigrad.nn import functional as F

LAYERS = [
    ("Dropout", (7, 9)),
    ("Dropout", ()),
    ("Dropout", (3,)),
    ("Dropout", (40, 300)),
    ("Dropout", (0, 3)),
    ("Dropout1d", (4, 5, 6)),
    ("Dropout1d", (5, 6)),
    ("Dropout2d", (4, 5, 2, 3)),
    ("Dropout3d", (4, 5, 2, 3, 2)),
    ("Dropout3d", (5, 2, 3, 2)),
    ("AlphaDropout", (7, 9)),
]


@pytest.mark.parametrize("p", [0.0, 0.1, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "shape"), LAYERS)
def test_masks_equal_torchs(same_run, name, shape, dtype, p):
    rng = np.random.default_rng(1)
    minigrad.manual_seed(3)
    torch.manual_seed(3)
    same_run(
        lambda fw, x: getattr(fw.nn, name)(p)(x),
        [np.asarray(rng.normal(size=shape), dtype)],
        rng,
        1e-6 if name == "AlphaDropout" else 0.0,
    )
    assert (minigrad.rand(3).numpy() == torch.rand(3).numpy()).all()  # no draw more or less


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"])
def test_layers(alike, name):
    assert alike(lambda fw: repr(getattr(fw.nn, name)())) == "result"
    assert alike(lambda fw: repr(getattr(fw.nn, name)(0.25, True))) == "result"
    for p in (-0.1, 1.1):
        assert alike(lambda fw, p=p: getattr(fw.nn, name)(p)) == "ValueError"
    layer = getattr(nn, name)(0.5)
    x = minigrad.ones({"1": (2, 2, 2), "2": (2, 2, 2, 2), "3": (2, 2, 2, 2, 2)}.get(name[-2], (2, 2)))
    assert layer.eval()(x) is x
    assert layer.train()(x) is not x


@pytest.mark.parametrize("name", ["dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"])
def test_functions_check_p(alike, name):
    shape = {"1": (2, 2, 2), "2": (2, 2, 2, 2), "3": (2, 2, 2, 2, 2)}.get(name[-2], (2, 2))
    for training in (True, False):
        call = lambda fw, training=training: getattr(fw.nn.functional, name)(fw.ones(shape), 1.5, training)
        assert alike(call) == "ValueError"


@pytest.mark.parametrize(("name", "shape"), LAYERS)
def test_in_place(name, shape):
    x = minigrad.ones(shape)
    minigrad.manual_seed(0)
    expected = getattr(nn, name)(0.5)(x)
    assert x.numpy().all()
    minigrad.manual_seed(0)
    assert getattr(nn, name)(0.5, inplace=True)(x) is x
    assert x.tolist() == expected.tolist()


INPUTS = {
    "transposed": lambda fw: fw.ones(4, 5).t(),
    "permuted": lambda fw: fw.ones(2, 3, 4).permute(2, 0, 1),
    "slices of the permuted": lambda fw: fw.ones(4, 6, 5).permute(2, 0, 1)[:, ::2],
    "images from channels last": lambda fw: fw.ones(2, 3, 4, 5).permute(0, 3, 1, 2),
    "computed from the transposed": lambda fw: (fw.ones(4, 5).t() + 1).exp(),
    "convolved": lambda fw: fw.nn.Conv2d(1, 3, 2)(fw.ones(2, 1, 4, 5)).relu(),
    "convolved once": lambda fw: fw.nn.Conv1d(1, 3, 2)(fw.ones(2, 1, 4)).relu(),
    "pooled": lambda fw: fw.nn.functional.max_pool2d(fw.nn.Conv2d(1, 3, 2)(fw.ones(2, 1, 5, 5)), 2),
    "LSTM": lambda fw: fw.nn.LSTM(3, 4, batch_first=True)(fw.ones(2, 5, 3))[0],
    "GRU": lambda fw: fw.nn.GRU(3, 4, batch_first=True, bidirectional=True)(fw.ones(2, 5, 3))[0],
    "normalized after an LSTM": lambda fw: fw.nn.LayerNorm(4)(fw.nn.LSTM(3, 4, batch_first=True)(fw.ones(2, 5, 3))[0]),
    "linear after an LSTM": lambda fw: fw.nn.Linear(4, 6)(fw.nn.LSTM(3, 4, batch_first=True)(fw.ones(2, 5, 3))[0]),
    "attention": lambda fw: fw.nn.MultiheadAttention(4, 2, batch_first=True)(*[fw.ones(2, 5, 4)] * 3)[0],
    "attention, sequence first": lambda fw: fw.nn.MultiheadAttention(4, 2)(*[fw.ones(2, 5, 4)] * 3)[0],
    "encoder": lambda fw: fw.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)(fw.ones(2, 5, 4)),
    "encoder, norm first": lambda fw: fw.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, norm_first=True)(
        fw.ones(2, 5, 4)
    ),
}


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("draw", ["dropout", "alpha_dropout", "rand_like", "randn_like"])
def test_draws_follow_the_order_of_memory(name, draw, torch_too):
    def program(fw):
        fw.manual_seed(0)
        x = INPUTS[name](fw)
        if draw.endswith("like"):
            return getattr(fw, draw)(x)
        return getattr(fw.nn.functional, draw)(x, 0.5, True)

    torch_too(program)


def test_the_gradient_uses_the_mask_of_its_forward_pass():
    x = minigrad.ones(1000, requires_grad=True)
    y = F.dropout(x, 0.5)
    F.dropout(x, 0.5)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    assert set(y.tolist()) == {0.0, 2.0}


def test_one_node_and_second_order():
    x = minigrad.randn(50, requires_grad=True)
    y = F.dropout(x, 0.5)
    mask = y.detach() / x.detach()
    assert [edge[0] for edge in y.grad_fn.edges if edge] == [x]
    (g,) = minigrad.autograd.grad((y**3).sum(), x, create_graph=True)
    (h,) = minigrad.autograd.grad(g.sum(), x)
    np.testing.assert_allclose(h.numpy(), (6 * x.detach() * mask**3).numpy(), rtol=1e-4)


def test_the_expected_value_stays():
    minigrad.manual_seed(0)
    assert abs(F.dropout(minigrad.ones(100000), 0.3).mean().item() - 1) < 0.01


@pytest.mark.parametrize(
    "program",
    [
        lambda fw: fw.nn.functional.dropout(fw.ones(2, dtype=fw.int64), 0.5),
        lambda fw: fw.nn.functional.dropout1d(fw.ones(2)),
        lambda fw: fw.nn.functional.dropout1d(fw.ones(2, 2, 2, 2)),
        lambda fw: fw.nn.functional.dropout2d(fw.ones(2)),
        lambda fw: [fw.manual_seed(0), fw.nn.functional.dropout2d(fw.ones(2, 3, 4))][1],
        lambda fw: [fw.manual_seed(0), fw.nn.functional.dropout2d(fw.ones(2, 3))][1],
        lambda fw: [fw.manual_seed(0), fw.nn.functional.dropout3d(fw.ones(2, 3, 4))][1],
    ],
)
def test_unusual_inputs(alike, program):
    alike(program, same_text=False)
