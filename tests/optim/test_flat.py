"""Parameters that move together move as they do one by one, to the last bit, and nobody can tell."""

import copy

import numpy as np
import pytest

import minigrad
from minigrad import nn, optim

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "nesterov, maximize": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, maximize=True),
    "adam": lambda p: optim.Adam(p, lr=0.1, weight_decay=0.01),
    "adamw": lambda p: optim.AdamW(p, lr=0.1, amsgrad=True),
    "rmsprop": lambda p: optim.RMSprop(p, momentum=0.5, centered=True),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1),
    "adadelta": optim.Adadelta,
}
SHAPES = ((3, 5), (5,), (17, 2), ())


def parameters(held=None):
    """Some parameters; `held` keeps their arrays, and so keeps them apart."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in SHAPES]
    if held is not None:
        held += arrays
    return [nn.Parameter(minigrad.from_numpy(arrays.pop(0))) for _ in SHAPES]


def set_gradients(params, seed, skip=None):
    rng = np.random.default_rng(seed)
    for i, p in enumerate(params):
        g = rng.standard_normal(p.shape).astype(np.float32)
        p.grad = None if i == skip else minigrad.from_numpy(np.asarray(g))


def is_flat(optimizer):
    return bool(optimizer._flats)


def numbers(state_dict):
    return {
        (i, key): value.numpy().copy() if isinstance(value, minigrad.Tensor) else value
        for i, state in state_dict["state"].items()
        for key, value in state.items()
    }


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_same_bits_as_one_by_one(name):
    together, apart = parameters(), parameters(held := [])
    one, other = (OPTIMIZERS[name](params) for params in (together, apart))
    assert is_flat(one)
    assert not is_flat(other)
    assert held
    for step in range(12):
        for params in (together, apart):
            set_gradients(params, step, skip=2 if step in (3, 4, 9) else None)
        if step == 6:  # through a checkpoint
            one.load_state_dict(copy.deepcopy(one.state_dict()))
        if step == 8:
            one.param_groups[0]["lr"] = other.param_groups[0]["lr"] = 0.3
        one.step()
        other.step()
        for p, q in zip(together, apart, strict=True):
            np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy(), strict=True)
    ours, theirs = numbers(one.state_dict()), numbers(other.state_dict())
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        np.testing.assert_array_equal(ours[key], value, err_msg=str(key))


def test_gradients_at_home_are_not_copied():
    params = parameters()
    optimizer = optim.SGD(params, lr=1.0)
    before = [p.detach().clone() for p in params]
    for p in params:
        p.home[...] = 1
        p.grad = minigrad.from_numpy(p.home)
    optimizer.step()
    for p, old in zip(params, before, strict=True):
        assert (p == old - 1).all()


def test_whoever_holds_an_array_keeps_sharing_it():
    held = nn.Linear(2, 2)
    weights = held.weight.detach().numpy()
    optimizer = optim.SGD(held.parameters(), lr=1.0)
    assert not is_flat(optimizer)
    held(minigrad.ones(1, 2)).sum().backward()
    optimizer.step()
    assert (weights == held.weight.detach().numpy()).all()
    free = nn.Linear(2, 2)
    saved = free.state_dict()
    assert not is_flat(optim.SGD(free.parameters(), lr=1.0))
    del saved
    assert is_flat(optim.SGD(free.parameters(), lr=1.0))


def test_what_does_not_fit_together_is_left_alone():
    assert not is_flat(optim.SGD([nn.Parameter(minigrad.ones(2))], lr=1.0))
    mixed = [nn.Parameter(minigrad.ones(2)), nn.Parameter(minigrad.ones(2, dtype=minigrad.float64))]
    assert not is_flat(optim.SGD(mixed, lr=1.0))
    turned = [nn.Parameter(minigrad.ones(2, 3).t()), nn.Parameter(minigrad.ones(2))]
    assert not is_flat(optim.SGD(turned, lr=1.0))


def test_replaced_arrays_and_state_are_noticed():
    params = parameters()
    optimizer = optim.SGD(params, lr=1.0, momentum=0.5)
    set_gradients(params, 0)
    optimizer.step()
    velocity = minigrad.zeros(*params[0].shape)
    optimizer.state[params[0]]["momentum_buffer"] = velocity
    set_gradients(params, 1)
    old, g = params[0].detach().clone(), params[0].grad.clone()
    optimizer.step()
    assert (params[0] == old - g).all()
    optimizer.state.clear()
    set_gradients(params, 4)
    old, g = params[0].detach().clone(), params[0].grad.clone()
    optimizer.step()
    assert (params[0] == old - g).all()
    params[1].data = minigrad.full((5,), 7.0)
    set_gradients(params, 2)
    old, g = optimizer.state[params[1]]["momentum_buffer"].clone(), params[1].grad.clone()
    optimizer.step()
    assert (params[1] == 7 - (old * 0.5 + g)).all()


def test_copies_of_parameters_have_no_home():
    model = nn.Linear(2, 2)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    assert is_flat(optimizer)
    twin = copy.deepcopy(model)
    assert twin.weight.home is None
    assert not np.shares_memory(twin.weight.detach().numpy(), model.weight.detach().numpy())
    assert not is_flat(copy.deepcopy(optimizer))
