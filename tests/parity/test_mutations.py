"""The bugs that other libraries' tests let through, planted one by one: a check that our suites run catches each.

Each test runs the check as it stands in a suite (the records' property and parity tests, `parity.judge.gradients`,
`parity.judge.epochs`, `minigrad.testing.check`): it passes, the bug is planted, and it fails.
"""

from __future__ import annotations

import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import minigrad
from minigrad import Tensor, engine
from minigrad.ops import dropout
from minigrad.ops.comparison import where
from minigrad.ops.loss import chosen
from minigrad.ops.record import registry
from minigrad.ops.reduction import spread
from minigrad.optim import SGD
from minigrad.testing import assert_same
from parity.judge import epochs, gradients
from parity.measure.gradients import View

CAUGHT = (AssertionError, RuntimeError, TypeError, ValueError)
RNG = np.random.default_rng(0)
quiet = settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def of_record(test, name):
    """A test that is generated from the record of that name."""

    @quiet
    @given(data=st.data())
    def examples(data):
        test.hypothesis.inner_test(registry[name], data)

    return examples


OPS = Path(__file__).parents[1] / "ops"
property_test = partial(of_record, runpy.run_path(str(OPS / "test_gradients.py"))["test_gradients"])
parity_test = partial(of_record, runpy.run_path(str(OPS / "test_records.py"))["test_parity_with_torch"])


@pytest.fixture
def rule(monkeypatch):
    """Replaces the gradient rule of one input: ``rule(op, target, function)``."""

    def plant(name, target, function):
        operation = registry[name].primitive
        monkeypatch.setattr(operation, "rules", {**operation.rules, target: function})
        monkeypatch.setattr(operation, "needs", {**operation.needs, target: operation.needed(target, function)})
        monkeypatch.setattr(operation, "layouts", {})

    return plant


@pytest.fixture
def forward(monkeypatch):
    """Replaces the forward function: ``forward(op, function)``, which is given the old one first."""

    def plant(name, function):
        operation = registry[name].primitive
        planted = partial(function, operation.forward)
        cells = dict(zip(operation.run.__code__.co_freevars, operation.run.__closure__, strict=True))
        monkeypatch.setattr(operation, "forward", planted)
        for form in ("compute", "forward"):
            monkeypatch.setattr(cells[form], "cell_contents", planted)

    return plant


@pytest.fixture
def caught():
    """``caught(check, plant)``: the check passes, and fails once the bug is planted."""

    def run(check, plant):
        check()
        plant()
        with pytest.raises(CAUGHT):
            check()

    return run


@pytest.fixture
def views(final):
    """`parity gradients` on the Fashion-MNIST network, looked at in one way."""

    def look(view):
        def check():
            report = gradients.examine(final("fashion_confusion"), [view])
            assert report.passed

        return check

    return look


def test_1_overlapping_windows_assign_where_they_must_add(caught, forward):
    def assigned(right, g, weight, size, stride, padding, dilation, groups):
        out, c, kh, kw = weight.shape
        parts, weights = g.reshape(len(g), groups, out // groups, *g.shape[2:]), weight.reshape(groups, -1, c, kh, kw)
        wide = np.zeros((len(g), groups * c, size[0] + 2 * padding[0], size[1] + 2 * padding[1]), g.dtype)
        for i, j in np.ndindex(*g.shape[2:]):
            window = (
                slice(start := i * stride[0], start + dilation[0] * (kh - 1) + 1, dilation[0]),
                slice(start := j * stride[1], start + dilation[1] * (kw - 1) + 1, dilation[1]),
            )
            share = np.einsum("ngo,gockl->ngckl", parts[..., i, j], weights)
            wide[(..., *window)] = share.reshape(len(g), groups * c, kh, kw)
        return wide[:, :, padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]

    caught(property_test("_conv2d"), lambda: forward("_conv2d_input", assigned))


def test_2_cross_entropy_subtracts_the_maximum_of_the_whole_matrix(caught, forward):
    def by_the_largest_of_all(right, input, target, ignore_index, reduction):
        *places, _ = chosen(input, target, ignore_index)
        count = len(target) if reduction == "mean" else 1
        e = np.exp(input - input.max())
        total = e.sum(1, keepdims=True)
        rows = np.arange(len(target))
        with np.errstate(divide="ignore", invalid="ignore"):
            losses = -np.log((e / total)[rows, target])
            return losses.sum() / input.dtype.type(count), (e / total, *places, None, count)

    caught(parity_test("cross_entropy"), lambda: forward("_softmax_nll", by_the_largest_of_all))


def test_2_in_the_words_of_the_bug_report(caught, forward):
    def by_the_largest_of_all(right, input, dim, dtype):
        z = input - input.max()
        with np.errstate(divide="ignore"):
            return z - np.log(np.exp(z).sum(dim, keepdims=True))

    def check():
        scores, both = np.array([[0.0, 0.0], [1000.0, 999.0]]), np.full((2, 2), 0.5)
        assert_same(minigrad.nn.functional.cross_entropy, torch.nn.functional.cross_entropy, [scores, both])

    caught(check, lambda: forward("log_softmax", by_the_largest_of_all))


def test_3_the_gradient_of_pow_at_base_0_is_nan(caught, rule):
    wrong = lambda g, input, other, out: g * other * out / input
    caught(parity_test("pow"), lambda: rule("pow", "input", wrong))


def test_4_broadcasting_backward_fails_when_ranks_differ(caught, monkeypatch):
    def same_rank_only(share, shape, dtype, node, g):
        array = share.array if isinstance(share, Tensor) else share
        stretched = tuple(i for i, n in enumerate(shape) if n == 1 and array.shape[i] != 1)
        return share.sum(axis=stretched, keepdims=True).reshape(shape)

    caught(property_test("add"), lambda: monkeypatch.setattr(engine, "fit", same_rank_only))


def test_5_second_order_through_a_convolutions_weight_crashes(caught, monkeypatch):
    operation = registry["_conv2d"].primitive
    right = operation.joint

    def arrays_only(wanted, g, input, weight, stride, padding, dilation, groups):
        if isinstance(g, Tensor) and wanted[1]:
            raise TypeError("arrays only")
        return right(wanted, g, input, weight, stride, padding, dilation, groups)

    def plant():
        monkeypatch.setattr(operation, "joint", arrays_only)
        monkeypatch.setattr(operation, "layouts", {})

    caught(property_test("_conv2d"), plant)


def test_6_the_derivative_of_relu_at_0_is_1(caught, rule):
    caught(parity_test("relu"), lambda: rule("relu", "input", lambda g, input: g * (input >= 0)))


def test_7_the_running_variance_is_biased(caught, forward):
    def biased(right, input, weight, bias, eps, running_mean, running_var, momentum):
        result = right(input, weight, bias, eps, running_mean, None, momentum)
        if running_var is not None:
            running_var += momentum * (input.var(axis=(0, 2)) - running_var)
        return result

    def check():
        x = RNG.normal(size=(4, 3))
        assert_same(minigrad.nn.BatchNorm1d(3), torch.nn.BatchNorm1d(3), [x], training=True)

    caught(check, lambda: forward("_standardize", biased))


def test_8_all_winners_of_a_tie_get_the_gradient(caught, rule):
    def to_all(g, input, out, dim, keepdim, nans):
        shape = tuple(input.shape)
        return where(input == spread(out, shape, dim, keepdim), spread(g, shape, dim, keepdim), 0.0)

    caught(parity_test("amax"), lambda: rule("_one_of", "input", to_all))


def test_9_a_gradient_that_is_right_for_a_cotangent_of_ones_alone(caught, rule):
    caught(property_test("softmax"), lambda: rule("softmax", "input", lambda g, out: 0 * g * out))


def test_10_dropout_is_active_in_evaluation(caught, views, monkeypatch):
    right = dropout._drop

    def always(input, shape, p, training, inplace):
        return right(input, shape, p, True, inplace)

    caught(views(View("float64", training=False)), lambda: monkeypatch.setattr(dropout, "_drop", always))


def test_10_dropout_does_not_rescale(caught, views, monkeypatch):
    right = dropout._dropout_mask

    def unscaled(input, shape, p):
        return (right(input, shape, p) != 0).to(input.dtype)

    caught(views(View("float64")), lambda: monkeypatch.setattr(dropout, "_dropout_mask", unscaled))


def test_11_a_loss_is_averaged_over_elements_where_rows_are_meant(caught, views, monkeypatch):
    right = minigrad.nn.functional.cross_entropy

    def over_elements(input, target, *rest, **options):
        loss = right(input, target, *rest, **options)
        return loss / input.shape[1] if target.is_floating_point() else loss

    check = views(View("float64", probabilities=True))
    caught(check, lambda: monkeypatch.setattr(minigrad.nn.functional, "cross_entropy", over_elements))


def test_12_weight_decay_is_applied_to_the_velocity_twice(caught, final, monkeypatch):
    right = SGD.rule

    def twice(self, group, dtype):
        step = right(self, group, dtype)
        return lambda p, w, g, scratch: step(p, w, g + group["weight_decay"] * w, scratch)

    def check():
        assert epochs.one_epoch(final("fashion_confusion"))["passed"]

    caught(check, lambda: monkeypatch.setattr(SGD, "rule", twice))


def test_13_a_float64_gradient_for_a_float32_parameter(caught, rule):
    def wide(g, out):
        return (g * (1 - out * out)).astype(np.float64)

    caught(parity_test("tanh"), lambda: rule("tanh", "input", wide))
