"""A compiled step gives the eager step's numbers to the last bit, or says that it runs eagerly, and why."""

import copy
import gc
import inspect
import itertools
import os
import pickle
import subprocess
import sys
import threading
import tracemalloc
import warnings
import weakref

import numpy as np
import pytest

import minigrad
from minigrad import nn, optim
from minigrad.nn import functional as F
from minigrad.nn.module import register_module_forward_hook

STEPS = 6


def mlp(dropout=0.0, activation=nn.ReLU, sizes=(12, 9, 7, 4)):
    layers = []
    for n, m in itertools.pairwise(sizes):
        layers += [nn.Linear(n, m), activation(), nn.Dropout(dropout)]
    return nn.Sequential(*layers[:-2])


def classified(shape, classes=4):
    return lambda: (minigrad.randn(*shape), minigrad.randint(0, classes, shape[:1]))


def autoencoder():
    return nn.Sequential(nn.Linear(12, 5), nn.Tanh(), nn.Linear(5, 2), nn.Sigmoid(), nn.Linear(2, 12))


def cnn(channels=3, pooled=3):
    return nn.Sequential(
        nn.Conv2d(1, channels, 3),
        nn.ReLU(),
        nn.BatchNorm2d(channels),
        nn.Conv2d(channels, 3, 3, padding=1),
        nn.MaxPool2d(2),
        nn.Dropout(0.2),
        nn.Flatten(),
        nn.Linear(3 * pooled**2, 4),
    )


class Sequence(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.recurrent = kind(3, 5, batch_first=True)
        self.head = nn.Linear(5, 4)

    def forward(self, x):
        return self.head(self.recurrent(x)[0][:, -1])


def classifies(model, x, y):
    return F.cross_entropy(model(x), y)


def reconstructs(model, x, _):
    return F.mse_loss(model(x), x)


def answers(model, x, y):
    return F.binary_cross_entropy_with_logits(model(x).squeeze(1), (y > 1).float())


def sgd(p):
    return optim.SGD(p, lr=0.1)


CASES = {
    "mlp": (mlp, sgd, classifies, classified((8, 12))),
    "wide batch": (mlp, sgd, classifies, classified((33, 12))),
    "logistic": (lambda: nn.Linear(12, 4), sgd, classifies, classified((8, 12))),
    "no bias": (lambda: nn.Linear(12, 4, bias=False), sgd, classifies, classified((3, 12))),
    "dropout": (lambda: mlp(0.3), sgd, classifies, classified((8, 12))),
    "tanh": (lambda: mlp(activation=nn.Tanh), sgd, classifies, classified((8, 12))),
    "sigmoid, bce": (lambda: mlp(activation=nn.Sigmoid, sizes=(12, 9, 1)), sgd, answers, classified((8, 12))),
    "sigmoid and its own loss": (
        lambda: nn.Sequential(mlp(sizes=(12, 9, 1)), nn.Sigmoid()),
        sgd,
        lambda model, x, y: F.binary_cross_entropy(model(x).squeeze(1), (y > 1).float()),
        classified((8, 12)),
    ),
    "gelu": (lambda: mlp(activation=nn.GELU), sgd, classifies, classified((8, 12))),
    "momentum": (
        mlp,
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        classifies,
        classified((8, 12)),
    ),
    "adam": (lambda: mlp(0.2), lambda p: optim.Adam(p, weight_decay=0.01), classifies, classified((8, 12))),
    "adamw": (mlp, lambda p: optim.AdamW(p, amsgrad=True), classifies, classified((8, 12))),
    "rmsprop": (mlp, optim.RMSprop, classifies, classified((8, 12))),
    "autoencoder": (autoencoder, optim.Adam, reconstructs, classified((8, 12))),
    "batch norm": (
        lambda: nn.Sequential(nn.Linear(12, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 4)),
        sgd,
        classifies,
        classified((8, 12)),
    ),
    "layer norm": (lambda: nn.Sequential(nn.Linear(12, 4), nn.LayerNorm(4)), sgd, classifies, classified((8, 12))),
    "cnn": (cnn, sgd, classifies, classified((4, 1, 8, 8))),
    "wide layers": (lambda: mlp(0.2, sizes=(784, 200, 100, 10)), sgd, classifies, classified((100, 784), 10)),
    "fewer samples than units": (lambda: mlp(sizes=(784, 12, 10)), sgd, classifies, classified((10, 784), 10)),
    "wide cnn": (lambda: cnn(20, 12), sgd, classifies, classified((9, 1, 26, 26))),
    "lstm": (lambda: Sequence(nn.LSTM), sgd, classifies, classified((3, 5, 3))),
    "gru": (lambda: Sequence(nn.GRU), sgd, classifies, classified((3, 5, 3))),
}


class Training:
    """A model, its optimizer, and the step as users write it."""

    def __init__(self, build, optimizer, objective, compiled):
        minigrad.manual_seed(0)
        self.model = build()
        self.optimizer = optimizer(self.model.parameters())
        self.objective = objective
        self.run = minigrad.compile(self.step) if compiled else self.step

    def step(self, x, y):
        self.optimizer.zero_grad()
        loss = self.objective(self.model, x, y)
        loss.backward()
        self.optimizer.step()
        return loss

    def state(self):
        tensors = {**self.model.state_dict()}
        tensors |= {f"grad of {n}": p.grad for n, p in self.model.named_parameters() if p.grad is not None}
        return {name: t.detach().numpy().copy() for name, t in tensors.items()}


def equal_runs(case, steps=STEPS, before=lambda training, i: None):
    """Both trainings after the same steps; fails at the first difference."""
    build, optimizer, objective, batch = case
    runs = []
    for compiled in (False, True):
        training = Training(build, optimizer, objective, compiled)
        minigrad.manual_seed(1)
        losses = []
        for i in range(steps):
            before(training, i)
            losses.append(training.run(*batch()).item())
        runs.append((training, losses, training.state(), minigrad.get_rng_state()))
    (_, a, one, rng), (training, b, other, again) = runs
    assert a == b
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name, strict=True)
    np.testing.assert_array_equal(rng, again)
    assert len(set(a)) > 1
    return training


@pytest.mark.parametrize("name", CASES)
def test_the_same_bits_as_eager(name):
    training = equal_runs(CASES[name])
    assert training.run.reason is None
    assert training.run.source.startswith("def step(t0, t1):")


@pytest.mark.parametrize("core", ["Haswell", "Prescott"])  # AVX2, SSE3; what matmul rounds depends on them
def test_the_same_bits_by_openblas_for_other_processors(core):
    tests = [f"{__file__}::{test_the_same_bits_as_eager.__name__}"]
    options = ["-n0", "-p", "no:cacheprovider"]
    environment = {**os.environ, "OPENBLAS_CORETYPE": core}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert f"{len(CASES)} passed" in done.stdout


def test_an_mlp_is_replayed_with_kernels_only():
    source = equal_runs(CASES["dropout"]).run.source
    assert source.count("matmul") == 3 + 3 + 3 + 2  # forward, weights, biases, inputs
    assert "relu" not in source
    assert "linear" not in source


class Shifted(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = mlp(sizes=(398, 40, 4))

    def forward(self, x):
        columns = minigrad.arange(398) + minigrad.randint(0, 3, (len(x), 1))
        return self.net(x[minigrad.arange(len(x)).reshape(-1, 1), columns])


WITHOUT_NEW_ARRAYS = {
    "mlp": (lambda: mlp(sizes=(400, 100, 40, 4)), (400,)),
    "cnn": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 8, 3),
            nn.ReLU(),
            nn.BatchNorm2d(8),
            nn.Conv2d(8, 8, 3, stride=2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(288, 4),
        ),
        (1, 28, 28),
    ),
    "conv1d": (
        lambda: nn.Sequential(nn.Conv1d(8, 16, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, 4)),
        (8, 100),
    ),
    "lstm": (lambda: Sequence(nn.LSTM), (50, 3)),
    "gru": (lambda: Sequence(nn.GRU), (50, 3)),
    "autoencoder": (autoencoder, (12,)),
    "indices": (Shifted, (400,)),
    "dropout": (lambda: mlp(0.3, sizes=(400, 100, 40, 4)), (400,)),
    "tanh": (lambda: mlp(activation=nn.Tanh, sizes=(400, 100, 40, 4)), (400,)),
    "penalties": (lambda: mlp(activation=nn.LeakyReLU, sizes=(400, 100, 40, 4)), (400,)),
    "activations": (
        lambda: nn.Sequential(*(nn.Sequential(nn.Linear(40, 40), f()) for f in ACTIVATIONS), nn.Linear(40, 4)),
        (40,),
    ),
}
ACTIVATIONS = [nn.ELU, nn.SELU, nn.SiLU, nn.Softplus, nn.Hardtanh, nn.Softsign, nn.Mish, nn.LogSigmoid, nn.ReLU6]
OPTIMIZERS = {
    "dropout": lambda p: optim.Adam(p, weight_decay=0.01),
    "autoencoder": optim.Adam,
    "tanh": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "penalties": optim.RMSprop,
    "activations": optim.AdamW,
}
WITH_KERNELS_OF_THEIR_OWN = {"cnn", "conv1d", "lstm", "gru", "indices", "dropout"}  #: these make their arrays anew
BUFFERS = 3 * 8 * np.getbufsize()  #: bytes in which a ufunc lays out and casts so many numbers of each operand


@pytest.mark.parametrize("name", WITHOUT_NEW_ARRAYS)
def test_a_replay_makes_no_new_arrays(name):
    minigrad.set_num_threads(1)  # with more it is chance how many blocks they need at the same time
    build, shape = WITHOUT_NEW_ARRAYS[name]

    def peak(batch, compiled):
        minigrad.manual_seed(0)
        model, x = build(), minigrad.rand(batch, *shape)
        target = minigrad.randint(0, 4, (batch,)) if name != "autoencoder" else x
        optimizer = OPTIMIZERS.get(name, sgd)(model.parameters())

        def step(x):
            out = model(x)
            loss = F.mse_loss(out, x) if name == "autoencoder" else F.cross_entropy(out, target)
            if name == "penalties":
                loss = loss + sum(w.abs().sum() + (w**2).sum() for w in model.parameters()) * 0.01
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        run = minigrad.compile(step) if compiled else step
        for _ in range(4):
            run(x)
        tracemalloc.start()
        run(x)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert not compiled or run.reason is None
        return most

    eager = peak(2048, False)
    assert eager > 2 * BUFFERS  # so much it would be
    if name in WITH_KERNELS_OF_THEIR_OWN:
        assert peak(2048, True) < eager
    else:
        assert max(peak(batch, True) for batch in (256, 2048)) < BUFFERS


@pytest.mark.parametrize("wrong", [-0.5, 1.5, float("nan")])
def test_what_is_no_probability_is_refused_in_a_replay_too(wrong):
    w = minigrad.ones(3, requires_grad=True)

    @minigrad.compile
    def step(x):
        w.grad = None
        loss = F.binary_cross_entropy(w * x, minigrad.tensor([1.0, 0.0, 1.0]))
        loss.backward()
        return loss

    for _ in range(3):
        step(minigrad.tensor([0.5, 0.0, 1.0]))
    assert step.reason is None
    with pytest.raises(RuntimeError, match="all elements of input should be between 0 and 1"):
        step(minigrad.tensor([0.5, wrong, 1.0]))


def test_a_plan_is_freed_with_its_function():
    model, x = mlp(), minigrad.rand(8, 12)

    def step(x):
        model.zero_grad()
        loss = model(x).sum()
        loss.backward()
        return loss

    gc.collect()
    gc.disable()
    try:
        run = minigrad.compile(step)
        for _ in range(4):
            run(x)
        plans = run._plans
        freed = weakref.ref(plans[0].function)  # with it go the buffers that it names
        del run, plans
        assert freed() is None
    finally:
        gc.enable()


def test_convolutions_and_what_follows_them_have_the_same_bits():
    def build():
        deep = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 2, 2, stride=2, padding=1), nn.ReLU())
        return nn.Sequential(deep, nn.Flatten(), nn.Linear(32, 4))

    equal_runs((build, sgd, classifies, classified((4, 1, 8, 8))))


def test_batch_norm_after_relu_has_the_same_bits():
    def build():
        image = (nn.Conv2d(1, 3, 3), nn.ReLU(), nn.BatchNorm2d(3), nn.Conv2d(3, 2, 3), nn.ReLU(), nn.BatchNorm2d(2))
        return nn.Sequential(*image, nn.Flatten(), nn.Linear(32, 6), nn.ReLU(), nn.BatchNorm1d(6), nn.Linear(6, 4))

    equal_runs((build, sgd, classifies, classified((4, 1, 8, 8))))


def test_convolutions_in_one_dimension_have_the_same_bits():
    def build():
        return nn.Sequential(
            nn.Conv1d(1, 3, 3), nn.ReLU(), nn.Conv1d(3, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 4)
        )

    equal_runs((build, sgd, classifies, classified((4, 1, 8))))


def test_schedulers_and_options_are_followed():
    def before(training, i):
        if i == 0:
            training.scheduler = optim.lr_scheduler.StepLR(training.optimizer, 2, 0.5)
        else:
            training.scheduler.step()
        if i == 4:
            training.optimizer.param_groups[0]["weight_decay"] = 0.1

    assert equal_runs(CASES["mlp"], 8, before).run.reason is None


def test_a_scheduler_inside_the_step():
    w = minigrad.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=1.0)
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)

    @minigrad.compile
    def step(x):
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()
        scheduler.step()

    for _ in range(5):
        step(minigrad.ones(1))
    assert step.reason is None
    assert w.item() == 1 - (1 + 0.5 + 0.25 + 0.125 + 0.0625)
    assert scheduler.last_epoch == 5


def test_modes_shapes_and_frozen_parameters_are_recorded_anew():
    build, optimizer, objective, _ = CASES["dropout"]
    sizes = [8, 8, 8, 5, 5, 5, 8, 8, 8, 8, 8, 8, 8, 8]

    def before(training, i):
        training.model.train(i not in (6, 7, 8))
        training.model[0].weight.requires_grad = i < 9
        if i == 11:
            training.model[2].p = 0.6
        batch.size = sizes[i]

    def batch():
        return classified((batch.size, 12))()

    case = build, optimizer, objective, batch
    assert equal_runs(case, len(sizes), before).run.reason is None


def test_gradients_accumulate_when_nobody_zeroes_them():
    def losses(compiled):
        minigrad.manual_seed(0)
        model = mlp()
        optimizer = optim.SGD(model.parameters(), lr=0.1)

        def forward_backward(x, y):
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            return loss

        run = minigrad.compile(forward_backward) if compiled else forward_backward
        found = []
        for i in range(12):
            found.append(run(*classified((8, 12))()).item())
            if i % 3 == 2:
                optimizer.step()
                optimizer.zero_grad(set_to_none=i % 2 == 0)
        assert not compiled or run.reason is None
        return found, [p.grad for p in model.parameters()]

    assert str(losses(True)) == str(losses(False))


def test_the_gradient_of_an_input_and_of_a_shared_input():
    w = minigrad.tensor([1.0, 2.0], requires_grad=True)

    @minigrad.compile
    def step(x, y):
        ((x * w).sum() * y.sum()).backward()

    for i in range(4):
        x = minigrad.full((2,), float(i), requires_grad=True)
        w.grad = None
        step(x, x)
        assert x.grad.tolist() == [2.0 * i + 3.0 * i, 2.0 * 2 * i + 3.0 * i]
    assert step.reason is None
    y = minigrad.ones(2)
    x = minigrad.ones(2, requires_grad=True)
    step(x, y)
    assert x.grad.tolist() == [2.0, 4.0]


def test_random_numbers_and_constants_made_in_the_step_are_made_again():
    @minigrad.compile
    def noisy(x):
        total = minigrad.zeros(2)
        total += x + minigrad.randn(2) * minigrad.tensor([1.0, 2.0])
        return total

    minigrad.manual_seed(3)
    found = [noisy(minigrad.zeros(2)).tolist() for _ in range(4)]
    minigrad.manual_seed(3)
    assert found == [(minigrad.randn(2) * minigrad.tensor([1.0, 2.0])).tolist() for _ in range(4)]
    assert noisy.reason is None


def test_a_buffer_written_in_place():
    count = minigrad.zeros(())

    @minigrad.compile
    def step(x):
        count.add_(1)
        return x * count

    assert [step(minigrad.ones(1)).item() for _ in range(5)] == [1, 2, 3, 4, 5]
    assert count.item() == 5
    assert step.reason is None


def test_what_is_returned_is_nobody_elses():
    @minigrad.compile
    def step(x):
        return {"twice": x * 2, "both": (x, None, 3)}

    found = [step(minigrad.full((1,), float(i))) for i in range(4)]
    assert [f["twice"].item() for f in found] == [0, 2, 4, 6]
    assert found[3]["both"][1:] == (None, 3)
    assert found[3]["both"][0].item() == 3


def test_tensor_hooks_run_each_time():
    w = minigrad.tensor([1.0], requires_grad=True)
    seen = []
    w.register_hook(lambda g: (seen.append(g.item()), g * 10)[1])

    @minigrad.compile
    def step(x):
        w.grad = None
        (w * x).sum().backward()

    for i in range(5):
        step(minigrad.full((1,), float(i)))
        assert w.grad.item() == 10 * i
    assert seen == [0, 1, 2, 3, 4]
    assert step.reason is None
    w.register_post_accumulate_grad_hook(lambda w: seen.append("done"))
    for i in range(4):
        step(minigrad.full((1,), float(i)))
    assert seen[5:] == [0, "done", 1, "done", 2, "done", 3, "done"]
    assert step.reason is None


def test_loss_in_a_target_out_of_range_is_still_an_error():
    step = minigrad.compile(F.cross_entropy)
    for _ in range(3):
        step(minigrad.ones(2, 3), minigrad.tensor([0, 2]))
    with pytest.raises(IndexError, match="out of bounds"):
        step(minigrad.ones(2, 3), minigrad.tensor([0, 3]))
    assert step(minigrad.ones(2, 3), minigrad.tensor([0, -100])).item() == pytest.approx(np.log(3))


def test_options_of_a_module_and_its_attributes():
    model = nn.Linear(2, 3)
    compiled = minigrad.compile(model)
    assert [p is q for p, q in zip(compiled.parameters(), model.parameters(), strict=True)] == [True, True]
    x = minigrad.ones(1, 2)
    with minigrad.no_grad():
        for _ in range(4):
            assert (compiled(x) == model(x)).all()
    assert compiled.reason is None
    assert compiled.source
    twin = copy.deepcopy(compiled)
    with minigrad.no_grad():
        model.weight.zero_()
        assert (twin(x) != compiled(x)).any()


def test_a_method_and_other_arguments():
    class Scaled:
        def __init__(self, by):
            self.by = minigrad.tensor(by)

        @minigrad.compile
        def times(self, x, *, twice=False):
            return x * self.by * (2 if twice else 1)

    two, three = Scaled(2.0), Scaled(3.0)
    for i in range(4):
        x = minigrad.full((1,), float(i))
        assert (two.times(x).item(), three.times(x).item(), two.times(x, twice=True).item()) == (2 * i, 3 * i, 4 * i)
    assert Scaled.times.reason is None
    two.by.data = minigrad.tensor(5.0)
    assert [two.times(x).item() for _ in range(3)] == [15, 15, 15]


def test_buffers_with_other_arrays_are_noticed():
    norm = nn.BatchNorm1d(2, affine=False)
    step = minigrad.compile(lambda x: norm(x))
    for i in range(8):
        if i in (3, 5):
            norm.running_mean.data = minigrad.zeros(2)
        step(minigrad.tensor([[0.0, 2.0], [2.0, 4.0]]))
    np.testing.assert_allclose(norm.running_mean.numpy(), np.array([1, 3]) * (1 - 0.9**3), rtol=1e-6)
    assert step.reason is None


def test_too_many_ways_to_call_it():
    @minigrad.compile
    def step(x, factor):
        return x * factor

    with pytest.warns(UserWarning, match="called in more than 16 different ways") as caught:
        assert [step(minigrad.ones(1), i).item() for i in range(40)] == list(range(40))
    assert len(caught) == 1


# ---- what can't be replayed --------------------------------------------------------------------------------


def reads_a_value(x):
    if x.sum() > 1:  # here
        return x
    return -x


def reads_an_item(x):
    return x * x.max().item()  # here


def hooks_a_result(x):
    y = module(x)
    y.register_hook(lambda g: 2 * g)  # the function of the hook is another one each time
    y.sum().backward()  # here
    return x * 2


def prints(x):
    str(x)  # here
    return x * 2


def hands_out_an_array(x):
    return minigrad.from_numpy(x.numpy() * 2)  # here


def draws_from_numpy(x):
    return x * minigrad.from_numpy(np.random.default_rng().random(2, np.float32))  # here


def sets_an_attribute(x):
    module.last = x  # here
    return x * 2


def hooked(x):
    return watched(x)


def keeps_the_graph(x):
    return module(x) * 2


def differentiates_twice(x):
    (dx,) = minigrad.autograd.grad((module(x) ** 2).sum(), module.weight, create_graph=True)  # here
    return dx * 1


module = nn.Linear(2, 2)
watched = nn.ReLU()
watched.register_forward_hook(lambda *_: seen_by_hook.append(1))
seen_by_hook = []


@pytest.mark.parametrize(
    "function",
    [
        reads_a_value,
        reads_an_item,
        hooks_a_result,
        prints,
        hands_out_an_array,
        draws_from_numpy,
        sets_an_attribute,
        hooked,
        keeps_the_graph,
        differentiates_twice,
    ],
)
def test_falls_back_to_eager_with_one_warning_that_names_the_line(function):
    step = minigrad.compile(function)
    inputs = [minigrad.tensor([float(i), 1.0]) for i in range(5)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results = [step(x) for x in inputs]
    if function is not draws_from_numpy:
        assert [r.tolist() for r in results] == [function(x).tolist() for x in inputs]
    (warning,) = caught
    lines, start = inspect.getsourcelines(function)
    here = next((start + i for i, line in enumerate(lines) if line.rstrip().endswith("# here")), None)
    assert f"{function.__name__} is not replayed but runs eagerly, because " in str(warning.message)
    assert warning.filename == __file__
    if here is not None:
        assert str(warning.message).endswith(f"{__file__}:{here}")


def test_an_order_is_found_anew_at_each_replay():
    step = minigrad.compile(lambda x: x.sort(0).values)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for numbers in ([2.0, 1.0], [1.0, 2.0], [4.0, 3.0], [3.0, 4.0]):
            assert step(minigrad.tensor(numbers)).tolist() == sorted(numbers)


def test_a_target_that_is_to_be_ignored_is_found_at_each_replay():
    def step(x, target):
        loss = F.cross_entropy(module(x), target, ignore_index=1)
        loss.backward()
        return loss

    compiled, x = minigrad.compile(step), minigrad.ones(2, 2)
    for target in ([0, 0], [0, 0], [1, 0], [0, 1], [0, 0]):
        results = []
        for run in (compiled, step):
            module.zero_grad()
            results.append([run(x, minigrad.tensor(target)).tolist(), module.weight.grad.tolist()])
        assert results[0] == results[1]
    with pytest.raises(IndexError, match="Target 2 is out of bounds"):
        compiled(x, minigrad.tensor([0, 2]))


def test_a_counter_that_the_step_reads_is_noticed():
    calls = []

    @minigrad.compile
    def step(x):
        calls.append(1)
        return x * len(calls)

    with pytest.warns(UserWarning, match="is not replayed"):
        assert [step(minigrad.ones(1)).item() for _ in range(4)] == [1, 2, 3, 4]


def test_an_error_in_the_step_stays_an_error():
    @minigrad.compile
    def step(x):
        return x @ minigrad.ones(3)

    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        step(minigrad.ones(2, 2))
    assert [step(minigrad.ones(1, 3)).item() for _ in range(3)] == [3, 3, 3]


# ---- memory ------------------------------------------------------------------------------------------------


def test_replays_allocate_nothing_that_stays():
    import tracemalloc

    training = Training(*CASES["dropout"][:3], compiled=True)
    x, y = classified((8, 12))()
    for _ in range(4):
        training.run(x, y)
    gc.disable()
    try:
        tracemalloc.start()
        for _ in range(2_500):  # NumPy keeps some small objects for later
            training.run(x, y)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(500):
            training.run(x, y)
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        gc.enable()
    assert after - before < 2_000
    assert training.run.reason is None


def test_gradients_lie_in_the_same_memory_each_time():
    training = Training(*CASES["mlp"][:3], compiled=True)
    x, y = classified((8, 12))()
    places = []
    for _ in range(5):
        training.run(x, y)
        places.append([p.grad.data_ptr() for p in training.model.parameters()])
    assert places[2] == places[3] == places[4]


# ---- what the step reads from Python ------------------------------------------------------------------------


def both(make, calls):
    """What a step returns over some calls, as written and compiled; `calls`: the arguments of each."""
    found = []
    for compiler in (lambda f: f, minigrad.compile):
        minigrad.manual_seed(0)
        step, changes = make(compiler)
        answers = []
        for i, args in enumerate(calls):
            changes.get(i, lambda: None)()
            answer = step(*[minigrad.tensor(a) for a in args])
            answers.append(None if answer is None else answer.tolist())
        found.append(answers)
    return found


def a_global_is_rebound(compiler):
    space = {"w": minigrad.ones(2)}

    def step(x):
        return (space["w"] * x).sum()

    return compiler(step), {4: lambda: space.update(w=minigrad.full((2,), 3.0))}


def a_number_of_a_class_changes(compiler):
    class Config:
        scale = 1.0

    return compiler(lambda x: (x * Config.scale).sum()), {4: lambda: setattr(Config, "scale", 0.5)}


def model_and_optimizer_are_rebound(compiler):
    state = {}

    def build():
        state["model"] = nn.Linear(2, 1)
        state["optimizer"] = optim.SGD(state["model"].parameters(), lr=0.1)

    def step(x):
        state["optimizer"].zero_grad()
        loss = (state["model"](x) ** 2).sum()
        loss.backward()
        state["optimizer"].step()
        return loss

    build()
    return compiler(step), {4: build}


def a_hook_acts_on_large_gradients_only(compiler):
    w = minigrad.ones(2, requires_grad=True)
    w.register_hook(lambda g: g.clamp(-1, 1) if g.abs().max().item() > 3 else None)

    def step(x):
        w.grad = None
        (w * x).sum().backward()
        return w.grad.clone()

    return compiler(step), {}


def two_backwards(compiler):
    a, b = minigrad.zeros(2, requires_grad=True), minigrad.zeros(2, requires_grad=True)
    optimizer = optim.SGD([a, b], lr=0.1)

    def step(x):
        optimizer.zero_grad()
        (x * (a + b)).sum().backward()
        (x * x * (a + b)).sum().backward()
        optimizer.step()
        return a.grad.clone()

    return compiler(step), {}


def one_graph_walked_twice(compiler):
    w, target = minigrad.ones(2, 3, requires_grad=True), minigrad.tensor([1])

    def step(x):
        w.grad = None
        loss = F.cross_entropy((x @ w).reshape(1, 3), target)
        loss.backward(retain_graph=True)
        loss.backward()
        return w.grad.clone()

    return compiler(step), {}


def two_losses_of_a_gan(compiler):
    generator, critic = nn.Linear(2, 2), nn.Linear(2, 1)
    first, second = optim.SGD(critic.parameters(), lr=0.1), optim.SGD(generator.parameters(), lr=0.1)

    def step(x):
        first.zero_grad()
        fake = generator(x)
        loss = F.softplus(critic(fake.detach())).sum() + F.softplus(-critic(x)).sum()
        loss.backward()
        first.step()
        second.zero_grad()
        other = F.softplus(-critic(fake)).sum()
        other.backward()
        second.step()
        return minigrad.stack([loss.detach(), other.detach(), *(p.grad.sum() for p in critic.parameters())])

    return compiler(step), {}


def gradients_of_inputs_inside(compiler):
    net = nn.Linear(2, 1)

    def step(x):
        (g,) = minigrad.autograd.grad((net(x) ** 2).sum(), net.weight)
        net.zero_grad()
        ((net(x) - g.sum()) ** 2).sum().backward()
        return net.weight.grad * 1

    return compiler(step), {}


def the_mode_inside_the_step(compiler):
    net = nn.Sequential(nn.Linear(2, 4), nn.Dropout(0.5))

    def step(x):
        with minigrad.no_grad():
            net.eval()
            a = net(x)
            net.train()
        return a + net(x).detach()

    return compiler(step), {}


STEPS_AS_WRITTEN = [
    a_global_is_rebound,
    a_number_of_a_class_changes,
    model_and_optimizer_are_rebound,
    a_hook_acts_on_large_gradients_only,
    two_backwards,
    one_graph_walked_twice,
    two_losses_of_a_gan,
    gradients_of_inputs_inside,
    the_mode_inside_the_step,
]


@pytest.mark.parametrize("make", STEPS_AS_WRITTEN)
def test_a_compiled_step_is_the_step_as_written(make):
    kept = []

    def noted(compiler):
        step, changes = make(compiler)
        kept.append(step)
        return step, changes

    calls = [([float(i), -1.0],) for i in range(9)]
    wanted, found = both(noted, calls)
    assert found == wanted
    assert kept[1].reason is None
    assert kept[1].source


def keeps_in_an_attribute(compiler):
    class Box:
        out = None

    box = Box()

    def step(x):
        box.out = x * 2
        return box.out.sum()

    step = compiler(step)
    return lambda x: (step(x), box.out.tolist()), step


def appends(compiler):
    kept = []

    def step(x):
        kept.append(x.sum())
        return x * 2

    step = compiler(step)
    return lambda x: (step(x).tolist(), [k.item() for k in kept]), step


def counts(compiler):
    state = {"n": 0}

    def step(x):
        state["n"] += 1
        return x * 2

    step = compiler(step)
    return lambda x: (step(x).tolist(), state["n"]), step


def module_hook_that_keeps(compiler):
    net, kept = nn.ReLU(), []
    net.register_forward_hook(lambda module, args, y: kept.append(y.sum()))
    step = compiler(lambda x: net(x))
    return lambda x: (step(x).tolist(), [k.item() for k in kept]), step


def reads_the_count_of_a_hook(compiler):
    w, seen = minigrad.ones(2, requires_grad=True), []
    w.register_hook(lambda g: seen.append(1))

    def step(x):
        w.grad = None
        (w * x).sum().backward()
        return w.grad * len(seen)

    step = compiler(step)
    return lambda x: (step(x).tolist(), len(seen)), step


@pytest.mark.parametrize(
    "make", [keeps_in_an_attribute, appends, counts, module_hook_that_keeps, reads_the_count_of_a_hook]
)
def test_side_effects_happen_at_every_call(make):
    found = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for compiler in (lambda f: f, minigrad.compile):
            run, step = make(compiler)
            found.append([str(run(minigrad.full((2,), float(i)))) for i in range(6)])
    assert found[0] == found[1]
    assert "side effect" in step.reason
    assert len(caught) == 1
    assert f"{__file__}:" in str(caught[0].message)


def test_what_the_first_call_sets_is_no_side_effect():
    class Cache:
        table = None

    cache = Cache()

    @minigrad.compile
    def step(x):
        if cache.table is None:
            cache.table = minigrad.ones(2)
        return x + cache.table

    assert [step(minigrad.full((2,), float(i))).tolist() for i in range(5)] == [[i + 1.0] * 2 for i in range(5)]
    assert step.reason is None
    assert step.source


def test_module_hooks_are_part_of_the_step():
    net, factor = nn.Linear(2, 2), [2.0]
    handle = net.register_forward_hook(lambda module, args, y: y * factor[0])
    step = minigrad.compile(lambda x: net(x).detach())
    for i in range(12):
        factor[0] = 3.0 if i > 5 else 2.0
        if i == 9:
            handle.remove()
        x = minigrad.full((1, 2), float(i))
        assert (step(x) == net(x)).all()
    assert step.reason is None


def test_hooks_of_all_modules_are_noticed():
    net = nn.Linear(2, 2)
    step = minigrad.compile(lambda x: net(x).detach())
    x = minigrad.ones(1, 2)
    plain = [step(x).tolist() for _ in range(4)]
    handle = register_module_forward_hook(lambda module, args, y: y * 2)
    try:
        assert [step(x).tolist() for _ in range(4)] == [net(x).tolist()] * 4
    finally:
        handle.remove()
    assert [step(x).tolist() for _ in range(4)] == plain


def test_a_gradient_that_somebody_keeps_is_not_overwritten():
    net = nn.Linear(2, 1)

    @minigrad.compile
    def step(x):
        net.zero_grad()
        net(x).sum().backward()

    kept = []
    for i in range(8):
        step(minigrad.full((1, 2), float(i)))
        kept.append(net.weight.grad.detach() if i % 2 else net.weight.grad)
    assert [g.tolist() for g in kept] == [[[float(i)] * 2] for i in range(8)]


# ---- threads, copies, watchers -------------------------------------------------------------------------------


def test_threads_may_share_a_compiled_step():
    net = mlp()
    step = minigrad.compile(lambda x: net(x).detach())
    xs = [minigrad.randn(8, 12) for _ in range(4)]
    wanted = [net(x).tolist() for x in xs]
    errors = []

    def work(k):
        for _ in range(100):
            if step(xs[k]).tolist() != wanted[k]:
                errors.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert step.reason is None


@minigrad.compile
def module_level(x):
    return x * 2


def test_pickles_and_copies_record_for_themselves():
    assert pickle.loads(pickle.dumps(module_level)) is module_level
    net = minigrad.compile(nn.Linear(2, 2))
    for twin in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert twin.weight is not net.weight
        with minigrad.no_grad():
            for _ in range(4):
                assert (twin(minigrad.ones(1, 2)) == net(minigrad.ones(1, 2))).all()
            twin.weight.zero_()
            assert (twin(minigrad.ones(1, 2)) != net(minigrad.ones(1, 2))).any()
    shallow = copy.copy(net)
    assert shallow.weight is net.weight


def test_attributes_of_a_compiled_module_are_the_modules():
    class Scaled(nn.Module):
        scale = 1.0

        def forward(self, x):
            return x * self.scale

    model = Scaled()
    compiled = minigrad.compile(model)
    assert [compiled(minigrad.ones(1)).item() for _ in range(3)] == [1, 1, 1]
    compiled.scale = 5.0
    assert [compiled(minigrad.ones(1)).item() for _ in range(3)] == [5, 5, 5]
    assert model.scale == 5.0
    compiled.weight = nn.Parameter(minigrad.ones(1))
    assert [name for name, _ in model.named_parameters()] == ["weight"]


def test_under_the_profiler_and_no_grad():
    training = Training(*CASES["mlp"][:3], compiled=True)
    x, y = classified((8, 12))()
    for _ in range(3):
        training.run(x, y)
    with minigrad.profiler.profile() as seen:
        training.run(x, y)
    assert seen.key_averages()
    with minigrad.no_grad(), pytest.raises(RuntimeError, match="does not require grad"):
        training.run(x, y)
    assert training.run.reason is None


def test_gradients_outside_need_the_eager_step():
    net = nn.Linear(2, 1)
    step = minigrad.compile(lambda x: net(x).sum())
    with pytest.warns(UserWarning, match="a result with a graph is returned"):
        step(minigrad.ones(1, 2))
    for _ in range(4):
        (g,) = minigrad.autograd.grad(step(minigrad.ones(1, 2)), net.weight)
        assert g.tolist() == [[1, 1]]


def test_an_error_in_a_replay_leaves_what_the_eager_step_leaves():
    states = []
    for compiler in (lambda f: f, minigrad.compile):
        minigrad.manual_seed(0)
        net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x, target, net=net, optimizer=optimizer):
            optimizer.zero_grad()
            scores = net(x)
            loss = scores[minigrad.arange(2), target].sum()
            loss.backward()
            optimizer.step()
            return loss

        run = compiler(step)
        x = minigrad.tensor([[1.0, 2.0], [3.0, -1.0]])
        for _ in range(4):
            run(x, minigrad.tensor([0, 2]))
        with pytest.raises(IndexError):
            run(x, minigrad.tensor([0, 3]))
        states.append([t.tolist() for t in net.state_dict().values()] + [p.grad for p in net.parameters()])
        run(x, minigrad.tensor([0, 1]))
        states[-1] += [t.tolist() for t in net.state_dict().values()]
    assert states[0] == states[1]
    assert run.reason is None


# ---- options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [3, "step", minigrad.ones(1)])
def test_only_what_can_be_called_can_be_compiled(wrong):
    with pytest.raises(TypeError, match=f"compile expects a function or a module, but got {type(wrong).__name__}"):
        minigrad.compile(wrong)


def test_options_of_torch_without_a_meaning_here_are_named_once():
    with pytest.warns(UserWarning, match="dynamic, backend") as caught:
        step = minigrad.compile(lambda x: x * 2, dynamic=True, backend="inductor")
    assert len(caught) == 1
    assert step(minigrad.ones(1)).item() == 2
    with pytest.raises(TypeError, match="'speed'"):
        minigrad.compile(lambda x: x, speed=11)


def test_fullgraph_and_disable():
    step = minigrad.compile(lambda x: x * x.sum().item(), fullgraph=True)
    with pytest.raises(RuntimeError, match="fullgraph"):
        step(minigrad.ones(1))
    function = len
    assert minigrad.compile(function, disable=True) is function


def returns_a_view(w):
    return lambda x: w[:2]


def returns_a_view_that_it_writes(w):
    def step(x):
        w[:2] += x
        return w[:2]

    return step


def returns_one_tensor_twice(w):
    def step(x):
        y = x * 2
        return y, y

    return step


def returns_a_part_of_its_argument(w):
    part = slice(1, 2)
    return lambda x: x[part]


def marks_its_argument(w):
    def step(x):
        x.seen = True
        return x * 2

    return step


@pytest.mark.parametrize(
    "make",
    [
        returns_a_view,
        returns_a_view_that_it_writes,
        returns_a_part_of_its_argument,
        returns_one_tensor_twice,
        marks_its_argument,
    ],
)
def test_what_a_replay_would_return_as_a_copy_or_leave_out(make):
    found = []
    for compiler in (lambda f: f, minigrad.compile):
        w, xs = minigrad.ones(3), [minigrad.full((2,), float(i)) for i in range(5)]
        step = compiler(make(w))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = [step(x) for x in xs]
        w.fill_(7)
        same = [isinstance(r, tuple) and r[0] is r[1] for r in results]
        found.append([str(results), same, [hasattr(x, "seen") for x in xs]])
    assert found[0] == found[1]
    assert (step.reason is None) is make.__name__.startswith(("returns_a_view", "returns_a_part"))


def test_arguments_of_classes_that_the_user_derives():
    class Count(int):
        unit = 1.0

    class Scaled(minigrad.Tensor):
        factor = 1.0

        def scaled(self):
            return self * self.factor

    count, x = Count(2), Scaled(2)
    times = minigrad.compile(lambda x, count: x * count.unit)
    scaled = minigrad.compile(lambda x: x.scaled())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for value in (1.0, 1.0, 1.0, 5.0, 5.0, 3.0):
            count.unit = Scaled.factor = value
            assert times(minigrad.ones(1), count).item() == value
            assert (scaled(x) == x * value).all()


def test_a_module_whose_attributes_are_computed_runs_eagerly():
    class Computed(nn.Module):
        options = {"scale": 1.0}  # noqa: RUF012

        def __getattr__(self, name):
            return self.options[name]

        def forward(self, x):
            return x * self.scale

    step = minigrad.compile(Computed())
    with pytest.warns(
        UserWarning, match="Computed'? is not replayed .* attributes of Computed are computed by __getattr__"
    ):
        step(minigrad.ones(1))
    Computed.options["scale"] = 2.0
    assert [step(minigrad.ones(1)).item() for _ in range(3)] == [2, 2, 2]


def test_containers_in_a_result_are_made_anew():
    step = minigrad.compile(lambda x: {"a": [], "b": {"c": ()}})
    for _ in range(5):
        result = step(minigrad.ones(1))
        assert result == {"a": [], "b": {"c": ()}}
        result["a"].append(1)
    assert step.source


def test_an_argument_that_shares_memory_with_what_the_step_reads():
    w = minigrad.ones(2)
    step = minigrad.compile(lambda x: x * 2 + w)
    for value in (w, w, w, minigrad.full((2,), 3.0), w.detach(), minigrad.full((2,), 5.0), w, minigrad.zeros(2)):
        assert step(value).tolist() == (value * 2 + w).tolist()
    assert step.reason is None


@pytest.mark.parametrize("ignored", [-100, 1])
def test_targets_that_the_step_computes_may_be_ignored(ignored):
    w = minigrad.ones(2, 3, requires_grad=True)

    def step(x, target, mask):
        w.grad = None
        loss = F.cross_entropy(x @ w, minigrad.where(mask, target, ignored), ignore_index=ignored)
        loss.backward()
        return loss, w.grad.clone()

    compiled, target = minigrad.compile(step), minigrad.tensor([0, 2, 2])
    for mask in ([True] * 3, [True] * 3, [True] * 3, [False, True, True], [True] * 3, [False, False, True]):
        arguments = minigrad.rand(3, 2), target, minigrad.tensor(mask)
        assert [r.tolist() for r in compiled(*arguments)] == [r.tolist() for r in step(*arguments)]
    assert compiled.reason is None
    with pytest.raises(IndexError, match="Target 3 is out of bounds"):
        compiled(minigrad.rand(3, 2), target + 1, minigrad.tensor([True] * 3))


def test_a_gradient_kept_while_the_leaf_has_another_is_not_overwritten():
    """The plan's gradient loses one reference, the leaf's, and gains one, the list's: their number stays the same."""
    weight = minigrad.ones(3, requires_grad=True)

    def step(x):
        weight.grad = None
        (weight * x).sum().backward()

    compiled = minigrad.compile(step)
    for _ in range(4):
        compiled(minigrad.ones(3))
    kept = weight.grad
    compiled(minigrad.ones(2, 3))  # of another shape: not by the plan that made the gradient
    compiled(minigrad.full((3,), 5.0))
    assert kept.tolist() == [1.0, 1.0, 1.0]
    assert weight.grad.tolist() == [5.0, 5.0, 5.0]
