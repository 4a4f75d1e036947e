"""Every schedule sets torch's learning rates, to the last bit."""

import pickle
import warnings

import numpy as np
import pytest
import torch

import minigrad
from minigrad.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau, StepLR

EPOCHS = 40

SCHEDULES = {
    "LambdaLR": lambda m, o: m.LambdaLR(o, lambda epoch: 0.95**epoch),
    "LambdaLR list": lambda m, o: m.LambdaLR(o, [lambda epoch: 1 / (1 + epoch), lambda epoch: epoch]),
    "MultiplicativeLR": lambda m, o: m.MultiplicativeLR(o, lambda epoch: 1 - 0.01 * epoch),
    "MultiplicativeLR list": lambda m, o: m.MultiplicativeLR(o, [lambda epoch: 0.9, lambda epoch: 0.8]),
    "StepLR": lambda m, o: m.StepLR(o, 7),
    "StepLR gamma": lambda m, o: m.StepLR(o, step_size=3, gamma=0.7),
    "MultiStepLR": lambda m, o: m.MultiStepLR(o, [5, 9, 9, 20], gamma=0.3),
    "ConstantLR": lambda m, o: m.ConstantLR(o),
    "ConstantLR total": lambda m, o: m.ConstantLR(o, factor=0.5, total_iters=9),
    "ConstantLR 0": lambda m, o: m.ConstantLR(o, factor=0.5, total_iters=0),
    "LinearLR": lambda m, o: m.LinearLR(o),
    "LinearLR down": lambda m, o: m.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=11),
    "ExponentialLR": lambda m, o: m.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda m, o: m.PolynomialLR(o),
    "PolynomialLR power": lambda m, o: m.PolynomialLR(o, total_iters=13, power=2.5),
    "CosineAnnealingLR": lambda m, o: m.CosineAnnealingLR(o, T_max=10),
    "CosineAnnealingLR min": lambda m, o: m.CosineAnnealingLR(o, 7, eta_min=0.01),
    "WarmRestarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, 6),
    "WarmRestarts mult": lambda m, o: m.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, eta_min=0.001),
    "OneCycleLR": lambda m, o: m.OneCycleLR(o, 0.5, total_steps=EPOCHS + 1),
    "OneCycleLR linear": lambda m, o: m.OneCycleLR(
        o, [0.5, 2.0], epochs=5, steps_per_epoch=9, anneal_strategy="linear"
    ),
    "OneCycleLR three": lambda m, o: m.OneCycleLR(o, 0.5, 50, three_phase=True, pct_start=0.25, div_factor=10.0),
    "OneCycleLR still": lambda m, o: m.OneCycleLR(o, 0.5, 50, cycle_momentum=False, final_div_factor=5.0),
    "OneCycleLR momenta": lambda m, o: m.OneCycleLR(o, 1.0, 45, base_momentum=[0.5, 0.6], max_momentum=[0.8, 0.9]),
    "CyclicLR": lambda m, o: m.CyclicLR(o, 0.1, 0.5, step_size_up=5),
    "CyclicLR lists": lambda m, o: m.CyclicLR(o, [0.1, 0.2], [0.5, 0.6], 5, 3, mode="triangular2"),
    "CyclicLR exp": lambda m, o: m.CyclicLR(o, 0.1, 0.5, 5, mode="exp_range", gamma=0.95, cycle_momentum=False),
    "CyclicLR own": lambda m, o: m.CyclicLR(o, 0.1, 0.5, 4, scale_fn=lambda x: 1 / x, scale_mode="cycle"),
    "CyclicLR own step": lambda m, o: m.CyclicLR(o, 0.1, 0.5, 4, scale_fn=lambda x: 0.9**x, scale_mode="iterations"),
    "CyclicLR after another": lambda m, o: (m.StepLR(o, 3), m.CyclicLR(o, 0.2, 0.5, 5))[1],
    "ChainedScheduler": lambda m, o: m.ChainedScheduler([m.ConstantLR(o, 0.1, 3), m.ExponentialLR(o, 0.9)]),
    "SequentialLR": lambda m, o: m.SequentialLR(
        o, [m.LinearLR(o, 0.1, total_iters=5), m.CosineAnnealingLR(o, 10), m.ExponentialLR(o, 0.5)], [5, 20]
    ),
    "SequentialLR plain": lambda m, o: m.SequentialLR(
        o, [m.LambdaLR(o, lambda e: e / 4), m.CosineAnnealingWarmRestarts(o, 5), m.StepLR(o, 2)], [4, 17]
    ),
    "SequentialLR at once": lambda m, o: m.SequentialLR(o, [m.StepLR(o, 2), m.ExponentialLR(o, 0.5)], [0]),
    "ChainedScheduler of a sequence": lambda m, o: m.ChainedScheduler(
        [m.SequentialLR(o, [m.ConstantLR(o, 0.1, 100), m.ExponentialLR(o, 0.9)], [3]), m.StepLR(o, 5)]
    ),
}
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
OPTIMIZERS = {"SGD": {"momentum": 0.9}, "Adam": {}}


def make(fw, schedule, name="SGD", lrs=(0.1, 1.0)):
    """An optimizer with two groups, and a scheduler on it."""
    params = [fw.ones(2).requires_grad_() for _ in lrs]
    groups = [{"params": [p], "lr": lr} for p, lr in zip(params, lrs, strict=True)]
    optimizer = getattr(fw.optim, name)(groups, **OPTIMIZERS[name])
    return optimizer, schedule(fw.optim.lr_scheduler, optimizer)


def settings(optimizer):
    keys = ("lr", "momentum", "betas", "initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum")
    return [{k: group[k] for k in keys if k in group} for group in optimizer.param_groups]


def run(optimizer, scheduler, epochs):
    """The options of all groups after each epoch."""
    trail = []
    for _ in range(epochs):
        optimizer.step()
        scheduler.step()
        assert scheduler.get_last_lr() == [float(g["lr"]) for g in optimizer.param_groups]
        trail.append(settings(optimizer))
    return trail


@every_schedule
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_rates_and_momenta_are_torchs(schedule, name):
    (ours, scheduler), (theirs, reference) = (make(fw, schedule, name) for fw in (minigrad, torch))
    assert settings(ours) == settings(theirs)
    assert scheduler.get_last_lr() == reference.get_last_lr()
    assert run(ours, scheduler, EPOCHS) == run(theirs, reference, EPOCHS)
    assert getattr(scheduler, "last_epoch", None) == getattr(reference, "last_epoch", None)


@every_schedule
@pytest.mark.parametrize("stop", [1, 5, 17])
def test_a_resumed_schedule_is_the_uninterrupted_one(schedule, stop):
    optimizer, scheduler = make(minigrad, schedule)
    run(optimizer, scheduler, stop)
    saved = pickle.dumps((optimizer.state_dict(), without_functions(scheduler.state_dict())))
    rest = run(optimizer, scheduler, EPOCHS - stop)
    other, resumed = make(minigrad, schedule, lrs=(7.0, 8.0))
    state, schedule_state = pickle.loads(saved)
    other.load_state_dict(state)
    resumed.load_state_dict(schedule_state)
    assert run(other, resumed, EPOCHS - stop) == rest


def without_functions(state):
    """Check that no function is left in the state; pickle would not take them."""
    assert not any(callable(v) for v in state.values())
    return state


@every_schedule
def test_a_schedule_begun_in_torch_goes_on_here(schedule):
    optimizer, reference = make(torch, schedule)
    run(optimizer, reference, 9)
    saved = pickle.loads(pickle.dumps((optimizer.state_dict(), reference.state_dict())))
    rest = run(optimizer, reference, EPOCHS - 9)
    other, resumed = make(minigrad, schedule)
    other.load_state_dict(saved[0])
    resumed.load_state_dict(saved[1])
    assert run(other, resumed, EPOCHS - 9) == rest


class Names:
    """Stands in for a module: what is asked of it returns its name."""

    def __getattr__(self, name):
        return lambda *_, **__: name


@pytest.mark.parametrize(
    "schedule",
    [
        lambda m, o, e: m.LambdaLR(o, lambda epoch: 0.95**epoch, e),
        lambda m, o, e: m.MultiplicativeLR(o, lambda epoch: 0.95, e),
        lambda m, o, e: m.StepLR(o, 3, 0.5, e),
        lambda m, o, e: m.MultiStepLR(o, [2, 6], 0.5, e),
        lambda m, o, e: m.ConstantLR(o, 0.5, 7, e),
        lambda m, o, e: m.LinearLR(o, 0.5, 1.0, 7, e),
        lambda m, o, e: m.ExponentialLR(o, 0.5, e),
        lambda m, o, e: m.PolynomialLR(o, 9, 1.0, e),
        lambda m, o, e: m.CosineAnnealingLR(o, 9, 0.0, e),
        lambda m, o, e: m.CosineAnnealingWarmRestarts(o, 4, 1, 0.0, e),
        lambda m, o, e: m.OneCycleLR(o, 0.5, 30, last_epoch=e),
        lambda m, o, e: m.CyclicLR(o, 0.1, 0.5, 4, last_epoch=e),
    ],
    ids=lambda schedule: schedule(Names(), None, -1),
)
def test_going_on_by_last_epoch(schedule):
    trails = []
    for fw in (minigrad, torch):
        optimizer, scheduler = make(fw, lambda m, o: schedule(m, o, -1))
        run(optimizer, scheduler, 4)
        again = schedule(fw.optim.lr_scheduler, optimizer, scheduler.last_epoch)
        trails.append([settings(optimizer), *run(optimizer, again, 10)])
        with pytest.raises(KeyError, match=r"'initial_lr' is not specified in param_groups\[0\]"):
            make(fw, lambda m, o: m.StepLR(o, 3, last_epoch=4))
    assert trails[0] == trails[1]


@pytest.mark.parametrize(
    "schedule",
    [SCHEDULES[k] for k in SCHEDULES if not k.startswith(("Chained", "Sequential"))],
)
def test_jumping_to_an_epoch(schedule):
    trails = []
    for fw in (minigrad, torch):
        optimizer, scheduler = make(fw, schedule)
        optimizer.step()
        trail = []
        for epoch in (3, 0, 12, 5, 1):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "The epoch parameter in `scheduler.step")
                scheduler.step(epoch)
            trail.append(settings(optimizer))
        trails.append(trail)
    assert trails[0] == trails[1]


def test_warm_restarts_between_epochs():
    trails = []
    for fw in (minigrad, torch):
        for mult in (1, 2):
            optimizer, scheduler = make(fw, lambda m, o, mult=mult: m.CosineAnnealingWarmRestarts(o, 3, mult))
            for epoch in np.arange(0, 20, 0.3).tolist():
                scheduler.step(epoch)
                trails.append(settings(optimizer))
            with pytest.raises(ValueError, match="Expected non-negative epoch, but got -1"):
                scheduler.step(-1)
    assert trails[: len(trails) // 2] == trails[len(trails) // 2 :]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2, "factor": 0.5},
        {"patience": 1, "cooldown": 3},
        {"patience": 0, "min_lr": [0.01, 0.5]},
        {"patience": 0, "eps": 0.02},
        {"mode": "max", "patience": 1},
        {"mode": "max", "patience": 1, "threshold_mode": "abs", "threshold": 0.2},
        {"patience": 1, "threshold_mode": "abs", "threshold": 0.2},
        {"patience": 3, "threshold": 0.1},
    ],
    ids=str,
)
@pytest.mark.parametrize("seed", range(3))
def test_plateau(options, seed):
    rng = np.random.default_rng(seed)
    metrics = [*(1 / np.arange(1, 20) + rng.normal(size=19) * 0.05), *([0.5] * 30), float("nan"), *rng.normal(size=10)]
    trails = []
    for fw in (minigrad, torch):
        optimizer, scheduler = make(fw, lambda m, o: m.ReduceLROnPlateau(o, **options))
        trail = []
        for i, metric in enumerate(metrics):
            scheduler.step(fw.tensor(metric) if i % 2 else metric)
            if i == 25:  # interrupted
                state = pickle.loads(pickle.dumps((optimizer.state_dict(), scheduler.state_dict())))
                optimizer, scheduler = make(fw, lambda m, o: m.ReduceLROnPlateau(o, **options))
                optimizer.load_state_dict(state[0])
                scheduler.load_state_dict(state[1])
            trail.append(
                (settings(optimizer), scheduler.num_bad_epochs, scheduler.cooldown_counter, scheduler.get_last_lr())
            )
        trails.append(trail)
    assert trails[0] == trails[1]


def test_plateau_with_a_group_that_came_later():
    for fw in (minigrad, torch):
        optimizer, scheduler = make(fw, lambda m, o: m.ReduceLROnPlateau(o, patience=0, factor=0.5))
        other, strict = make(fw, lambda m, o: m.ReduceLROnPlateau(o, patience=0, min_lr=[0.0, 0.0]))
        for opt in (optimizer, other):
            opt.add_param_group({"params": [fw.ones(2).requires_grad_()], "lr": 4.0})
        scheduler.step(1.0)
        scheduler.step(1.0)
        assert [g["lr"] for g in optimizer.param_groups] == [0.05, 0.5, 2.0]
        strict.step(1.0)
        with pytest.raises(RuntimeError, match=r"number of param groups in the `optimizer` \(3\) differs"):
            strict.step(1.0)


def test_a_rate_that_is_a_tensor_is_written_to():
    lr = minigrad.tensor(1.0)
    optimizer = minigrad.optim.SGD([minigrad.ones(2).requires_grad_()], lr=lr)
    scheduler = StepLR(optimizer, 1, 0.5)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is lr
    assert lr.item() == 0.5
    assert scheduler.get_last_lr() == [0.5]


def test_a_schedule_of_ones_own():
    def define(fw):
        class Halves(fw.optim.lr_scheduler.LRScheduler):
            def get_lr(self):
                return [base / (self.last_epoch + 1) for base in self.base_lrs]

        return Halves

    trails = [run(*make(fw, lambda m, o, fw=fw: define(fw)(o)), 5) for fw in (minigrad, torch)]
    assert trails[0] == trails[1]
    with pytest.raises(NotImplementedError):
        make(minigrad, lambda m, o: m.LRScheduler(o))


class Decay:
    """A factor that is an object, with a state."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, epoch):
        return self.rate**epoch


def test_the_state_of_callable_objects_is_saved():
    for make_schedule in (
        lambda rate: lambda m, o: m.LambdaLR(o, [Decay(rate), lambda e: 1.0]),
        lambda rate: lambda m, o: m.CyclicLR(o, 0.1, 0.5, 4, scale_fn=Decay(rate)),
    ):
        _, scheduler = make(minigrad, make_schedule(0.5))
        _, other = make(minigrad, make_schedule(0.25))
        other.load_state_dict(scheduler.state_dict())
        factor = other.lr_lambdas[0] if hasattr(other, "lr_lambdas") else other._scale_fn_custom
        assert isinstance(factor, Decay)
        assert factor.rate == 0.5


# ---- objections ----------------------------------------------------------------------------------------

BAD = {
    "no optimizer": lambda m, o: m.StepLR(5, 1),
    "no optimizer, one cycle": lambda m, o: m.OneCycleLR(5, 1.0, 10),
    "no optimizer, plateau": lambda m, o: m.ReduceLROnPlateau(5),
    "too few functions": lambda m, o: m.LambdaLR(o, [lambda e: 1]),
    "no function": lambda m, o: m.MultiplicativeLR(o, 5),
    "plateau factor": lambda m, o: m.ReduceLROnPlateau(o, factor=1.0),
    "plateau mode": lambda m, o: m.ReduceLROnPlateau(o, mode="best"),
    "plateau threshold mode": lambda m, o: m.ReduceLROnPlateau(o, threshold_mode="best"),
    "T_0": lambda m, o: m.CosineAnnealingWarmRestarts(o, 0),
    "T_0 of 1.5": lambda m, o: m.CosineAnnealingWarmRestarts(o, 1.5),
    "T_mult": lambda m, o: m.CosineAnnealingWarmRestarts(o, 1, 0),
    "eta_min": lambda m, o: m.CosineAnnealingWarmRestarts(o, 1, 1, "low"),
    "no steps": lambda m, o: m.OneCycleLR(o, 1.0),
    "total_steps": lambda m, o: m.OneCycleLR(o, 1.0, -1),
    "epochs": lambda m, o: m.OneCycleLR(o, 1.0, epochs=0, steps_per_epoch=5),
    "steps_per_epoch": lambda m, o: m.OneCycleLR(o, 1.0, epochs=2, steps_per_epoch=1.5),
    "pct_start": lambda m, o: m.OneCycleLR(o, 1.0, 10, pct_start=1.1),
    "anneal_strategy": lambda m, o: m.OneCycleLR(o, 1.0, 10, anneal_strategy="none"),
    "max_lr": lambda m, o: m.OneCycleLR(o, [1.0], 10),
    "no momentum": lambda m, o: m.OneCycleLR(no_momentum(o), 1.0, 10),
    "cyclic mode": lambda m, o: m.CyclicLR(o, 0.1, 1.0, mode="square"),
    "cyclic base_lr": lambda m, o: m.CyclicLR(o, [0.1], 1.0),
    "one milestone too few": lambda m, o: m.SequentialLR(o, [m.StepLR(o, 1), m.StepLR(o, 1)], []),
    "too many steps": lambda m, o: finish(o, m.OneCycleLR(o, 1.0, 3)),
}


def no_momentum(optimizer):
    params = [p for g in optimizer.param_groups for p in g["params"]]
    return (minigrad if isinstance(optimizer, minigrad.optim.SGD) else torch).optim.Adagrad(params)


def finish(optimizer, scheduler):
    optimizer.step()
    for _ in range(5):
        scheduler.step()


@pytest.mark.parametrize("call", BAD.values(), ids=BAD)
def test_objections_are_torchs(call):
    caught = []
    for fw in (minigrad, torch):
        with pytest.raises((ValueError, TypeError)) as info:
            make(fw, call)
        caught.append(info.value)
    assert type(caught[0]) is type(caught[1])
    assert str(caught[0]) == str(caught[1])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m, o: m.ConstantLR(o, factor=1.5), ValueError, "multiplicative factor expected to be between 0 and 1"),
        (lambda m, o: m.LinearLR(o, start_factor=0.0), ValueError, "factor expected to be greater than 0"),
        (lambda m, o: m.LinearLR(o, end_factor=1.5), ValueError, "Ending multiplicative factor expected"),
        (lambda m, o: m.ReduceLROnPlateau(o, min_lr=[0.0]), ValueError, "min_lr"),
        (lambda m, o: m.ChainedScheduler([]), ValueError, "at least one scheduler"),
        (lambda m, o: m.ChainedScheduler([5], o), TypeError, "at index 0 should have `optimizer`"),
        (lambda m, o: m.ChainedScheduler([m.ReduceLROnPlateau(o)]), ValueError, "does not support `ReduceLROnPlateau`"),
        (lambda m, o: m.ChainedScheduler([m.StepLR(o, 1), m.StepLR(no_momentum(o), 1)]), ValueError, "same optimizer"),
        (lambda m, o: m.SequentialLR(o, [m.StepLR(no_momentum(o), 1)], []), ValueError, "same optimizer"),
    ],
)
def test_objections_in_other_words(call, error, words):
    for fw in (minigrad, torch):
        with pytest.raises(error, match=words):
            make(fw, call)


def test_the_wrong_order_is_warned_of():
    for fw in (minigrad, torch):
        optimizer, scheduler = make(fw, SCHEDULES["StepLR"])
        with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
            scheduler.step()
        optimizer.step()
        scheduler.step()


@every_schedule
def test_get_lr_outside_of_a_step_is_warned_of(schedule):
    _, scheduler = make(minigrad, schedule)
    while hasattr(scheduler, "_schedulers"):
        scheduler = scheduler._schedulers[0]
    with pytest.warns(UserWarning, match="please use `get_last_lr"):
        scheduler.get_lr()


def test_an_epoch_is_warned_of():
    _, scheduler = make(minigrad, SCHEDULES["StepLR"])
    scheduler.optimizer.step()
    with pytest.warns(UserWarning, match="The epoch parameter in `scheduler.step"):
        scheduler.step(3)


def test_all_are_schedulers():
    for schedule in SCHEDULES.values():
        assert isinstance(make(minigrad, schedule)[1], LRScheduler)
    assert issubclass(ReduceLROnPlateau, LRScheduler)
