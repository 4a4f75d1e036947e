"""The same seed fills a tensor with torch's numbers."""

import math
import warnings

import numpy as np
import pytest
import torch

import minigrad
from minigrad.nn import init

FILLS = {
    "uniform": lambda i, t, **g: i.uniform_(t, **g),
    "uniform -1 3": lambda i, t, **g: i.uniform_(t, -1, 3, **g),
    "normal": lambda i, t, **g: i.normal_(t, **g),
    "normal 2 0.5": lambda i, t, **g: i.normal_(t, mean=2, std=0.5, **g),
    "trunc_normal": lambda i, t, **g: i.trunc_normal_(t, **g),
    "trunc_normal near": lambda i, t, **g: i.trunc_normal_(t, 1.0, 2.0, 0.5, 1.5, **g),
    "xavier_uniform": lambda i, t, **g: i.xavier_uniform_(t, **g),
    "xavier_uniform gain": lambda i, t, **g: i.xavier_uniform_(t, gain=i.calculate_gain("tanh"), **g),
    "xavier_normal": lambda i, t, **g: i.xavier_normal_(t, gain=2.0, **g),
    "kaiming_uniform": lambda i, t, **g: i.kaiming_uniform_(t, **g),
    "kaiming_uniform linear": lambda i, t, **g: i.kaiming_uniform_(t, a=math.sqrt(5), **g),
    "kaiming_uniform out": lambda i, t, **g: i.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu", **g),
    "kaiming_normal": lambda i, t, **g: i.kaiming_normal_(t, nonlinearity="relu", **g),
    "kaiming_normal out": lambda i, t, **g: i.kaiming_normal_(t, a=0.2, mode="fan_out", **g),
    "orthogonal": lambda i, t, **g: i.orthogonal_(t, **g),
    "orthogonal gain": lambda i, t, **g: i.orthogonal_(t, gain=0.5, **g),
    "sparse": lambda i, t, **g: i.sparse_(t, sparsity=0.3, **g),
    "sparse std": lambda i, t, **g: i.sparse_(t, 0.55, std=2.0, **g),
    "constant": lambda i, t, **g: i.constant_(t, 0.3),
    "ones": lambda i, t, **g: i.ones_(t),
    "zeros": lambda i, t, **g: i.zeros_(t),
    "eye": lambda i, t, **g: i.eye_(t),
    "dirac": lambda i, t, **g: i.dirac_(t),
    "dirac groups": lambda i, t, **g: i.dirac_(t, 2),
}
SHAPES = [(6, 5), (5, 8), (2, 3), (4, 3, 3), (6, 3, 3, 2), (4, 2, 2, 3, 3)]


def accepts(name, shape):
    if name.startswith("dirac"):
        return len(shape) > 2
    return len(shape) == 2 or not name.startswith(("sparse", "eye"))


CASES = [pytest.param(f, s, id=f"{n}-{s}") for n, f in FILLS.items() for s in SHAPES if accepts(n, s)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seeded", ["globally", "by a generator"])
@pytest.mark.parametrize(("fill", "shape"), CASES)
def test_the_numbers_are_torchs(fill, shape, seeded, dtype):
    tensors = []
    for fw in (minigrad, torch):
        fw.manual_seed(3)
        options = {} if seeded == "globally" else {"generator": fw.Generator().manual_seed(7)}
        tensor = fw.full(shape, math.nan, dtype=getattr(fw, dtype)).requires_grad_()
        assert fill(fw.nn.init, tensor, **options) is tensor
        assert tensor.requires_grad
        assert tensor.is_leaf
        tensors.append(tensor.detach().numpy())
        following = fw.rand(3).tolist(), fw.rand(3, generator=options.get("generator")).tolist()
        tensors.append(np.array(following))
    ours, next_ours, theirs, next_theirs = tensors
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=2e-6 * abs(theirs).max())
    assert (next_ours == next_theirs).all(), "as many numbers must be drawn as in torch"


@pytest.mark.parametrize("shape", [(100, 784), (20, 1, 5, 5)])
def test_the_default_of_linear_and_convolution_is_torchs_to_the_bit(shape):
    ours, theirs = (
        (fw.manual_seed(0), fw.nn.init.kaiming_uniform_(fw.empty(*shape), a=math.sqrt(5)))[1].numpy()
        for fw in (minigrad, torch)
    )
    assert (ours == theirs).all()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("uniform_", {}),
        ("normal_", {}),
        ("trunc_normal_", {}),
        ("xavier_uniform_", {}),
        ("xavier_normal_", {}),
        ("kaiming_uniform_", {}),
        ("kaiming_normal_", {}),
        ("orthogonal_", {}),
        ("sparse_", {"sparsity": 0.3}),
    ],
)
def test_a_transposed_tensor_is_filled_in_the_order_of_memory(name, options, torch_too):
    def program(fw):
        fw.manual_seed(0)
        memory = fw.zeros(5, 3)
        getattr(fw.nn.init, name)(memory.t(), **options)
        return memory

    torch_too(program)


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (3, 2, 2, 2)])
def test_orthogonal_is_orthogonal(shape):
    w = init.orthogonal_(minigrad.empty(*shape, dtype=minigrad.float64), gain=2.0).numpy().reshape(shape[0], -1)
    small = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)


@pytest.mark.parametrize(
    ("nonlinearity", "param"),
    [(f"conv{transposed}{n}d", None) for transposed in ("", "_transpose") for n in (1, 2, 3)]
    + [(n, None) for n in ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu")]
    + [("leaky_relu", 0.3), ("leaky_relu", 1), ("leaky_relu", 0), ("relu", 5)],
)
def test_gains_are_torchs(nonlinearity, param):
    assert init.calculate_gain(nonlinearity, param) == torch.nn.init.calculate_gain(nonlinearity, param)


@pytest.mark.parametrize(
    "call",
    [
        lambda fw, i: i.calculate_gain("gelu"),
        lambda fw, i: i.calculate_gain("leaky_relu", "steep"),
        lambda fw, i: i.calculate_gain("leaky_relu", True),
        lambda fw, i: i.kaiming_uniform_(fw.empty(3)),
        lambda fw, i: i.kaiming_normal_(fw.empty(3, 3), mode="fan_both"),
        lambda fw, i: i.xavier_uniform_(fw.empty(3)),
        lambda fw, i: i.xavier_normal_(fw.empty(())),
        lambda fw, i: i.eye_(fw.empty(3)),
        lambda fw, i: i.sparse_(fw.empty(3, 3, 3), 0.1),
        lambda fw, i: i.orthogonal_(fw.empty(3)),
        lambda fw, i: i.dirac_(fw.empty(3, 3)),
        lambda fw, i: i.dirac_(fw.empty(3, 3, 3), groups=2),
    ],
)
def test_objections_are_torchs_and_name_the_shape(call):
    caught = []
    for fw in (minigrad, torch):
        with pytest.raises(ValueError, match=r".") as info:
            call(fw, fw.nn.init)
        caught.append(str(info.value))
    assert caught[0].startswith(caught[1])


def test_a_negative_standard_deviation_is_refused():
    for fw in (minigrad, torch):
        with pytest.raises(RuntimeError, match=r"std >= 0.0, but found std -1"):
            fw.nn.init.normal_(fw.empty(3), std=-1)


@pytest.mark.parametrize("fill", [lambda i, t: i.kaiming_uniform_(t), lambda i, t: i.kaiming_normal_(t)])
def test_nothing_to_fill(fill):
    for fw in (minigrad, torch):
        with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
            fill(fw.nn.init, fw.empty(0, 3))
    assert init.orthogonal_(minigrad.empty(0, 3)).shape == (0, 3)


def test_trunc_normal_far_from_its_interval_is_warned_of():
    for fw in (minigrad, torch):
        with pytest.warns(UserWarning, match=r"mean is more than 2 std from \[a, b\]"):
            fw.nn.init.trunc_normal_(fw.empty(4), mean=10.0)


def test_the_old_names_still_work():
    for name in ("uniform", "normal", "constant", "eye", "dirac", "xavier_uniform", "kaiming_normal", "sparse"):
        with pytest.warns(FutureWarning, match=f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`"):
            assert getattr(init, name) is getattr(init, f"{name}_")
    with warnings.catch_warnings(), pytest.raises(AttributeError, match="has no attribute 'magic'"):
        init.magic  # noqa: B018


def test_the_graph_notices():
    w = minigrad.ones(3, requires_grad=True)
    loss = (w * w).sum()
    init.zeros_(w)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
