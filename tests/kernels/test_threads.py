"""Threads inside operations: the same bits whatever their number, errors come out, forks and settings are safe."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import minigrad
from minigrad import nn
from minigrad.kernels import blas, threads


@pytest.fixture(autouse=True)
def as_before():
    count = threads._state.count
    yield
    minigrad.set_num_threads(minigrad.get_num_threads() if count is None else count)
    threads._state.count = count


def step():
    """The loss and all gradients of a small convolutional network."""
    minigrad.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 4), nn.ReLU(), nn.BatchNorm2d(6), nn.Conv2d(6, 6, 4, stride=2), nn.ReLU(), nn.MaxPool2d(2)
    )
    x = minigrad.randn(80, 1, 28, 28, requires_grad=True)
    loss = (model(x) ** 2).sum()
    loss.backward()
    return [loss.detach().numpy(), x.grad.numpy(), *(p.grad.numpy() for p in model.parameters())]


def test_results_do_not_depend_on_the_number_of_threads():
    results = []
    for n in (1, 2, 3, 8):
        minigrad.set_num_threads(n)
        assert minigrad.get_num_threads() == n
        results.append(step())
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_replayed_step_does_not_depend_on_it_either():
    results = []
    for n in (1, 2, 3):
        minigrad.set_num_threads(n)
        minigrad.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 6, 4), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 6, 4), nn.ReLU())

        def step(x, model=model):
            model.zero_grad()
            loss = model(x).square().sum()
            loss.backward()
            return loss

        run = minigrad.compile(step)
        results.append([run(minigrad.randn(80, 1, 28, 28)).item() for _ in range(6)])
        results[-1] += [p.grad.tolist() for p in model.parameters()]
        assert run.reason is None
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize(("n", "inputs", "outputs"), [(100, 784, 200), (64, 784, 64), (2000, 3072, 256)])
def test_products_depend_on_the_number_of_threads_by_rounding_only(n, inputs, outputs):
    rng = np.random.default_rng(0)
    x, w = (minigrad.tensor(rng.standard_normal(shape, dtype=np.float32)) for shape in ((n, inputs), (outputs, inputs)))
    results = []
    for count in (1, 2):
        minigrad.set_num_threads(count)
        results.append(nn.functional.linear(x, w).numpy())
    assert np.abs(results[0] - results[1]).max() <= 2e-6 * np.abs(results[0]).max()


def test_items_are_shared_out_and_each_is_done_once():
    minigrad.set_num_threads(3)
    seen, names = [], set()

    def work(items):
        names.add(threading.current_thread().name)
        seen.extend(items)

    threads.parallel(work, range(7))
    assert sorted(seen) == list(range(7))
    assert (len(names) > 1) == (blas.library() is not None)


def test_an_error_in_any_thread_is_raised():
    minigrad.set_num_threads(2)

    def work(items):
        if 3 in items:
            raise ValueError("the last item")

    with pytest.raises(ValueError, match="the last item"):
        threads.parallel(work, range(4))
    threads.parallel(lambda items: None, range(4))  # the other thread lives on


def test_threads_are_used_again():
    def helpers():
        return sum(thread.name.startswith("minigrad") for thread in threading.enumerate())

    minigrad.set_num_threads(3)
    before = helpers()
    for _ in range(20):
        threads.parallel(lambda items: None, range(7))
    assert helpers() - before <= 2


def test_work_may_be_shared_by_several_threads_of_the_user():
    minigrad.set_num_threads(2)
    totals = []

    def user(start):
        seen = []
        for _ in range(50):
            threads.parallel(seen.extend, range(start, start + 4))
        totals.append(sorted(seen) == sorted([*range(start, start + 4)] * 50))

    users = [threading.Thread(target=user, args=(10 * i,)) for i in range(4)]
    for thread in users:
        thread.start()
    for thread in users:
        thread.join()
    assert totals == [True] * 4


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (lambda: nn.LSTM(3, 5), (4, 1_100, 3)),
        (lambda: nn.GRU(3, 5, batch_first=True, bidirectional=True), (1_100, 4, 3)),
    ],
)
def test_an_evaluation_gives_what_a_training_step_gives(n, model, shape):
    minigrad.set_num_threads(n)
    minigrad.manual_seed(0)
    model, x = model(), minigrad.rand(*shape)

    def parts(outputs, last):
        return [outputs, *(last if isinstance(last, tuple) else [last])]

    whole = parts(*model(x))
    with minigrad.no_grad():
        evaluated = parts(*model(x))
    for a, b in zip(whole, evaluated, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


def test_numpys_error_state_reaches_the_threads():
    minigrad.set_num_threads(2)
    zero = np.zeros((), np.float32)

    def work(items):
        if 3 in items:  # not the caller's own part
            zero / zero

    with np.errstate(all="ignore"):
        threads.parallel(work, range(4))
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        threads.parallel(work, range(4))


@pytest.mark.parametrize(("n", "error"), [(0, RuntimeError), (-1, RuntimeError), (1.0, TypeError), (True, TypeError)])
def test_bad_numbers_are_refused(n, error):
    with pytest.raises(error, match="set_num_threads expects"):
        minigrad.set_num_threads(n)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_starts_threads_of_its_own():
    program = """
import os, threading, minigrad
minigrad.set_num_threads(2)
x, w = minigrad.ones(400, 1, 20, 20), minigrad.ones(2, 1, 3, 3)
conv = minigrad.nn.functional.conv2d
conv(x, w)
assert threading.active_count() > 1
child = os.fork()
if not child:
    os._exit(0 if float(conv(x, w).sum()) == 400 * 2 * 18 * 18 * 9 else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=60)


def test_no_thread_works_while_nothing_is_shared():
    minigrad.set_num_threads(2)
    threads.parallel(list, [1, 2])
    time.sleep(0.1)
    before = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - before < 0.1
