"""Every optimizer, in every configuration, walks the path that torch's walks."""

import tracemalloc

import numpy as np
import pytest
import torch

import minigrad

CASES = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.5}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.05, "betas": (0.3, 0.7), "eps": 0.1}),
    ("Adam", {"lr": 0.05, "betas": (0.0, 0.0)}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.1, "maximize": True}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.1, "amsgrad": True}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0}),
    ("RMSprop", {}),
    ("RMSprop", {"weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {"alpha": 0.4, "eps": 0.01}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True, "momentum": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.5, "weight_decay": 0.1}),
    ("Adagrad", {"initial_accumulator_value": 0.1, "eps": 0.01}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.1, "maximize": True}),
    ("Adadelta", {"rho": 0.95, "weight_decay": 0.9}),
    ("Adadelta", {"rho": 0.5, "eps": 0.01, "weight_decay": 0.1, "maximize": True}),
]
SHAPES = [(5, 7), (), (0, 3), (2, 3, 4)]
STEPS = 25
LARGE = [(91, 101)]  # enough for BLAS

every_case = pytest.mark.parametrize(
    ("name", "options"), CASES, ids=[f"{name}-{'-'.join(map(str, options))}" for name, options in CASES]
)


class Pair:
    """The same parameters in both frameworks, an optimizer on each, and random gradients for both."""

    def __init__(self, name, options, dtype, seed=0, shapes=SHAPES, transposed=False):
        self.rng = np.random.default_rng(seed)
        arrays = [np.asarray(self.rng.normal(size=s), dtype) for s in shapes]
        self.ours = [minigrad.from_numpy(a.copy(order="F" if transposed else "C")) for a in arrays]
        self.theirs = [torch.nn.Parameter(torch.tensor(a)) for a in arrays]
        for p in self.ours:
            p.requires_grad = True
        self.optimizer = getattr(minigrad.optim, name)(self.ours, **options)
        self.reference = getattr(torch.optim, name)(self.theirs, **options)
        self.path = [np.zeros(s) for s in shapes]

    def step(self, skip=()):
        """Step both with the same gradients, of widely different sizes; those of `skip` get none."""
        for i, (p, q) in enumerate(zip(self.ours, self.theirs, strict=True)):
            g = np.asarray(self.rng.normal(size=p.shape) * 10.0 ** self.rng.integers(-4, 2), p.array.dtype)
            p.grad = None if i in skip else minigrad.from_numpy(g.copy())
            q.grad = None if i in skip else torch.tensor(g)
        before = [p.array.copy() for p in self.ours]
        gradients = [None if p.grad is None else p.grad.array.copy() for p in self.ours]
        self.optimizer.step()
        self.reference.step()
        for p, g in zip(self.ours, gradients, strict=True):
            assert g is None or (p.grad.array == g).all(), "a step must not write to the gradient"
        self.path = [s + abs(p.array - b) for s, p, b in zip(self.path, self.ours, before, strict=True)]

    def check(self, tolerance):
        """Parameters and state agree up to `tolerance` of their size and of the path that they went."""
        for p, q, path in zip(self.ours, self.theirs, self.path, strict=True):
            reference = q.detach().numpy()
            assert p.array.dtype == reference.dtype
            assert p.array.shape == reference.shape
            scale = np.max(abs(reference) + path, initial=1e-30)
            np.testing.assert_allclose(p.array, reference, rtol=0, atol=tolerance * scale)
            expected = {k: v.numpy() for k, v in self.reference.state[q].items() if v is not None}
            state = self.optimizer.state.get(p, {})
            assert list(state) == list(expected)
            for key, value in expected.items():
                assert state[key].array.dtype == value.dtype, key
                assert state[key].array.shape == value.shape, key
                scale = np.max(abs(value), initial=1e-30)
                np.testing.assert_allclose(state[key].array, value, rtol=0, atol=4 * tolerance * scale, err_msg=key)


@every_case
def test_float64_path_is_torchs(name, options):
    pair = Pair(name, options, np.float64)
    for _ in range(STEPS):
        pair.step()
    pair.check(tolerance=1e-14)


@every_case
def test_float32_path_is_torchs_up_to_rounding(name, options):
    pair = Pair(name, options, np.float32)
    for _ in range(STEPS):
        pair.step()
    pair.check(tolerance=4 * 2**-23)


@every_case
def test_large_parameters(name, options):
    pair = Pair(name, options, np.float32, seed=1, shapes=LARGE)
    for _ in range(3):
        pair.step()
    pair.check(tolerance=4 * 2**-23)


@every_case
def test_parameters_in_column_order(name, options):
    pair = Pair(name, options, np.float64, seed=2, shapes=[(5, 7), *LARGE], transposed=True)
    for _ in range(2):
        pair.step()
    pair.check(tolerance=1e-14)


@every_case
def test_a_parameter_without_gradient_is_left_alone(name, options):
    pair = Pair(name, options, np.float64, seed=3, shapes=[(3,), (4,), (5,)])
    never = pair.ours[1].array.copy()
    for step in range(6):
        pair.step(skip=(1, step % 2 * 2))
    assert (pair.ours[1].array == never).all()
    pair.check(tolerance=1e-14)


@every_case
def test_groups_with_options_of_their_own(name, options):
    rng = np.random.default_rng(4)
    arrays = [rng.normal(size=3) for _ in range(3)]
    results = []
    for fw in (minigrad, torch):
        a, b, c = (fw.from_numpy(x.copy()).requires_grad_() for x in arrays)
        groups = [{"params": [a]}, {"params": b, "lr": 0.3, "weight_decay": 0.2}, {"params": (c,), "lr": 0.0}]
        optimizer = getattr(fw.optim, name)(groups, **options)
        for step in range(4):
            for p in (a, b, c):
                p.grad = fw.from_numpy(np.arange(3.0) - step)
            optimizer.step()
            optimizer.param_groups[0]["lr"] *= 0.5
        results.append([np.asarray(p.detach()) for p in (a, b, c)])
    np.testing.assert_allclose(*results, rtol=1e-13)


@every_case
def test_mixed_dtypes_in_one_group(name, options):
    pair = Pair(name, options, np.float32, seed=5, shapes=[(3,), (4,)])
    other = Pair(name, options, np.float64, seed=5, shapes=[(3,), (4,)])
    both = getattr(minigrad.optim, name)([pair.ours[0], other.ours[0], pair.ours[1], other.ours[1]], **options)
    pair.optimizer = other.optimizer = both
    pair.reference = getattr(torch.optim, name)(pair.theirs + other.theirs, **options)
    for p, q in zip(pair.ours + other.ours, pair.theirs + other.theirs, strict=True):
        p.grad = minigrad.from_numpy(np.ones_like(p.array))
        q.grad = torch.ones_like(q)
    both.step()
    pair.reference.step()
    for p, q in zip(pair.ours + other.ours, pair.theirs + other.theirs, strict=True):
        assert p.array.dtype == q.detach().numpy().dtype
        np.testing.assert_allclose(p.array, q.detach().numpy(), rtol=1e-6)


@every_case
def test_steps_allocate_nothing(name, options):
    pair = Pair(name, options, np.float32, seed=6, shapes=[(100, 100), (300,)])
    pair.step()
    tracemalloc.start()
    try:
        pair.optimizer.step()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(3):
            pair.optimizer.step()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - before < 10_000, "less than a quarter of the parameter"


@every_case
def test_a_learning_rate_may_be_a_tensor(name, options):
    plain, tensor = (Pair(name, options, np.float64, seed=7, shapes=[(3,)]) for _ in range(2))
    lr = plain.optimizer.param_groups[0]["lr"]
    tensor.optimizer.param_groups[0]["lr"] = minigrad.from_numpy(np.array(lr))
    for pair in (plain, tensor):
        pair.step()
        pair.step()
    assert (plain.ours[0].array == tensor.ours[0].array).all()


@every_case
def test_a_step_is_noticed_by_the_graph(name, options):
    w = minigrad.tensor([1.0, 2.0], requires_grad=True)
    optimizer = getattr(minigrad.optim, name)([w], **options)
    loss = (w * w).sum()
    w.grad = minigrad.tensor([1.0, 1.0])
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_replaced_data_is_followed():
    w = minigrad.tensor([1.0, 2.0], requires_grad=True)
    optimizer = minigrad.optim.SGD([w], lr=1.0)
    w.grad = minigrad.tensor([1.0, 1.0])
    optimizer.step()
    w.data = minigrad.tensor([5.0, 5.0, 5.0], dtype=minigrad.float64)
    w.grad = minigrad.tensor([1.0, 1.0, 1.0], dtype=minigrad.float64)
    optimizer.step()
    assert w.tolist() == [4.0, 4.0, 4.0]
