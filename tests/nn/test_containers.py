"""Sequential, ModuleList, ModuleDict, ParameterList and ParameterDict, as torch's."""

from collections import OrderedDict
from itertools import pairwise

import numpy as np
import pytest
import torch

import minigrad
from minigrad import nn


def row(fw, *sizes):
    return [fw.nn.Linear(n, m) for n, m in pairwise(sizes)]


def sequential(fw):
    return fw.nn.Sequential(fw.nn.Linear(2, 3), fw.nn.ReLU(), fw.nn.Linear(3, 4))


def listed(fw):
    return fw.nn.ModuleList([*row(fw, 2, 2, 2), fw.nn.ReLU()])


def tell(container):
    """Everything that can be seen of a container of modules."""
    return repr(container), [n for n, _ in container.named_parameters()], len(container), list(map(repr, container))


def outcome(make, action):
    """A program that does something to a container, and tells what came of it."""

    def program(fw):
        container = make(fw)
        answer = action(fw, container)
        return [repr(answer), tell(container)]

    return program


COMMON = [
    lambda fw, c: c[0],
    lambda fw, c: c[-1],
    lambda fw, c: c[1:],
    lambda fw, c: c[::2],
    lambda fw, c: c[3],
    lambda fw, c: c[-4],
    lambda fw, c: c["a"],
    lambda fw, c: c.append(fw.nn.Tanh()),
    lambda fw, c: c.append(3),
    lambda fw, c: c.extend(row(fw, 1, 2, 3)),
    lambda fw, c: c.extend([3]),
    lambda fw, c: c.pop(1),
    lambda fw, c: c.pop(-1),
    lambda fw, c: c.__delitem__(0),
    lambda fw, c: c.__delitem__(slice(0, 2)),
    lambda fw, c: c.__setitem__(1, fw.nn.Tanh()),
    lambda fw, c: c.__setitem__(-1, fw.nn.Tanh()),
    lambda fw, c: c.__setitem__(5, fw.nn.Tanh()),
    lambda fw, c: fw.nn.ReLU in map(type, c),
]


@pytest.mark.parametrize(
    "action",
    [
        *COMMON,
        lambda fw, c: c.insert(0, fw.nn.Tanh()),
        lambda fw, c: c.insert(3, fw.nn.Tanh()),
        lambda fw, c: c.insert(7, fw.nn.Tanh()),
        lambda fw, c: c + fw.nn.Sequential(fw.nn.Tanh()),
        lambda fw, c: c + 3,
        lambda fw, c: c.__iadd__(fw.nn.Sequential(fw.nn.Tanh())),
    ],
)
def test_sequential(alike, action):
    alike(outcome(sequential, action))


@pytest.mark.parametrize(
    "action",
    [
        *COMMON,
        lambda fw, c: [c.insert(1, fw.nn.Tanh()), c][1],
        lambda fw, c: c + row(fw, 1, 1),
        lambda fw, c: c.__iadd__(row(fw, 1, 1)),
        lambda fw, c: c.extend(3),
        lambda fw, c: c(1),
    ],
)
def test_module_list(alike, action):
    alike(outcome(listed, action))


@pytest.mark.parametrize(
    "make",
    [
        lambda fw: fw.nn.Sequential(),
        lambda fw: fw.nn.Sequential(OrderedDict(a=fw.nn.ReLU(), b=fw.nn.Linear(1, 1))),
        lambda fw: fw.nn.Sequential(OrderedDict(a=fw.nn.ReLU(), b=fw.nn.Linear(1, 1)))[1:],
        lambda fw: fw.nn.Sequential(3),
        lambda fw: fw.nn.Sequential([fw.nn.ReLU()]),
        lambda fw: fw.nn.Sequential(fw.nn.Sequential(fw.nn.ReLU()), fw.nn.Sequential()),
        lambda fw: fw.nn.ModuleList(),
        lambda fw: fw.nn.ModuleList(fw.nn.ReLU() for _ in range(3)),
        lambda fw: fw.nn.ModuleList([fw.nn.ModuleList(row(fw, 1, 1)) for _ in range(2)]),
    ],
)
def test_making_them(alike, make):
    alike(lambda fw: tell(make(fw)))


def test_a_member_of_a_sequential_can_be_given_by_name():
    net = nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Linear(1, 1)))
    assert net.b is net[1]


def test_a_sequential_with_a_parameter_of_its_own_passes_it_over():
    net = nn.Sequential(nn.ReLU())
    net.scale = nn.Parameter(minigrad.ones(1))
    assert len(net) == 1
    assert net(minigrad.tensor([-1.0])).tolist() == [0.0]


def test_a_sequential_can_be_extended_by_itself():
    net = nn.Sequential(nn.ReLU())
    assert len(net.extend(net)) == 2


def test_a_failed_insert_changes_nothing():
    net = sequential(minigrad)
    before = repr(net)
    with pytest.raises(TypeError, match="int is not a Module subclass"):
        net.insert(0, 3)
    assert repr(net) == before


def test_the_same_seed_gives_the_same_result():
    minigrad.manual_seed(0)
    torch.manual_seed(0)
    x = np.ones((2, 2), np.float32)
    np.testing.assert_allclose(
        sequential(minigrad)(minigrad.from_numpy(x)).detach().numpy(),
        sequential(torch)(torch.from_numpy(x)).detach().numpy(),
        rtol=1e-6,
    )


def choices(fw):
    return fw.nn.ModuleDict({"relu": fw.nn.ReLU(), "fc": fw.nn.Linear(1, 2)})


@pytest.mark.parametrize(
    "action",
    [
        lambda fw, c: c["fc"],
        lambda fw, c: c["no"],
        lambda fw, c: c.pop("relu"),
        lambda fw, c: c.pop("no"),
        lambda fw, c: c.__delitem__("fc"),
        lambda fw, c: c.__setitem__("tanh", fw.nn.Tanh()),
        lambda fw, c: c.__setitem__("fc", fw.nn.Tanh()),
        lambda fw, c: c.__setitem__(3, fw.nn.Tanh()),
        lambda fw, c: c.__setitem__("keys", fw.nn.Tanh()),
        lambda fw, c: c.update({"b": fw.nn.Tanh(), "a": fw.nn.ReLU()}),
        lambda fw, c: c.update([["b", fw.nn.Tanh()]]),
        lambda fw, c: c.update(fw.nn.ModuleDict({"z": fw.nn.Tanh()})),
        lambda fw, c: c.update(3),
        lambda fw, c: c.update([("a", 1, 2)]),
        lambda fw, c: c.clear(),
        lambda fw, c: ("fc" in c, "no" in c),
        lambda fw, c: (list(c.keys()), list(c.values()), list(c.items())),
        lambda fw, c: c.fc,
    ],
)
def test_module_dict(alike, action):
    alike(outcome(choices, action))


def test_empty_dicts(alike):
    assert alike(lambda fw: tell(fw.nn.ModuleDict())) == "result"
    assert alike(lambda fw: tell(fw.nn.ModuleDict([["a", fw.nn.ReLU()]]))) == "result"


def parameters(fw):
    return fw.nn.ParameterList([fw.ones(2), fw.nn.Parameter(fw.zeros(2, 3)), 3])


@pytest.mark.parametrize(
    "action",
    [
        lambda fw, c: c[0],
        lambda fw, c: c[-1],
        lambda fw, c: c[:2],
        lambda fw, c: c[:1],
        lambda fw, c: c[9],
        lambda fw, c: c.append(fw.ones(1)),
        lambda fw, c: c.extend([fw.ones(1), 4]),
        lambda fw, c: c.__iadd__([fw.ones(1)]),
        lambda fw, c: c.__setitem__(0, fw.zeros(5)),
        lambda fw, c: c.extend(3),
        lambda fw, c: c(1),
        lambda fw, c: [type(p).__name__ for p in c],
    ],
)
def test_parameter_list(alike, action):
    alike(outcome(parameters, action))


def scales(fw):
    return fw.nn.ParameterDict({"b": fw.ones(2), "a": fw.nn.Parameter(fw.zeros(1, 3)), "n": 3})


@pytest.mark.parametrize(
    "action",
    [
        lambda fw, c: c["a"],
        lambda fw, c: c.pop("a"),
        lambda fw, c: c.popitem(),
        lambda fw, c: c.get("a"),
        lambda fw, c: c.get("no", 4),
        lambda fw, c: c.setdefault("a", fw.ones(9)),
        lambda fw, c: c.setdefault("new", fw.ones(9)),
        lambda fw, c: c.update({"z": fw.ones(1)}),
        lambda fw, c: c.update([("z", fw.ones(1))]),
        lambda fw, c: c.update(fw.nn.ParameterDict({"z": fw.ones(1)})),
        lambda fw, c: c | fw.nn.ParameterDict({"z": fw.ones(1)}),
        lambda fw, c: c.__ior__(fw.nn.ParameterDict({"z": fw.ones(1)})),
        lambda fw, c: c.copy(),
        lambda fw, c: c.clear(),
        lambda fw, c: c.__delitem__("b"),
        lambda fw, c: c.__setitem__("b", fw.zeros(4)),
        lambda fw, c: c.__setitem__("keys", fw.zeros(4)),
        lambda fw, c: c(1),
        lambda fw, c: ("a" in c, "no" in c, list(reversed(c))),
        lambda fw, c: (list(c.keys()), len(list(c.values())), [k for k, _ in c.items()]),
    ],
)
def test_parameter_dict(alike, action):
    alike(outcome(scales, action))


def test_errors_of_a_parameter_dict():
    found = scales(minigrad)
    with pytest.raises(KeyError, match="no"):
        found["no"]
    with pytest.raises(TypeError, match="not a string"):
        found[3] = minigrad.ones(1)
    with pytest.raises(TypeError, match="iterable of key/value pairs, but got int"):
        found.update(3)
