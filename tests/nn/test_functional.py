"""What `minigrad.nn.functional` offers, and the functions that no layer's test covers."""

import inspect

import numpy as np
import pytest
import torch

import minigrad
import minigrad.nn.functional as F
from minigrad import nn


def test_submodules_are_real():
    import minigrad.nn.functional
    import minigrad.nn.init
    import minigrad.nn.parameter
    import minigrad.nn.utils

    assert minigrad.nn.functional is nn.functional
    assert minigrad.nn.parameter.Parameter is nn.Parameter


def test_every_name_is_torchs():
    assert [name for name in F.__all__ if not hasattr(torch.nn.functional, name)] == []
    modules = [name for name, value in vars(nn).items() if inspect.isclass(value) and not name.startswith("_")]
    assert len(modules) > 60
    assert [name for name in modules if not hasattr(torch.nn, name)] == []


@pytest.mark.parametrize("name", sorted(n for n in vars(nn) if inspect.isclass(getattr(nn, n)) and n != "Parameter"))
def test_constructors_take_torchs_arguments(name):
    ours, theirs = (list(inspect.signature(getattr(m, name).__init__).parameters) for m in (nn, torch.nn))
    if name == "Buffer":  # a class of its own sort in torch
        ours, theirs = (list(inspect.signature(f).parameters) for f in (nn.Buffer.__new__, torch.nn.Buffer.__new__))
    if name in ("RNN", "LSTM", "GRU"):  # torch declares these as (*args, **kwargs); their base has the words
        theirs = [p for p in inspect.signature(torch.nn.RNNBase.__init__).parameters if p != "mode"]
        if name == "RNN":
            theirs.insert(theirs.index("num_layers") + 1, "nonlinearity")
    stars = ("args", "kwargs")  # a class without settings takes these in torch, to complain about them
    assert [p for p in ours if p not in stars] == [p for p in theirs if p not in stars]


@pytest.mark.parametrize(
    "name", sorted(n for n in F.__all__ if inspect.isfunction(getattr(torch.nn.functional, n, None)) and n[-1] != "_")
)
def test_functions_take_torchs_arguments(name):
    ours, theirs = (inspect.signature(getattr(m, name)).parameters for m in (F, torch.nn.functional))
    missing = [p for p in theirs if p not in ours and p not in ("out", "_stacklevel", "args", "kwargs")]
    assert missing in ([], ["weight"]), missing  # mse_loss and l1_loss lack the elements' weight
    shared = [p for p in theirs if p in ours]
    assert list(ours)[: len(shared)] == shared
    for p in shared:
        assert ours[p].default == theirs[p].default, p


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_normalize(same_run, p, dim):
    rng = np.random.default_rng(0)
    same_run(lambda fw, x: fw.nn.functional.normalize(x, p, dim), [rng.normal(size=(3, 4))], rng, 1e-12)


def test_normalizing_zeros(same_run):
    rng = np.random.default_rng(0)
    same_run(lambda fw, x: fw.nn.functional.normalize(x), [np.zeros((2, 3))], rng, 1e-12)


@pytest.mark.parametrize("shapes", [((4, 3), (4, 3)), ((4, 3), (1, 3)), ((3,), (4, 3)), ((2, 4, 3), (4, 3))])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cosine_similarity_and_distance(same_run, shapes, dtype):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s).astype(dtype) for s in shapes]
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    same_run(lambda fw, x, y: fw.nn.functional.cosine_similarity(x, y, -1), arrays, rng, tolerance)
    same_run(lambda fw, x, y: fw.nn.CosineSimilarity(dim=-1, eps=2.0)(x, y), arrays, rng, tolerance)
    for p in (1.0, 2.0, 3.0):
        same_run(lambda fw, x, y, p=p: fw.nn.PairwiseDistance(p, keepdim=True)(x, y), arrays, rng, tolerance)


def test_similarity_to_zero(same_run):
    rng = np.random.default_rng(0)
    same_run(lambda fw, x, y: fw.nn.functional.cosine_similarity(x, y), [np.zeros((2, 3)), np.ones((2, 3))], rng, 1e-12)


def test_one_hot(alike):
    assert alike(lambda fw: fw.nn.functional.one_hot(fw.tensor([2, 0]), 4)) == "result"


def test_a_network_learns_alike_in_both_frameworks():
    """Twenty steps of the same program: dropout, activation, loss, clipping; weights stay close."""
    weights = []
    for fw in (minigrad, torch):
        fw.manual_seed(1)
        net = fw.nn.Sequential(
            fw.nn.Flatten(), fw.nn.Linear(12, 16), fw.nn.ReLU(), fw.nn.Dropout(0.3), fw.nn.Linear(16, 3)
        )
        x, y = fw.rand(30, 3, 4), fw.randint(0, 3, (30,))
        criterion = fw.nn.CrossEntropyLoss(label_smoothing=0.1)
        for _ in range(20):
            net.zero_grad()
            criterion(net(x), y).backward()
            fw.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            with fw.no_grad():
                for p in net.parameters():
                    p -= 0.5 * p.grad
        weights.append(np.concatenate([p.detach().numpy().ravel() for p in net.parameters()]))
    np.testing.assert_allclose(*weights, atol=2e-5)
