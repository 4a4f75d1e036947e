"""The walk itself: order, accumulation, freeing, versions, memory."""

import gc
import inspect
import threading
import weakref

import numpy as np
import pytest
import torch

import minigrad
from minigrad import Tensor
from minigrad.engine import Node, Variable, backward, edge_to


def leaf(*values, dtype=minigrad.float64):
    return minigrad.tensor(values, dtype=dtype, requires_grad=True)


def test_a_chain_of_100000_nodes_needs_no_recursion():
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.sum().backward()
    assert x.grad.tolist() == [1.0]
    del y  # freeing it must not recurse either


def test_a_variable_used_twice_adds_up():
    x = leaf(3.0)
    y = x * x + x
    (y * y).sum().backward()
    assert x.grad.item() == 2 * (9 + 3) * (2 * 3 + 1)


def test_diamonds_are_walked_once():
    x = leaf(1.0)
    y = x
    for _ in range(200):  # 2 ** 200 paths
        y = y * 0.5 + y * 0.5
    calls = []
    y.register_hook(lambda g: calls.append(g))
    y.sum().backward()
    assert x.grad.item() == pytest.approx(1.0)
    assert len(calls) == 1


def test_the_engine_alone():
    """Two variables, one product, no tensor in sight."""

    def variable(value):
        v = Variable()
        v.array, v.tracked = np.array(value), True
        return v

    a, b = variable(3.0), variable(5.0)
    product = variable(15.0)
    product.node = Node("Mul", lambda wanted, g, a, b: (g * b, g * a), [edge_to(a), edge_to(b)], [a, b])
    arrived = backward([(product, np.array(1.0))], wrap=lambda array, node: variable(array))
    assert arrived == {a: 5.0, b: 3.0}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (lambda g: g[:1], r"Function Bad returned an invalid gradient: got \[1\]"),
        (lambda g: g.astype("float64"), "Bad: a gradient of float64"),
    ],
)
def test_a_rule_that_returns_a_wrong_gradient_is_caught(bad, message):
    x = minigrad.ones(3, requires_grad=True)
    node = Node("Bad", lambda wanted, g: [bad(g)], [edge_to(x)])
    with pytest.raises((AssertionError, RuntimeError), match=message):
        Tensor.wrap(np.ones(3, np.float32), node).sum().backward()


def test_second_backward_raises_and_adds_nothing():
    x = leaf(2.0)
    y = (x**2).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"backward through the graph a second time.*PowBackward0"):
        y.backward()
    assert x.grad.item() == 4.0


def test_retain_graph_allows_it():
    x = leaf(2.0)
    y = (x**2).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 8.0


def test_saved_arrays_are_dropped_as_soon_as_their_node_is_done():
    x = leaf(*range(1000))
    h = x.exp()
    watch = weakref.ref(h.array)
    y = (h * 2.0).sum()
    del h
    assert watch() is not None  # exp's rule needs its result
    y.backward()
    assert watch() is None


def test_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        w = minigrad.ones(20, 20, requires_grad=True)
        watches = []
        for _ in range(3):
            h = minigrad.softmax((minigrad.ones(5, 20) @ w).relu().tanh(), 1) * 1
            v = h[1:3]
            v.mul_(2.0)
            loss = minigrad.cat([h.exp(), v]).std()
            watches += [weakref.ref(t) for t in (h, v, loss)]
            loss.backward()
            w.grad = None
            del h, v, loss
        assert all(watch() is None for watch in watches)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_gradients_do_not_share_memory():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x + y).sum().backward()
    x.grad.mul_(10.0)
    assert y.grad.tolist() == [1.0, 1.0]
    z = leaf(1.0, 2.0)
    seed = minigrad.tensor([1.0, 1.0], dtype=minigrad.float64)
    z.backward(seed)
    z.grad.zero_()
    assert seed.tolist() == [1.0, 1.0]


def test_grad_accumulates_in_place():
    x = leaf(1.0)
    (x * 2.0).sum().backward()
    first = x.grad
    (x * 3.0).sum().backward()
    assert x.grad is first
    assert first.item() == 5.0


@pytest.mark.parametrize("fw", [minigrad, torch], ids=["minigrad", "torch"])
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (lambda x: [y := x.exp(), y.add_(1.0)][0], "modified by an inplace operation"),
        (lambda x: [h := x * 1.0, h * h, h.zero_()][1], "modified by an inplace operation"),
        (lambda x: [h := x * 1.0, v := h[0:1], h * h, v.zero_()][2], "modified by an inplace operation"),
        (lambda x: [h := x * 1.0, h * h, h.detach().zero_()][1], "modified by an inplace operation"),
        (lambda x: x.zero_(), "a leaf Variable that requires grad is being used in an in-place operation"),
        (lambda x: x[0].zero_(), "a view of a leaf Variable that requires grad is being used in an in-place operation"),
    ],
)
def test_in_place_writes_that_a_gradient_cannot_survive(fw, program, expected):
    x = fw.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match=expected):
        program(x).sum().backward()


@pytest.mark.parametrize(
    "program",
    [
        lambda x: [h := x * 1.0, h.mul_(x)][0],
        lambda x: [h := x * 1.0, h.add_(1.0), h.pow_(2)][0],
        lambda x: [h := x * 1.0, h[0:2].mul_(x[1])][0],
        lambda x: [h := x * 1.0, v := h[1:], h.mul_(3.0), v * v][-1],
        lambda x: [h := x * 1.0, v := h[1:], w := v[0:1], w.mul_(x[0]), v * 2.0][-1],
        lambda x: [h := x * 1.0, v := h.reshape(3, 1), v.mul_(x[2]), h * h][-1],
        lambda x: [h := x.new_zeros(3), h.__setitem__(slice(0, 2), x[1:] * x[0]), h.exp()][-1],
        lambda x: [h := x * 1.0, h.__setitem__(0, x[1] * x[2]), h * h][-1],
        lambda x: [h := x * 1.0, h.clamp_(1.5, 2.5), h * x][-1],
        lambda x: [h := x * 1.0, t := h[0], t.__iadd__(5.0), h.__setitem__(0, t), h * h][-1],
        lambda x: [h := x * 1.0, h.masked_fill_(h > 1.5, 4.0), h * x][-1],
    ],
)
def test_in_place_writes_that_are_recorded(program):
    ours = minigrad.tensor([1.0, 2.0, 3.0], dtype=minigrad.float64, requires_grad=True)
    theirs = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    results = []
    for x in (ours, theirs):
        y = program(x)
        y.sum().backward()
        results.append((y.tolist(), x.grad.tolist()))
    assert results[0] == results[1]


def test_recording_is_a_switch_of_each_thread():
    seen = []
    with minigrad.no_grad():
        thread = threading.Thread(target=lambda: seen.append(minigrad.is_grad_enabled()))
        thread.start()
        thread.join()
        assert not minigrad.is_grad_enabled()
    assert seen == [True]


def test_an_error_leaves_recording_and_gradients_as_they_were():
    x, y = leaf(1.0), leaf(2.0)
    bad = Tensor.wrap(np.ones(1), Node("Bad", lambda wanted, g: 1 / 0, [edge_to(y)]))
    with minigrad.enable_grad(), pytest.raises(ZeroDivisionError):
        (x * 2.0 + bad).sum().backward()
    assert x.grad is None
    assert minigrad.is_grad_enabled()


def test_the_engine_stays_small():
    lines = len(inspect.getsourcelines(minigrad.engine)[0])
    assert lines < 250
