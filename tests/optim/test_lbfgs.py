"""L-BFGS takes torch's moves and evaluations."""

import math

import numpy as np
import pytest
import torch
from torch.optim.lbfgs import _strong_wolfe as torch_strong_wolfe

import minigrad
from minigrad.optim.lbfgs import Point, strong_wolfe

OPTIONS = [
    {},
    {"lr": 0.01},
    {"lr": 0.5, "history_size": 2},
    {"tolerance_grad": 1e-2},
    {"tolerance_change": 1e-2},
    {"max_iter": 4, "max_eval": 3},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 7},
    {"line_search_fn": "strong_wolfe", "max_eval": 3},
    {"line_search_fn": "strong_wolfe", "lr": 100.0, "max_iter": 3},
]


def bowl(fw, w, c):
    """A smooth and convex loss of all parameters."""
    X = fw.from_numpy(np.random.default_rng(0).normal(size=(20, 5)))
    z = (X @ w).reshape(-1) + c
    return (z * z).mean() + (z.tanh() * 3).exp().mean() + (w**4).sum()


def valley(fw, w, c):
    """Rosenbrock's: bent and narrow, the line search has to work."""
    flat = w.reshape(-1)
    return ((1 - flat[:-1]) ** 2 + 100 * (flat[1:] - flat[:-1] ** 2) ** 2).sum() + (c * c).sum()


def start(fw, options):
    rng = np.random.default_rng(1)
    params = [
        fw.from_numpy(rng.normal(size=(5, 1))).requires_grad_(),
        fw.from_numpy(rng.normal(size=1)).requires_grad_(),
    ]
    return params, fw.optim.LBFGS(params, **options)


def walk(fw, loss_of, params, optimizer, steps):
    def closure():
        optimizer.zero_grad()
        loss = loss_of(fw, *params)
        loss.backward()
        return loss

    return [float(optimizer.step(closure).detach()) for _ in range(steps)]


CASES = [(bowl, options) for options in OPTIONS]
CASES += [(valley, options) for options in OPTIONS if "line_search_fn" in options or options.get("lr") == 0.01]


@pytest.mark.parametrize(("loss_of", "options"), CASES, ids=lambda x: getattr(x, "__name__", str(x)))
def test_the_path_is_torchs(loss_of, options):
    losses, counts = [], []
    for fw in (minigrad, torch):
        params, optimizer = start(fw, options)
        losses.append(walk(fw, loss_of, params, optimizer, 4) + params[0].detach().numpy().ravel().tolist())
        state = optimizer.state[params[0]]
        counts.append((state["func_evals"], state["n_iter"]))
    assert counts[0] == counts[1]
    np.testing.assert_allclose(*losses, rtol=1e-7)


@pytest.mark.parametrize("seed", range(240))
def test_the_line_search_takes_torchs_looks(seed):
    rng = np.random.default_rng(seed)
    waves = rng.normal(size=4) * [1, 3, 9, 27]
    options = {"max_ls": int(rng.integers(1, 25)), "tolerance_change": 10 ** rng.uniform(-9, -1)}
    first = 10 ** rng.uniform(-3, 1)
    kink, rise = first * 10 ** rng.uniform(-3, 0), 10 ** rng.uniform(-3, 3)

    def phi(t):
        """The height and the slope (-1 at 0) of a wavy descent, or of one that ends in a kink."""
        if seed < 200:
            height = -t + 0.05 * t**2 + sum(0.1 * (1 - math.cos(w * t)) for w in waves)
            return height, -1 + 0.1 * t + sum(0.1 * w * math.sin(w * t) for w in waves)
        return (-t, -1.0) if t < kink else (-kink + rise * (t - kink), rise)

    seen = {"ours": [], "theirs": []}

    def look(t):
        seen["ours"].append(t)
        return Point(t, phi(t)[0], np.array([phi(t)[1]]), phi(t)[1])

    def evaluate(x, t, d):
        seen["theirs"].append(float(t))
        return phi(float(t))[0], torch.tensor([phi(float(t))[1]], dtype=torch.float64)

    start = Point(0.0, 0.0, np.array([-1.0]), -1.0)
    found, looks = strong_wolfe(look, first, 1.0, start, **options)
    d, g = torch.ones(1, dtype=torch.float64), torch.tensor([-1.0], dtype=torch.float64)
    loss, gradient, t, count = torch_strong_wolfe(evaluate, None, first, d, 0.0, g, g.dot(d), **options)
    assert looks == count == len(seen["ours"])
    np.testing.assert_allclose(seen["ours"], seen["theirs"], rtol=1e-9)
    np.testing.assert_allclose([found.t, found.loss, *found.gradient], [float(t), float(loss), *gradient], rtol=1e-9)


def test_it_finds_the_bottom_of_the_valley():
    params, optimizer = start(minigrad, {"line_search_fn": "strong_wolfe", "max_iter": 200})
    walk(minigrad, valley, params, optimizer, 1)
    np.testing.assert_allclose(params[0].detach().numpy(), 1.0, atol=1e-4)


@pytest.mark.parametrize("begun_in", [minigrad, torch], ids=["minigrad", "torch"])
def test_a_resumed_run_is_the_uninterrupted_one(begun_in):
    options = {"line_search_fn": "strong_wolfe", "max_iter": 3}
    params, optimizer = start(begun_in, options)
    walk(begun_in, valley, params, optimizer, 2)
    resumed, other = start(minigrad, options)
    other.load_state_dict(optimizer.state_dict())
    for p, q in zip(resumed, params, strict=True):
        p.data = minigrad.from_numpy(q.detach().numpy().copy())
    uninterrupted = walk(begun_in, valley, params, optimizer, 3)
    np.testing.assert_allclose(walk(minigrad, valley, resumed, other, 3), uninterrupted, rtol=1e-7)


def test_a_parameter_without_gradient_stays():
    params, optimizer = start(minigrad, {})
    before = params[1].array.copy()
    walk(minigrad, lambda fw, w, c: (w * w).sum(), params, optimizer, 1)
    assert (params[1].array == before).all()
    np.testing.assert_allclose(params[0].detach().numpy(), 0, atol=1e-6)


def test_nothing_moves_at_the_minimum():
    w = minigrad.zeros(3, requires_grad=True)
    optimizer = minigrad.optim.LBFGS([w])
    assert walk(minigrad, lambda fw, w: (w * w).sum(), [w], optimizer, 2) == [0.0, 0.0]
    assert w.tolist() == [0.0, 0.0, 0.0]
    assert optimizer.state[w] == {"func_evals": 2, "n_iter": 0}
