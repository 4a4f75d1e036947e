"""Linear, Bilinear, Identity, Flatten and Unflatten against torch's, from the same seed."""

import numpy as np
import pytest
import torch

import minigrad
from minigrad import nn

LAYERS = [
    (lambda nn, **k: nn.Linear(4, 3, **k), [(5, 4)]),
    (lambda nn, **k: nn.Linear(4, 3, **k), [(4,)]),
    (lambda nn, **k: nn.Linear(4, 3, **k), [(2, 3, 4)]),
    (lambda nn, **k: nn.Linear(4, 3, **k), [(0, 4)]),
    (lambda nn, **k: nn.Linear(4, 3, bias=False, **k), [(5, 4)]),
    (lambda nn, **k: nn.Linear(1, 7, True, **k), [(5, 1)]),
    (lambda nn, **k: nn.Linear(784, 200, **k), [(2, 784)]),
    (lambda nn, **k: nn.Bilinear(2, 3, 4, **k), [(5, 2), (5, 3)]),
    (lambda nn, **k: nn.Bilinear(2, 3, 4, bias=False, **k), [(2,), (3,)]),
    (lambda nn, **k: nn.Bilinear(2, 3, 1, **k), [(2, 4, 2), (2, 4, 3)]),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("make", "shapes"), LAYERS)
def test_a_layer_from_the_same_seed(same_run, make, shapes, dtype):
    rng = np.random.default_rng(5)
    minigrad.manual_seed(11)
    torch.manual_seed(11)
    ours = make(nn, dtype=getattr(minigrad, dtype))
    theirs = make(torch.nn, dtype=getattr(torch, dtype), device="cpu")
    assert repr(ours) == repr(theirs)
    exactness = (0, 0) if dtype == "float32" else (0, 1e-15)
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), *exactness, err_msg=name)
    same_run(
        lambda fw, *xs: (ours if fw is minigrad else theirs)(*xs),
        [np.asarray(rng.normal(size=shape), dtype) for shape in shapes],
        rng,
        1e-5 if dtype == "float32" else 1e-12,
    )
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-4, atol=1e-5, err_msg=name)
    assert (minigrad.rand(3).numpy() == torch.rand(3).numpy()).all()  # both have drawn the same number of words


def test_a_layer_without_inputs_draws_as_torch():
    minigrad.manual_seed(0)
    torch.manual_seed(0)
    with pytest.warns(UserWarning, match="zero-element"):
        ours = nn.Linear(0, 3)
    with pytest.warns(UserWarning, match="zero-element"):
        theirs = torch.nn.Linear(0, 3)
    assert ours.bias.tolist() == theirs.bias.tolist() == [0, 0, 0]


def test_reset_parameters_draws_anew():
    layer = nn.Linear(3, 3)
    before = layer.weight.detach().clone()
    layer.reset_parameters()
    assert (layer.weight != before).all()


@pytest.mark.parametrize(
    ("error", "program"),
    [
        ("RuntimeError", lambda fw: fw.nn.Linear(2, 3)(fw.ones(2, 5))),
        ("RuntimeError", lambda fw: fw.nn.Bilinear(2, 3, 4)(fw.ones(2, 2), fw.ones(2, 4))),
        ("RuntimeError", lambda fw: fw.nn.Bilinear(2, 3, 4)(fw.ones(2, 5), fw.ones(2, 3))),
        ("RuntimeError", lambda fw: fw.nn.Bilinear(2, 3, 4)(fw.ones(2, 2), fw.ones(1, 3))),
        ("ValueError", lambda fw: fw.nn.Bilinear(0, 3, 4)),
        ("IndexError", lambda fw: fw.nn.Flatten()(fw.ones(3))),
        ("TypeError", lambda fw: fw.nn.Unflatten(1, 3)),
        ("TypeError", lambda fw: fw.nn.Unflatten(1, (2, "a"))),
    ],
)
def test_errors(alike, error, program):
    assert alike(program) == error


def test_wrong_dtypes_and_sizes_are_errors():
    with pytest.raises(RuntimeError, match=r"same dtype.* in Linear\("):
        nn.Linear(2, 3)(minigrad.ones(1, 2).double())
    with pytest.raises(RuntimeError, match=r"2, 3.*5"):
        nn.Unflatten(1, (2, 3))(minigrad.ones(2, 5))


@pytest.mark.parametrize(
    "program",
    [
        lambda fw: fw.nn.Flatten()(fw.ones(2, 3, 4)),
        lambda fw: fw.nn.Flatten(0)(fw.ones(2, 3)),
        lambda fw: fw.nn.Flatten(1, 2)(fw.ones(2, 3, 4, 5)),
        lambda fw: fw.nn.Unflatten(1, (2, 3))(fw.ones(2, 6)),
        lambda fw: fw.nn.Unflatten(-1, (2, -1))(fw.ones(2, 6)),
        lambda fw: fw.nn.Unflatten(1, [2, 3])(fw.ones(2, 6)),
        lambda fw: list(map(repr, (fw.nn.Flatten(), fw.nn.Flatten(0, 2), fw.nn.Unflatten(1, (2, 3))))),
        lambda fw: repr(fw.nn.Identity(3, size=4)),
        lambda fw: fw.nn.Identity(3, size=4)(fw.ones(1)),
    ],
)
def test_rearranging(alike, program):
    assert alike(program) == "result"


def test_identity_returns_its_input():
    x = minigrad.ones(1)
    assert nn.Identity()(x) is x
