"""Every draw against the same draw of PyTorch 2.13.0, from the same state; and the states after it."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
from minigrad import random
from minigrad.random import Generator

SEEDS = [0, 1, 2**31 + 7, -3]
SHAPES = [(), (0,), (1,), (15,), (16,), (17,), (3, 5), (4, 8), (2, 0, 3), (31,), (700,), (7, 11, 13)]
FLOATS = ["float32", "float64"]
LARGE = (1_000_003,)


def pair(seed):
    return Generator().manual_seed(seed), torch.Generator().manual_seed(seed)


def empty(shape, dtype):
    return torch.empty(shape, dtype=getattr(torch, dtype))


# name: (our draw, torch's draw, how many units in the last place they may differ by; 0: bit-equal)
FLOAT_DRAWS = {
    "rand": (
        lambda g, shape, dtype: g.rand(shape, dtype),
        lambda g, shape, dtype: torch.rand(shape, dtype=getattr(torch, dtype), generator=g),
        {},
    ),
    "uniform": (
        lambda g, shape, dtype: g.uniform(shape, -0.3, 0.7, dtype),
        lambda g, shape, dtype: empty(shape, dtype).uniform_(-0.3, 0.7, generator=g),
        {"float64": 1},
    ),
    "uniform far from 0": (
        lambda g, shape, dtype: g.uniform(shape, 2, 3.3, dtype),
        lambda g, shape, dtype: empty(shape, dtype).uniform_(2, 3.3, generator=g),
        {"float64": 4},
    ),
    "randn": (
        lambda g, shape, dtype: g.randn(shape, dtype),
        lambda g, shape, dtype: torch.randn(shape, dtype=getattr(torch, dtype), generator=g),
        {"float32": 4, "float64": 4},
    ),
    "normal": (
        lambda g, shape, dtype: g.normal(shape, -2.5, 0.3, dtype),
        lambda g, shape, dtype: empty(shape, dtype).normal_(-2.5, 0.3, generator=g),
        {"float32": 4, "float64": 4},
    ),
    "exponential": (
        lambda g, shape, dtype: g.exponential(shape, 2.5, dtype),
        lambda g, shape, dtype: empty(shape, dtype).exponential_(2.5, generator=g),
        {"float32": 1, "float64": 4},
    ),
    "trunc_normal": (
        lambda g, shape, dtype: g.trunc_normal(shape, 0.5, 1.5, -1, 2, dtype),
        lambda g, shape, dtype: torch.nn.init.trunc_normal_(empty(shape, dtype), 0.5, 1.5, -1, 2, generator=g),
        {"float32": 4, "float64": 4},
    ),
    "trunc_normal in a narrow interval": (
        lambda g, shape, dtype: g.trunc_normal(shape, 0, 1, 0.5, 1.1, dtype),
        lambda g, shape, dtype: torch.nn.init.trunc_normal_(empty(shape, dtype), 0, 1, 0.5, 1.1, generator=g),
        {"float64": 4},
    ),
    "bernoulli": (
        lambda g, shape, dtype: g.bernoulli(shape, 0.3, dtype),
        lambda g, shape, dtype: empty(shape, dtype).bernoulli_(0.3, generator=g),
        {},
    ),
    "bernoulli_from": (
        lambda g, shape, dtype: g.bernoulli_from(np.full(shape, 0.3, dtype)),
        lambda g, shape, dtype: torch.bernoulli(torch.full(shape, 0.3, dtype=getattr(torch, dtype)), generator=g),
        {},
    ),
}
INTEGER_RANGES = [
    (0, 10),
    (-5, 5),
    (3, 4),
    (0, 2**28 - 1),
    (0, 2**28),
    (-(2**40), 2**50),
    (-(2**63), 2**63 - 1),
]


def agree(ours, theirs, ulps=0):
    theirs = theirs.numpy()
    assert isinstance(ours, np.ndarray)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    if ulps:
        scale = np.maximum(np.abs(theirs), 1) * np.finfo(theirs.dtype).eps
        assert (np.abs(ours - theirs) <= ulps * scale).all(), np.abs((ours - theirs) / scale).max()
    else:
        np.testing.assert_array_equal(ours, theirs)


def same_state(ours, theirs):
    """Both streams are at the same place. (Only of one just started we say 624 words used, torch 0.)"""
    a, b = ours.get_state(), theirs.get_state().numpy()
    fresh = b[16:24].view(np.int64) == 0
    np.testing.assert_array_equal(
        np.delete(a, slice(16, 24)) if fresh else a, np.delete(b, slice(16, 24)) if fresh else b
    )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", FLOAT_DRAWS)
def test_floats(name, dtype):
    our_draw, torch_draw, ulps = FLOAT_DRAWS[name]
    for seed in SEEDS:
        ours, theirs = pair(seed)
        for shape in SHAPES:  # one after the other, so that every draw also starts where others have ended
            agree(our_draw(ours, shape, dtype), torch_draw(theirs, shape, dtype), ulps.get(dtype, 0))
            same_state(ours, theirs)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["rand", "uniform", "randn", "bernoulli", "bernoulli_from"])
def test_many_floats(name, dtype):
    our_draw, torch_draw, ulps = FLOAT_DRAWS[name]
    ours, theirs = pair(11)
    agree(our_draw(ours, LARGE, dtype), torch_draw(theirs, LARGE, dtype), ulps.get(dtype, 0))
    same_state(ours, theirs)


@pytest.mark.parametrize("name", ["rand", "uniform", "randn", "normal", "exponential", "bernoulli", "bernoulli_from"])
def test_half_precision(name):
    our_draw, torch_draw, _ = FLOAT_DRAWS[name]
    ours, theirs = pair(12)
    for shape in SHAPES:
        agree(our_draw(ours, shape, "float16"), torch_draw(theirs, shape, "float16"), 1)
        same_state(ours, theirs)


@pytest.mark.parametrize(("low", "high"), INTEGER_RANGES)
def test_randint(low, high):
    for seed in SEEDS:
        ours, theirs = pair(seed)
        for shape in SHAPES:
            agree(ours.randint(low, high, shape), torch.randint(low, high, shape, generator=theirs))
            same_state(ours, theirs)


@pytest.mark.parametrize("dtype", ["int32", "int16", "int8", "uint8", "bool", "float32", "float64"])
def test_randint_of_each_dtype(dtype):
    ours, theirs = pair(5)
    theirs_drawn = torch.randint(0, 2, (33,), dtype=getattr(torch, dtype), generator=theirs)
    agree(ours.randint(0, 2, (33,), dtype), theirs_drawn)
    same_state(ours, theirs)


@pytest.mark.parametrize("dtype", [str(word) for word in random.SPANS])
def test_random(dtype):
    for seed in SEEDS:
        ours, theirs = pair(seed)
        for shape in SHAPES:
            agree(ours.random(shape, dtype), empty(shape, dtype).random_(generator=theirs))
            same_state(ours, theirs)


def test_random63():
    ours, theirs = pair(9)
    for _ in range(5):
        assert ours.random63() == empty((), "int64").random_(generator=theirs).item()
    same_state(ours, theirs)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 16, 1000, 2**16, 2**16 + 1, 60_000, 200_000])
def test_randperm(n):
    for seed in SEEDS:
        ours, theirs = pair(seed)
        agree(ours.randperm(n), torch.randperm(n, generator=theirs))
        same_state(ours, theirs)


def test_randperm_of_every_small_size():
    ours, theirs = pair(3)
    for n in range(300):
        agree(ours.randperm(n), torch.randperm(n, generator=theirs))


@pytest.mark.parametrize("p", [0, 1, 0.5, 1e-9, 1 - 1e-12, 1 / 3])
def test_bernoulli_at_many_probabilities(p):
    ours, theirs = pair(4)
    agree(ours.bernoulli((1001,), p, "float32"), torch.empty(1001).bernoulli_(p, generator=theirs))
    same_state(ours, theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_bernoulli_where_the_first_word_is_a_tie(seed):
    units = Generator().manual_seed(seed).rand((2000,), "float64")
    for p in (units[7], units[7] + 2.0**-53, units[1500]):
        below = Generator().manual_seed(seed).bernoulli((2000,), p)
        np.testing.assert_array_equal(below, units < p)


def test_bernoulli_from_the_middle_of_a_block():
    for before in (1, 2, 623, 624, 625):
        ours, theirs = pair(5)
        ours.rand((before,))
        torch.rand(before, generator=theirs)
        agree(ours.bernoulli((4000,), 0.3, "float32"), torch.empty(4000).bernoulli_(0.3, generator=theirs))
        agree(ours.rand((3,)), torch.rand(3, generator=theirs))


def test_threads_share_out_the_stream():
    """Each draw is a piece of the one stream, whoever makes it."""
    shared, alone = Generator().manual_seed(3), Generator().manual_seed(3)
    expected = [alone.bernoulli((5000,)).tobytes() for _ in range(40)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: shared.bernoulli((5000,)).tobytes(), range(40)))
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("n", [5, 20_000])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_dropout_mask(p, n):
    for seed in SEEDS:
        torch.manual_seed(seed)
        dropped = torch.nn.functional.dropout(torch.ones(n), p) != 0
        agree(Generator().manual_seed(seed).bernoulli((n,), 1 - p), dropped)


@pytest.mark.parametrize("dtype", FLOATS)
def test_bernoulli_of_different_probabilities(dtype):
    for seed in SEEDS:
        ours, theirs = pair(seed)
        p = ours.rand((40, 7), dtype)
        torch.rand((40, 7), dtype=getattr(torch, dtype), generator=theirs)
        agree(ours.bernoulli_from(p.T), torch.bernoulli(torch.from_numpy(p).T.contiguous(), generator=theirs))
        same_state(ours, theirs)


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(1,), (10,), (3, 7), (2, 300), (1000,)])
def test_multinomial(shape, dtype, replacement):
    for seed in SEEDS:
        ours, theirs = pair(seed)
        weights = np.random.default_rng(seed % 100).random(shape).astype(dtype) + 0.01
        for count in {1, min(2, shape[-1]), shape[-1]}:
            agree(
                ours.multinomial(weights, count, replacement),
                torch.multinomial(torch.from_numpy(weights), count, replacement, generator=theirs),
            )
            same_state(ours, theirs)


def test_multinomial_avoids_weight_zero():
    ours, theirs = pair(8)
    weights = np.array([0, 1, 0, 2, 3, 0], np.float32)
    for _ in range(50):
        drawn = ours.multinomial(weights, 3)
        assert sorted(drawn) == [1, 3, 4]
        agree(drawn, torch.multinomial(torch.from_numpy(weights), 3, generator=theirs))
    assert set(ours.multinomial(weights, 1000, True).tolist()) == {1, 3, 4}


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(-(2**63), 2**64 - 1),
    draws=st.lists(
        st.tuples(st.sampled_from(sorted(FLOAT_DRAWS)), st.integers(0, 40), st.sampled_from(FLOATS)),
        max_size=12,
    ),
)
def test_draws_in_any_order(seed, draws):
    ours, theirs = pair(seed)
    for name, size, dtype in draws:
        our_draw, torch_draw, ulps = FLOAT_DRAWS[name]
        agree(our_draw(ours, (size,), dtype), torch_draw(theirs, (size,), dtype), ulps.get(dtype, 0))
    same_state(ours, theirs)


def test_few_normals_are_bit_equal_in_float32():
    for seed in range(100):
        ours, theirs = pair(seed)
        for size in (1, 3, 15, 0, 2):
            agree(ours.normal((size,), 3, 0.1), torch.empty(size).normal_(3, 0.1, generator=theirs))


# ---- seeds and states ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, -1, 2**32, 2**63, 2**64 - 1, -(2**63), np.int64(3)])
def test_seeds(seed):
    ours, theirs = pair(int(seed))
    assert ours.manual_seed(seed) is ours
    assert ours.initial_seed() == theirs.initial_seed()
    agree(ours.rand((5,)), torch.rand(5, generator=theirs))


@pytest.mark.parametrize(
    ("seed", "error"),
    [
        (2**64, ValueError),
        (-(2**63) - 1, ValueError),
        (1.5, RuntimeError),
        ("1", RuntimeError),
        (True, RuntimeError),
    ],
)
def test_bad_seeds(seed, error):
    with pytest.raises(error, match="manual_seed expected"):
        Generator().manual_seed(seed)
    with pytest.raises(error):
        torch.Generator().manual_seed(seed)


def test_new_generators_are_alike():
    assert Generator().initial_seed() == torch.Generator().initial_seed()
    agree(Generator().rand((3,)), torch.rand(3, generator=torch.Generator()))
    assert Generator("cpu").device == "cpu"
    with pytest.raises(RuntimeError, match="cuda"):
        Generator("cuda:0")


def test_seeding_forgets_the_kept_normal_number():
    ours, theirs = pair(1)
    ours.randn((1,)), torch.randn(1, generator=theirs)
    ours.manual_seed(2), theirs.manual_seed(2)
    agree(ours.randn((4,)), torch.randn(4, generator=theirs))


def test_seeds_of_the_system_differ():
    generator = Generator()
    seeds = {generator.seed() for _ in range(4)}
    assert len(seeds) == 4
    assert generator.initial_seed() in seeds


@pytest.mark.parametrize("used", [0, 1, 3, 16, 623, 624, 625])
def test_states_travel_both_ways(used):
    ours, theirs = pair(21)
    torch.rand(used, generator=theirs)
    torch.randn(used % 2, generator=theirs)
    ours.set_state(theirs.get_state())
    assert ours.initial_seed() == 21
    agree(ours.randn((3,)), torch.randn(3, generator=theirs))
    agree(ours.rand((700,)), torch.rand(700, generator=theirs))

    other = torch.Generator()
    other.set_state(torch.from_numpy(ours.get_state().numpy()))
    agree(ours.randn((3,)), torch.randn(3, generator=other))
    agree(ours.rand((700,)), torch.rand(700, generator=other))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))])
def test_copies_go_on_alike_and_apart(duplicate):
    generator = Generator().manual_seed(5)
    generator.randn((3,))
    twin = duplicate(generator)
    for draw in (lambda g: g.randn((3,)), lambda g: g.bernoulli((1000,)), lambda g: g.rand((3,))):
        np.testing.assert_array_equal(draw(generator), draw(twin))


def test_bad_states():
    generator = Generator()
    before = generator.get_state()
    with pytest.raises(TypeError, match="uint8"):
        generator.set_state(np.zeros(5056))
    with pytest.raises(RuntimeError, match="5056 bytes, but got 5055"):
        generator.set_state(before[1:])
    with pytest.raises(RuntimeError, match="these bytes are not the state of a generator"):
        generator.set_state(np.zeros(5056, np.uint8))
    np.testing.assert_array_equal(generator.get_state(), before)


def test_states_are_copies():
    generator = Generator()
    state = generator.get_state()
    generator.rand((3,))
    kept = state.clone()
    generator.set_state(state)
    generator.rand((3,))
    np.testing.assert_array_equal(state, kept)


# ---- the default stream ----------------------------------------------------------------------------


def test_default_stream():
    with random.fork_rng():
        assert random.manual_seed(6) is random.default_generator
        torch.manual_seed(6)
        assert random.initial_seed() == torch.initial_seed() == 6
        agree(random.default_generator.rand((4,)), torch.rand(4))
        state = random.get_rng_state()
        first = random.default_generator.rand((4,))
        random.set_rng_state(state)
        np.testing.assert_array_equal(random.default_generator.rand((4,)), first)
        assert random.seed() == random.initial_seed() != 6
        assert minigrad.default_generator is random.default_generator


def test_manual_seed_takes_what_converts_to_int():
    with random.fork_rng():
        assert random.manual_seed(1.0).initial_seed() == torch.Generator().manual_seed(1).initial_seed()
        with pytest.raises(ValueError, match="invalid literal"):
            random.manual_seed("a")


def fail_in_fork():
    with random.fork_rng():
        random.default_generator.randn((3,))
        raise KeyError


def test_fork():
    before = random.get_rng_state()
    with pytest.raises(KeyError):
        fail_in_fork()
    np.testing.assert_array_equal(random.get_rng_state(), before)
    with random.fork_rng():
        with random.fork_rng(enabled=False):
            random.default_generator.rand((3,))
        assert (random.get_rng_state() != before).any()


# ---- bad input: torch refuses it with the same type of error ----------------------------------------

BAD = {
    "negative size": (lambda g: g.rand((2, -1)), lambda g: torch.rand(2, -1), "negative dimension -1"),
    "fractional size": (lambda g: g.rand((2.5,)), lambda g: torch.rand(2.5), "integer"),
    "rand of integers": (
        lambda g: g.rand((3,), "int64"),
        lambda g: torch.rand(3, dtype=torch.int64),
        "int64",
    ),
    "randn of integers": (
        lambda g: g.randn((3,), "int64"),
        lambda g: torch.randn(3, dtype=torch.int64),
        "int64",
    ),
    "uniform, exchanged": (
        lambda g: g.uniform((3,), 1, 0),
        lambda g: torch.empty(3).uniform_(1, 0),
        "from=1 > to=0",
    ),
    "uniform to inf": (
        lambda g: g.uniform((3,), 0, np.inf),
        lambda g: torch.empty(3).uniform_(0, np.inf),
        "to=inf",
    ),
    "uniform of nan": (
        lambda g: g.uniform((3,), np.nan),
        lambda g: torch.empty(3).uniform_(np.nan),
        "from=nan",
    ),
    "uniform, wide": (
        lambda g: g.uniform((3,), -3e38, 3e38),
        lambda g: torch.empty(3).uniform_(-3e38, 3e38),
        "out of bounds for float32",
    ),
    "negative std": (lambda g: g.normal((3,), 0, -1), lambda g: torch.empty(3).normal_(0, -1), "std -1"),
    "std nan": (lambda g: g.normal((3,), 0, np.nan), lambda g: torch.empty(3).normal_(0, np.nan), "std nan"),
    "rate 0": (lambda g: g.exponential((3,), 0), lambda g: torch.empty(3).exponential_(0), "lambda=0"),
    "empty range": (lambda g: g.randint(5, 5, (2,)), lambda g: torch.randint(5, 5, (2,)), "from=5 >= to=5"),
    "beyond uint8": (
        lambda g: g.randint(0, 257, (2,), "uint8"),
        lambda g: torch.randint(0, 257, (2,), dtype=torch.uint8),
        "to=257 is out of bounds for uint8",
    ),
    "below uint8": (
        lambda g: g.randint(-1, 2, (2,), "uint8"),
        lambda g: torch.randint(-1, 2, (2,), dtype=torch.uint8),
        "from=-1",
    ),
    "beyond bool": (
        lambda g: g.randint(0, 3, (2,), "bool"),
        lambda g: torch.randint(0, 3, (2,), dtype=torch.bool),
        "bool",
    ),
    "fractional bound": (lambda g: g.randint(0, 2.5, (2,)), lambda g: torch.randint(0, 2.5, (2,)), "float"),
    "random of complex": (
        lambda g: g.random((3,), "complex64"),
        lambda g: torch.empty(3, dtype=torch.complex64).random_(),
        "complex64",
    ),
    "negative n": (lambda g: g.randperm(-1), lambda g: torch.randperm(-1), "negative"),
    "fractional n": (lambda g: g.randperm(2.5), lambda g: torch.randperm(2.5), "float"),
    "p above 1": (lambda g: g.bernoulli((3,), 1.2), lambda g: torch.empty(3).bernoulli_(1.2), "p=1.2"),
    "p nan": (lambda g: g.bernoulli((3,), np.nan), lambda g: torch.empty(3).bernoulli_(np.nan), "p=nan"),
    "a p above 1": (
        lambda g: g.bernoulli_from(np.array([0.5, 1.2])),
        lambda g: torch.bernoulli(torch.tensor([0.5, 1.2])),
        "every entry",
    ),
    "p of integers": (
        lambda g: g.bernoulli_from(np.array([1])),
        lambda g: torch.bernoulli(torch.tensor([1])),
        "int64",
    ),
}
BAD_WEIGHTS = {
    "too many samples": ([1.0, 2.0], 3, False, "cannot sample 3 of 2"),
    "no samples": ([1.0, 2.0], 0, False, "num_samples=0"),
    "negative": ([1.0, -2.0], 1, True, "element < 0"),
    "nan": ([1.0, np.nan], 1, False, "nan"),
    "inf": ([1.0, np.inf], 2, True, "inf"),
    "all zero": ([[1.0, 2.0], [0.0, 0.0]], 1, False, "sum of weights <= 0"),
    "integers": ([1, 2], 1, False, "int64"),
    "three axes": ([[[1.0]]], 1, False, r"\(1, 1, 1\)"),
    "no axis": (1.0, 1, False, r"\(\)"),
    "none": (np.zeros(0), 1, True, "sum of weights <= 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    our_draw, torch_draw, message = BAD[name]
    with pytest.raises((RuntimeError, TypeError), match=message) as ours:
        our_draw(Generator())
    with pytest.raises(ours.type):
        torch_draw(torch.Generator())


@pytest.mark.parametrize("name", BAD_WEIGHTS)
def test_bad_weights(name):
    weights, count, replacement, message = BAD_WEIGHTS[name]
    weights = np.array(weights)
    with pytest.raises(RuntimeError, match=message):
        Generator().multinomial(weights, count, replacement)
    with pytest.raises(RuntimeError):
        torch.multinomial(torch.from_numpy(weights), count, replacement)
