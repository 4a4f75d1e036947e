"""Convolutions against torch's: values, gradients, initial weights, errors."""

import numpy as np
import pytest
import torch

import minigrad
import minigrad.nn.functional as F
from minigrad import nn
from minigrad.kernels import convolution, im2col

LAYERS = [
    (lambda nn, **k: nn.Conv2d(1, 4, 4, **k), (3, 1, 9, 9)),
    (lambda nn, **k: nn.Conv2d(4, 5, 4, stride=2, **k), (2, 4, 11, 12)),
    (lambda nn, **k: nn.Conv2d(3, 5, (3, 2), padding=(1, 2), **k), (2, 3, 6, 5)),
    (lambda nn, **k: nn.Conv2d(3, 5, (3, 2), padding=(1, 2), **k), (3, 6, 5)),
    (lambda nn, **k: nn.Conv2d(4, 6, 3, groups=2, dilation=2, padding=2, **k), (2, 4, 7, 7)),
    (lambda nn, **k: nn.Conv2d(4, 4, 3, groups=4, **k), (2, 4, 7, 7)),
    (lambda nn, **k: nn.Conv2d(2, 3, 2, stride=3, **k), (2, 2, 8, 9)),
    (lambda nn, **k: nn.Conv2d(2, 3, 3, stride=2, dilation=3, padding=1, **k), (2, 2, 12, 9)),
    (lambda nn, **k: nn.Conv2d(2, 3, (3, 4), padding="same", dilation=(1, 2), **k), (2, 2, 8, 9)),
    (lambda nn, **k: nn.Conv2d(2, 3, 3, padding="valid", bias=False, **k), (2, 2, 5, 5)),
    (lambda nn, **k: nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect", **k), (2, 2, 5, 5)),
    (lambda nn, **k: nn.Conv2d(2, 3, 3, padding=(2, 1), padding_mode="circular", **k), (2, 2, 5, 5)),
    (lambda nn, **k: nn.Conv2d(2, 3, 3, padding="same", padding_mode="replicate", **k), (2, 2, 5, 5)),
    (lambda nn, **k: nn.Conv2d(2, 3, 1, **k), (0, 2, 5, 5)),
    (lambda nn, **k: nn.Conv2d(2, 3, 1, stride=2, padding=1, **k), (1, 2, 1, 1)),
    (lambda nn, **k: nn.Conv1d(3, 4, 3, stride=2, padding=1, **k), (2, 3, 10)),
    (lambda nn, **k: nn.Conv1d(4, 4, 2, padding="same", groups=2, **k), (4, 10)),
    (lambda nn, **k: nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1, **k), (2, 3, 4, 5)),
    (lambda nn, **k: nn.ConvTranspose2d(4, 6, (2, 3), groups=2, dilation=2, bias=False, **k), (2, 4, 3, 3)),
    (lambda nn, **k: nn.ConvTranspose2d(2, 2, 2, stride=3, **k), (2, 4, 5)),
    (lambda nn, **k: nn.ConvTranspose1d(3, 2, 4, 2, 1, **k), (2, 3, 6)),
]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_a_layer_from_the_same_seed(same_run, make, shape, dtype):
    rng = np.random.default_rng(5)
    minigrad.manual_seed(11)
    torch.manual_seed(11)
    ours = make(nn, dtype=getattr(minigrad, dtype))
    theirs = make(torch.nn, dtype=getattr(torch, dtype))
    assert repr(ours) == repr(theirs)
    exactness = (0, 0) if dtype == "float32" else (0, 1e-15)
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), *exactness, err_msg=name)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    same_run(
        lambda fw, x: (ours if fw is minigrad else theirs)(x),
        [np.asarray(rng.normal(size=shape), dtype)],
        rng,
        tolerance,
    )
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), 10 * tolerance, 10 * tolerance, err_msg=name)


LAYOUTS = {
    "transposed": lambda x: x.transpose(2, 3),
    "channels last": lambda x: x.permute(0, 3, 1, 2),
    "every second": lambda x: x[:, :, ::2, ::2],
    "batch last": lambda x: x.permute(3, 0, 1, 2),
    "expanded": lambda x: x[:1].expand(3, -1, -1, -1),
    "flipped": lambda x: x.flip(3).transpose(0, 1).contiguous().transpose(0, 1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (1, 8, 1, 8), (8, 8, 8, 1), (1, 1, 8, 8), (2, 3, 8, 6)])
@pytest.mark.parametrize("stride", [1, 2])
def test_any_memory_layout(same_run, layout, shape, stride):
    rng = np.random.default_rng(8)
    x = LAYOUTS[layout](torch.zeros(shape))
    weight = rng.normal(size=(2, x.shape[1], min(3, x.shape[2]), min(2, x.shape[3])))
    same_run(
        lambda fw, a, w: fw.nn.functional.conv2d(LAYOUTS[layout](a), w.transpose(0, 1).transpose(0, 1), stride=stride),
        [rng.normal(size=shape), weight],
        rng,
        1e-12,
    )


@pytest.mark.parametrize("sizes", [(64, 1, 20, 4, 1), (9, 20, 20, 4, 2), (17, 16, 8, 3, 1)])
def test_more_images_than_one_buffer_holds(same_run, sizes, monkeypatch):
    n, c, out, k, stride = sizes
    monkeypatch.setattr(im2col, "BUFFER", 1 << 16)
    rng = np.random.default_rng(9)
    arrays = [rng.normal(size=s) for s in ((n, c, 13, 12), (out, c, k, k), (out,))]
    same_run(lambda fw, *a: fw.nn.functional.conv2d(*a, stride), arrays, rng, 1e-10)


def test_the_result_can_be_viewed_flat_though_its_channels_lie_last_in_memory():
    minigrad.manual_seed(0)
    x = minigrad.randn(2, 3, 8, 8, requires_grad=True)
    out = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2))(x)
    values, (expected,) = (
        out.tolist(),
        minigrad.autograd.grad((out.flatten(1) * minigrad.arange(36.0)).sum(), x, retain_graph=True),
    )
    flat = out.view(2, -1)
    assert flat.tolist() == np.reshape(values, (2, 36)).tolist()
    (flat * minigrad.arange(36.0)).sum().backward()
    assert x.grad.tolist() == expected.tolist()
    with minigrad.no_grad():
        flat.zero_()
    assert not out.any()


def test_the_input_gradient_is_not_computed_for_an_untracked_input(monkeypatch):
    calls = []
    forward = convolution.multiply
    monkeypatch.setattr(convolution, "multiply", lambda *a: calls.append(1) or forward(*a))
    layer = nn.Conv2d(1, 2, 3)
    layer(minigrad.ones(1, 1, 5, 5)).sum().backward()
    assert len(calls) == 1


def test_transposed_convolution_to_a_requested_size(alike):
    assert nn.ConvTranspose2d(1, 1, 3, stride=2)(minigrad.ones(1, 1, 4, 4), output_size=[10, 9]).shape == (1, 1, 10, 9)
    layers = {minigrad: nn, torch: torch.nn}
    assert (
        alike(
            lambda fw: layers[fw].ConvTranspose2d(1, 1, 3, stride=2)(fw.ones(1, 1, 4, 4), output_size=[12, 9]),
            same_text=False,
        )
        == "ValueError"
    )


def test_a_penalty_on_the_gradient(same_run):
    """The second order of a network with both convolutions, plain and transposed, through its weights."""
    rng = np.random.default_rng(4)

    def penalty(fw, x, v, w):
        f = fw.nn.functional
        out = f.conv_transpose2d(f.conv2d(x, v, stride=2, padding=1).tanh(), w, stride=2)
        (g,) = fw.autograd.grad((out**2).sum(), [x], create_graph=True)
        return (g**2).sum()

    same_run(penalty, [rng.normal(size=s) for s in ((2, 2, 6, 6), (3, 2, 3, 3), (3, 2, 2, 2))], rng, 1e-9)


@pytest.mark.parametrize(
    ("error", "program"),
    [
        ("RuntimeError", lambda fw: fw.nn.functional.conv2d(fw.ones(1, 3, 5, 5), fw.ones(2, 4, 3, 3))),
        ("RuntimeError", lambda fw: fw.nn.functional.conv2d(fw.ones(1, 3, 2, 5), fw.ones(2, 3, 3, 3))),
        ("RuntimeError", lambda fw: fw.nn.functional.conv2d(fw.ones(3, 5), fw.ones(2, 3, 3, 3))),
        (
            "RuntimeError",
            lambda fw: fw.nn.functional.conv2d(fw.ones(1, 1, 5, 5), fw.ones(1, 1, 3, 3), padding="same", stride=2),
        ),
        ("RuntimeError", lambda fw: fw.nn.functional.conv2d(fw.ones(1, 1, 5, 5), fw.ones(1, 1, 3, 3), stride=0)),
        ("RuntimeError", lambda fw: fw.nn.functional.conv2d(fw.ones(1, 1, 5, 5), fw.ones(1, 1, 3, 3), padding=-1)),
        ("RuntimeError", lambda fw: fw.nn.functional.conv_transpose2d(fw.ones(1, 3, 5, 5), fw.ones(4, 2, 3, 3))),
        ("ValueError", lambda fw: fw.nn.Conv2d(3, 4, 3, groups=2)),
        ("ValueError", lambda fw: fw.nn.Conv2d(4, 3, 3, groups=2)),
        ("ValueError", lambda fw: fw.nn.Conv2d(4, 3, 3, stride=2, padding="same")),
        ("ValueError", lambda fw: fw.nn.ConvTranspose2d(4, 3, 3, padding_mode="reflect")),
    ],
)
def test_errors(alike, error, program):
    assert alike(program) == error


def test_errors_name_the_shapes():
    with pytest.raises(RuntimeError, match=r"bias to be 1-dimensional with 2 elements.*\[3\]"):
        F.conv2d(minigrad.ones(1, 1, 5, 5), minigrad.ones(2, 1, 3, 3), minigrad.ones(3))
    with pytest.raises(RuntimeError, match=r"same dtype.* in Conv2d\("):
        nn.Conv2d(1, 2, 3)(minigrad.ones(1, 1, 5, 5).double())
    with pytest.raises(RuntimeError, match="output padding must be smaller"):
        F.conv_transpose2d(minigrad.ones(1, 1, 5, 5), minigrad.ones(1, 1, 3, 3), output_padding=1)


@pytest.mark.parametrize(
    "program",
    [
        lambda fw: fw.nn.functional.pad(fw.arange(6.0).reshape(2, 3), (1, 2), value=7.0),
        lambda fw: fw.nn.functional.pad(fw.arange(6.0).reshape(2, 3), (-1, 2, 1, -1)),
        lambda fw: fw.nn.functional.pad(fw.arange(6).reshape(1, 2, 3), (1, 2), mode="reflect"),
        lambda fw: fw.nn.functional.pad(fw.arange(6), (1, 2), "constant", 3),
    ],
)
def test_pad(alike, program):
    assert alike(program) == "result"


@pytest.mark.parametrize(
    "program",
    [
        lambda fw: fw.nn.functional.pad(fw.ones(2, 3), (1, 2, 3)),
        lambda fw: fw.nn.functional.pad(fw.ones(3), (1, 2, 3, 1)),
        lambda fw: fw.nn.functional.pad(fw.ones(3), (-2, -2)),
        lambda fw: fw.nn.functional.pad(fw.ones(1, 3), (3, 0), mode="reflect"),
    ],
)
def test_pad_errors(alike, program):
    assert alike(program, same_text=False) == "RuntimeError"
