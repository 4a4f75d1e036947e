"""Embedding against torch's, from the same seed."""

import numpy as np
import pytest
import torch

import minigrad
from minigrad import nn


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("padding", [None, 0, -1])
@pytest.mark.parametrize("shape", [(), (4,), (3, 5), (0,)])
def test_an_embedding_from_the_same_seed(shape, padding, dtype):
    rng = np.random.default_rng(3)
    numbers = rng.integers(0, 7, shape)
    results = []
    for fw, layers in ((minigrad, nn), (torch, torch.nn)):
        fw.manual_seed(5)
        layer = layers.Embedding(7, 3, padding, dtype=getattr(fw, dtype))
        out = layer(fw.from_numpy(np.asarray(numbers)))
        g = np.asarray(np.random.default_rng(4).normal(size=tuple(out.shape)), dtype)
        out.backward(fw.from_numpy(g))
        results.append((repr(layer), layer.weight, out, layer.weight.grad, fw.rand(3)))
    ours, theirs = results
    assert ours[0] == theirs[0]
    for x, y in zip(ours[1:], theirs[1:], strict=True):
        assert tuple(x.shape) == tuple(y.shape)
        np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), rtol=1e-6, atol=3e-7)
        assert str(x.dtype).split(".")[1] == str(y.dtype).split(".")[1]


def test_the_gradient_adds_up_over_repeated_numbers():
    layer = nn.Embedding(3, 2)
    layer(minigrad.tensor([1, 1, 2, 1])).sum().backward()
    assert layer.weight.grad.tolist() == [[0, 0], [3, 3], [1, 1]]


def test_a_padding_row_starts_as_zeros_and_stays():
    layer = nn.Embedding(3, 2, padding_idx=1)
    assert layer.weight[1].tolist() == [0, 0]
    layer(minigrad.tensor([0, 1])).sum().backward()
    assert layer.weight.grad.tolist() == [[1, 1], [0, 0], [0, 0]]


def test_from_pretrained():
    table = minigrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    frozen = nn.Embedding.from_pretrained(table)
    assert not frozen.weight.requires_grad
    assert frozen(minigrad.tensor([1])).tolist() == [[3, 4]]
    trained = nn.Embedding.from_pretrained(table, freeze=False, padding_idx=0)
    assert trained.weight.requires_grad
    assert trained.weight.tolist() == table.tolist()


def test_second_order():
    numbers = minigrad.tensor([0, 2, 2])
    weight = minigrad.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
    loss = (nn.functional.embedding(numbers, weight) ** 3).sum()
    (g,) = minigrad.autograd.grad(loss, weight, create_graph=True)
    (h,) = minigrad.autograd.grad(g.sum(), weight)
    assert h.tolist() == [[6], [0], [36]]


@pytest.mark.parametrize(
    ("error", "program"),
    [
        ("AssertionError", lambda fw: fw.nn.Embedding(3, 2, padding_idx=3)),
        ("AssertionError", lambda fw: fw.nn.Embedding(3, 2, padding_idx=-4)),
        ("AssertionError", lambda fw: fw.nn.Embedding(3, 2, _weight=fw.ones(2, 2))),
        ("AssertionError", lambda fw: fw.nn.Embedding.from_pretrained(fw.ones(2))),
        ("IndexError", lambda fw: fw.nn.functional.embedding(fw.tensor([5]), fw.ones(3, 2))),
        ("IndexError", lambda fw: fw.nn.functional.embedding(fw.tensor([-1]), fw.ones(3, 2))),
        ("RuntimeError", lambda fw: fw.nn.functional.embedding(fw.tensor([1]), fw.ones(3))),
        ("AssertionError", lambda fw: fw.nn.functional.embedding(fw.tensor([1]), fw.ones(3, 2), padding_idx=3)),
    ],
)
def test_errors(alike, error, program):
    assert alike(program) == error


def test_numbers_must_be_integers():
    with pytest.raises(RuntimeError, match=r"scalar types: Long, Int; but got .*float32.* in Embedding\(3, 2\)"):
        nn.Embedding(3, 2)(minigrad.ones(2))


@pytest.mark.parametrize("option", [{"max_norm": 1.0}, {"scale_grad_by_freq": True}, {"sparse": True}])
def test_options_that_are_missing(option):
    with pytest.raises(NotImplementedError, match=f"{next(iter(option))}=.* is not supported"):
        nn.Embedding(3, 2, **option)
