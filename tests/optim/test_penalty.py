"""Penalties: their values and gradients, and the zeros that soft thresholding makes; the same program in PyTorch."""

import numpy as np
import pytest

import minigrad
from minigrad.optim.penalty import l1, l2, soft_threshold

OPTIMIZERS = {
    "SGD": {"lr": 0.1},
    "SGD with momentum": {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    "Adam": {"lr": 0.05},
    "AdamW": {"lr": 0.05},
    "RMSprop": {"lr": 0.02},
    "Adagrad": {"lr": 0.1},
    "Adadelta": {"lr": 1.0},
}


def lasso(fw, name="SGD", strength=0.5, proximal=True, steps=200):
    """Least squares on ten features of which two matter, with an L1 penalty on the weights but not on the bias."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 10))
    y = 3 * x[:, 0] - 2 * x[:, 4] + 1 + 0.1 * rng.normal(size=60)
    inputs, targets = fw.from_numpy(x), fw.from_numpy(y)
    w, b = fw.zeros(10, dtype=fw.float64, requires_grad=True), fw.zeros(1, dtype=fw.float64, requires_grad=True)
    optimizer = getattr(fw.optim, name.split()[0])([{"params": [w]}, {"params": [b]}], **OPTIMIZERS[name])
    if proximal:
        soft_threshold(optimizer, [w], strength)
    for _ in range(steps):
        loss = ((inputs @ w + b - targets) ** 2).mean() / 2
        optimizer.zero_grad()
        (loss if proximal else loss + l1([w], strength)).backward()
        optimizer.step()
    return w.detach(), b.detach(), x, y


@pytest.mark.parametrize("proximal", [True, False], ids=["proximal", "added to the loss"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_same_program_runs_in_both_frameworks(torch_too, name, proximal):
    torch_too(lambda fw: lasso(fw, name, proximal=proximal, steps=30)[:2])


@pytest.mark.parametrize("name", ["SGD", "SGD with momentum"])
def test_soft_thresholding_makes_zeros_and_gradient_steps_do_not(name):
    w, b, _, _ = lasso(minigrad, name)
    assert (w == 0).sum().item() >= 5
    assert b.item() != 0
    assert (lasso(minigrad, name, proximal=False)[0] == 0).sum().item() == 0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_weight_that_the_loss_does_not_need_becomes_exactly_0(name):
    w = minigrad.tensor([0.3, -0.2, 0.0], requires_grad=True)
    optimizer = getattr(minigrad.optim, name.split()[0])([w], **OPTIMIZERS[name])
    soft_threshold(optimizer, [w], 1.0)
    for _ in range(20):
        (0 * w).sum().backward()
        optimizer.step()
    assert w.tolist() == [0, 0, 0]


def test_with_gradient_descent_the_penalised_loss_is_at_its_minimum():
    """The conditions of optimality of the lasso: a slope of ∓λ where w is not 0, and at most λ where it is."""
    strength = 0.5
    w, b, x, y = (np.asarray(part) for part in lasso(minigrad, strength=strength, steps=3000))
    slope = x.T @ (x @ w + b - y) / len(y)
    used = w != 0
    assert used[[0, 4]].all()
    np.testing.assert_allclose(slope[used], -strength * np.sign(w[used]), atol=1e-9)
    assert (abs(slope[~used]) <= strength).all()


def test_values_and_gradients(torch_too):
    def program(fw):
        parameters = [fw.tensor([[1.5, 0.0], [-0.0, -2.0]], requires_grad=True), fw.tensor(3.0, requires_grad=True)]
        values = l1(parameters, 0.1), l2(parameters, 0.1)
        values[0].backward()
        first = [p.grad.clone() for p in parameters]
        values[1].backward()
        return [value.detach() for value in values], first, [p.grad for p in parameters]

    values, first, _ = torch_too(program)
    assert [value.item() for value in values] == pytest.approx([0.65, 0.7625])
    assert first[0].tolist() == pytest.approx(np.array([[0.1, 0.0], [0.0, -0.1]]))
    assert (l1([], 0.1), l2([], 0.1)) == (0, 0)


def test_the_strength_stands_in_the_groups_and_in_the_saved_state(torch_too):
    def program(fw):
        w, b = (fw.full((2,), 1.0, requires_grad=True) for _ in range(2))
        optimizer = fw.optim.SGD([{"params": [w]}, {"params": [b]}], lr=0.5)
        soft_threshold(optimizer, [w], 0.2)
        saved = optimizer.state_dict()
        optimizer.param_groups[0]["soft_threshold"] = 1.0
        (0 * (w + b)).sum().backward()
        optimizer.step()
        first = w.detach().clone()
        optimizer.load_state_dict(saved)
        optimizer.step()
        return first, w.detach(), b.detach(), ["soft_threshold" in group for group in optimizer.param_groups]

    first, second, other, noted = torch_too(program)
    assert (first.tolist(), other.tolist(), noted) == ([0.5, 0.5], [1, 1], [True, False])
    assert second.tolist() == pytest.approx([0.4, 0.4])


def test_the_threshold_follows_the_schedule_and_ends_with_its_handle(torch_too):
    def program(fw):
        w, other, idle = (fw.full((2,), 1.0, requires_grad=True) for _ in range(3))
        optimizer = fw.optim.SGD([w, other, idle], lr=0.5)
        schedule = fw.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.1)
        handle = soft_threshold(optimizer, [w, idle], 0.2)
        seen = []
        for step in range(3):
            if step == 2:
                handle.remove()
            optimizer.zero_grad()
            (0 * (w + other)).sum().backward()
            optimizer.step()
            schedule.step()
            seen.append([p.detach().clone() for p in (w, other, idle)])
        return seen

    for (w, other, idle), expected in zip(torch_too(program), [0.9, 0.89, 0.89], strict=True):
        assert w.tolist() == pytest.approx([expected] * 2)
        assert other.tolist() == idle.tolist() == [1, 1]
