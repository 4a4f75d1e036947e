"""autograd.grad, hooks, Function, and the switches, against torch."""

import numpy as np
import pytest
import torch

import minigrad

BOTH = pytest.mark.parametrize("fw", [minigrad, torch], ids=["minigrad", "torch"])


def both(program):
    """What a program returns in minigrad and in torch, as nested lists."""
    return [plain(program(fw)) for fw in (minigrad, torch)]


def plain(x):
    if isinstance(x, (list, tuple)):
        return [plain(y) for y in x]
    return x.tolist() if hasattr(x, "tolist") else x


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_higher_derivatives(order):
    def program(fw):
        x = fw.tensor([0.5, 1.5], dtype=fw.float64, requires_grad=True)
        y = (x**4 * x.sin()).sum()
        for _ in range(order):
            (g,) = fw.autograd.grad(y, x, create_graph=True)
            y = g.sum()
        return g

    np.testing.assert_allclose(*both(program), rtol=1e-12)


def test_gradient_penalty():
    """The gradient of a gradient's norm reaches the weights."""

    def program(fw):
        x = fw.tensor([[0.3, -0.2], [0.1, 0.9]], dtype=fw.float64, requires_grad=True)
        w = fw.tensor([[1.0, 2.0], [-1.5, 0.5]], dtype=fw.float64, requires_grad=True)
        y = fw.tanh(x @ w).sum()
        (g,) = fw.autograd.grad(y, x, create_graph=True)
        ((g.norm(dim=1) - 1) ** 2).mean().backward()
        return w.grad, x.grad

    for ours, theirs in zip(*both(program), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


@BOTH
def test_grad_of_an_intermediate_result(fw):
    x = fw.tensor([2.0], requires_grad=True)
    h = x * 3
    (g,) = fw.autograd.grad((h**2).sum(), h)
    assert g.tolist() == [12.0]
    assert x.grad is None


@BOTH
def test_unused_inputs(fw):
    x, y = (fw.tensor([1.0], requires_grad=True) for _ in range(2))
    with pytest.raises(RuntimeError, match="not have been used in the graph"):
        fw.autograd.grad((x * 2).sum(), [x, y])
    assert fw.autograd.grad((x * 2).sum(), [x, y], allow_unused=True)[1] is None
    assert fw.autograd.grad((x * 2).sum(), [x, y], materialize_grads=True)[1].tolist() == [0.0]


@BOTH
def test_backward_into_chosen_inputs_only(fw):
    x, y = (fw.tensor([3.0], requires_grad=True) for _ in range(2))
    (x * y).sum().backward(inputs=[x])
    assert x.grad.tolist() == [3.0]
    assert y.grad is None


@BOTH
@pytest.mark.parametrize(
    ("program", "message"),
    [
        (lambda fw: fw.ones(2).sum().backward(), "does not require grad"),
        (
            lambda fw: fw.ones(2, requires_grad=True).backward(),
            "grad can be implicitly created only for scalar outputs",
        ),
        (lambda fw: fw.ones(2, requires_grad=True).backward(fw.ones(3)), "[Mm]ismatch in shape"),
        (lambda fw: fw.autograd.grad(fw.ones(1, requires_grad=True).sum(), fw.ones(1)), "does not require grad"),
        (lambda fw: fw.ones(2, requires_grad=True).numpy(), r"Use tensor.detach\(\).numpy\(\) instead"),
        (lambda fw: fw.ones(2).long().requires_grad_(), "floating point"),
        (lambda fw: setattr(fw.ones(2, requires_grad=True) * 2, "requires_grad", False), "leaf variables"),
    ],
)
def test_errors(fw, program, message):
    with pytest.raises(RuntimeError, match=message):
        program(fw)


@BOTH
def test_hooks_see_and_change_gradients(fw):
    x = fw.tensor([1.0, 2.0], requires_grad=True)
    h = x * 2
    seen = []
    first = h.register_hook(lambda g: seen.append(g.tolist()))
    h.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    (h * 3).sum().backward()
    assert seen == [[3.0, 3.0]]
    assert x.grad.tolist() == [61.0, 61.0]
    first.remove()
    h = x * 2
    x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
    h.sum().backward()
    assert seen[-1] == [64.0, 64.0]


@BOTH
def test_retain_grad(fw):
    x = fw.tensor([1.0, 2.0], requires_grad=True)
    h = x * 2
    h.retain_grad()
    (h**2).sum().backward()
    assert h.grad.tolist() == [4.0, 8.0]


def test_reading_the_grad_of_a_result_warns():
    h = minigrad.ones(2, requires_grad=True) * 2
    with pytest.warns(UserWarning, match="not a leaf Tensor"):
        assert h.grad is None


class Scale:
    """y = a * x written by hand, with two results, one of which carries no gradient."""

    @staticmethod
    def define(fw):
        class ScaleFunction(fw.autograd.Function):
            @staticmethod
            def forward(ctx, x, a, power):
                ctx.save_for_backward(x, a)
                ctx.power = power
                return x * a, (x * a) ** power

            @staticmethod
            def backward(ctx, g, h):
                x, a = ctx.saved_tensors
                inner = g + h * ctx.power * (x * a) ** (ctx.power - 1)
                return (inner * a if ctx.needs_input_grad[0] else None), (inner * x).sum(), None

        return ScaleFunction


@pytest.mark.parametrize("used", [(1, 0), (0, 1), (1, 1)])
def test_function_with_two_results(used):
    def program(fw):
        x = fw.tensor([1.0, 2.0], dtype=fw.float64, requires_grad=True)
        a = fw.tensor(3.0, dtype=fw.float64, requires_grad=True)
        y, z = Scale.define(fw).apply(x * 1, a, 3)
        (used[0] * y.sum() + used[1] * (z * z).sum()).backward()
        return x.grad, a.grad

    ours, theirs = both(program)
    assert ours == theirs


def test_function_is_differentiable_twice():
    def program(fw):
        x = fw.tensor([1.0, 2.0], dtype=fw.float64, requires_grad=True)
        a = fw.tensor(3.0, dtype=fw.float64, requires_grad=True)
        _, z = Scale.define(fw).apply(x, a, 3)
        g = fw.autograd.grad(z.sum(), [x, a], create_graph=True)
        return fw.autograd.grad(g[0].sum() + g[1], [x, a])

    for ours, theirs in zip(*both(program), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@BOTH
def test_function_that_returns_too_few_gradients(fw):
    class Wrong(fw.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match="WrongBackward returned an incorrect number of gradients"):
        Wrong.apply(fw.ones(1, requires_grad=True), fw.ones(1)).sum().backward()


@BOTH
def test_switches(fw):
    x = fw.ones(1, requires_grad=True)

    @fw.no_grad()
    def quiet():
        with fw.enable_grad():
            assert fw.is_grad_enabled()
        return x * 2

    assert not quiet().requires_grad
    assert fw.is_grad_enabled()
    with fw.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    with fw.inference_mode():
        assert not (x * 2).requires_grad
    with pytest.raises(ValueError, match="stop"), fw.no_grad():
        raise ValueError("stop")
    assert (x * 2).requires_grad


@BOTH
def test_grad_fn(fw):
    x = fw.ones(2, requires_grad=True)
    y = (x + 1).sum()
    assert y.grad_fn.name() == "SumBackward0"
    assert [f[0].name() for f in y.grad_fn.next_functions] == ["AddBackward0"]
    accumulate = y.grad_fn.next_functions[0][0].next_functions[0][0]
    assert type(accumulate).__name__ == "AccumulateGrad"
    assert accumulate.variable is x
    assert x.is_leaf
    assert not y.is_leaf


# ---- as in torch, step by step --------------------------------------------------------------------------------


def test_a_mode_decorates_a_generator(torch_too):
    def program(fw):
        @fw.no_grad()
        def numbers():
            sent = yield fw.is_grad_enabled()
            yield sent, fw.is_grad_enabled()

        steps = numbers()
        return [next(steps), fw.is_grad_enabled(), steps.send(5), list(steps)]

    torch_too(program)


def test_conversions_to_integers_leave_the_graph(torch_too):
    def program(fw):
        x = fw.tensor([1.5, 2.7], requires_grad=True)
        (x - x.long() + x * (x > 2) + (x / 2).int()).sum().backward()
        return x.grad.tolist(), x.long().requires_grad, x.argmax().requires_grad

    torch_too(program)


def test_a_function_that_saves_its_result(torch_too):
    def program(fw):
        class Square(fw.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                y = x * x
                ctx.save_for_backward(x, y)
                return y

            @staticmethod
            def backward(ctx, g):
                x, y = ctx.saved_tensors
                return g * 2 * y / x

        x = fw.tensor(3.0, requires_grad=True)
        (d,) = fw.autograd.grad(Square.apply(x), x, create_graph=True)
        return d.item(), fw.autograd.grad(d, x)[0].item()

    torch_too(program)


def test_a_function_that_writes_to_its_input(torch_too):
    def program(fw):
        class Add(fw.autograd.Function):
            @staticmethod
            def forward(ctx, a, b):
                a.add_(b)
                ctx.mark_dirty(a)
                return a

            @staticmethod
            def backward(ctx, g):
                return g, g

        a, b = fw.ones(2, requires_grad=True) * 1, fw.ones(2, requires_grad=True)
        out = Add.apply(a, b)
        (a * 4).sum().backward()
        return b.grad.tolist(), out is a, a.tolist()

    torch_too(program)


def test_a_function_with_setup_context_and_two_results(torch_too):
    def program(fw):
        class Both(fw.autograd.Function):
            @staticmethod
            def forward(x):
                return x * 2, x * 3

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.save_for_backward(*inputs)
                ctx.set_materialize_grads(False)

            @staticmethod
            def backward(ctx, g, h):
                return (0 if g is None else g * 2) + (0 if h is None else h * 3)

        x = fw.ones(2, requires_grad=True)
        a, b = Both.apply(x)
        (b * 5).sum().backward(retain_graph=True)
        first = x.grad.tolist()
        (a + b).sum().backward()
        return first, x.grad.tolist()

    torch_too(program)


@pytest.mark.parametrize("answer", ["three", "two numbers", "nothing"])
def test_gradients_that_do_not_fit_are_refused(answer, torch_too):
    def program(fw):
        class Bad(fw.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 1

            @staticmethod
            def backward(ctx, g):
                return {"three": fw.ones(3), "two numbers": (g, g), "nothing": None}[answer]

        x = fw.ones(2, requires_grad=True)
        Bad.apply(x).sum().backward()
        return x.grad

    torch_too(program)


def test_hooks_of_leaves_and_of_results(torch_too):
    def program(fw):
        x = fw.ones(2, requires_grad=True)
        with x.register_hook(lambda g: g * 3):
            x.sum().backward()
        x.sum().backward()
        y = x * 2
        y.retain_grad()
        y.register_hook(lambda g: g * 10)
        y.mul_(3)
        y.sum().backward()
        return x.grad.tolist(), y.grad.tolist()

    torch_too(program)


def test_a_hook_that_changes_the_shape_is_refused(torch_too):
    def program(fw):
        x = fw.ones(2, requires_grad=True)
        x.register_hook(lambda g: fw.ones(3))
        x.sum().backward()

    torch_too(program)


def test_grad_and_then_on_from_there(torch_too):
    def program(fw):
        x = fw.ones(2, requires_grad=True)
        h = (x * x).exp()
        (g,) = fw.autograd.grad((h**2).sum(), h)
        h.backward(g)
        y = x * 2
        loss = y.sum()
        loss.backward(retain_graph=True, inputs=[y])
        loss.backward()
        return x.grad.tolist(), y.grad.tolist()

    torch_too(program)


def test_a_leaf_frozen_before_backward_gets_no_gradient(torch_too):
    def program(fw):
        w, x = fw.ones(2, requires_grad=True), fw.ones(2, requires_grad=True)
        loss = (w * x * 2).sum()
        w.requires_grad_(False)
        loss.backward()
        return w.grad, x.grad.tolist()

    torch_too(program)


def test_what_was_marked_once_differentiable(torch_too):
    def program(fw):
        class Double(fw.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2

            @staticmethod
            @fw.autograd.function.once_differentiable
            def backward(ctx, g):
                return g * 2

        x = fw.ones(1, requires_grad=True)
        (g,) = fw.autograd.grad((Double.apply(x) ** 2).sum(), x, create_graph=True)
        return fw.autograd.grad(g, x)

    torch_too(program)


def test_gradcheck_finds_a_wrong_gradient(torch_too):
    def program(fw):
        class Wrong(fw.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**2

            @staticmethod
            def backward(ctx, g):
                return g * ctx.saved_tensors[0]

        x = fw.tensor([[0.5, 2.0]], dtype=fw.float64, requires_grad=True)
        y = fw.tensor([3.0, 4.0], dtype=fw.float64, requires_grad=True)
        right = fw.autograd.gradcheck(lambda x, y: (x.sin() * y, x.sum()), (x, y))
        second = fw.autograd.gradgradcheck(lambda x, y: (x * y).exp(), (x, y))
        return right, second, fw.autograd.gradcheck(Wrong.apply, x, raise_exception=False)

    torch_too(program)


def test_anomaly_detection_names_the_first_operation(torch_too):
    def program(fw):
        x = fw.zeros(2, requires_grad=True)
        with fw.autograd.detect_anomaly():
            (x.sqrt() * 0).sum().backward()

    assert "SqrtBackward0" in torch_too(program)
