"""state_dict and load_state_dict, as torch's: contents, sharing, errors."""

import collections

import numpy as np
import pytest

import minigrad
from minigrad import nn


def network(fw):
    net = fw.nn.Sequential(fw.nn.Linear(2, 3), fw.nn.ReLU(), fw.nn.Linear(3, 3))
    net[0].register_buffer("seen", fw.zeros(2))
    net[0].register_buffer("hidden", fw.zeros(2), persistent=False)
    net.register_module("again", net[0])
    return net


def filled(fw, value=5.0):
    return {key: fw.full(tuple(t.shape), value) for key, t in network(fw).state_dict().items()}


def test_contents(alike):
    assert alike(lambda fw: {k: fw.zeros_like(v) for k, v in network(fw).state_dict().items()}) == "result"
    assert type(network(minigrad).state_dict()) is collections.OrderedDict


def test_destination_and_prefix(alike):
    def program(fw):
        found = {"old": fw.ones(1)}
        network(fw).state_dict(destination=found, prefix="p.")
        return list(found)

    assert alike(program) == "result"


def test_values_are_detached_and_share_memory():
    net = network(minigrad)
    state = net.state_dict()
    assert not state["0.weight"].requires_grad
    state["0.weight"].zero_()
    assert not net[0].weight.detach().numpy().any()
    assert net.state_dict(keep_vars=True)["0.weight"] is net[0].weight


def test_a_round_trip_copies():
    source, net = network(minigrad), network(minigrad)
    params = list(net.parameters())
    answer = net.load_state_dict(source.state_dict())
    assert repr(answer) == str(answer) == "<All keys matched successfully>"
    for (key, ours), theirs in zip(net.state_dict().items(), source.state_dict().values(), strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), err_msg=key)
        assert not np.may_share_memory(ours.array, theirs.array)
    assert all(p is q for p, q in zip(net.parameters(), params, strict=True))
    assert all(p.requires_grad for p in net.parameters())


def test_loading_converts_to_the_modules_dtype():
    net = nn.Linear(2, 3)
    net.load_state_dict(nn.Linear(2, 3).double().state_dict())
    assert net.weight.dtype is minigrad.float32


def test_loading_counts_as_a_write():
    net = nn.Linear(2, 3)
    y = (net(minigrad.ones(1, 2, requires_grad=True)) ** 2).sum()
    net.load_state_dict(nn.Linear(2, 3).state_dict())
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_assign_puts_the_tensors_themselves_in_place():
    net = nn.Linear(2, 3)
    net.bias.requires_grad_(False)
    net.register_buffer("seen", minigrad.zeros(1))
    state = {"weight": minigrad.ones(3, 2).double(), "bias": nn.Parameter(minigrad.ones(3)), "seen": minigrad.ones(1)}
    net.load_state_dict(state, assign=True)
    assert type(net.weight) is nn.Parameter
    assert net.weight.dtype is minigrad.float64
    assert net.weight.requires_grad
    assert net.weight.array is state["weight"].array
    assert net.bias is state["bias"]
    assert not net.bias.requires_grad
    assert net.seen is state["seen"]
    assert list(net.state_dict()) == ["weight", "bias", "seen"]


def without(fw, *keys):
    state = filled(fw)
    for key in keys:
        del state[key]
    return state


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "state",
    [
        filled,
        lambda fw: without(fw, "0.bias", "2.weight"),
        lambda fw: {**filled(fw), "new": fw.ones(1), "0.other": fw.ones(1)},
        lambda fw: {**without(fw, "0.seen"), "new": fw.ones(1)},
        lambda fw: {**filled(fw), "2.bias": fw.ones(4), "0.weight": fw.ones(3)},
        lambda fw: {**without(fw, "0.weight"), "2.bias": fw.ones(4), "new": fw.ones(1)},
        lambda fw: {**filled(fw), "2.bias": 3},
        lambda fw: {**filled(fw), "0.hidden": fw.ones(2)},
        lambda fw: {},
        lambda fw: 3,
    ],
)
def test_what_loading_says(alike, state, strict):
    def program(fw):
        answer = network(fw).load_state_dict(state(fw), strict=strict)
        return [list(answer.missing_keys), list(answer.unexpected_keys), repr(answer)]

    alike(program)


def test_a_failed_load_changes_nothing():
    net = network(minigrad)
    before = {k: v.numpy().copy() for k, v in net.state_dict().items()}
    with pytest.raises(RuntimeError, match=r'Unexpected key\(s\) in state_dict: "new"'):
        net.load_state_dict({**filled(minigrad), "new": minigrad.ones(1)})
    for key, value in net.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key], err_msg=key)
