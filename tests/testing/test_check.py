"""What a student sees who checks code against PyTorch."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import minigrad
import parity
from minigrad.testing import assert_same, check

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


def raises(error):
    def function(x):
        raise error

    return function


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        (ValueError("of minigrad.float32"), ValueError("of torch.float32"), True),
        (ValueError("shape [2]"), RuntimeError("shape [2]"), False),
        (ValueError("shape [2]"), ValueError("shape [3]"), False),
        (TypeError("'str' object is not callable"), TypeError("expected a tensor"), False),
    ],
)
def test_two_errors_are_the_same_if_type_and_meaning_agree(mine, theirs, same):
    verdict = check(raises(mine), raises(theirs), [X])
    assert bool(verdict) == same
    assert str(theirs) in str(verdict)


@pytest.mark.parametrize("inputs", [[-np.ones(3)], [np.zeros((0, 2))]])
def test_nothing_but_zeros_is_no_comparison(inputs):
    verdict = check(minigrad.relu, torch.relu, inputs)
    assert not verdict
    assert str(verdict).startswith("NOT COMPARED: all outputs and gradients are zero")
    with pytest.raises(AssertionError, match="NOT COMPARED"):
        assert_same(minigrad.relu, torch.relu, inputs)


def test_zeros_on_one_side_alone_are_a_difference():
    assert "DIFFERENT" in str(check(lambda x: x * 0, torch.tanh, [X]))
    assert "DIFFERENT" in str(check(torch.tanh, lambda x: x * 0, [X]))


def test_infinities_are_something_to_compare():
    assert check(lambda x: -1 / x.detach(), lambda x: -1 / x.detach(), [np.zeros(2)])


def test_modules_are_compared_in_float64_as_well():
    mine, theirs = (fw.nn.Sequential(fw.nn.Linear(3, 2), fw.nn.BatchNorm1d(2)) for fw in (minigrad, torch))
    verdict = check(mine, theirs, [X])
    assert verdict
    allowed = {c.name: c.tolerance for c in verdict.comparisons}
    assert (allowed["gradient of parameter 0.weight"], allowed["gradient of parameter 0.weight in float64"]) == (
        1e-5,
        1e-10,
    )
    assert {str(p.dtype) for p in mine.parameters()} == {"minigrad.float32"}  # copies were widened
    assert mine[1].num_batches_tracked.item() == theirs[1].num_batches_tracked.item() == 1


def test_an_error_that_float32_hides_shows_in_float64():
    class Near(minigrad.nn.Linear):
        def forward(self, x):
            return super().forward(x) * (1 + 1e-6)

    verdict = check(Near(3, 2), torch.nn.Linear(3, 2), [X])
    wrong = [c.name for c in verdict.comparisons if not c.passed]
    assert wrong
    assert all(name.endswith("in float64") for name in wrong)


def test_a_reference_that_has_no_float64_is_noted():
    class Narrow(torch.nn.Linear):
        def forward(self, x):
            return torch.nn.functional.linear(x, self.weight, self.bias.float())

    verdict = check(minigrad.nn.Linear(3, 2), Narrow(3, 2), [X])
    assert verdict
    assert "not compared in float64, where theirs raises RuntimeError" in str(verdict)


def test_a_missing_framework_is_one_line_that_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModuleNotFoundError, match=r"^torch is not installed: pip install torch$"):
        check(minigrad.tanh, lambda x: x, [X])


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


def test_it_needs_nothing_but_numpy():
    code = "import sys, minigrad.testing; print({*sys.modules} & {'torch', 'scipy', 'pytest', 'parity', 'experiments'})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_old_names_say_the_new_ones():
    with pytest.warns(DeprecationWarning, match=r"parity.check is now minigrad.testing.check"):
        assert parity.check is check
    with pytest.raises(AttributeError, match="has no attribute 'chek'"):
        parity.chek  # noqa: B018
