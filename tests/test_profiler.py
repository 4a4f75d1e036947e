"""The profiler sees every operation once, forward and backward, and nothing when it is off."""

import numpy as np
import pytest

import minigrad
from minigrad import nn, optim
from minigrad.profiler import Event, Events, profile, shown_time
from minigrad.watch import watching


def training():
    minigrad.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    x, y = minigrad.randn(4, 6), minigrad.tensor([0, 1, 2, 0])

    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def by_key(prof):
    return {event.key: event for event in prof.key_averages()}


def test_a_training_step():
    step = training()
    with profile() as prof:
        for _ in range(3):
            step()
    events = by_key(prof)
    counts = {key: event.count for key, event in events.items()}
    assert counts == {
        "SGD.zero_grad": 3,
        "linear": 6,
        "relu": 3,
        "_dropout_mask": 3,
        "mul": 3,
        "_softmax_nll": 3,
        "ones_like": 3,
        "AccumulateGrad": 12,
        "SGD.step": 3,
    }
    both = {key for key, event in events.items() if event.forward and event.backward}
    assert both == {"linear", "relu", "mul", "_softmax_nll"}
    # made: two results (4, 5) and (4, 3), two weights' and biases' gradients, and one input's
    assert events["linear"].cpu_memory_usage == 3 * 4 * (20 + 12 + 30 + 5 + 15 + 3 + 20)
    assert sum(event.seconds for event in events.values()) <= prof.wall


def test_it_changes_no_number():
    one, other = training(), training()
    minigrad.manual_seed(1)
    plain = [one() for _ in range(3)]
    minigrad.manual_seed(1)
    with profile():
        assert [other() for _ in range(3)] == plain


def test_composed_operations_show_what_they_are_made_of():
    x = minigrad.ones(3)
    with profile() as prof:
        minigrad.addcmul(x, x, x, value=0.5)
    assert {key: e.count for key, e in by_key(prof).items()} == {"mul": 2, "add": 1}


def test_views_make_no_bytes():
    x = minigrad.ones(100, 100)
    with profile() as prof:
        x.t()
        x[:2]
    assert all(event.cpu_memory_usage == 0 for event in prof.key_averages())
    assert len(prof.key_averages()) == 2


def test_joined_tensors_count_for_their_operation():
    x = minigrad.ones(3, requires_grad=True)
    with profile() as prof:
        minigrad.cat([x, x]).sum().backward()
    (joined,) = [event for event in prof.key_averages() if event.count == 1 and "cat" in event.key]
    assert joined.backward > 0


def test_off_outside_of_the_block_also_after_an_error():
    with pytest.raises(RuntimeError, match="cannot be multiplied"), profile() as prof:
        minigrad.ones(2, 2) @ minigrad.ones(3, 2)
    assert watching.watcher is None
    minigrad.ones(2) * 2
    assert set(by_key(prof)) == {"ones", "_matmul"}


def test_blocks_add_up_and_may_stand_inside_each_other():
    x = minigrad.ones(2)
    outer = profile()
    with outer:
        x * 2
        with profile() as inner:
            x + 1
        x * 2
    with outer:
        x * 2
    assert {key: e.count for key, e in by_key(outer).items()} == {"mul": 3}
    assert {key: e.count for key, e in by_key(inner).items()} == {"add": 1}


def test_a_compiled_step_is_one_row():
    @minigrad.compile
    def double(x):
        return x * 2

    x = minigrad.ones(2)
    double(x), double(x)
    with profile() as prof:
        assert double(x).tolist() == [2, 2]
    (event,) = prof.key_averages()
    assert event.key.endswith("double")
    assert event.count == 1
    assert double.reason is None


def test_the_table():
    events = Events(
        [Event("mul", 2, 0.001, 0.002, 2**20), Event("a long name", 1_000, 0.5), Event("sum", 1, 0.0001)], wall=1.0
    )
    lines = events.table().split("\n")
    assert [" ".join(line.split()) for line in lines if set(line) != {"-"}] == [
        "Name # of Calls Forward Backward CPU total CPU total % CPU Mem",
        "a long name 1,000 500.000ms 0.000us 500.000ms 50.0 % 0.00 MB",
        "mul 2 1.000ms 2.000ms 3.000ms 0.3 % 1.00 MB",
        "sum 1 100.000us 0.000us 100.000us 0.0 % 0.00 MB",
        "(between operations) 496.900ms 49.7 %",
        "(all) 1.000s 100.0 %",
    ]
    assert len(set(map(len, lines))) == 1
    assert events.table(sort_by="cpu_memory_usage", row_limit=1).split("\n")[3].startswith("mul")
    assert events[0].cpu_time_total == pytest.approx(5e5)
    with pytest.raises(ValueError, match="sort_by: expected one of cpu_time_total"):
        events.table(sort_by="time")


def test_times_as_text():
    assert [shown_time(s) for s in (2.5, 0.0025, 2.5e-6, None)] == ["2.500s", "2.500ms", "2.500us", ""]


def test_gradients_of_gradients_are_seen_as_operations():
    x = minigrad.tensor(np.ones(2), requires_grad=True)
    with profile() as prof:
        (g,) = minigrad.autograd.grad((x * x).sum(), x, create_graph=True)
        g.sum().backward()
    assert by_key(prof)["mul"].backward > 0
