"""Every optimizer and every scheduler in programs that change what they hold, as torch runs them."""

import copy
import pickle

import pytest

OPTIMIZERS = {
    "SGD": ("SGD", {"lr": 0.1}),
    "SGD with momentum": ("SGD", {"lr": 0.1, "momentum": 0.9}),
    "SGD with Nesterov's momentum": ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    "SGD upwards": ("SGD", {"lr": 0.1, "momentum": 0.9, "maximize": True, "dampening": 0.1}),
    "Adam": ("Adam", {"lr": 0.1}),
    "Adam, amsgrad": ("Adam", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1}),
    "AdamW": ("AdamW", {"lr": 0.1}),
    "Adagrad": ("Adagrad", {"lr": 0.1}),
    "Adagrad with decay": ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.1}),
    "Adadelta": ("Adadelta", {}),
    "RMSprop": ("RMSprop", {"lr": 0.1}),
    "RMSprop, centered": ("RMSprop", {"lr": 0.1, "centered": True, "momentum": 0.9}),
}


def made(fw, name, params, **options):
    optimizer, own = OPTIMIZERS[name]
    return getattr(fw.optim, optimizer)(params, **{**own, **options})


def parameters(fw, count=3):
    return [fw.nn.Parameter(fw.full((2,), 1.0 + i)) for i in range(count)]


def train(optimizer, params, steps=3):
    for _ in range(steps):
        optimizer.zero_grad()
        sum((p**2 * (i + 1)).sum() for i, p in enumerate(params)).backward()
        optimizer.step()


def outcome_of(optimizer, params):
    saved = optimizer.state_dict()
    groups = [sorted((k, str(v)) for k, v in group.items()) for group in saved["param_groups"]]
    return list(params), [sorted(state.items()) for state in saved["state"].values()], groups


def appended_to_a_group(fw, name):
    params = parameters(fw)
    optimizer = made(fw, name, params[:2])
    train(optimizer, params, 1)
    optimizer.param_groups[0]["params"].append(params[2])
    train(optimizer, params)
    return outcome_of(optimizer, params)


def taken_out_of_a_group(fw, name):
    params = parameters(fw)
    optimizer = made(fw, name, params)
    train(optimizer, params, 1)
    optimizer.param_groups[0]["params"].pop(0)
    train(optimizer, params)
    return params


def given_twice(fw, name):
    params = parameters(fw, 2)
    optimizer = made(fw, name, [params[0], params[1], params[0]])
    train(optimizer, params)
    return outcome_of(optimizer, params)


def own_step_counts(fw, name):
    params = parameters(fw)
    optimizer = made(fw, name, params)
    train(optimizer, params, 2)
    if "step" in optimizer.state[params[1]]:
        optimizer.state[params[1]]["step"].zero_()
    train(optimizer, params, 1)
    return outcome_of(optimizer, params)


def forgotten_state(fw, name):
    params = parameters(fw)
    optimizer = made(fw, name, params)
    train(optimizer, params, 1)
    del optimizer.state[params[0]]
    train(optimizer, params, 1)
    return params


def sometimes_without_a_gradient(fw, name):
    params = parameters(fw)
    optimizer = made(fw, name, params)
    for count in (2, 3, 2):
        train(optimizer, params[:count], 1)
    return outcome_of(optimizer, params)


def tensor_as_rate(fw, name):
    params, rate = parameters(fw), fw.tensor(0.1)
    optimizer = made(fw, name, params, lr=rate)
    train(optimizer, params)
    rate.fill_(0.01)
    train(optimizer, params)
    return *outcome_of(optimizer, params), optimizer.param_groups[0]["lr"] is rate


def tensor_of_two_as_rate(fw, name):
    return made(fw, name, parameters(fw), lr=fw.tensor([0.1, 0.1])) and None


def copied_with_its_model(fw, name):
    layer = fw.nn.Linear(2, 1)
    for p in layer.parameters():
        fw.nn.init.constant_(p, 0.5)
    optimizer = made(fw, name, layer.parameters())
    train(optimizer, list(layer.parameters()), 1)
    results = []
    for twin, other in (copy.deepcopy((layer, optimizer)), pickle.loads(pickle.dumps((layer, optimizer)))):
        train(other, list(twin.parameters()), 2)
        results.append(outcome_of(other, twin.parameters()))
    return results, outcome_of(optimizer, layer.parameters())


def loaded_state(fw, name):
    params, others = parameters(fw), parameters(fw)
    optimizer, other = made(fw, name, params), made(fw, name, others)
    train(optimizer, params, 1)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(other, others, 2)
    return outcome_of(other, others)


def infinite_and_nan(fw, name):
    params = [fw.nn.Parameter(fw.tensor([float("inf"), float("nan"), 1.0, 0.0]))]
    train(made(fw, name, params), params, 2)
    return params


def hooks_in_a_block(fw, name):
    params, seen = parameters(fw), []
    optimizer = made(fw, name, params)
    with optimizer.register_step_pre_hook(lambda *_: seen.append("before")):
        train(optimizer, params, 1)
    train(optimizer, params, 1)
    return seen


PROGRAMS = [
    appended_to_a_group,
    taken_out_of_a_group,
    given_twice,
    own_step_counts,
    forgotten_state,
    sometimes_without_a_gradient,
    tensor_as_rate,
    tensor_of_two_as_rate,
    copied_with_its_model,
    loaded_state,
    infinite_and_nan,
    hooks_in_a_block,
]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_program(program, name, torch_too):
    torch_too(lambda fw: program(fw, name), tolerance=2e-6)


def test_lbfgs_refuses_a_second_group(torch_too):
    def program(fw):
        first, second = parameters(fw, 2)
        optimizer = fw.optim.LBFGS([first])
        optimizer.add_param_group({"params": [second]})
        optimizer.step(lambda: (first + second).sum())

    torch_too(program)


def test_the_state_of_lbfgs(torch_too):
    def program(fw):
        params = parameters(fw)
        optimizer = fw.optim.LBFGS(params, max_iter=4)

        def closure():
            optimizer.zero_grad()
            loss = sum((p**2 * (i + 1)).sum() for i, p in enumerate(params))
            loss.backward()
            return loss

        optimizer.step(closure)
        state = optimizer.state_dict()["state"][0]
        return [(name, state[name]) for name in sorted(state) if name != "al"]  # what torch computes with

    torch_too(program, tolerance=1e-5)


SCHEDULERS = {
    "LambdaLR": {"lr_lambda": lambda epoch: 0.9**epoch},
    "MultiplicativeLR": {"lr_lambda": lambda epoch: 0.9},
    "StepLR": {"step_size": 2},
    "MultiStepLR": {"milestones": [2, 3]},
    "ConstantLR": {},
    "LinearLR": {},
    "ExponentialLR": {"gamma": 0.5},
    "PolynomialLR": {},
    "CosineAnnealingLR": {"T_max": 5},
    "CosineAnnealingWarmRestarts": {"T_0": 2},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 0.5},
    "OneCycleLR": {"max_lr": 0.5, "total_steps": 9, "three_phase": True},
    "ReduceLROnPlateau": {"patience": 0},
}


@pytest.mark.parametrize("cycles", [True, False])
@pytest.mark.parametrize("tensors", [False, True])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_states_and_rates_of_schedulers(name, tensors, cycles, torch_too):
    def program(fw):
        rate = fw.tensor(0.1) if tensors else 0.1
        optimizer = fw.optim.SGD([fw.nn.Parameter(fw.ones(1))], lr=rate, momentum=0.9)
        options = {"cycle_momentum": cycles} if "Cycl" in name else {}
        scheduler = getattr(fw.optim.lr_scheduler, name)(optimizer, **SCHEDULERS[name], **options)
        for _ in range(4):
            optimizer.step()
            scheduler.step(*[1.0] * (name == "ReduceLROnPlateau"))
        group = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
        return (
            scheduler.get_last_lr(),
            [(k, v) for k, v in sorted(scheduler.state_dict().items()) if k != "lr_lambdas"],
            sorted(group.items()),
            optimizer.param_groups[0]["lr"] is rate,
        )

    torch_too(program)
