"""Losses against torch's: every setting, every dtype of target, values and gradients with a random cotangent."""

import itertools

import numpy as np
import pytest
import torch

import minigrad
from minigrad import nn
from minigrad.nn import functional as F

REDUCTIONS = ["mean", "sum", "none"]
TOLERANCE = {"float32": 2e-6, "float64": 1e-13}
C = 4
SHAPES = [(C,), (5, C), (3, C, 2), (2, C, 2, 3)]


@pytest.fixture
def rng():
    return np.random.default_rng(42)


def wrapped(fw, value):
    return None if value is None else fw.from_numpy(value.copy())


def class_target(rng, shape):
    return np.asarray(rng.integers(0, C, shape[:1] * (len(shape) > 1) + shape[2:]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss"])
def test_class_indices(same_run, rng, name, shape, dtype):
    x = rng.normal(scale=3, size=shape).astype(dtype)
    weights = [None, rng.uniform(0.1, 2, C).astype(dtype)]
    smoothings = [0.0, 0.1, 1.0] if name == "CrossEntropyLoss" else [None]
    for reduction, weight, ignored, smoothing in itertools.product(REDUCTIONS, weights, [-100, 1], smoothings):
        target = class_target(rng, shape)
        target.flat[0] = 0  # so that something is counted
        if ignored == -100 and target.size > 1:
            target.flat[1] = -100
        more = {} if smoothing is None else {"label_smoothing": smoothing}
        make = lambda fw, r=reduction, w=weight, i=ignored, m=more: getattr(fw.nn, name)(
            wrapped(fw, w), ignore_index=i, reduction=r, **m
        )
        assert repr(make(minigrad)) == repr(make(torch))
        same_run(
            lambda fw, x, t, make=make: make(fw)(x, t),
            [x, target],
            rng,
            TOLERANCE[dtype] * 5,
            what=(reduction, weight, ignored, smoothing),
        )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", ["probabilities", "one-hot", "float64 one-hot", "learnt"])
def test_probabilities(same_run, rng, shape, dtype, form):
    x = rng.normal(scale=3, size=shape).astype(dtype)
    axis = 0 if len(shape) == 1 else 1
    for reduction, weight, smoothing in itertools.product(
        REDUCTIONS, [None, rng.uniform(0.1, 2, C).astype(dtype)], [0.0, 0.3]
    ):
        target = rng.dirichlet(np.ones(C), shape[:1] * (len(shape) > 1) + shape[2:])
        if "hot" in form:
            target = np.eye(C)[target.argmax(-1)]
        target = np.moveaxis(target, -1, axis).astype("float64" if form == "float64 one-hot" else dtype)
        mixed = form == "float64 one-hot" and dtype == "float32"

        def loss(fw, x, t, reduction=reduction, weight=weight, smoothing=smoothing, mixed=mixed):
            criterion = fw.nn.CrossEntropyLoss(wrapped(fw, weight), reduction=reduction, label_smoothing=smoothing)
            loss = criterion(x, t)
            return loss.double() if mixed else loss  # torch's is float64, ours has the dtype of the input

        same_run(
            loss,
            [x, target],
            rng,
            TOLERANCE[dtype] * 5,
            fixed=() if form == "learnt" else (1,),
            what=(reduction, weight, smoothing),
        )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("ignored", [-100, 1])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_nothing_is_counted(same_run, rng, reduction, ignored, smoothing):
    def loss(fw, x, t):
        return fw.nn.functional.cross_entropy(
            x, t, ignore_index=ignored, reduction=reduction, label_smoothing=smoothing
        )

    same_run(loss, [rng.normal(size=(2, C)), np.full(2, ignored)], rng, 1e-12)
    same_run(loss, [np.zeros((0, C)), np.zeros(0, np.int64)], rng, 1e-12)


def test_extreme_scores(same_run, rng):
    x = np.array([[0, 0, 0], [1000, 999, -1000], [-1e30, 0, 1e30], [50, -50, 0]], np.float32)
    for target in ([0, 1, 2, 1], [2, 0, 1, 0]):
        same_run(lambda fw, x, t: fw.nn.functional.cross_entropy(x, t), [x, np.array(target)], rng, 1e-6)


def test_the_gradient_of_cross_entropy_is_softmax_minus_target():
    x = minigrad.randn(6, C, requires_grad=True)
    target = minigrad.randint(C, (6,))
    F.cross_entropy(x, target).backward()
    expected = (F.softmax(x.detach(), 1) - F.one_hot(target, C)) / 6
    np.testing.assert_allclose(x.grad.numpy(), expected.numpy(), atol=1e-7)


# ---- element by element ------------------------------------------------------------------------------------

PAIRS = [
    ("MSELoss", {}, "any", "any"),
    ("L1Loss", {}, "any", "any"),
    ("SmoothL1Loss", {}, "any", "any"),
    ("SmoothL1Loss", {"beta": 0.5}, "any", "any"),
    ("SmoothL1Loss", {"beta": 0.0}, "any", "any"),
    ("HuberLoss", {}, "any", "any"),
    ("HuberLoss", {"delta": 2.0}, "any", "any"),
    ("KLDivLoss", {}, "any", "unit"),
    ("KLDivLoss", {"log_target": True}, "any", "any"),
    ("BCELoss", {}, "unit", "unit"),
    ("BCEWithLogitsLoss", {}, "any", "unit"),
    ("PoissonNLLLoss", {}, "any", "count"),
    ("PoissonNLLLoss", {"log_input": False, "full": True}, "unit", "count"),
    ("SoftMarginLoss", {}, "any", "sign"),
    ("HingeEmbeddingLoss", {}, "any", "sign"),
    ("HingeEmbeddingLoss", {"margin": 0.3}, "any", "sign"),
]


def draw(rng, what, shape, dtype):
    values = {
        "any": lambda: rng.choice([-2, -1, -0.5, 0, 0.5, 1, rng.normal(), rng.normal()], shape),
        "unit": lambda: rng.uniform(0.01, 0.99, shape),
        "count": lambda: rng.integers(0, 5, shape),
        "sign": lambda: rng.choice([-1, 1], shape),
    }[what]()
    return np.asarray(values, dtype)


@pytest.mark.filterwarnings("ignore:reduction")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("name", "settings", "inputs", "targets"), PAIRS)
def test_pairs(same_run, rng, name, settings, inputs, targets, reduction, dtype):
    make = lambda fw: getattr(fw.nn, name)(**settings, reduction=reduction)
    assert repr(make(minigrad)) == repr(make(torch))
    for shape in ((), (7,), (4, 3), (2, 3, 2)):
        x, y = draw(rng, inputs, shape, dtype), draw(rng, targets, shape, dtype)
        fixed = () if targets in ("any", "unit") and name != "BCEWithLogitsLoss" else (1,)
        same_run(lambda fw, x, y: make(fw)(x, y), [x, y], rng, TOLERANCE[dtype] * 10, fixed, shape)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["BCELoss", "BCEWithLogitsLoss", "MultiLabelSoftMarginLoss"])
def test_weights(same_run, rng, name, reduction, dtype):
    x = draw(rng, "unit" if name == "BCELoss" else "any", (5, 3), dtype)
    y = np.asarray(rng.integers(0, 2, (5, 3)), dtype)
    weights = [None, draw(rng, "unit", (3,), dtype), draw(rng, "unit", (5, 3), dtype)]
    positives = [None, draw(rng, "count", (3,), dtype), draw(rng, "unit", (1,), dtype)]
    for weight, positive in itertools.product(weights, positives if name == "BCEWithLogitsLoss" else [None]):
        more = {} if positive is None else {"pos_weight": positive}
        make = lambda fw, w=weight, m=more: getattr(fw.nn, name)(
            wrapped(fw, w), reduction=reduction, **{k: wrapped(fw, v) for k, v in m.items()}
        )
        assert list(make(minigrad).state_dict()) == list(make(torch).state_dict())
        same_run(
            lambda fw, x, y, make=make: make(fw)(x, y), [x, y], rng, TOLERANCE[dtype] * 10, (1,), (weight, positive)
        )


def test_logits_do_not_overflow(same_run, rng):
    x = np.array([1000, -1000, 0, 90, -90], np.float32)
    for y in (0.0, 1.0, 0.3):
        for positive in (None, np.array([2.0], np.float32)):
            same_run(
                lambda fw, x, y, p=positive: fw.nn.BCEWithLogitsLoss(pos_weight=wrapped(fw, p))(x, y),
                [x, np.full(5, y, np.float32)],
                rng,
                1e-6,
                (1,),
            )


def test_logarithms_of_zero_are_limited(same_run, rng):
    x = np.array([0.0, 1.0, 0.0, 1.0], np.float32)
    same_run(lambda fw, x, y: fw.nn.BCELoss()(x, y), [x, np.array([1, 0, 0, 1], np.float32)], rng, 1e-6, (1,))


def test_kl_divergence_by_batch(same_run, rng):
    for shape in ((), (3,), (4, 3)):
        same_run(
            lambda fw, x, y: fw.nn.KLDivLoss(reduction="batchmean")(x, y),
            [rng.normal(size=shape), np.asarray(rng.uniform(size=shape))],
            rng,
            1e-12,
        )
    y = np.array([0.0, 1.0, 0.5])  # an impossible event counts as nothing
    same_run(lambda fw, x, y: fw.nn.KLDivLoss(reduction="sum")(x, y), [rng.normal(size=3), y], rng, 1e-12, (1,))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("full", [False, True])
def test_gaussian(same_run, rng, reduction, full):
    x, y = rng.normal(size=(2, 4, 3))
    for var in (rng.uniform(0, 2, (4, 3)), rng.uniform(0, 2, (4, 1)), rng.uniform(0, 2, (4,)), np.zeros((4, 3))):
        same_run(
            lambda fw, x, y, v: fw.nn.GaussianNLLLoss(full=full, eps=0.1, reduction=reduction)(x, y, v),
            [x, y, var],
            rng,
            1e-12,
            what=var.shape,
        )
    same_run(lambda fw, x, y: fw.nn.functional.gaussian_nll_loss(x, y, 0.5, full), [x, y], rng, 1e-12)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("margin", [0.0, 0.4])
def test_margins(same_run, rng, reduction, margin):
    a, b, c = rng.normal(size=(3, 5, 4))
    sign = np.where(rng.random(5) < 0.5, 1.0, -1.0)
    ranking = lambda fw, a, b, s: fw.nn.MarginRankingLoss(margin, reduction=reduction)(a, b, s)
    same_run(ranking, [a[:, 0], np.append(b[:4, 0], a[4, 0]), sign], rng, 1e-12, (2,))  # with a tie
    angle = lambda fw, a, b, s: fw.nn.CosineEmbeddingLoss(margin, reduction=reduction)(a, b, s)
    same_run(angle, [a, b, sign], rng, 1e-12, (2,))
    same_run(angle, [a[0], b[0], np.array(-1.0)], rng, 1e-12, (2,))
    for p, swap in itertools.product((1.0, 2.0, 3.0), (False, True)):
        settings = {"margin": 1 + margin, "p": p, "swap": swap, "reduction": reduction}
        triplet = lambda fw, a, b, c, s=settings: fw.nn.TripletMarginLoss(**s)(a, b, c)
        same_run(triplet, [a, b, c], rng, 1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.PoissonNLLLoss(),
        lambda nn: nn.GaussianNLLLoss(),
        lambda nn: nn.MarginRankingLoss(),
        lambda nn: nn.CosineEmbeddingLoss(),
        lambda nn: nn.TripletMarginLoss(),
        lambda nn: nn.MultiLabelSoftMarginLoss(),
        lambda nn: nn.CosineSimilarity(),
        lambda nn: nn.PairwiseDistance(),
    ],
)
def test_text(make):
    assert repr(make(nn)) == repr(make(torch.nn))


# ---- settings and errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "old", list(itertools.product([None, True, False], [None, True, False]))[1:], ids=lambda o: f"{o[0]}-{o[1]}"
)
def test_legacy_arguments(alike, old):
    size_average, reduce = old
    for name in ("MSELoss", "CrossEntropyLoss", "BCELoss", "KLDivLoss", "TripletMarginLoss", "NLLLoss"):
        make = lambda fw, n=name: getattr(fw.nn, n)(size_average=size_average, reduce=reduce)
        assert alike(lambda fw, make=make: make(fw).reduction) == "result"
    x = np.array([0.25, 0.75], np.float32)
    assert (
        alike(
            lambda fw: [
                fw.nn.functional.mse_loss(fw.from_numpy(x), fw.zeros(2), size_average, reduce),
                fw.nn.functional.l1_loss(fw.from_numpy(x), fw.zeros(2), reduce=reduce, size_average=size_average),
                fw.nn.functional.binary_cross_entropy(fw.from_numpy(x), fw.zeros(2), None, size_average, reduce),
            ]
        )
        == "result"
    )


@pytest.mark.parametrize(
    ("error", "program"),
    [
        ("IndexError", lambda F, fw: F.cross_entropy(fw.ones(2, 3), fw.tensor([0, 5]))),
        ("IndexError", lambda F, fw: F.cross_entropy(fw.ones(2, 3), fw.tensor([0, -1]))),
        ("ValueError", lambda F, fw: F.cross_entropy(fw.ones(2, 3), fw.tensor([0, 1, 1]))),
        ("RuntimeError", lambda F, fw: F.cross_entropy(fw.ones(2, 3), fw.tensor([[0], [1]]))),
        ("RuntimeError", lambda F, fw: F.cross_entropy(fw.ones(2, 3), fw.tensor([0, 1]), weight=fw.ones(2))),
        ("RuntimeError", lambda F, fw: F.cross_entropy(fw.ones(2, 3), fw.tensor([0, 1]), label_smoothing=2.0)),
        ("ValueError", lambda F, fw: F.cross_entropy(fw.ones(2, 3), fw.tensor([0, 1]), reduction="x")),
        ("RuntimeError", lambda F, fw: F.nll_loss(fw.ones(2, 3), fw.tensor([0.0, 1.0]))),
        ("ValueError", lambda F, fw: F.mse_loss(fw.ones(1), fw.ones(1), reduction="x")),
        ("ValueError", lambda F, fw: F.huber_loss(fw.ones(1), fw.ones(1), reduction="x")),
        ("RuntimeError", lambda F, fw: F.mse_loss(fw.ones(3), fw.ones(4))),
        ("ValueError", lambda F, fw: F.binary_cross_entropy(fw.ones(3), fw.ones(3, 1))),
        ("ValueError", lambda F, fw: F.binary_cross_entropy_with_logits(fw.ones(3), fw.ones(3, 1))),
        ("RuntimeError", lambda F, fw: F.binary_cross_entropy(fw.ones(3) * 2, fw.ones(3))),
        ("RuntimeError", lambda F, fw: F.smooth_l1_loss(fw.ones(3), fw.ones(3), beta=-1.0)),
        ("RuntimeError", lambda F, fw: F.huber_loss(fw.ones(3), fw.ones(3), delta=0.0)),
        ("ValueError", lambda F, fw: F.gaussian_nll_loss(fw.ones(3), fw.ones(3), -fw.ones(3))),
        ("ValueError", lambda F, fw: F.gaussian_nll_loss(fw.ones(3), fw.ones(3), -1.0)),
        ("ValueError", lambda F, fw: F.gaussian_nll_loss(fw.ones(3, 2), fw.ones(3, 2), fw.ones(4))),
        ("result", lambda F, fw: F.l1_loss(fw.ones(3), fw.ones(3, 1))),
        ("result", lambda F, fw: F.smooth_l1_loss(fw.ones(3), fw.ones(3, 1))),
        ("result", lambda F, fw: F.kl_div(fw.ones(2, 3), fw.ones(2, 3))),
    ],
)
def test_errors_and_warnings(alike, error, program):
    assert alike(lambda fw: program(fw.nn.functional, fw), same_text=False) == error


def test_messages_name_the_numbers():
    with pytest.raises(IndexError, match=r"Target 5 is out of bounds"):
        F.cross_entropy(minigrad.ones(2, 3), minigrad.tensor([0, 5]))
    with pytest.raises(ValueError, match=r"Expected input batch_size \(2\) to match target batch_size \(3\)"):
        F.cross_entropy(minigrad.ones(2, 3), minigrad.tensor([0, 1, 1]))
    with pytest.raises(ValueError, match="x is not a valid value for reduction"):
        F.mse_loss(minigrad.ones(1), minigrad.ones(1), reduction="x")


@pytest.mark.parametrize("name", ["mse_loss", "cross_entropy", "huber_loss", "binary_cross_entropy", "smooth_l1_loss"])
def test_second_order(name):
    """The gradient of a gradient, against torch's."""
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0.1, 0.9, (2, 5, 3))
    second = []
    for fw in (minigrad, torch):
        a = fw.tensor(x.tolist(), dtype=fw.float64, requires_grad=True)
        b = fw.tensor(y.tolist(), dtype=fw.float64)
        loss = getattr(fw.nn.functional, name)(a, b, reduction="sum")
        (g,) = fw.autograd.grad(loss, a, create_graph=True)
        (h,) = fw.autograd.grad((g**2).sum(), a)
        second.append(h.numpy())
    np.testing.assert_allclose(*second, rtol=1e-10)


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), float("nan"), 1e15, 0.0])
@pytest.mark.parametrize(
    "name", ["smooth_l1_loss", "huber_loss", "mse_loss", "multi_margin_loss", "multilabel_margin_loss"]
)
def test_extreme_inputs(name, value, torch_too):
    def program(fw):
        x = fw.tensor([[value, 1.0, -1.0]], requires_grad=True)
        targets = {"multi_margin_loss": fw.tensor([0]), "multilabel_margin_loss": fw.tensor([[1, -1, 0]])}
        loss = getattr(fw.nn.functional, name)(x, targets.get(name, fw.zeros(1, 3)), reduction="sum")
        loss.backward()
        return loss, x.grad

    with np.errstate(all="ignore"):  # the warnings of arithmetic are not what is tested here
        torch_too(program)


def test_losses_at_infinity_and_of_nothing(torch_too):
    def program(fw):
        functional = fw.nn.functional
        return (
            functional.soft_margin_loss(fw.tensor([float("inf")]), fw.tensor([1.0])),
            [functional.cross_entropy(fw.zeros(0, 3), fw.zeros(0, 3), reduction=r) for r in ("mean", "sum", "none")],
            [functional.cross_entropy(fw.zeros(0, 3), fw.zeros(0).long(), reduction=r) for r in ("mean", "sum")],
        )

    torch_too(program)
