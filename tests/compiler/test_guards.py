"""What a step reads from Python is found before it runs: changes are noticed, what can't be checked is refused."""

import builtins
import collections
import enum
import functools
import math
import operator
import random
import re
import sys
import threading
import time
import types

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.compiler.analysis import Unguardable
from minigrad.compiler.guards import Guards, alike
from minigrad.nn import functional as F

NUMBER = 1.0


class Config:
    scale = 1.0
    unread = 0

    def __init__(self):
        self.rate, self.other, self.table = 0.1, 1, {"a": 1}

    def factor(self):
        return self.rate * 2

    @property
    def double(self):
        return self.rate * 2

    @staticmethod
    def static():
        return NUMBER

    @classmethod
    def of_class(cls):
        return cls.scale

    @functools.cached_property
    def cached(self):
        return self.other

    def __getitem__(self, key):
        return self.table[key]

    def __call__(self):
        return self.other


class Derived(Config):
    def factor(self):
        return super().factor() + 1


class Measured(float):
    unit = "s"


class Named(str):
    length = 1


@functools.singledispatch
def by_class(x):
    return 1


class Other:
    rate = 1


class Slotted:
    __slots__ = ("value",)

    def __init__(self):
        self.value = 1


class Color(enum.Enum):
    RED = 1


Pair = collections.namedtuple("Pair", "first second")


def helper(x, by=2.0):
    return x * by * NUMBER


def missing(config):
    try:
        return config.late
    except AttributeError:
        return 1


def set_global(value):
    def change():
        globals()["NUMBER"] = value

    return change


def changed(read, change):
    """Whether the guards of a function that reads something notice a change of it."""
    guards = Guards(read)
    assert guards.hold()
    assert guards.hold()
    change()
    return not guards.hold()


CHANGEABLE = [
    *((Config, name) for name in ("scale", "factor", "late", "__getattr__")),
    *((helper, "__defaults__"), (F, "relu"), (builtins, "max"), (mg.Tensor, "relu"), (nn.Linear, "forward")),
]


@pytest.fixture(autouse=True)
def put_back():
    before = [(owner, name, getattr(owner, name, None)) for owner, name in CHANGEABLE]
    yield
    for owner, name, value in before:
        if value is not None:
            setattr(owner, name, value)
        elif hasattr(owner, name):
            delattr(owner, name)
    sys.modules.pop("later", None)
    globals()["NUMBER"], Config.unread, Derived.__bases__ = 1.0, 0, (Config,)


def cases():
    config, numbers, table, pair = Config(), [1.0, 2.0], {"a": 1.0}, Pair(Config(), [1])
    queue, names, array, slotted = collections.deque([1]), {"a"}, np.ones(3), Slotted()
    space, word, kind = types.SimpleNamespace(v=1), "rate", "relu"
    part = functools.partial(helper, by=config)
    model, tensor = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)), mg.ones(2)
    deep = {"x": [{"y": (Config(), 2)}]}

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.numbers, self.unread = nn.Linear(2, 2), [1, 2], 0

        def forward(self, x):
            return self.inner(x) * self.numbers[0]

    net, derived, measured, name = Net(), Derived(), Measured(1), Named("a")

    def local():
        return config.other

    def imports():
        import later

        return later.value

    def marked():
        return getattr(marked, "mark", 1)

    sys.modules["later"] = types.SimpleNamespace(value=1)

    yield "global number", lambda: NUMBER, set_global(2.0)
    yield "global in a helper", lambda: helper(1.0), set_global(3.0)
    yield "default of a helper", lambda: helper(1.0), lambda: setattr(helper, "__defaults__", (3.0,))
    yield "builtin shadowed", lambda: len([]), lambda: globals().__setitem__("len", lambda x: 1)
    yield "attribute", lambda: config.rate, lambda: setattr(config, "rate", 0.2)
    yield "through a method", lambda: config.factor(), lambda: setattr(config, "rate", 0.2)
    yield "through a property", lambda: config.double, lambda: setattr(config, "rate", 0.2)
    yield "static method", lambda: config.static(), set_global(2.0)
    yield "class method", lambda: config.of_class(), lambda: setattr(Config, "scale", 2.0)
    yield "cached property", lambda: config.cached, lambda: setattr(config, "other", 2)
    yield "special methods", lambda: config["a"] + config(), lambda: config.table.update(a=2)
    yield "class attribute", lambda: Config.scale, lambda: setattr(Config, "scale", 2.0)
    yield "optional attribute", lambda: getattr(config, "late", 1), lambda: setattr(config, "late", 2)
    yield "attribute by a variable", lambda: getattr(config, word), lambda: setattr(config, "rate", 2)
    yield "whether there is an attribute", lambda: hasattr(config, "late"), lambda: setattr(config, "late", 2)
    yield "function by its name", lambda: getattr(F, kind)(tensor), lambda: setattr(F, "relu", F.relu6)
    yield "missing attribute", lambda: missing(config), lambda: setattr(config, "late", 2)
    yield "shadowed class attribute", lambda: config.scale, lambda: setattr(config, "scale", 1.0)
    yield "method of an object", lambda: config.factor(), lambda: setattr(config, "factor", lambda: 1)
    yield "list element", lambda: numbers[0], lambda: numbers.__setitem__(1, 5.0)
    yield "list appended", lambda: sum(numbers), lambda: numbers.append(0.0)
    yield "dict value", lambda: table["a"], lambda: table.update(a=2.0)
    yield "dict key", lambda: list(table), lambda: table.update(b=1.0)
    yield "order of a dict", lambda: list(table), lambda: table.update(b=table.pop("a"))
    yield "deque", lambda: queue[0], lambda: queue.append(2)
    yield "set", lambda: "b" in names, lambda: names.add("b")
    yield "array", lambda: array.sum(), lambda: array.__setitem__(0, 5)
    yield "slot", lambda: slotted.value, lambda: setattr(slotted, "value", 2)
    yield "namespace", lambda: space.v, lambda: setattr(space, "v", 2)
    yield "in a namedtuple", lambda: pair.first.rate, lambda: setattr(pair.first, "rate", 2)
    yield "deep inside", lambda: deep["x"][0]["y"][0].rate, lambda: setattr(deep["x"][0]["y"][0], "rate", 2)
    yield "partial", lambda: part(1), lambda: setattr(config, "__mul__", 1) or set_global(7.0)()
    yield "function in a closure", lambda: local(), lambda: setattr(config, "other", 2)
    yield "code of a function", lambda: local(), lambda: setattr(local, "__code__", (lambda: config.other + 1).__code__)
    yield "mode", lambda: model(tensor), lambda: model.eval()
    yield "option of a layer", lambda: model(tensor), lambda: setattr(model[1], "p", 0.1)
    yield "layer appended", lambda: model(tensor), lambda: model.append(nn.ReLU())
    yield "parameter frozen", lambda: model(tensor), lambda: model[0].weight.requires_grad_(False)
    yield "parameter replaced", lambda: model(tensor), lambda: setattr(model[0], "bias", None)
    yield "data replaced", lambda: tensor * 1, lambda: setattr(tensor, "data", mg.zeros(2))
    yield "hook of a layer", lambda: model(tensor), lambda: model[0].register_forward_hook(lambda *_: None)
    yield "dtype", lambda: model(tensor), lambda: model.double()
    yield "list in one's own module", lambda: net(tensor), lambda: net.numbers.__setitem__(0, 3)
    yield "forward of an object", lambda: net(tensor), lambda: setattr(net, "forward", lambda x: x)
    yield "forward of a class", lambda: net(tensor), lambda: setattr(Net, "forward", lambda self, x: x)
    yield "parameter of one's own", lambda: net(tensor), lambda: net.register_parameter("p", nn.Parameter(tensor))
    yield "state of a partial", lambda: part(1), lambda: part.__setstate__((helper, (), {"by": 1}, None))
    yield "attribute defined later", lambda: getattr(config, "late", 1), lambda: setattr(Config, "late", 2)
    yield "attributes computed later", lambda: config.rate, lambda: setattr(Config, "__getattr__", lambda *_: 2)
    yield "bases of a class", lambda: derived.rate, lambda: setattr(Derived, "__bases__", (Other,))
    yield "through super()", lambda: derived.factor(), lambda: setattr(Config, "factor", lambda self: 1)
    yield "attribute of a number", lambda: measured.unit, lambda: setattr(measured, "unit", "m")
    yield "attribute of a string", lambda: name.length, lambda: setattr(name, "length", 2)
    yield "attribute of a function", lambda: marked(), lambda: setattr(marked, "mark", 2)
    yield "builtin replaced", lambda: max(1, 2), lambda: setattr(builtins, "max", lambda *_: 3)
    yield "module imported anew", lambda: imports(), lambda: sys.modules.update(later=types.SimpleNamespace(value=2))
    yield "method of a tensor", lambda: tensor.relu(), lambda: setattr(mg.Tensor, "relu", mg.Tensor.abs)
    yield "forward of a layer", lambda: model(tensor), lambda: setattr(nn.Linear, "forward", lambda self, x: x)
    yield "library function", lambda: F.relu(tensor), lambda: setattr(F, "relu", F.relu6)


@pytest.mark.parametrize("number", range(len(list(cases()))), ids=[name for name, *_ in cases()])
def test_changes_are_noticed(number):
    _, read, change = list(cases())[number]
    try:
        assert changed(read, change)
    finally:
        globals().pop("len", None)


def test_what_is_not_read_may_change():
    class Plain:
        unread = 0

        def __init__(self):
            self.rate, self.other = 1, 1

    config, net = Plain(), nn.Linear(1, 1)

    def step(x):
        return net(x) * config.rate

    def change():
        config.other, Plain.unread, config.late = 5, 6, 7
        globals()["SOMETHING"] = 1

    assert not changed(step, change)


def test_equal_numbers_are_the_same_and_taken_over():
    config = Config()
    guards = Guards(lambda: (config.rate, config.table["a"]))
    config.rate = float("0.1")
    config.table["a"] = int("1")
    assert guards.hold()
    config.table["a"] = 1.0
    assert not guards.hold()


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (1, 1, True),
        (1, True, False),
        (0.0, -0.0, False),
        (math.nan, float("nan"), True),
        ((1, ("a",)), (1, ("a",)), True),
        ([], [], False),
        (np.float32(1), np.float32(1), True),
        (np.float32(1), np.float64(1), False),
    ],
)
def test_alike(a, b, same):
    assert alike(a, b) is same


def refusals():
    generator, lock, file_like = (i for i in range(3)), threading.Lock(), iter([1])
    big, counter = np.zeros(10_000), iter(map(abs, [1]))
    name = "rate"

    class Computed:
        def __getattr__(self, name):
            return 1

    class Meta(type):
        pass

    class Odd(metaclass=Meta):
        pass

    computed, odd, config = Computed(), Odd(), Config()
    graph = mg.ones(1, requires_grad=True) * 2

    yield "print", lambda: print(1), "print()"
    yield "open", lambda: open("x"), "open()"  # noqa: SIM115
    yield "time", lambda: time.perf_counter(), "time"
    yield "random", lambda: random.random(), "random"
    yield "numpy.random", lambda: np.random.rand(), "numpy.random"  # noqa: NPY002
    yield "globals", lambda: globals()["x"], "globals()"
    yield "vars", lambda: vars(config), "vars()"
    yield "setattr", lambda: setattr(config, "x", 1), "setattr()"
    yield "exec", lambda: exec("1"), "exec()"
    yield "__dict__", lambda: config.__dict__["rate"], "__dict__ is used"
    yield "computed name", lambda: getattr(config, name + ""), "the name of an attribute is computed"
    yield "name of an argument", lambda of="rate": getattr(config, of), "the name of an attribute is computed"
    yield "attrgetter", lambda: operator.attrgetter(name)(config), "attrgetter()"
    yield "generator", lambda: next(generator), "genexpr"
    yield "iterator", lambda: next(file_like), "list_iterator"
    yield "map", lambda: next(counter), "map"
    yield "lock", lambda: lock.acquire(), "lock"
    yield "large array", lambda: big[0] + 1, "ndarray"
    yield "__getattr__", lambda: computed.x, "computed by __getattr__"
    yield "metaclass", lambda: odd.x, "Odd"
    yield "graph from outside", lambda: graph * 2, "Tensor"
    yield "import", lambda: __import__("math"), "__import__()"
    yield "seed", lambda: mg.manual_seed(0), "manual_seed()"
    yield "default dtype", lambda: mg.set_default_dtype(mg.float64), "set_default_dtype()"
    yield "loader", lambda: mg.utils.data.DataLoader([1]), "minigrad.utils.data"
    yield "in a helper", lambda: refused_helper(), "time"


def refused_helper():
    return time.time()


@pytest.mark.parametrize(("read", "what"), [pytest.param(r, w, id=name) for name, r, w in refusals()])
def test_what_cannot_be_checked_is_refused_with_its_line(read, what):
    with pytest.raises(Unguardable, match=re.escape(what)) as caught:
        Guards(read)
    assert re.search(rf"{re.escape(__file__)}:\d+$", str(caught.value))


def test_a_generic_function_may_learn_more_types():
    with pytest.raises(Unguardable, match="ReferenceType"):
        Guards(lambda: by_class(1))


def test_pure_functions_are_not_refused():
    config, color = Config(), Color.RED
    pattern = re.compile("a")

    def step(x):
        values = [math.sqrt(v) for v in range(3)] + list(map(abs, sorted([2, 1])))
        with mg.no_grad():
            y = F.relu(x) + sum(values) * np.float32(2) + max(1, 2)
        total = functools.reduce(operator.add, values)
        return isinstance(config, Config), y, color is Color.RED, pattern, f"{len(values)}", total, optim.SGD

    assert Guards(step).hold()


def test_a_graph_of_objects_with_a_circle():
    a, b = types.SimpleNamespace(value=1), types.SimpleNamespace(value=2)
    a.other, b.other = b, a
    assert changed(lambda: a.other.other.value, lambda: setattr(b, "value", 3))


def test_what_changed_is_named_with_its_line():
    kept = []

    def step(x):
        kept.append(x)  # here

    guards = Guards(step)
    step(1)
    change = guards.changed()
    assert change.what == "the content of a list"
    assert int(change.line.split(":")[-1]) == step.__code__.co_firstlineno + 1


@pytest.mark.parametrize(
    "read",
    [
        lambda schedule, optimizer: schedule.get_last_lr()[0],
        lambda schedule, optimizer: schedule._last_lr[0],
        lambda schedule, optimizer: schedule._step_count,
        lambda schedule, optimizer: schedule.state_dict()["last_epoch"],
        lambda schedule, optimizer: optimizer.state_dict()["param_groups"][0]["lr"],
        lambda schedule, optimizer: optimizer.param_groups[0]["lr"],
        lambda schedule, optimizer: str(optimizer),
    ],
)
@pytest.mark.filterwarnings("ignore:minigrad.compile")
def test_what_a_schedule_or_an_optimizer_tells_is_read_anew(read):
    def run(compiler):
        w = nn.Parameter(mg.ones(2))
        optimizer = optim.SGD([w], lr=0.1)
        schedule, found = optim.lr_scheduler.ExponentialLR(optimizer, 0.5), []

        @compiler
        def step(x):
            optimizer.zero_grad()
            loss = (w * x).sum()
            loss.backward()
            optimizer.step()
            return loss, read(schedule, optimizer)

        for i in range(8):
            loss, told = step(mg.ones(2))
            found.append((loss.item(), told))
            if i in (3, 5):
                schedule.step()
        return found

    assert run(mg.compile) == run(lambda f: f)


@pytest.mark.filterwarnings("ignore:minigrad.compile")
def test_the_seed_of_a_generator_is_read_anew():
    generator = mg.Generator()
    step = mg.compile(lambda x: x * generator.initial_seed())
    for seed in (1, 1, 1, 1, 2, 3):
        generator.manual_seed(seed)
        assert step(mg.ones(1)).item() == seed


@pytest.mark.parametrize("module", [types.ModuleType("settings"), math])
def test_what_a_module_does_not_have_yet(module):
    value = mg.compile(lambda x: x * getattr(module, "late_factor", 1.0))
    there = mg.compile(lambda x: x * 2 if hasattr(module, "late_factor") else x)
    try:
        for factor in (None, None, None, 10.0, 10.0, 20.0):
            if factor:
                module.late_factor = factor
            assert value(mg.ones(1)).item() == (factor or 1.0)
            assert there(mg.ones(1)).item() == (2.0 if factor else 1.0)
    finally:
        del module.late_factor
