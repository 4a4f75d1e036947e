"""What a student sees who checks code against PyTorch."""

import numpy as np
import pytest
import torch

import minigrad
from parity import assert_same, check

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3))


def test_equal_functions_are_the_same():
    verdict = check(minigrad.softmax, lambda x, dim: torch.softmax(x, dim), [X, 1])
    assert verdict
    assert [c.name for c in verdict.comparisons] == ["result", "gradient of input (argument 0)"]


def test_modules_of_equal_names_share_parameters():
    mine = minigrad.nn.Sequential(minigrad.nn.Linear(3, 5), minigrad.nn.BatchNorm1d(5), minigrad.nn.Dropout(0.5))
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.BatchNorm1d(5), torch.nn.Dropout(0.5))
    verdict = check(mine, theirs, [X], training=True)
    assert verdict, verdict
    names = [c.name for c in verdict.comparisons]
    assert "gradient of parameter 0.weight" in names
    assert "buffer 1.running_var" in names
    assert check(mine, theirs, [X], training=False)


def test_either_side_can_be_either_framework():
    assert check(torch.nn.Linear(3, 2), minigrad.nn.Linear(3, 2), [X])
    assert check(torch.tanh, minigrad.tanh, [X])


def test_a_bug_is_located():
    def mine(x):
        y = x * 1.0
        y[2, 1] = y[2, 1] * 1.5
        return y

    verdict = check(mine, lambda x: x * 1.0, [X])
    assert not verdict
    result, gradient = verdict.comparisons
    assert result.index == gradient.index == (2, 1)
    assert "gradient of x (argument 0) [4, 3]" in str(verdict)
    assert "most at index [2, 1]" in str(verdict)
    with pytest.raises(AssertionError, match=r"most at index \[2, 1\]"):
        assert_same(mine, lambda x: x * 1.0, [X])


@pytest.mark.parametrize(
    ("mine", "theirs", "says"),
    [
        (minigrad.nn.Linear(3, 2), torch.nn.Linear(3, 4), "parameter weight: its shape is [2, 3] here, [4, 3] there"),
        (minigrad.nn.Linear(3, 2, bias=False), torch.nn.Linear(3, 2), "parameter bias: missing here"),
        (minigrad.nn.Sequential(minigrad.nn.Linear(3, 2)), torch.nn.Linear(3, 2),
         "parameter weight: missing here (unpaired there: 0.weight, 0.bias)"),
        (lambda x: x.sum(0), lambda x: x.sum(1), "result: its shape is [3] here, [4] there"),
        (lambda x: x.double(), lambda x: x.float(), "result: its dtype is float64 here, float32 there"),
        (lambda x: (x, x), lambda x: x, "result 0: missing there"),
        (minigrad.nn.Linear(2, 2), torch.nn.Identity(), "parameter weight: missing there"),
        (lambda x: x + 1 / 0, lambda x: x, "mine raises ZeroDivisionError: division by zero; theirs gives a result"),
        (lambda x: x, lambda x: x @ x, "mine gives a result; theirs raises RuntimeError"),
    ],
)  # fmt: skip
def test_what_does_not_pair_up_is_named(mine, theirs, says):
    verdict = check(mine, theirs, [X])
    assert not verdict
    assert says in str(verdict)


def test_the_same_error_on_both_sides_is_the_same():
    verdict = check(lambda x: x @ x, lambda x: x @ x, [X])
    assert verdict
    assert "both raise RuntimeError" in str(verdict)


def test_numpy_without_backward_compares_values_and_says_so():
    verdict = check(np.tanh, torch.tanh, [X], framework="numpy")
    assert verdict
    assert "gradients are not compared" in str(verdict)


def test_a_numpy_layer_with_its_own_backward():
    class Square:
        def __call__(self, x):
            self.x = x
            return x**2

        def backward(self, g):
            return g * self.x  # the 2 is missing

    verdict = check(Square(), torch.square, [X], framework="numpy")
    assert [c.passed for c in verdict.comparisons] == [True, False]
    assert verdict.comparisons[1].error == pytest.approx(0.5)


def test_an_error_that_the_plain_sum_hides():
    def mine(x):
        return minigrad.softmax(x.detach(), 1) + 0 * x  # the gradient of softmax is 0 for a cotangent of ones

    assert not check(mine, lambda x: torch.softmax(x, 1), [X])


def test_second_order():
    assert check(minigrad.tanh, torch.tanh, [X], second_order=True)

    def mine(x):
        return x.detach() ** 2 * x  # 3 x² has another second derivative

    verdict = check(mine, lambda x: x.detach() ** 2 * x, [X], second_order=True)
    assert verdict
    with pytest.raises(ValueError, match="second order needs a framework on both sides"):
        check(np.tanh, torch.tanh, [X], framework="numpy", second_order=True)


def test_the_second_order_of_binary_cross_entropy_is_pytorchs():
    """PyTorch adds 1e-12 to the denominator there, which shows near 0 and 1."""
    probabilities, targets = np.array([1e-3, 0.2, 1 - 1e-4]), np.array([0.0, 0.7, 1.0])

    def loss(fw):
        return lambda x, t: fw.nn.functional.binary_cross_entropy(x, t)

    assert_same(loss(minigrad), loss(torch), [probabilities, targets], second_order=True)


def test_float32_is_held_to_its_own_tolerance():
    assert check(minigrad.tanh, torch.tanh, [X.astype(np.float32)])
    assert not check(lambda x: x * (1 + 1e-4), lambda x: x, [X.astype(np.float32)])
    assert check(lambda x: x * (1 + 1e-4), lambda x: x * 1, [X], tolerance=1e-3)


def test_inputs_stay_as_they_are():
    x = torch.tensor(X, requires_grad=True)
    before = X.copy()
    check(lambda x: x.detach().mul_(2), lambda x: x.detach().mul_(2), [x])
    assert (x.detach().numpy() == before).all()
    assert x.grad is None
