"""Forward and backward hooks, called when and with what torch calls them."""

import pytest

import minigrad
from minigrad import nn


def numbers(value):
    """Tensors in nested tuples as lists of rounded numbers."""
    if isinstance(value, (tuple, list)):
        return [numbers(v) for v in value]
    if isinstance(value, dict):
        return {k: numbers(v) for k, v in value.items()}
    return [round(v, 5) for v in value.detach().reshape(-1).tolist()] if hasattr(value, "detach") else value


def scale_layer(fw):
    class Scale(fw.nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = fw.nn.Parameter(fw.tensor([2.0, 3.0]))

        def forward(self, x, bias=0.0):
            return x * self.factor + bias

    return Scale()


def x(fw):
    return fw.tensor([1.0, -2.0], requires_grad=True)


def run(fw, register, *, log=None, call=lambda layer, x: layer(x)):
    """Register hooks, run forward and backward, and tell everything that can be seen."""
    layer, input = scale_layer(fw), x(fw)
    handle = register(fw, layer, log := [] if log is None else log)
    out = call(layer, input)
    first = out[0] if isinstance(out, tuple) else out
    (first * fw.tensor([1.0, 10.0])).sum().backward()
    seen = [log, numbers(out), numbers(input.grad), numbers(layer.factor.grad)]
    handle.remove()
    handle.remove()
    log.clear()
    return seen, numbers(layer(x(fw))), log


@pytest.mark.parametrize(
    "register",
    [
        lambda fw, layer, log: layer.register_forward_pre_hook(lambda m, args: log.append(numbers(args))),
        lambda fw, layer, log: layer.register_forward_pre_hook(lambda m, args: args[0] * 2),
        lambda fw, layer, log: layer.register_forward_pre_hook(lambda m, args: (args[0] * 2, 1.0)),
        lambda fw, layer, log: layer.register_forward_pre_hook(
            lambda m, args, kwargs: (args, {"bias": 5.0}), with_kwargs=True
        ),
        lambda fw, layer, log: layer.register_forward_pre_hook(lambda m, args, kwargs: None, with_kwargs=True),
        lambda fw, layer, log: layer.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True),
        lambda fw, layer, log: layer.register_forward_hook(
            lambda m, args, out: log.append([m is layer, numbers(args), numbers(out)])
        ),
        lambda fw, layer, log: layer.register_forward_hook(lambda m, args, out: out * 2),
        lambda fw, layer, log: layer.register_forward_hook(
            lambda m, args, kwargs, out: log.append([kwargs, numbers(out)]), with_kwargs=True
        ),
        lambda fw, layer, log: layer.register_full_backward_hook(
            lambda m, gin, gout: log.append([m is layer, numbers(gin), numbers(gout)])
        ),
        lambda fw, layer, log: layer.register_full_backward_hook(lambda m, gin, gout: (gin[0] * 100,)),
        lambda fw, layer, log: layer.register_full_backward_hook(lambda m, gin, gout: (gin[0], gin[0])),
        lambda fw, layer, log: layer.register_full_backward_pre_hook(lambda m, gout: log.append(numbers(gout))),
        lambda fw, layer, log: layer.register_full_backward_pre_hook(lambda m, gout: (gout[0] * 7,)),
    ],
)
def test_one_hook(alike, register):
    alike(lambda fw: run(fw, register))


def test_a_backward_hook_may_return_one_tensor_for_one_input():
    layer, input = scale_layer(minigrad), x(minigrad)
    layer.register_full_backward_hook(lambda m, gin, gout: gin[0] * 100)
    layer(input).sum().backward()
    assert input.grad.tolist() == [200.0, 300.0]


def test_order_and_prepend(alike):
    def register(fw, layer, log):
        for event in ("forward_pre", "forward", "full_backward_pre", "full_backward"):
            add = getattr(layer, f"register_{event}_hook")

            def note(name, event=event):
                return lambda *_: log.append(f"{event} {name}")

            add(note("a"))
            add(note("b"))
            add(note("first"), prepend=True)
        return layer.register_forward_hook(note("last"))

    assert alike(lambda fw: run(fw, register)) == "result"


def test_kwargs_reach_forward_and_hooks(alike):
    def register(fw, layer, log):
        return layer.register_forward_hook(lambda m, a, k, out: log.append([len(a), list(k)]), with_kwargs=True)

    assert alike(lambda fw: run(fw, register, call=lambda layer, x: layer(x, bias=4.0))) == "result"


def test_always_call(alike):
    def program(fw):
        log, layer = [], scale_layer(fw)
        layer.register_forward_hook(lambda *_: log.append("plain"))
        layer.register_forward_hook(lambda m, args, out: log.append(["always", out]), always_call=True)
        try:
            layer(fw.ones(5))
        except RuntimeError:
            log.append("raised")
        return log

    assert alike(program) == "result"


def test_backward_hooks_where_no_input_requires_grad(alike):
    def program(fw):
        log, layer = [], scale_layer(fw)
        layer.register_full_backward_hook(lambda m, gin, gout: log.append([numbers(gin), numbers(gout)]))
        layer(fw.ones(2), 1.0).sum().backward()
        return log, numbers(layer.factor.grad)

    assert alike(program) == "result"


def test_backward_hooks_of_several_inputs_and_outputs(alike):
    def program(fw):
        class Pair(fw.nn.Module):
            def forward(self, a, b, c):
                return a * b, b + c, "text"

        log, layer = [], Pair()
        layer.register_full_backward_hook(lambda m, gin, gout: log.append([numbers(gin), numbers(gout)]))
        a, b, c = x(fw), x(fw), fw.ones(2)
        first, second, text = layer(a, b, c)
        (first.sum() + 3 * second.sum()).backward()
        return log, text, numbers(a.grad), numbers(b.grad)

    assert alike(program) == "result"


def test_hooks_of_nested_modules(alike):
    def program(fw):
        log = []
        net = fw.nn.Sequential(scale_layer(fw), fw.nn.Sequential(scale_layer(fw), fw.nn.Tanh()))
        for name, module in net.named_modules():
            module.register_forward_hook(lambda m, args, out, name=name: log.append(name))
            module.register_full_backward_hook(lambda m, gi, go, name=name: log.append([name, numbers(gi)]))
        net(x(fw)).sum().backward()
        return log

    assert alike(program) == "result"


def test_backward_hooks_see_gradients_of_second_order():
    layer, input, seen = scale_layer(minigrad), x(minigrad), []
    layer.register_full_backward_hook(lambda m, gin, gout: seen.append(gin[0]))
    (g,) = minigrad.autograd.grad((layer(input) ** 2).sum(), input, create_graph=True)
    assert seen[0].requires_grad
    g.sum().backward()
    assert input.grad.tolist() == [8.0, 18.0]


def test_hooks_are_copied_with_their_module():
    import copy

    net = nn.Linear(1, 1)
    net.register_forward_hook(lambda m, args, out: out * 0)
    assert copy.deepcopy(net)(minigrad.ones(1)).tolist() == [0.0]


def test_an_error_under_a_hook_still_names_the_module():
    net = nn.Linear(3, 4)
    net.register_forward_hook(lambda *_: None)
    with pytest.raises(RuntimeError, match=r"in Linear\(in_features=3"):
        net(minigrad.ones(2, 5))
