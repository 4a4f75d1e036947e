"""Modules that are saved, copied and hooked, in programs that give what torch gives."""

import collections
import copy
import pickle

import pytest

Pair = collections.namedtuple("Pair", "first second")


def counter(fw, n=0):
    class Counter(fw.nn.Module):
        def __init__(self):
            super().__init__()
            self.n, self.inner = n, fw.nn.Linear(1, 1)

        def get_extra_state(self):
            return {"n": self.n}

        def set_extra_state(self, state):
            self.n = state["n"]

    return Counter()


def giving(fw, function):
    class Giving(fw.nn.Module):
        def forward(self, x):
            return function(x)

    return Giving()


def filled(fw):
    layer = fw.nn.Linear(2, 2)
    for p in layer.parameters():
        fw.nn.init.constant_(p, 0.5)
    return layer


def extra_state(fw):
    saved = fw.nn.Sequential(counter(fw, 3)).state_dict()
    model = fw.nn.Sequential(counter(fw))
    return list(saved), str(model.load_state_dict(saved)), model[0].n


def extra_state_is_missing(fw):
    return str(counter(fw).load_state_dict({}, strict=False))


def extra_state_is_missing_strictly(fw):
    counter(fw).load_state_dict({})


def extra_state_is_unexpected(fw):
    saved = {**fw.nn.Linear(1, 1).state_dict(), "_extra_state": 3}
    return str(fw.nn.Linear(1, 1).load_state_dict(saved, strict=False))


def without_the_counter(fw):
    model = fw.nn.Sequential(fw.nn.Linear(2, 2), fw.nn.BatchNorm1d(2))
    saved = dict(model.state_dict())
    del saved["1.num_batches_tracked"]
    return str(model.load_state_dict(saved)), model[1].num_batches_tracked


def without_the_counter_of_version_2(fw):
    layer = fw.nn.BatchNorm1d(2)
    saved = layer.state_dict()
    del saved["num_batches_tracked"]
    layer.load_state_dict(saved)


def versions(fw):
    return sorted(fw.nn.Sequential(fw.nn.Linear(2, 2), fw.nn.BatchNorm1d(2)).state_dict()._metadata.items())


def hooks_on_states(fw):
    layer, seen = fw.nn.Linear(1, 1), []
    layer.register_state_dict_pre_hook(lambda m, prefix, keep: seen.append(("before", prefix, keep)))
    layer.register_state_dict_post_hook(lambda m, saved, prefix, local: seen.append((list(saved), prefix)))
    layer.state_dict()
    fw.nn.Sequential(layer).state_dict()
    return seen


def hooks_on_loading(fw):
    layer, seen = fw.nn.Linear(1, 1), []
    layer.register_load_state_dict_pre_hook(lambda m, saved, prefix, *_: seen.append((list(saved), prefix)))
    layer.register_load_state_dict_post_hook(lambda m, keys: seen.append(str(keys)))
    model = fw.nn.Sequential(layer)
    model.load_state_dict(model.state_dict())
    return seen


def a_hook_that_renames(fw):
    layer = fw.nn.Linear(1, 1)

    def rename(module, saved, prefix, *_):
        saved[f"{prefix}weight"] = saved.pop(f"{prefix}w")

    layer.register_load_state_dict_pre_hook(rename)
    fw.nn.Sequential(layer).load_state_dict({"0.w": fw.full((1, 1), 7.0), "0.bias": fw.zeros(1)})
    return layer.weight


def a_hook_that_excuses(fw):
    layer = fw.nn.Linear(1, 1)
    layer.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
    return str(layer.load_state_dict({"weight": fw.ones(1, 1)})), layer.weight


def a_number_saved_as_a_row(fw):
    module = fw.nn.Module()
    module.p = fw.nn.Parameter(fw.tensor(1.0))
    module.load_state_dict({"p": fw.ones(1) * 4})
    return module.p


def hooks_in_blocks(fw):
    layer, seen = fw.nn.Linear(1, 1), []
    with (
        layer.register_forward_hook(lambda *_: seen.append("forward")),
        layer.register_forward_pre_hook(lambda *_: seen.append("before forward")),
        layer.register_full_backward_hook(lambda *_: seen.append("backward")),
        layer.register_full_backward_pre_hook(lambda *_: seen.append("before backward")),
    ):
        layer(fw.ones(1, 1, requires_grad=True)).sum().backward()
    layer(fw.ones(1, 1, requires_grad=True)).sum().backward()
    return seen


def hooks_of_all_modules(fw):
    seen, where = [], fw.nn.modules.module
    with (
        where.register_module_forward_pre_hook(lambda m, args: seen.append("before")),
        where.register_module_forward_hook(lambda m, args, out: seen.append(type(m).__name__)),
        where.register_module_full_backward_pre_hook(lambda m, g: seen.append("before backward")),
        where.register_module_full_backward_hook(lambda m, g_in, g_out: seen.append("backward")),
    ):
        model = fw.nn.Sequential(fw.nn.ReLU())
        model[0].register_forward_hook(lambda *_: seen.append("own"))
        model(fw.ones(1, requires_grad=True)).backward()
    fw.nn.ReLU()(fw.ones(1))
    return seen


def a_namedtuple_through_hooks(fw):
    module = giving(fw, lambda x: Pair(x * 2, x * 3))
    module.register_full_backward_hook(lambda *_: None)
    return isinstance(module(fw.ones(1, requires_grad=True)), Pair)


def a_dict_past_backward_hooks(fw):
    module, seen = giving(fw, lambda x: {"a": x * 2}), []
    module.register_full_backward_hook(lambda *_: seen.append(1))
    module(fw.ones(1, requires_grad=True))["a"].backward()
    return seen


def a_list_past_backward_hooks(fw):
    module, seen = giving(fw, lambda x: [x * 2, x]), []
    module.register_full_backward_hook(lambda *_: seen.append(1))
    module(fw.ones(1, requires_grad=True))[0].backward()
    return seen


def where_hooks_are_kept(fw):
    layer = fw.nn.Linear(1, 1)
    handle = layer.register_forward_hook(lambda *_: None)
    known = handle.id in layer._forward_hooks
    handle.remove()
    return known, len(layer._forward_hooks), len(layer._backward_hooks), len(layer._forward_pre_hooks)


def copies_have_no_gradient(fw):
    layer = filled(fw)
    layer(fw.ones(1, 2)).sum().backward()
    twins = copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer.weight)
    return [twin.grad is None for twin in (twins[0].weight, twins[1].weight, twins[2])], layer.weight.grad


def copies_share_what_was_shared(fw):
    model = fw.nn.Sequential(filled(fw), filled(fw))
    model[1].weight = model[0].weight
    twins = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    return [twin[0].weight is twin[1].weight for twin in twins]


def hooks_of_parameters_stay_behind(fw):
    layer = filled(fw)
    layer.weight.register_hook(lambda g: g * 2)
    twin = copy.deepcopy(layer)
    twin(fw.ones(1, 2)).sum().backward()
    return twin.weight.grad


def batches_are_counted(fw):
    layer = fw.nn.BatchNorm1d(2, momentum=None)
    layer(fw.ones(3, 2) * 2)
    layer(fw.ones(3, 2))
    counted = layer.num_batches_tracked.clone()
    layer.reset_running_stats()
    return counted, layer.num_batches_tracked, fw.nn.BatchNorm1d(2).half().num_batches_tracked.dtype


PROGRAMS = [f for f in list(globals().values()) if getattr(f, "__module__", None) == __name__ and callable(f)]
PROGRAMS = [f for f in PROGRAMS if hasattr(f, "__code__") and f.__code__.co_argcount == 1 and f is not filled]
LOSSES = ["CrossEntropyLoss", "NLLLoss", "MSELoss", "L1Loss", "BCELoss", "KLDivLoss", "SmoothL1Loss", "HuberLoss"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program, torch_too):
    torch_too(program)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_class_called_with_tensors(name, torch_too):
    """As `nn.CrossEntropyLoss(output, target)`: the tensors become options."""
    torch_too(lambda fw: str(getattr(fw.nn, name)(fw.zeros(2, 3), fw.zeros(2).long()).reduction).count("none"))


EMPTY = {
    "BatchNorm1d": (lambda nn: nn.BatchNorm1d(2), (0, 2)),
    "BatchNorm1d of rows": (lambda nn: nn.BatchNorm1d(2), (3, 2, 0)),
    "BatchNorm2d": (lambda nn: nn.BatchNorm2d(2), (0, 2, 3, 3)),
    "BatchNorm1d in evaluation": (lambda nn: nn.BatchNorm1d(2).eval(), (0, 2)),
    "LayerNorm": (lambda nn: nn.LayerNorm(2), (0, 2)),
    "GroupNorm": (lambda nn: nn.GroupNorm(1, 2), (0, 2, 3)),
    "LSTM": (lambda nn: nn.LSTM(2, 3), (4, 0, 2)),
    "LSTM, projected": (lambda nn: nn.LSTM(2, 3, proj_size=1), (4, 0, 2)),
    "GRU": (lambda nn: nn.GRU(2, 3, batch_first=True, bidirectional=True, num_layers=2), (0, 4, 2)),
    "RNN": (lambda nn: nn.RNN(2, 3), (4, 0, 2)),
    "LSTMCell": (lambda nn: nn.LSTMCell(2, 3), (0, 2)),
    "encoder": (lambda nn: nn.TransformerEncoderLayer(2, 1, 4, 0.0), (4, 0, 2)),
    "Conv2d": (lambda nn: nn.Conv2d(2, 3, 2), (0, 2, 5, 5)),
    "ConvTranspose2d": (lambda nn: nn.ConvTranspose2d(2, 3, 2), (0, 2, 5, 5)),
    "Linear": (lambda nn: nn.Linear(2, 3), (0, 2)),
    "MaxPool2d": (lambda nn: nn.MaxPool2d(2), (0, 2, 4, 4)),
    "PReLU": (lambda nn: nn.PReLU(), (0, 2)),
}


@pytest.mark.parametrize("name", EMPTY)
def test_empty_batches(name, torch_too):
    def program(fw):
        make, shape = EMPTY[name]
        layer, x = make(fw.nn), fw.zeros(*shape, requires_grad=True)
        out = layer(x)
        out = out[0] if isinstance(out, tuple) else out
        out.sum().backward()
        return out, x.grad, [p.grad for p in layer.parameters()], list(layer.buffers())

    torch_too(program)


@pytest.mark.parametrize(
    ("target", "strict"),
    [("0", False), ("0", True), ("1", False), ("1", True), ("0.a", False), ("z.a", False), ("", True)],
)
def test_set_submodule(alike, target, strict):
    def program(fw):
        net = fw.nn.Sequential(fw.nn.Linear(1, 1))
        net.set_submodule(target, fw.nn.ReLU(), strict=strict)
        return str(net)

    alike(program, same_text=False)
