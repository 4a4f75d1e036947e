"""Activation layers against torch's: text, values, gradients, in place, and at extreme inputs."""

import numpy as np
import pytest
import torch

import minigrad
from minigrad import nn
from minigrad.nn import functional as F

PLAIN = [
    ("Tanh", {}),
    ("Sigmoid", {}),
    ("LogSigmoid", {}),
    ("Softsign", {}),
    ("Tanhshrink", {}),
    ("GELU", {}),
    ("GELU", {"approximate": "tanh"}),
    ("Softplus", {}),
    ("Softplus", {"beta": 2, "threshold": 3}),
    ("Hardshrink", {}),
    ("Hardshrink", {"lambd": 1.5}),
    ("Softshrink", {}),
    ("Softshrink", {"lambd": 0.25}),
    ("Softmax", {"dim": 1}),
    ("LogSoftmax", {"dim": -1}),
    ("Softmin", {"dim": 0}),
    ("GLU", {}),
    ("GLU", {"dim": 0}),
    ("PReLU", {}),
    ("PReLU", {"num_parameters": 4, "init": 0.1}),
]
IN_PLACE = [
    ("ReLU", {}),
    ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": 0.2}),
    ("ELU", {}),
    ("ELU", {"alpha": 0.5}),
    ("SELU", {}),
    ("CELU", {}),
    ("CELU", {"alpha": 2.0}),
    ("SiLU", {}),
    ("Mish", {}),
    ("Hardtanh", {}),
    ("Hardtanh", {"min_val": -2.0, "max_val": 0.5}),
    ("ReLU6", {}),
    ("Hardsigmoid", {}),
    ("Hardswish", {}),
    ("Threshold", {"threshold": 0.5, "value": 20.0}),
]
KINKS = [-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0, 1.5, 20.0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "settings"), PLAIN + IN_PLACE)
def test_against_torch(same_run, name, settings, dtype):
    rng = np.random.default_rng(7)
    ours, theirs = getattr(nn, name)(**settings), getattr(torch.nn, name)(**settings)
    assert repr(ours) == repr(theirs)
    ours.to(getattr(minigrad, dtype))
    theirs.to(getattr(torch, dtype))
    x = rng.normal(scale=3, size=(6, 4))
    x.flat[: len(KINKS)] = KINKS
    tolerance = 1e-5 if dtype == "float32" else 1e-7 if name.startswith("Hards") else 1e-12  # torch's 1/6 is a float32
    same_run(lambda fw, x: (ours if fw is minigrad else theirs)(x), [x.astype(dtype)], rng, tolerance)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-5)


@pytest.mark.parametrize(("name", "settings"), [*PLAIN[:9], *IN_PLACE])
def test_nothing_overflows(same_run, name, settings):
    ours, theirs = getattr(nn, name)(**settings), getattr(torch.nn, name)(**settings)
    x = np.array([1e4, -1e4, 700.0, -700.0, 90.0, -90.0, 0.0], np.float32)
    same_run(lambda fw, x: (ours if fw is minigrad else theirs)(x), [x], np.random.default_rng(0), 1e-6)


@pytest.mark.parametrize(("name", "settings"), IN_PLACE)
def test_in_place(name, settings):
    plain, layer = getattr(nn, name)(**settings), getattr(nn, name)(**settings, inplace=True)
    assert repr(layer) == repr(getattr(torch.nn, name)(**settings, inplace=True))
    leaf = minigrad.tensor(KINKS, requires_grad=True)
    expected = plain(leaf)
    expected.sum().backward()
    wanted, leaf.grad = leaf.grad, None
    x = leaf * 1.0
    assert layer(x) is x
    assert x.tolist() == expected.tolist()
    x.sum().backward()
    assert leaf.grad.tolist() == wanted.tolist()
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        layer(leaf)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "selu", "celu", "hardtanh"])
def test_functions_in_place(name):
    x, y = minigrad.tensor(KINKS), minigrad.tensor(KINKS)
    assert getattr(F, f"{name}_")(x) is x
    assert x.tolist() == getattr(F, name)(y).tolist()
    assert y.tolist() == KINKS
    assert F.threshold_(y, 0.5, 9.0).tolist() == F.threshold(minigrad.tensor(KINKS), 0.5, 9.0).tolist()


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (2, 3, 2, 2)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_the_implicit_dim(alike, name, shape):
    layer = {"softmax": "Softmax", "log_softmax": "LogSoftmax", "softmin": "Softmin"}[name]
    assert alike(lambda fw: tuple(getattr(fw.nn.functional, name)(fw.zeros(shape)).shape)) == "result"
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    with pytest.warns(UserWarning, match="Implicit dimension"):
        ours = getattr(nn, layer)()(minigrad.from_numpy(x))
    with pytest.warns(UserWarning, match="Implicit dimension"):
        theirs = getattr(torch.nn, layer)()(torch.from_numpy(x))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_softmax_in_another_dtype(alike, name):
    assert alike(lambda fw: getattr(fw.nn.functional, name)(fw.zeros(2, 4), 1, dtype=fw.float64)) == "result"


def test_softmax2d(same_run):
    rng = np.random.default_rng(0)
    for shape in ((2, 3, 2, 2), (3, 2, 2)):
        same_run(lambda fw, x: fw.nn.Softmax2d()(x), [rng.normal(size=shape)], rng, 1e-12)
    with pytest.raises(ValueError, match="Softmax2d: expected input to be 3D or 4D, got 2D"):
        nn.Softmax2d()(minigrad.ones(2, 2))


@pytest.mark.parametrize(
    ("error", "program"),
    [
        ("RuntimeError", lambda fw: fw.nn.functional.gelu(fw.ones(1), approximate="x")),
        ("RuntimeError", lambda fw: fw.nn.functional.glu(fw.ones(3))),
        ("RuntimeError", lambda fw: fw.nn.functional.glu(fw.ones(()))),
        ("IndexError", lambda fw: fw.nn.functional.glu(fw.ones(2), 4)),
        ("RuntimeError", lambda fw: fw.nn.functional.prelu(fw.ones(2, 3), fw.ones(2))),
        ("RuntimeError", lambda fw: fw.nn.CELU(0.0)(fw.ones(1))),
        ("AssertionError", lambda fw: fw.nn.Hardtanh(2.0, 1.0)),
        ("ValueError", lambda fw: fw.nn.functional.hardtanh(fw.ones(1), 2.0, 1.0)),
        ("RuntimeError", lambda fw: fw.nn.functional.softshrink(fw.ones(1), -1.0)),
        ("IndexError", lambda fw: fw.nn.Softmax(3)(fw.ones(2, 2))),
    ],
)
def test_errors(alike, error, program):
    assert alike(program, same_text=error not in ("RuntimeError",)) == error


def test_old_names_of_hardtanhs_bounds(alike):
    assert alike(lambda fw: repr(fw.nn.Hardtanh(min_value=-3.0, max_value=2.0))) == "result"


def test_second_derivatives_at_large_inputs_are_finite():
    for name in ("elu", "selu", "celu", "gelu", "silu", "mish", "logsigmoid", "softplus"):
        x = minigrad.tensor([800.0, -800.0, 0.5], dtype=minigrad.float64, requires_grad=True)
        (g,) = minigrad.autograd.grad(getattr(F, name)(x).sum(), x, create_graph=True)
        (h,) = minigrad.autograd.grad(g.sum(), x)
        assert np.isfinite(h.numpy()).all(), name


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "softplus"])
def test_a_recorded_gradient_depends_on_the_input(name, torch_too):
    def program(fw):
        x = fw.tensor([-1.0, 0.5, 2.0], requires_grad=True)
        (g,) = fw.autograd.grad(getattr(fw.nn.functional, name)(x).sum(), x, create_graph=True)
        g.sum().backward()
        return g, x.grad

    torch_too(program)
