"""Module: what it holds, how it shows and converts itself, and its errors, as torch's does it."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import torch

import minigrad
from minigrad import nn


def network(fw):
    """A network with everything in it: nesting, a shared layer, persistent and other buffers, an empty place."""
    nn = fw.nn

    class Block(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.fc = nn.Linear(n, n)
            self.scale = nn.Parameter(fw.ones(n))
            self.register_buffer("count", fw.zeros(1, dtype=fw.int64))
            self.register_buffer("cache", fw.ones(2), persistent=False)
            self.register_buffer("nothing", None)
            self.register_parameter("offset", None)

        def forward(self, x):
            return self.fc(x) * self.scale

        def extra_repr(self):
            return "one=1\ntwo=2"

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = Block(3)
            self.second = nn.Sequential(Block(3), nn.ReLU(), nn.Dropout(0.2))
            self.again = self.first
            self.missing = None
            self.head = nn.Linear(3, 2)
            self.tied = self.head.weight
            self.mean = nn.Buffer(fw.zeros(3))
            self.size = 7

        def forward(self, x):
            return self.head(self.second(self.first(x)))

    return Net()


# ---- what it consists of -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        lambda net: [n for n, _ in net.named_parameters()],
        lambda net: [n for n, _ in net.named_parameters(prefix="net", remove_duplicate=False)],
        lambda net: [n for n, _ in net.named_parameters(recurse=False)],
        lambda net: [n for n, _ in net.named_buffers()],
        lambda net: [n for n, _ in net.named_buffers(prefix="net", remove_duplicate=False)],
        lambda net: [n for n, _ in net.named_modules()],
        lambda net: [n for n, _ in net.named_modules(prefix="net", remove_duplicate=False)],
        lambda net: [n for n, _ in net.named_children()],
        lambda net: [type(m).__name__ for m in net.children()],
        lambda net: [type(m).__name__ for m in net.modules()],
        lambda net: [tuple(p.shape) for p in net.parameters()],
        lambda net: [tuple(b.shape) for b in net.buffers()],
        lambda net: list(net.state_dict()),
        lambda net: list(net.state_dict(prefix="net.")),
        lambda net: (list(net._parameters), list(net._buffers), list(net._modules)),
        lambda net: repr(net),
        lambda net: "second" in dir(net) and "0" not in dir(net.second) and "training" in dir(net),
        lambda net: repr(net.get_submodule("second.0.fc")) + repr(net.get_submodule("") is net),
        lambda net: net.get_parameter("head.weight") is net.head.weight,
        lambda net: net.get_buffer("second.0.cache") is net.second[0].cache,
        lambda net: net.first.offset is None and net.first.nothing is None and net.missing is None,
    ],
)
def test_contents(alike, question):
    assert alike(lambda fw: question(network(fw))) == "result"


def test_the_same_seed_gives_the_same_weights_and_results():
    minigrad.manual_seed(3)
    torch.manual_seed(3)
    ours, theirs = network(minigrad), network(torch)
    for (name, p), (_, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy(), err_msg=name)
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    a, b = ours(minigrad.from_numpy(x)), theirs(torch.from_numpy(x))  # with dropout
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=1e-6)
    a.sum().backward()
    b.sum().backward()
    for (name, p), (_, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), atol=1e-5, err_msg=name)


# ---- attributes --------------------------------------------------------------------------------------------


def without_init(assign):
    def program(fw):
        class Net(fw.nn.Module):
            def __init__(self):
                assign(fw, self)

        return Net()

    return program


@pytest.mark.parametrize(
    "assign",
    [
        lambda fw, self: setattr(self, "fc", fw.nn.Linear(1, 1)),
        lambda fw, self: setattr(self, "w", fw.nn.Parameter(fw.ones(1))),
        lambda fw, self: self.register_buffer("b", fw.ones(1)),
        lambda fw, self: self.register_parameter("b", fw.nn.Parameter(fw.ones(1))),
    ],
)
def test_assigning_before_init(alike, assign):
    assert alike(without_init(assign)) == "AttributeError"


@pytest.mark.parametrize(
    ("error", "program"),
    [
        ("TypeError", lambda fw, m: setattr(m, "head", 3)),
        ("TypeError", lambda fw, m: setattr(m, "head", fw.ones(1))),
        ("TypeError", lambda fw, m: setattr(m.head, "weight", fw.ones(2, 3))),
        ("TypeError", lambda fw, m: setattr(m.head, "weight", "text")),
        ("TypeError", lambda fw, m: setattr(m, "tied", fw.nn.ReLU())),
        ("TypeError", lambda fw, m: setattr(m, "tied", fw.nn.Buffer(fw.ones(1)))),
        ("TypeError", lambda fw, m: setattr(m, "head", fw.nn.Buffer(fw.ones(1)))),
        ("TypeError", lambda fw, m: setattr(m, "mean", 3)),
        ("TypeError", lambda fw, m: m.register_parameter("new", fw.ones(1))),
        ("TypeError", lambda fw, m: m.register_parameter("new", 3)),
        ("TypeError", lambda fw, m: m.register_parameter(3, None)),
        ("TypeError", lambda fw, m: m.register_buffer("new", 3)),
        ("TypeError", lambda fw, m: m.register_buffer(3, None)),
        ("TypeError", lambda fw, m: m.add_module("new", 3)),
        ("TypeError", lambda fw, m: m.add_module(3, None)),
        ("KeyError", lambda fw, m: m.register_parameter("head", None)),
        ("KeyError", lambda fw, m: m.register_parameter("", None)),
        ("KeyError", lambda fw, m: m.register_parameter("a.b", None)),
        ("KeyError", lambda fw, m: m.register_buffer("head", None)),
        ("KeyError", lambda fw, m: m.register_buffer("", None)),
        ("KeyError", lambda fw, m: m.register_buffer("a.b", None)),
        ("KeyError", lambda fw, m: m.add_module("mean", None)),
        ("KeyError", lambda fw, m: m.register_module("forward", fw.nn.ReLU())),
        ("KeyError", lambda fw, m: m.add_module("", None)),
        ("KeyError", lambda fw, m: m.add_module("a.b", None)),
        ("AttributeError", lambda fw, m: m.foo),
        ("AttributeError", lambda fw, m: delattr(m, "foo")),
        ("AttributeError", lambda fw, m: m.get_submodule("head.foo")),
        ("AttributeError", lambda fw, m: m.get_submodule("head.weight")),
        ("AttributeError", lambda fw, m: m.get_parameter("head.foo")),
        ("AttributeError", lambda fw, m: m.get_parameter("mean")),
        ("AttributeError", lambda fw, m: m.get_buffer("head.weight")),
        ("ValueError", lambda fw, m: m.train(3)),
        ("TypeError", lambda fw, m: m.to(fw.int64)),
        ("NotImplementedError", lambda fw, m: fw.nn.Module()(1)),
        ("TypeError", lambda fw, m: fw.nn.Module(3)),
        ("TypeError", lambda fw, m: fw.nn.Module(size=3)),
        ("TypeError", lambda fw, m: fw.nn.Linear(2, 3)()),
    ],
)
def test_errors(alike, error, program):
    assert alike(lambda fw: program(fw, network(fw))) == error


@pytest.mark.parametrize(
    "change",
    [
        lambda fw, m: setattr(m, "head", fw.nn.ReLU()),
        lambda fw, m: setattr(m, "head", None),
        lambda fw, m: setattr(m, "head", fw.nn.Parameter(fw.ones(1))),
        lambda fw, m: setattr(m, "size", fw.nn.Parameter(fw.ones(1))),
        lambda fw, m: setattr(m, "size", fw.nn.ReLU()),
        lambda fw, m: setattr(m, "tied", None),
        lambda fw, m: setattr(m, "mean", fw.ones(2)),
        lambda fw, m: setattr(m, "mean", None),
        lambda fw, m: setattr(m, "mean", fw.nn.Parameter(fw.ones(2))),
        lambda fw, m: setattr(m.first, "cache", fw.nn.Parameter(fw.ones(2))),
        lambda fw, m: setattr(m.first, "cache", fw.ones(3)),
        lambda fw, m: setattr(m, "new", fw.nn.Buffer(fw.ones(2), persistent=False)),
        lambda fw, m: m.register_buffer("mean", fw.ones(2), persistent=False),
        lambda fw, m: delattr(m, "head"),
        lambda fw, m: delattr(m, "mean"),
        lambda fw, m: delattr(m.first, "cache"),
        lambda fw, m: delattr(m, "size"),
        lambda fw, m: m.add_module("head", None),
        lambda fw, m: m.register_parameter("tied", None),
    ],
)
def test_changes(alike, change):
    def program(fw):
        net = network(fw)
        change(fw, net)
        return [
            [n for n, _ in net.named_parameters(remove_duplicate=False)],
            [n for n, _ in net.named_buffers(remove_duplicate=False)],
            [n for n, _ in net.named_modules()],
            list(net.state_dict()),
            [hasattr(net, name) for name in ("head", "tied", "mean", "size")],
        ]

    assert alike(program) == "result"


def test_registered_names_are_read_only_mappings():
    with pytest.raises(TypeError):
        nn.Linear(1, 1)._parameters["weight"] = None


def test_parameter(alike):
    assert alike(lambda fw: repr(fw.nn.Parameter(fw.ones(2, 2)))) == "result"
    assert alike(lambda fw: repr(fw.nn.Parameter(fw.ones(2), requires_grad=False))) == "result"
    assert alike(lambda fw: repr(fw.nn.Parameter())) == "result"
    data = minigrad.ones(2)
    param = nn.Parameter(data)
    param.data[0] = 5
    assert data.tolist() == [5, 1]
    assert type(param * 2) is minigrad.Tensor
    assert nn.Parameter(param * 2).is_leaf
    with pytest.raises(RuntimeError, match="floating point"):
        nn.Parameter(minigrad.ones(2, dtype=minigrad.int64))
    with pytest.raises(TypeError, match="Parameter expected a Tensor, but got list"):
        nn.Parameter([1.0])


# ---- modes and values --------------------------------------------------------------------------------------


def test_train_and_eval_reach_everything(alike):
    def program(fw):
        net = network(fw)
        modes = [[m.training for m in net.eval().modules()]]
        net.second.train()
        modes.append([m.training for m in net.modules()])
        return [*modes, net.train() is net]

    assert alike(program) == "result"


def test_requires_grad_and_zero_grad(alike):
    def program(fw):
        net = network(fw).eval()
        net.first.requires_grad_(False)
        net(fw.ones(1, 3)).sum().backward()
        found = [p.grad is None for p in net.parameters()]
        net.zero_grad(set_to_none=False)
        found += [p.grad is None or float(p.grad.abs().sum()) for p in net.parameters()]
        net.zero_grad()
        return found + [p.grad is None for p in net.parameters()]

    assert alike(program) == "result"


def test_apply_goes_from_the_leaves_to_the_root(alike):
    def program(fw):
        names = []
        net = network(fw)
        assert net.apply(lambda m: names.append(type(m).__name__)) is net
        return names

    assert alike(program) == "result"


@pytest.mark.parametrize(
    "convert",
    [
        lambda fw, net: net.double(),
        lambda fw, net: net.half(),
        lambda fw, net: net.double().float(),
        lambda fw, net: net.to(fw.float64),
        lambda fw, net: net.to(dtype=fw.float64),
        lambda fw, net: net.to("cpu"),
        lambda fw, net: net.to("cpu", fw.float64),
        lambda fw, net: net.to(fw.device("cpu")),
        lambda fw, net: net.to(device="cpu", non_blocking=True),
        lambda fw, net: net.to(fw.ones(1, dtype=fw.float64)),
        lambda fw, net: net.cpu(),
        lambda fw, net: net.type(fw.float64),
    ],
)
def test_conversions_are_in_place(alike, convert):
    def program(fw):
        net = network(fw).eval()
        net(fw.ones(1, 3)).sum().backward()
        before = list(net.parameters())
        assert convert(fw, net) is net
        assert all(p is q for p, q in zip(net.parameters(), before, strict=True))
        dtypes = [str(p.dtype) for p in net.parameters()] + [str(p.grad.dtype) for p in net.parameters()]
        return dtypes + [str(b.dtype) for b in net.buffers()] + [p.requires_grad for p in net.parameters()]

    assert alike(program) == "result"


def test_there_is_no_other_device():
    net = nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match="'cuda"):
        net.to("cuda:0")
    with pytest.raises(RuntimeError, match="CPU only"):
        net.cuda()


# ---- copies ------------------------------------------------------------------------------------------------


def twins(net):
    return copy.deepcopy(net), pickle.loads(pickle.dumps(net))


def test_copies_are_equal_and_independent():
    net = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 3), nn.Tanh()))
    net[1][0].weight = net[0].weight  # shared
    net.register_buffer("seen", minigrad.ones(2), persistent=False)
    net.eval()
    x = minigrad.randn(4, 3)
    y = net(x)
    y.sum().backward()
    for twin in twins(net):
        assert repr(twin) == repr(net)
        assert not twin[1].training
        assert (twin(x).detach().numpy() == y.detach().numpy()).all()
        assert twin[1][0].weight is twin[0].weight
        assert twin[0].weight is not net[0].weight
        assert type(twin[0].weight) is nn.Parameter
        assert twin[0].weight.grad is None  # as in torch
        assert list(twin.state_dict()) == list(net.state_dict())
        twin[0].weight.data.zero_()
        assert net[0].weight.numpy(force=True).any()


def test_a_module_is_freed_without_the_garbage_collector():
    gc.disable()
    try:
        net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        net.register_forward_hook(lambda *_: None)
        net(minigrad.ones(1, 2)).sum().backward()
        ghost = weakref.ref(net[0].weight)
        del net
        assert ghost() is None
    finally:
        gc.enable()


# ---- errors name the module --------------------------------------------------------------------------------


def test_an_error_names_the_layer_once():
    layer = nn.Linear(3, 4)
    with pytest.raises(RuntimeError) as error:
        layer(minigrad.ones(2, 5))
    assert str(error.value) == (
        "mat1 and mat2 shapes cannot be multiplied (2x5 and 3x4) in Linear(in_features=3, out_features=4, bias=True)"
    )


def test_an_error_gives_the_path_to_the_layer():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.ReLU(), nn.Linear(3, 4))

        def forward(self, x):
            return self.body(x)

    with pytest.raises(RuntimeError) as error:
        nn.ModuleDict({"net": Net()})["net"](minigrad.ones(2, 5))
    assert str(error.value) == (
        "mat1 and mat2 shapes cannot be multiplied (2x5 and 3x4) in Linear(in_features=3, out_features=4, bias=True) "
        "(body.1)"
    )


def test_an_error_in_a_networks_own_forward_names_its_class():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x):
            return x @ minigrad.ones(4, 4)

    with pytest.raises(RuntimeError, match=r"\(1x2 and 4x4\) in Net$"):
        Net()(minigrad.ones(1, 2))


def test_a_loss_names_itself():
    with pytest.raises(IndexError, match=r"Target 5 is out of bounds.* in CrossEntropyLoss\(\)$"):
        nn.CrossEntropyLoss()(minigrad.ones(2, 3), minigrad.tensor([0, 5]))


@pytest.mark.parametrize("error", [ValueError("mine"), KeyError("mine"), RuntimeError("a", "b"), TypeError()])
def test_errors_of_other_code_stay_as_they_are(error):
    class Net(nn.Module):
        def forward(self, x):
            raise error

    args = error.args
    with pytest.raises(type(error)) as caught:
        nn.Sequential(Net())(1)
    assert caught.value is error
    assert caught.value.args == args


def test_a_call_costs_no_attribute_lookup_by_name():
    """Parameters are plain attributes: `Module` has no ``__getattr__``, which would slow every access down."""
    assert not hasattr(nn.Module, "__getattr__")
    assert "weight" in vars(nn.Linear(1, 1))
