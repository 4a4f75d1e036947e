"""Groups, saving and loading, hooks, closures, and objections: as torch's."""

import copy
import pickle

import numpy as np
import pytest
import torch

import minigrad
from minigrad.optim import SGD, Adagrad, Adam, AdamW
from minigrad.optim.optimizer import Optimizer, required

OPTIMIZERS = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "Adam": {"lr": 0.1, "amsgrad": True},
    "AdamW": {"lr": 0.1},
    "RMSprop": {"lr": 0.1, "centered": True, "momentum": 0.5},
    "Adagrad": {"lr": 0.1, "lr_decay": 0.1},
    "Adadelta": {"lr": 1.0, "eps": 0.01},
}
every_optimizer = pytest.mark.parametrize(("name", "options"), OPTIMIZERS.items(), ids=OPTIMIZERS)


def make(fw, name, options, steps=0):
    """Two parameters in two groups, and an optimizer that has taken some steps."""
    params = [fw.from_numpy(np.arange(6.0).reshape(2, 3)), fw.from_numpy(np.ones(4))]
    for p in params:
        p.requires_grad = True
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": 0.05}]
    optimizer = getattr(fw.optim, name)(groups, **options)
    run(fw, params, optimizer, steps)
    return params, optimizer


def run(fw, params, optimizer, steps, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        for p in params:
            p.grad = fw.from_numpy(rng.normal(size=tuple(p.shape)))
        optimizer.step()


def values(params):
    return np.concatenate([p.detach().numpy().ravel() for p in params])


def to_torch(saved):
    """A state dict with our tensors turned into torch's."""
    if isinstance(saved, dict):
        return {k: to_torch(v) for k, v in saved.items()}
    if isinstance(saved, (list, tuple)):
        return type(saved)(map(to_torch, saved))
    return torch.from_numpy(saved.array.copy()) if isinstance(saved, minigrad.Tensor) else saved


def raised(call, fw):
    """What a call on a framework raises, or warns of."""
    with pytest.raises((Exception, UserWarning)) as caught:
        call(fw)
    return caught.value


def leaf(fw, *shape):
    return fw.ones(*(shape or (2,))).requires_grad_()


# ---- arguments ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": -0.5}),
        ("SGD", {"momentum": -0.5}),
        ("SGD", {"weight_decay": -0.5}),
        ("SGD", {"nesterov": True}),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
        ("SGD", {"fused": True, "foreach": True}),
        ("SGD", {"fused": True, "differentiable": True}),
        ("Adam", {"lr": -1}),
        ("Adam", {"eps": -1e-8}),
        ("Adam", {"betas": (1.0, 0.0)}),
        ("Adam", {"betas": (0.9, -0.1)}),
        ("Adam", {"betas": (0, 0.9)}),
        ("Adam", {"weight_decay": -1}),
        ("AdamW", {"betas": (0.9, 1.5)}),
        ("AdamW", {"weight_decay": -1}),
        ("AdamW", {"fused": True, "foreach": True}),
        ("RMSprop", {"lr": -1}),
        ("RMSprop", {"eps": -1}),
        ("RMSprop", {"momentum": -1.0}),
        ("RMSprop", {"weight_decay": -1}),
        ("RMSprop", {"alpha": -1}),
        ("Adagrad", {"lr": -1}),
        ("Adagrad", {"lr_decay": -0.5}),
        ("Adagrad", {"weight_decay": -0.5}),
        ("Adagrad", {"initial_accumulator_value": -0.5}),
        ("Adagrad", {"eps": -0.5}),
        ("Adadelta", {"lr": -1}),
        ("Adadelta", {"rho": 1.1}),
        ("Adadelta", {"eps": -1}),
        ("Adadelta", {"weight_decay": -1}),
        ("LBFGS", {"lr": -1}),
    ],
)
def test_bad_options_are_refused_in_torchs_words(name, options):
    ours, theirs = (raised(lambda fw: getattr(fw.optim, name)([leaf(fw)], **options), fw) for fw in (minigrad, torch))
    assert type(ours) is type(theirs)
    assert str(ours) == str(theirs)


TENSOR_OPTIONS = {
    "lr of two elements": lambda fw: fw.optim.SGD([leaf(fw)], lr=fw.tensor([0.1, 0.2])),
    "tensor lr and foreach": lambda fw: fw.optim.Adam([leaf(fw)], lr=fw.tensor(0.001), foreach=True),
    "a float and a tensor": lambda fw: fw.optim.Adam([leaf(fw)], betas=(0.9, fw.tensor(0.99))),
    "betas and foreach": lambda fw: fw.optim.Adam([leaf(fw)], betas=(fw.tensor(0.9), fw.tensor(0.99)), foreach=True),
}
BAD_PARAMETERS = {
    "none": lambda fw: fw.optim.SGD([]),
    "a tensor": lambda fw: fw.optim.SGD(leaf(fw)),
    "a number": lambda fw: fw.optim.SGD([5]),
    "a string among them": lambda fw: fw.optim.SGD([leaf(fw), "a"]),
    "a set in a group": lambda fw: fw.optim.SGD([{"params": {leaf(fw)}}]),
    "no params": lambda fw: fw.optim.SGD([{"lr": 1}]),
    "a result": lambda fw: fw.optim.SGD([leaf(fw) * 2]),
    "twice": lambda fw: fw.optim.SGD([leaf(fw)] * 2),
    "in two groups": lambda fw: fw.optim.SGD([{"params": p} for p in [leaf(fw)] * 2]),
    "some names": lambda fw: fw.optim.SGD([("w", leaf(fw)), leaf(fw)]),
    "a group with names": lambda fw: fw.optim.SGD([{"params": [leaf(fw)]}, {"params": [("w", leaf(fw))]}]),
    "a group that is none": lambda fw: fw.optim.SGD([leaf(fw)]).add_param_group(5),
    "groups for L-BFGS": lambda fw: fw.optim.LBFGS([{"params": [leaf(fw)]}, {"params": [leaf(fw)]}]),
}


@pytest.mark.parametrize("call", TENSOR_OPTIONS.values(), ids=TENSOR_OPTIONS)
def test_bad_tensor_options_are_refused_in_torchs_words(call):
    ours, theirs = raised(call, minigrad), raised(call, torch)
    assert type(ours) is type(theirs)
    assert str(ours) == str(theirs)


@pytest.mark.parametrize("call", BAD_PARAMETERS.values(), ids=BAD_PARAMETERS)
def test_bad_parameters_are_refused_in_torchs_words(call):
    ours, theirs = raised(call, minigrad), raised(call, torch)
    assert type(ours) is type(theirs)
    assert str(ours).split(" (params[")[0] == str(theirs).replace("torch.FloatTensor", "Tensor")


def test_an_unknown_line_search_is_refused():
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        minigrad.optim.LBFGS([leaf(minigrad)], line_search_fn="golden").step(lambda: minigrad.tensor(1.0))


@pytest.mark.parametrize("option", ["differentiable", "capturable"])
def test_what_cannot_be_honoured_is_refused(option):
    with pytest.raises(NotImplementedError, match=f"Adam: {option}=True is not supported"):
        Adam([leaf(minigrad)], **{option: True})
    with pytest.raises(NotImplementedError, match=option):
        Adam([{"params": [leaf(minigrad)], option: True}])


@every_optimizer
@pytest.mark.parametrize("hints", [{"foreach": False}, {"foreach": True}, {"foreach": None}])
def test_hints_do_not_change_the_path(name, options, hints):
    plain, hinted = (make(minigrad, name, {**options, **extra}, steps=3)[0] for extra in ({}, hints))
    assert (values(plain) == values(hinted)).all()


@every_optimizer
def test_defaults_and_repr_are_torchs(name, options):
    optimizers = [getattr(fw.optim, name)([leaf(fw)]) for fw in (minigrad, torch)]
    assert optimizers[0].defaults == optimizers[1].defaults
    assert list(optimizers[0].defaults) == list(optimizers[1].defaults)
    assert repr(make(minigrad, name, options)[1]) == repr(make(torch, name, options)[1])


def test_positional_arguments_are_in_torchs_order():
    for fw in (minigrad, torch):
        p = leaf(fw)
        assert fw.optim.SGD([p], 0.1, 0.2, 0.0, 0.3, True).defaults["nesterov"] is True
        assert fw.optim.Adam([p], 0.1, (0.2, 0.3), 0.4, 0.5, True).defaults["weight_decay"] == 0.5
        assert fw.optim.AdamW([p], 0.1, (0.2, 0.3), 0.4, 0.5, True).defaults["amsgrad"] is True
        assert fw.optim.RMSprop([p], 0.1, 0.2, 0.3, 0.4, 0.5, True).defaults["momentum"] == 0.5
        assert fw.optim.Adagrad([p], 0.1, 0.2, 0.3, 0.4, 0.5).defaults["initial_accumulator_value"] == 0.4
        assert fw.optim.Adadelta([p], 0.1, 0.2, 0.3, 0.4).defaults["weight_decay"] == 0.4


def test_a_required_option_must_be_given():
    class Needy(Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": required})

    with pytest.raises(ValueError, match="didn't specify a value of required optimization parameter lr"):
        Needy([leaf(minigrad)])
    assert Needy([{"params": [leaf(minigrad)], "lr": 1}]).param_groups[0]["lr"] == 1


# ---- groups ------------------------------------------------------------------------------------------


def test_named_parameters():
    a, b = leaf(minigrad), leaf(minigrad, 3)
    optimizer = SGD([("a", a), ("b", b)], lr=0.5)
    assert optimizer.param_groups[0]["params"] == [a, b]
    assert optimizer.param_groups[0]["param_names"] == ["a", "b"]
    saved = optimizer.state_dict()
    assert saved["param_groups"][0]["param_names"] == ["a", "b"]
    other = SGD([("c", leaf(minigrad)), ("d", leaf(minigrad, 3))])
    other.load_state_dict(saved)
    assert other.param_groups[0]["param_names"] == ["a", "b"]
    assert other.param_groups[0]["lr"] == 0.5


def test_a_group_added_later_takes_part():
    a, b = leaf(minigrad), leaf(minigrad)
    for optimizer in (SGD([a], lr=1.0), Adagrad([a], lr=1.0)):
        optimizer.add_param_group({"params": b, "lr": 0.5})
        a.grad, b.grad = minigrad.ones(2), minigrad.ones(2)
        a.data, b.data = minigrad.ones(2), minigrad.ones(2)
        optimizer.step()
        assert a.tolist() == [0.0, 0.0]
        assert b.tolist() == [0.5, 0.5]


def test_a_generator_of_parameters():
    params = [leaf(minigrad), leaf(minigrad)]
    assert SGD(p for p in params).param_groups[0]["params"] == params


# ---- zero_grad and closures --------------------------------------------------------------------------


def test_zero_grad():
    a, b = leaf(minigrad), leaf(minigrad)
    optimizer = SGD([a, b])
    a.grad = gradient = minigrad.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert a.grad is gradient
    assert a.grad.tolist() == [0.0, 0.0]
    assert b.grad is None
    optimizer.zero_grad()
    assert a.grad is None


def test_zero_grad_cuts_a_recorded_gradient_off():
    w = leaf(minigrad)
    (w * w).sum().backward(create_graph=True)
    assert w.grad.requires_grad
    SGD([w]).zero_grad(set_to_none=False)
    assert not w.grad.requires_grad


@every_optimizer
def test_the_closure_runs_once_with_gradients_and_its_loss_is_returned(name, options):
    (w, _), optimizer = make(minigrad, name, options)
    calls = []

    def closure():
        calls.append(minigrad.is_grad_enabled())
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    before = w.array.copy()
    with minigrad.no_grad():
        loss = optimizer.step(closure)
        assert not minigrad.is_grad_enabled()
    assert calls == [True]
    assert float(loss.detach()) == (before**2).sum()
    assert (w.array[before != 0] != before[before != 0]).all()
    assert w.grad_fn is None
    assert w.requires_grad


# ---- saving and loading ------------------------------------------------------------------------------


@every_optimizer
def test_state_dict_has_torchs_layout(name, options):
    ours, theirs = (make(fw, name, options, steps=2)[1].state_dict() for fw in (minigrad, torch))
    assert ours["param_groups"] == theirs["param_groups"]
    assert list(ours) == list(theirs)
    assert list(ours["state"]) == list(theirs["state"])
    for i, state in theirs["state"].items():
        assert list(ours["state"][i]) == list(state)


@every_optimizer
@pytest.mark.parametrize("convert", [lambda s: s, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_a_resumed_run_is_the_uninterrupted_one(name, options, convert):
    params, optimizer = make(minigrad, name, options, steps=5)
    resumed, other = make(minigrad, name, {**options, "lr": 7.0})
    saved = convert(optimizer.state_dict())
    for p, q in zip(resumed, params, strict=True):
        p.data = minigrad.from_numpy(q.array.copy())
    other.load_state_dict(saved)
    run(minigrad, params, optimizer, 5, seed=1)
    run(minigrad, resumed, other, 5, seed=1)
    assert (values(params) == values(resumed)).all()


@every_optimizer
def test_a_loaded_state_is_a_copy(name, options):
    _, optimizer = make(minigrad, name, options, steps=2)
    params, other = make(minigrad, name, options)
    saved = optimizer.state_dict()
    frozen = pickle.dumps(saved)
    other.load_state_dict(saved)
    run(minigrad, params, other, 3)
    assert pickle.dumps(saved) == frozen


@every_optimizer
def test_a_run_begun_in_torch_goes_on_here(name, options):
    theirs, reference = make(torch, name, options, steps=5)
    ours, optimizer = make(minigrad, name, options)
    for p, q in zip(ours, theirs, strict=True):
        p.data = minigrad.from_numpy(q.detach().numpy().copy())
    optimizer.load_state_dict(reference.state_dict())
    run(torch, theirs, reference, 5, seed=1)
    run(minigrad, ours, optimizer, 5, seed=1)
    np.testing.assert_allclose(values(ours), values(theirs), rtol=1e-12)


@every_optimizer
def test_a_run_begun_here_goes_on_in_torch(name, options):
    ours, optimizer = make(minigrad, name, options, steps=5)
    theirs, reference = make(torch, name, options)
    for p, q in zip(ours, theirs, strict=True):
        q.data = torch.from_numpy(p.array.copy())
    reference.load_state_dict(to_torch(optimizer.state_dict()))
    run(torch, theirs, reference, 5, seed=1)
    run(minigrad, ours, optimizer, 5, seed=1)
    np.testing.assert_allclose(values(ours), values(theirs), rtol=1e-12)


@every_optimizer
def test_a_state_takes_the_parameters_dtype(name, options):
    _, optimizer = make(minigrad, name, options, steps=2)
    w, b = leaf(minigrad, 2, 3), leaf(minigrad, 4)
    other = type(optimizer)([{"params": [w]}, {"params": [b]}], **options)
    other.load_state_dict(optimizer.state_dict())
    for key, value in other.state[w].items():
        assert value.dtype == minigrad.float32
        assert value.shape == (() if key == "step" else (2, 3))


def test_a_state_of_other_groups_is_refused():
    for fw in (minigrad, torch):
        one, two = fw.optim.SGD([leaf(fw)]), fw.optim.SGD([leaf(fw), leaf(fw)])
        groups = fw.optim.SGD([{"params": [leaf(fw)]}, {"params": [leaf(fw)]}])
        with pytest.raises(ValueError, match="different number of parameter groups"):
            one.load_state_dict(groups.state_dict())
        with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
            one.load_state_dict(two.state_dict())


def test_options_missing_in_an_old_state_keep_their_values():
    saved = Adam([leaf(minigrad)], lr=0.5).state_dict()
    del saved["param_groups"][0]["maximize"]
    optimizer = Adam([leaf(minigrad)], maximize=True)
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["maximize"] is True
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_adamw_stays_adamw_with_the_state_of_an_adam():
    optimizer = AdamW([leaf(minigrad)])
    optimizer.load_state_dict(Adam([leaf(minigrad)]).state_dict())
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True


@every_optimizer
@pytest.mark.parametrize("clone", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_go_the_same_way(name, options, clone):
    params, optimizer = make(minigrad, name, options, steps=2)
    other = clone(optimizer)
    twins = [p for group in other.param_groups for p in group["params"]]
    run(minigrad, params, optimizer, 3, seed=1)
    run(minigrad, twins, other, 3, seed=1)
    assert all(p is not q for p, q in zip(params, twins, strict=True))
    assert (values(params) == values(twins)).all()


# ---- hooks -------------------------------------------------------------------------------------------


def test_step_hooks():
    seen = {}
    for fw in (minigrad, torch):
        optimizer, log = fw.optim.SGD([leaf(fw)]), []
        before = optimizer.register_step_pre_hook(lambda o, a, k, log=log: log.append(("before", len(a), dict(k))))
        after = optimizer.register_step_post_hook(lambda o, a, k, log=log: log.append(("after", len(a), dict(k))))
        optimizer.step()
        optimizer.step(None)
        optimizer.step(closure=None)
        before.remove()
        optimizer.step()
        after.remove()
        optimizer.step()
        seen[fw] = log
    assert seen[minigrad] == seen[torch]
    assert len(seen[torch]) == 7


def test_a_step_hook_may_change_the_arguments():
    optimizer = SGD([leaf(minigrad)])
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o,), {"closure": lambda: 42}))
    assert optimizer.step() == 42
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 5)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        optimizer.step()


def test_state_dict_hooks_in_order():
    log = []
    optimizer = SGD([leaf(minigrad)])
    optimizer.register_state_dict_pre_hook(lambda o: log.append("second"))
    optimizer.register_state_dict_pre_hook(lambda o: log.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda o, s: {**s, "extra": 1})
    saved = optimizer.state_dict()
    assert saved["extra"] == 1
    optimizer.register_load_state_dict_pre_hook(lambda o, s: log.append(s["extra"]) or {**s, "more": 2})
    optimizer.register_load_state_dict_pre_hook(lambda o, s: log.append(s["more"]))
    optimizer.register_load_state_dict_post_hook(lambda o: log.append("loaded"))
    optimizer.load_state_dict(saved)
    assert log == ["first", "second", 1, 2, "loaded"]


# ---- optimizers of one's own -------------------------------------------------------------------------


def test_an_optimizer_of_ones_own_written_as_for_torch():
    def define(fw):
        class SignDescent(fw.optim.Optimizer):
            def __init__(self, params, lr=0.1):
                super().__init__(params, {"lr": lr})

            @fw.no_grad()
            def step(self, closure=None):
                for group in self.param_groups:
                    for p in group["params"]:
                        state = self.state[p]
                        state["count"] = state.get("count", 0) + 1
                        p -= group["lr"] * p.grad.sign() / state["count"]

        return SignDescent

    results = []
    for fw in (minigrad, torch):
        w = leaf(fw)
        optimizer, calls = define(fw)([w]), []
        optimizer.register_step_post_hook(lambda *_, calls=calls: calls.append(1))
        scheduler = fw.optim.lr_scheduler.StepLR(optimizer, 1)
        for _ in range(3):
            w.grad = fw.ones(2)
            optimizer.step()
            scheduler.step()
        assert len(calls) == 3
        results.append(w.tolist())
    np.testing.assert_allclose(*results, rtol=1e-6)


def test_an_optimizer_without_a_rule():
    w = leaf(minigrad)
    w.grad = minigrad.ones(2)
    with pytest.raises(NotImplementedError, match="Optimizer defines neither"):
        Optimizer([w], {}).step()


# ---- parameters and state belong to the user ---------------------------------------------------------


def test_whoever_holds_an_array_keeps_sharing_it():
    held = minigrad.nn.Linear(2, 2)
    weights = held.weight.detach().numpy()
    optimizer = SGD(held.parameters(), lr=1.0)
    held(minigrad.ones(1, 2)).sum().backward()
    optimizer.step()
    assert (weights == held.weight.detach().numpy()).all()


def test_replaced_arrays_and_state_are_noticed():
    params = [leaf(minigrad, *shape) for shape in ((3, 5), (5,), (17, 2), ())]
    optimizer = SGD(params, lr=1.0, momentum=0.5)

    def set_gradients(seed):
        rng = np.random.default_rng(seed)
        for p in params:
            p.grad = minigrad.from_numpy(np.asarray(rng.standard_normal(p.shape).astype(np.float32)))

    set_gradients(0)
    optimizer.step()
    optimizer.state[params[0]]["momentum_buffer"] = minigrad.zeros(*params[0].shape)
    set_gradients(1)
    old, g = params[0].detach().clone(), params[0].grad.clone()
    optimizer.step()
    assert (params[0] == old - g).all()
    optimizer.state.clear()
    set_gradients(4)
    old, g = params[0].detach().clone(), params[0].grad.clone()
    optimizer.step()
    assert (params[0] == old - g).all()
    params[1].data = minigrad.full((5,), 7.0)
    set_gradients(2)
    old, g = optimizer.state[params[1]]["momentum_buffer"].clone(), params[1].grad.clone()
    optimizer.step()
    assert (params[1] == 7 - (old * 0.5 + g)).all()


def test_copies_of_parameters_share_no_memory():
    model = minigrad.nn.Linear(2, 2)
    optimizer = SGD(model.parameters(), lr=1.0)
    twin = copy.deepcopy(model)
    assert not np.shares_memory(twin.weight.detach().numpy(), model.weight.detach().numpy())
    (weight, _) = copy.deepcopy(optimizer).param_groups[0]["params"]
    assert not np.shares_memory(weight.detach().numpy(), model.weight.detach().numpy())


def trained(optimizer, params, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        sum((p**2).sum() for p in params).backward()
        optimizer.step()


@every_optimizer
def test_a_parameter_appended_to_a_group_takes_part(name, options):
    results = []
    for fw in (minigrad, torch):
        params = [fw.full((2,), 1.0 + i, dtype=fw.float64, requires_grad=True) for i in range(3)]
        optimizer = getattr(fw.optim, name)(params if name == "Adagrad" else params[:2], **options)
        if name != "Adagrad":  # torch's state of a parameter that Adagrad was not given is empty: a KeyError
            optimizer.param_groups[0]["params"].append(params[2])
        trained(optimizer, params, 3)
        results.append(np.array([p.tolist() for p in params]))
    np.testing.assert_allclose(*results, rtol=1e-13)


@pytest.mark.parametrize(("name", "options"), [(n, o) for n, o in OPTIMIZERS.items() if n != "SGD"])
def test_each_parameter_has_a_step_count_of_its_own(name, options):
    params = [leaf(minigrad), leaf(minigrad)]
    optimizer = getattr(minigrad.optim, name)(params, **options)
    trained(optimizer, params, 2)
    optimizer.state[params[1]]["step"].zero_()
    trained(optimizer, params, 1)
    assert [optimizer.state[p]["step"].item() for p in params] == [3.0, 1.0]


@every_optimizer
@pytest.mark.filterwarnings("ignore:optimizer contains a parameter group with duplicate parameters")
def test_a_parameter_given_twice_moves_as_in_torch(name, options):
    results = []
    for fw in (minigrad, torch):
        w = leaf(fw).detach().double().requires_grad_()
        optimizer = getattr(fw.optim, name)([w, w], **options, **({"foreach": False} if fw is torch else {}))
        trained(optimizer, [w], 3)
        results.append(w.tolist())
    np.testing.assert_allclose(*results, rtol=1e-13)
