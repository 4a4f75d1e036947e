"""nan, inf, halves, long sums, integers and bytes: values and gradients as torch's, wherever they can occur."""

import math

import numpy as np
import pytest

import minigrad
from minigrad.ops.reduction import total

INF, NAN = float("inf"), float("nan")
EDGES = [-INF, -120.0, -3.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, 6.0, 21.0, 88.0, INF, NAN]
ACTIVATIONS = {
    name: (lambda fw, x, name=name: getattr(fw.nn.functional, name)(x))
    for name in (
        *("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "silu", "mish", "logsigmoid", "softsign", "tanhshrink"),
        *("hardtanh", "hardsigmoid", "hardswish", "hardshrink", "softshrink", "softplus"),
    )
}
ELEMENTWISE = {
    name: (lambda fw, x, name=name: getattr(fw, name)(x))
    for name in (
        *("abs", "sign", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "erf", "tanh", "sigmoid", "sin", "cos"),
        *("sinh", "cosh", "square", "reciprocal", "floor", "ceil", "trunc", "round", "max", "min", "amax", "amin"),
        *("median", "sum"),
    )
}
MASKS = {  # a gradient of inf beside what they cut off is to give 0
    name: ACTIVATIONS[name] for name in ("relu", "relu6", "leaky_relu", "hardtanh", "hardshrink", "softplus")
} | {
    "clamp": lambda fw, x: x.clamp(-1, 1),
    "clamp_min": lambda fw, x: x.clamp_min(0.5),
    "threshold": lambda fw, x: fw.nn.functional.threshold(x, 0.5, -2.0),
    "masked_fill": lambda fw, x: x.masked_fill(x > 0, 2.0),
    "where": lambda fw, x: fw.where(x > 0, x, 0.0),
    "where_else": lambda fw, x: fw.where(x > 0, 0.0, x),
    "floor": lambda fw, x: x.floor(),
    "sign": lambda fw, x: x.sign(),
    "div": lambda fw, x: fw.div(x, 2.0, rounding_mode="trunc"),
    "pow": lambda fw, x: x**0,
}
TWO = {
    name: (lambda fw, x, y, name=name: getattr(fw, name)(x, y))
    for name in ("maximum", "minimum", "atan2", "logaddexp", "div", "mul")
} | {
    "lerp": lambda fw, x, y: fw.lerp(x, y, 0.25),
    "lerp_far": lambda fw, x, y: fw.lerp(x, y, 0.75),
    "l1_loss": lambda fw, x, y: fw.nn.functional.l1_loss(x, y, reduction="none"),
    "smooth_l1_loss": lambda fw, x, y: fw.nn.functional.smooth_l1_loss(x, y, reduction="none"),
    "huber_loss": lambda fw, x, y: fw.nn.functional.huber_loss(x, y, reduction="none", delta=2.0),
    "bce": lambda fw, x, y: fw.nn.functional.binary_cross_entropy_with_logits(x, y, reduction="none"),
    "hinge": lambda fw, x, y: fw.nn.functional.hinge_embedding_loss(x, y, reduction="none"),
}


def gradients(function, *arrays, g=1.0):
    def program(fw):
        inputs = [fw.tensor(a, requires_grad=True) for a in arrays]
        with np.errstate(all="ignore"):
            out = function(fw, *inputs)
            out.backward(fw.full_like(out, g))
        return out, *(x.grad for x in inputs)

    return program


@pytest.mark.parametrize("name", [*ACTIVATIONS, *ELEMENTWISE])
def test_gradients_at_the_edges(torch_too, name):
    torch_too(gradients((ACTIVATIONS | ELEMENTWISE)[name], EDGES))


@pytest.mark.parametrize("name", MASKS)
def test_an_infinite_gradient_beside_a_mask(torch_too, name):
    torch_too(gradients(MASKS[name], [x for x in EDGES if x != -120], g=INF))


@pytest.mark.parametrize("name", TWO)
def test_gradients_of_two_at_the_edges(torch_too, name):
    x, y = np.meshgrid(np.float32([-INF, -3, -1, 0, 1, 2, INF, NAN]), np.float32([-INF, -1, 0, 1, 3, INF, NAN]))
    torch_too(gradients(TWO[name], x.ravel().tolist(), y.ravel().tolist()))


def test_medians(torch_too):
    rows = [[1.0, NAN, 2.0, 2.0], [3.0, 1.0, 1.0, 1.0]]
    torch_too(lambda fw: [fw.tensor(rows).median(), *fw.tensor(rows).median(1), *fw.tensor(rows).median(1, True)])
    torch_too(gradients(lambda fw, x: x.median(), [2.0, 1.0, 1.0, 3.0]))
    torch_too(lambda fw: [fw.zeros(0).median(), *fw.tensor(2.0).median(0)])


@pytest.mark.parametrize(
    "function", ["floor_divide", "remainder", "__floordiv__", "__mod__", "__ifloordiv__", "__imod__"]
)
@pytest.mark.parametrize("divisor", [0, [0], [1, 0]])
def test_integers_divided_by_zero(torch_too, function, divisor):
    def program(fw):
        return getattr(fw.tensor([7, -7]), function)(divisor if divisor == 0 else fw.tensor(divisor))

    if isinstance(divisor, list) or function != "floor_divide":
        torch_too(program)
    torch_too(lambda fw: fw.div(fw.tensor([7, -7]), fw.tensor([2, 0]), rounding_mode="trunc"))


def test_integers_are_divided_exactly(torch_too):
    x, y = [2**60 + 1, -(2**60) - 1, 7, -7], [3, 3, -2, 2]
    torch_too(lambda fw: [fw.div(fw.tensor(x), fw.tensor(y), rounding_mode=mode) for mode in ("floor", "trunc")])


@pytest.mark.parametrize(
    "program",
    [
        lambda fw: [
            fw.linspace(*ends, dtype=fw.int64) for ends in ((0, 10, 5), (-10, 7, 6), (0.5, 9.5, 4), (7, -7, 9))
        ],
        lambda fw: 2 ** fw.tensor([-1, 0, 2]),
        lambda fw: fw.tensor([1, -1, 2, 0]) ** fw.tensor([-3, -3, -1, 1]),
        lambda fw: fw.tensor([2]) ** -1,
        lambda fw: 2 ** fw.tensor(2.0, dtype=fw.float64),
        lambda fw: fw.tensor([1, 255], dtype=fw.uint8) + -1,
        lambda fw: fw.tensor([1, 127], dtype=fw.int8) * 300,
        lambda fw: -1 - fw.tensor([1, 255], dtype=fw.uint8),
        lambda fw: fw.tensor([1, 2], dtype=fw.uint8).mul_(fw.tensor([3, 200])),
        lambda fw: fw.tensor([1, 2], dtype=fw.int32).add_(fw.tensor([3, 2**33])),
        lambda fw: [fw.tensor([1, 2], dtype=fw.uint8).all(), fw.tensor([[1, 0]], dtype=fw.uint8).any(1)],
        lambda fw: [fw.nn.functional.hardtanh(fw.tensor([3, -2])), fw.nn.functional.relu6(fw.tensor([7, -2]))],
        lambda fw: [fw.nn.functional.mse_loss(fw.ones(1).half(), fw.tensor([0.5]).double())],
        lambda fw: [fw.nn.functional.l1_loss(fw.ones(2), fw.tensor([1, 3])), fw.tensor([3]).sign()],
        lambda fw: fw.nn.functional.binary_cross_entropy(fw.tensor([0.9]), fw.tensor([1], dtype=fw.uint8)),
        lambda fw: fw.nn.functional.binary_cross_entropy(fw.tensor([0.9]), fw.tensor([1])),
        lambda fw: fw.nn.functional.binary_cross_entropy(fw.tensor([0.9]), fw.tensor([1.0]).double()),
        lambda fw: gradients(lambda fw, x: 2 ** x.half(), [1.0, 3.0])(fw),
        lambda fw: gradients(lambda fw, x: 0.0**x, [1.0, 0.0, -1.0])(fw),
        lambda fw: fw.arange(6.0).reshape(2, 3).topk(2, 1)[0].view(-1),
        lambda fw: fw.arange(6.0).reshape(2, 3).topk(2, 0)[1].view(-1),
        lambda fw: fw.tensor([1.0, 2.0]).var(correction=3),
        lambda fw: fw.tensor([[1.0], [2.0]]).std(1),
        lambda fw: [x.sign().fill_(False) is x for x in [fw.tensor([True])]],
    ],
)
def test_integers_and_dtypes(torch_too, program):
    torch_too(program)


def test_division_in_place_writes():
    a = np.array([5.0, 7.0])
    x = minigrad.from_numpy(a)
    x //= 2
    assert a.tolist() == [2.0, 3.0]


def test_a_copy_of_a_sign():
    x = minigrad.tensor([True, False])
    x.sign().fill_(False)
    assert x.tolist() == [True, False]


@pytest.mark.parametrize("other", [None, "a", [1.0], object])
def test_comparison_with_what_is_no_number(torch_too, other):
    torch_too(lambda fw: [fw.ones(2) == other, fw.ones(2) != other, other == fw.ones(2), other in [fw.ones(2)]])
    torch_too(lambda fw: type(fw.ones(2) < other) if other is None else 1)


@pytest.mark.parametrize(
    "name", ["sum", "mean", "prod", "var", "std", "amax", "amin", "all", "any", "logsumexp", "max"]
)
def test_numpys_names_of_dimensions(torch_too, name):
    x = [[1.0, 2.0], [3.0, 5.0]]
    torch_too(lambda fw: tuple(getattr(fw.tensor(x), name)(axis=1, keepdims=True)) if name == "max" else 0)
    torch_too(lambda fw: getattr(fw.tensor(x), name)(axis=1) if name != "max" else 0)
    torch_too(lambda fw: getattr(fw, name)(fw.tensor(x), axis=0, keepdims=True) if name != "max" else 0)


@pytest.mark.parametrize(
    "function",
    [
        lambda fw, x: x.sum(0),
        lambda fw, x: x.mean(),
        lambda fw, x: x.mean(0),
        lambda fw, x: x.var(0),
        lambda fw, x: x.std(0),
        lambda fw, x: (x * 0 + 1).cumsum(0)[-1],
        lambda fw, x: (x * 3).norm(2, 0),
        lambda fw, x: x.norm(1, 0),
        lambda fw, x: (x - 4).logsumexp(0),
        lambda fw, x: x.softmax(0).float().sum(0),
        lambda fw, x: x.log_softmax(0),
        lambda fw, x: fw.nn.functional.cross_entropy(x, fw.zeros(len(x), dtype=fw.int64)),
        lambda fw, x: fw.nn.functional.mse_loss(x, x * 0),
        lambda fw, x: fw.nn.functional.nll_loss(x, fw.zeros(len(x), dtype=fw.int64)),
    ],
)
def test_halves_are_added_up_in_float32(torch_too, function):
    values = np.random.RandomState(0).rand(5000, 3).astype(np.float16)
    torch_too(lambda fw: function(fw, fw.from_numpy(values)), tolerance=3e-4)


def test_a_mean_of_many_halves(torch_too):
    torch_too(lambda fw: [fw.ones(70000).half().mean(), fw.full((4,), 4e4, dtype=fw.float16).mean()])


@pytest.mark.parametrize("axis", [0, 1, (0, 1), (0, 2), (1, 2), None, -1])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
def test_long_sums(axis, order):
    x = np.random.RandomState(0).rand(3001, 90, 7).astype(np.float32).transpose(order)
    for part in (x, x[:, ::2], x[:0]):
        for keepdims in (False, True):
            exact = np.add.reduce(part.astype(np.float64), axis=axis, keepdims=keepdims)
            ours = total(part, axis, keepdims)
            assert ours.shape == exact.shape
            assert ours.dtype == np.float32
            np.testing.assert_allclose(ours, exact, rtol=1e-6)


@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "group_norm"])
def test_long_norms(name):
    x = np.random.RandomState(0).rand(8, 50_000).astype(np.float32) + 1
    functions, given = minigrad.nn.functional, minigrad.from_numpy(x)
    ours = {
        "batch_norm": lambda: functions.batch_norm(given.T, None, None, training=True).T,
        "layer_norm": lambda: functions.layer_norm(given, (50_000,)),
        "group_norm": lambda: functions.group_norm(given.reshape(4, 4, 25_000), 2).reshape(8, 50_000),
    }[name]()
    wide = x.astype(np.float64)
    exact = (wide - wide.mean(1, keepdims=True)) / np.sqrt(wide.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(ours.numpy(), exact, atol=1e-6)


def test_short_sums_are_numpys():
    x = np.random.RandomState(0).rand(512, 100).astype(np.float32)
    assert np.array_equal(total(x, 0), np.add.reduce(x, 0))


def test_a_derivative_that_vanishes(torch_too):
    def program(fw):
        x = fw.tensor(3.0, requires_grad=True)
        (g,) = fw.autograd.grad(x**2, x, create_graph=True)
        (h,) = fw.autograd.grad(g, x, create_graph=True)
        h.backward()
        y = fw.tensor([3.0, -1.0], requires_grad=True)
        (g,) = fw.autograd.grad(fw.relu(y).sum(), y, create_graph=True)
        g.sum().backward()
        return x.grad, y.grad

    torch_too(program)


def test_the_divisor_of_a_number_may_change(torch_too):
    def program(fw):
        x = fw.ones(2, requires_grad=True)
        y = x * 2
        z = 3 / y
        y.add_(1)
        z.sum().backward()
        return x.grad

    torch_too(program)


def test_grids_are_views_in_the_graph(torch_too):
    def program(fw):
        x, y = fw.tensor([1.0, 2.0], requires_grad=True), fw.tensor([3.0, 4.0, 5.0])
        a, b = fw.meshgrid(x, y, indexing="ij")
        c, d, e = fw.meshgrid(x, y, fw.tensor(7.0), indexing="xy")
        (a * b).sum().backward()
        return a, b, c, d, e, x.grad, fw.meshgrid(y, indexing="xy")

    torch_too(program)
    torch_too(lambda fw: fw.zeros(3).scatter(0, fw.tensor([1]), fw.tensor(2.0)))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64"])
@pytest.mark.parametrize("number", [-1, 3, 200, 256, 300])
@pytest.mark.parametrize(
    "function",
    [
        lambda fw, x, n: [x / n, n / x, x.true_divide(n), x.add(x, alpha=n % 100), x.sub(x, alpha=-n % 100)],
        lambda fw, x, n: [x * n, x + n, n - x, x | n, x == n, x < n],
        lambda fw, x, n: [x.add(x, alpha=-1), x % (n + 1)] if n < 255 or x.dtype == fw.int64 else [],
    ],
)
def test_bytes_and_numbers_that_they_can_not_hold(function, number, dtype, torch_too):
    torch_too(lambda fw: function(fw, fw.tensor([1, 2, 100], dtype=getattr(fw, dtype)), number))


@pytest.mark.parametrize("dtype", ["half", "float32", "float64"])
@pytest.mark.parametrize("power", [0.5, -0.5, 2, -1, -2, 3])
def test_powers_at_the_edges(dtype, power, torch_too):
    torch_too(
        lambda fw: fw.tensor([-math.inf, math.inf, -2.0, -0.0, 0.0, 2.0], dtype=getattr(fw, dtype)) ** power, 1e-3
    )
