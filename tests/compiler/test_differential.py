"""Compiled steps against the same steps run eagerly, bit by bit, on programs that hypothesis makes up.

A program is a network, an optimizer, the parts of a step, and what happens between its calls: something is rebound,
replaced, appended, frozen, hooked, loaded, copied. After each call all that can be seen from outside is compared.
"""

import copy
import types
import warnings

import numpy as np
from drawing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import nn, optim
from minigrad.nn import functional as F

FEATURES, CLASSES = 6, 3


# ---- networks: (N, 6) → (N, 3) ------------------------------------------------------------------------------------


class Scaled(nn.Module):
    """Reads numbers, flags and lists that the program may change."""

    def __init__(self):
        super().__init__()
        self.scale, self.flags, self.layers = 1.5, [True, False], [nn.Linear(FEATURES, CLASSES)]
        self.first = self.layers[0]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x * self.scale if self.flags[0] else -x


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.recurrent, self.head = kind(2, 4, batch_first=True), nn.Linear(4, CLASSES)

    def forward(self, x):
        return self.head(self.recurrent(x.reshape(len(x), 3, 2))[0][:, -1])


class Attends(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.head = nn.MultiheadAttention(2, 1, batch_first=True), nn.Linear(6, CLASSES)

    def forward(self, x):
        x = x.reshape(len(x), 3, 2)
        return self.head(self.attention(x, x, x, need_weights=False)[0].flatten(1))


def mlp(*between):
    return nn.Sequential(nn.Linear(FEATURES, 5), *between, nn.Linear(5, CLASSES))


def images(*layers):
    first = nn.Unflatten(1, (2, 1, 3)), nn.Conv2d(2, 4, (1, 2), padding=(0, 1))
    return nn.Sequential(*first, *layers, nn.Flatten(), nn.Linear(16, CLASSES))


NETWORKS = {
    "linear": lambda: nn.Linear(FEATURES, CLASSES),
    "no bias": lambda: nn.Linear(FEATURES, CLASSES, bias=False),
    "relu": lambda: mlp(nn.ReLU()),
    "tanh, dropout": lambda: mlp(nn.Tanh(), nn.Dropout(0.4)),
    "sigmoid, layer norm": lambda: mlp(nn.Sigmoid(), nn.LayerNorm(5)),
    "batch norm": lambda: mlp(nn.BatchNorm1d(5), nn.LeakyReLU(0.1)),
    "activations": lambda: mlp(nn.GELU(), nn.ELU(), nn.Softplus(), nn.Hardtanh(), nn.SiLU()),
    "prelu": lambda: mlp(nn.PReLU(5), nn.Softsign()),
    "group norm": lambda: images(nn.GroupNorm(2, 4), nn.ReLU()),
    "grouped convolution": lambda: images(nn.Conv2d(4, 4, 1, groups=2), nn.ReLU()),
    "image batch norm": lambda: images(nn.ReLU(), nn.BatchNorm2d(4)),
    "pooling": lambda: images(nn.MaxPool2d((1, 3), stride=1, padding=(0, 1)), nn.AvgPool2d(1)),
    "lstm": lambda: Recurrent(nn.LSTM),
    "gru": lambda: Recurrent(nn.GRU),
    "rnn": lambda: Recurrent(nn.RNN),
    "attention": Attends,
    "scaled": Scaled,
}
OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: optim.Adam(p, lr=0.01, weight_decay=0.01),
    "adamw": lambda p: optim.AdamW(p, lr=0.01, amsgrad=True),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.05),
}
LOSSES = {
    "cross entropy": lambda y, t: F.cross_entropy(y, t),
    "smoothed": lambda y, t: F.cross_entropy(y, t, label_smoothing=0.1),
    "weighted": lambda y, t: F.cross_entropy(y, t, weight=WEIGHTS),
    "nll": lambda y, t: F.nll_loss(F.log_softmax(y, 1), t),
    "mse": lambda y, t: F.mse_loss(y, F.one_hot(t, CLASSES).float()),
    "l1": lambda y, t: nn.L1Loss()(y, F.one_hot(t, CLASSES).to(y.dtype)),
    "huber": lambda y, t: F.smooth_l1_loss(y[:, 0], t.float()),
    "bce logits": lambda y, t: F.binary_cross_entropy_with_logits(y[:, 1], (t > 0).float()),
    "bce": lambda y, t: F.binary_cross_entropy(y.sigmoid(), F.one_hot(t, CLASSES).float()),
    "sum": lambda y, t: (y * y).sum(),
}
WEIGHTS = mg.tensor([0.5, 1.0, 2.0])


# ---- parts of a step: functions of the world `w` and of what the step has computed so far, `c` ---------------------


def zero(w, c):
    w.optimizer.zero_grad()


def zero_in_place(w, c):
    w.optimizer.zero_grad(set_to_none=False)


def forward(w, c):
    c.y = w.model(c.x)
    c.loss = w.objective(c.y, c.t)


def penalty(w, c):
    for p in w.model.parameters():
        c.loss = c.loss + w.config.strength * p.abs().sum() + w.table["l2"] * (p * p).sum()


def penalties(w, c):
    for f in w.penalties:
        c.loss = c.loss + f(c.y)


def backward(w, c):
    c.loss.backward()


def backward_twice(w, c):
    c.loss.backward(retain_graph=True)
    c.loss.backward()


def micro_batches(w, c):
    for part in range(2):
        (w.objective(w.model(c.x[part::2]), c.t[part::2]) / 2).backward()


def gradients(w, c):
    c.extra = [g * 1 for g in mg.autograd.grad(w.objective(w.model(c.x), c.t), w.leaves)]


def clip_norm(w, c):
    c.norm = nn.utils.clip_grad_norm_(w.model.parameters(), w.config.clip)


def clip_value(w, c):
    nn.utils.clip_grad_value_(w.leaves, 0.05)


def move(w, c):
    w.optimizer.step()


def schedule(w, c):
    w.scheduler.step()


def by_hand(w, c):
    with mg.no_grad():
        for p in w.leaves:
            if p.grad is not None:
                p -= w.config.rate * p.grad


def average(w, c):
    w.ema.mul_(0.9).add_(c.y.detach().mean(0), alpha=0.1)


def view_write(w, c):
    w.ema[1:].add_(w.config.rate)
    w.ema[0] = 0.5


def noise(w, c):
    c.x = c.x + 0.1 * mg.randn(*c.x.shape) if w.model.training else c.x
    c.x = F.dropout(c.x, w.config.drop, w.model.training)


def in_place(w, c):
    z = c.x * 2
    z += w.ema.sum()
    z[:, 0] = -1.0
    c.x = z


def evaluates(w, c):
    with mg.no_grad():
        c.extra = w.other(c.x).argmax(1)


def evaluates_itself(w, c):
    w.model.eval()
    with mg.no_grad():
        c.extra = w.model(c.x) * 1
    w.model.train(w.mode)


def counts(w, c):
    w.count += 1


def keeps(w, c):
    w.kept.append(c.loss.detach() * 1)


def keeps_one(w, c):
    w.box.last = c.y.detach() + 1


def reads(w, c):
    w.total = w.total + c.loss.item()


def branches(w, c):
    if c.loss > w.config.threshold:
        c.loss = c.loss * 0.5


def module_attribute(w, c):
    w.model.last = c.loss.detach() * 3


def global_number(w, c):
    c.loss = c.loss * FACTOR


FACTOR = 1.0
BEFORE = [noise, in_place, gradients, evaluates, view_write]
QUIET = [penalty, penalties, average, global_number] * 4
AFTER = [*QUIET, counts, keeps, keeps_one, reads, branches, module_attribute]
BACKWARD = [backward, backward_twice, micro_batches]
LATER = [clip_norm, clip_value, view_write, evaluates, evaluates_itself] * 3 + [counts, keeps]
MOVES = [move, by_hand, schedule]


class World:
    """All that a program has."""

    def __init__(self, spec):
        global FACTOR
        FACTOR = 1.0
        mg.manual_seed(spec["seed"])
        self.build = NETWORKS[spec["network"]]
        self.model, self.other = self.build(), NETWORKS["relu"]()
        self.new_optimizer = OPTIMIZERS[spec["optimizer"]]
        self.objective = LOSSES[spec["loss"]]
        self.optimize()
        self.config = types.SimpleNamespace(strength=0.01, clip=0.5, rate=0.1, drop=0.25, threshold=1.0)
        self.table, self.penalties, self.kept, self.box = {"l2": 0.02}, [], [], types.SimpleNamespace(last=None)
        self.count, self.total, self.mode = 0, 0.0, True
        self.ema = mg.zeros(CLASSES)
        self.parts = [globals()[name] for name in spec["parts"]]
        self.returns = spec["returns"]
        self.handles, self.seen = [], []

    def optimize(self):
        self.optimizer = self.new_optimizer(self.model.parameters())
        self.scheduler = optim.lr_scheduler.StepLR(self.optimizer, 2, 0.5)
        self.leaves = list(self.model.parameters())

    def step(self, x, t):
        c = types.SimpleNamespace(x=x, t=t, extra=None, norm=None)
        for part in self.parts:
            part(self, c)
        if self.returns == "loss":
            return c.loss
        if self.returns == "nothing":
            return None
        return {"loss": c.loss, "more": (c.extra, c.norm), "grads": [p.grad for p in self.leaves]}


# ---- what happens between two calls --------------------------------------------------------------------------------


def global_changes(w):
    global FACTOR
    FACTOR += 0.5


def number_changes(w):
    w.config.strength, w.config.rate, w.config.clip = w.config.strength * 2, w.config.rate / 2, w.config.clip / 2


def table_changes(w):
    w.table["l2"] = w.table["l2"] + 0.03


def penalty_appended(w):
    scale = len(w.penalties) + 1.0
    w.penalties.append(lambda y: scale * (y**2).mean())


def penalty_removed(w):
    w.penalties[:] = w.penalties[1:]


def frozen(w):
    w.leaves[0].requires_grad_(not w.leaves[0].requires_grad)


def mode_changes(w):
    w.mode = not w.mode
    w.model.train(w.mode)


def model_replaced(w):
    w.model = w.build()
    w.optimize()


def optimizer_replaced(w):
    w.optimize()


def parameter_replaced(w):
    for module in w.model.modules():
        if isinstance(module, nn.Linear):
            module.weight = nn.Parameter(module.weight.detach() * 0.5)
            break
    w.leaves = list(w.model.parameters())


def data_replaced(w):
    w.leaves[0].data = w.leaves[0].data * 0.9


def loss_replaced(w):
    w.objective = LOSSES["sum"]


def rate_changes(w):
    w.optimizer.param_groups[0]["lr"] *= 0.7


def hook_added(w):
    if w.leaves[-1].requires_grad:
        w.handles.append(w.leaves[-1].register_hook(lambda g: g * 0.5 if g.abs().sum().item() > 0.3 else None))


def watching_hook_added(w):
    if w.leaves[0].requires_grad:
        w.handles.append(w.leaves[0].register_hook(lambda g: w.seen.append(str(g.sum().item()))))


def forward_hook_added(w):
    w.handles.append(w.model.register_forward_hook(lambda module, args, y: y * 0.5))


def keeping_hook_added(w):
    w.handles.append(w.model.register_forward_hook(lambda module, args, y: setattr(w.box, "last", y.detach() * 1)))


def backward_hook_added(w):
    w.handles.append(w.model.register_full_backward_hook(lambda module, gi, go: w.seen.append(str(go[0].sum().item()))))


def after_hook_added(w):
    def forget(p):
        w.seen.append(str(p.grad.sum().item()))

    if w.leaves[0].requires_grad:
        w.handles.append(w.leaves[0].register_post_accumulate_grad_hook(forget))


def hook_removed(w):
    if w.handles:
        w.handles.pop().remove()


def state_loaded(w):
    w.model.load_state_dict({k: v * 0 + 0.1 if v.is_floating_point() else v for k, v in w.model.state_dict().items()})


def double(w):
    w.model.double()
    w.other.double()


def copied(w):
    w.model = copy.deepcopy(w.model)
    w.optimize()


def gradients_dropped(w):
    for p in w.leaves:
        p.grad = None


def gradients_kept(w):
    w.kept += [p.grad for p in w.leaves if p.grad is not None]


def gradients_changed(w):
    for p in w.leaves:
        if p.grad is not None:
            p.grad.mul_(0.5)


def scaled_changes(w):
    if isinstance(w.model, Scaled):
        w.model.scale += 1
        w.model.flags[0] = not w.model.flags[0]


def layer_appended(w):
    if isinstance(w.model, Scaled):
        w.model.layers.append(nn.Linear(CLASSES, CLASSES))


def method_replaced(w):
    if isinstance(w.model, Scaled):
        w.model.forward = lambda x: w.model.first(x) - 1


def part_removed(w):
    w.parts = [part for part in w.parts if part not in (noise, penalty)]


def buffer_replaced(w):
    w.ema = mg.ones(CLASSES)


def dtype_default(w):
    w.config.drop = 0.5


def nothing(w):
    pass


CHANGES = [
    nothing, global_changes, number_changes, table_changes, penalty_appended, penalty_removed, frozen, mode_changes,
    model_replaced, optimizer_replaced, parameter_replaced, data_replaced, loss_replaced, rate_changes, hook_added,
    watching_hook_added, forward_hook_added, keeping_hook_added, backward_hook_added, after_hook_added, hook_removed,
    state_loaded, double, copied, gradients_dropped, gradients_kept, gradients_changed, scaled_changes, layer_appended,
    method_replaced, part_removed, buffer_replaced, dtype_default,
]  # fmt: skip
BATCHES = ["usual", "usual", "usual", "small", "transposed", "strided", "one class"]


def batch(w, kind, i):
    rng = np.random.default_rng(i)
    n = 4 if kind == "small" else 6
    x = rng.standard_normal((n, FEATURES)).astype(np.float32)
    dtype = w.leaves[0].dtype
    t = np.ones(n, np.int64) if kind == "one class" else rng.integers(0, CLASSES, n)
    x = mg.from_numpy(x).to(dtype)
    if kind == "transposed":
        x = x.T.clone().T if n == FEATURES else x
        x = mg.from_numpy(np.asfortranarray(x.numpy()))
    if kind == "strided":
        x = mg.from_numpy(np.repeat(x.numpy(), 2, 0)[::2])
    return x, mg.from_numpy(t)


def shown(thing):
    """What can be seen of a thing, so that it can be compared."""
    if isinstance(thing, mg.Tensor):
        array = thing.detach().numpy()
        array = np.where(array == array, array, np.nan).astype(array.dtype) if array.dtype.kind == "f" else array
        return (array.shape, str(array.dtype), array.tobytes())
    if isinstance(thing, dict):
        return {str(key): shown(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [shown(part) for part in thing]
    return repr(thing)


def state(w):
    """All that a program can see."""
    return {
        "parameters": shown(dict(w.model.named_parameters())),
        "trained": [p.requires_grad for p in w.leaves],
        "buffers": shown(dict(w.model.named_buffers())),
        "gradients": shown([p.grad for p in w.leaves]),
        "optimizer": shown(w.optimizer.state_dict()),
        "random": shown(mg.get_rng_state()),
        "python": (w.count, str(w.total), w.mode, w.seen),
        "kept": shown([w.kept, w.box.last, w.ema, getattr(w.model, "last", None)]),
    }


def run(spec, compiler):
    """Everything that can be seen while a program runs, and the compiled step."""
    w = World(spec)
    w.run = compiler(w.step)
    found, returned = [], []
    for i, (changes, kind) in enumerate(spec["calls"]):
        for change in changes:
            change(w)
        try:
            result = w.run(*batch(w, kind, i))
        except Exception as error:
            found.append((type(error), str(error)))
            result = None
        if spec["holds"]:
            returned.append(result)
        found += [shown(result), state(w)]
    return [*found, shown(returned)], w.run


@st.composite
def programs(draw):
    def some(parts, most):
        return draw(st.lists(st.sampled_from(parts), max_size=most))

    step = [draw(st.sampled_from([zero, zero, zero_in_place, nothing_happens]))]
    step += [*some(BEFORE, 1), forward, *some(AFTER, 1), draw(st.sampled_from([backward, backward, *BACKWARD]))]
    step += [*some(LATER, 1), draw(st.sampled_from([move, move, *MOVES])), *some([schedule, average], 1)]
    calls = [((), "usual")] * 3
    for _ in range(draw(st.integers(1, 4))):
        change = tuple(draw(st.lists(st.sampled_from(CHANGES), max_size=2)))
        calls += [(change, draw(st.sampled_from(BATCHES)))] + [((), "usual")] * draw(st.integers(0, 3))
    return {
        "seed": draw(st.integers(0, 3)),
        "network": draw(st.sampled_from(list(NETWORKS))),
        "optimizer": draw(st.sampled_from(list(OPTIMIZERS))),
        "loss": draw(st.sampled_from(list(LOSSES))),
        "parts": [part.__name__ for part in step],
        "returns": draw(st.sampled_from(["loss", "loss", "nothing", "all"])),
        "holds": draw(st.booleans()),
        "calls": calls,
    }


def nothing_happens(w, c):
    pass


def differs(a, b, path=""):
    """Where two observations differ first."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return next((d for key in a if (d := differs(a[key], b[key], f"{path}.{key}"))), None)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) and len(a) == len(b):
        return next(
            (d for i, (x, y) in enumerate(zip(a, b, strict=True)) if (d := differs(x, y, f"{path}[{i}]"))), None
        )
    return None if a == b else f"{path}: {str(a)[:80]} != {str(b)[:80]}"


def test_a_compiled_program_is_the_program():
    replayed = []

    @settings(max_examples=examples(150))
    @given(programs())
    def compared(spec):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted, _ = run(spec, lambda f: f)
            found, step = run(spec, mg.compile)
        replayed.append(step.reason is None and bool(step.source))
        assert differs(wanted, found) is None

    compared()
    assert sum(replayed) > len(replayed) * 0.2  # of the others many have side effects
