"""Tensors made from sizes, limits and probabilities, as torch makes them."""

import pytest

CALLS = {
    "bernoulli of one probability": lambda fw: fw.bernoulli(fw.ones(6).long(), 0.3),
    "bernoulli of one probability, transposed": lambda fw: fw.bernoulli(fw.ones(2, 3).t(), 0.5),
    "bernoulli, a method": lambda fw: fw.ones(6).bernoulli(0.3),
    "bernoulli into out": lambda fw: fw.bernoulli(fw.full((4,), 0.5), out=fw.zeros(4)),
    "empty of a size": lambda fw: fw.empty(size=(2, 3)).shape,
    "full into out": lambda fw: fw.full((2,), 3.0, out=fw.zeros(2)),
    "normal of a mean": lambda fw: fw.normal(fw.zeros(3)),
    "normal of float64 means": lambda fw: fw.normal(fw.zeros(20, dtype=fw.float64), 1.0),
    "normal of half means": lambda fw: fw.normal(fw.zeros(20, dtype=fw.half), 1.0),
    "normal of integer means": lambda fw: fw.normal(fw.zeros(3).long(), 1.0),
    "normal of float64 deviations": lambda fw: fw.normal(0.5, fw.ones(20, dtype=fw.float64)),
    "normal of mixed dtypes": lambda fw: fw.normal(fw.zeros(3), fw.ones(3, dtype=fw.float64)),
    "normal that broadcasts": lambda fw: fw.normal(fw.zeros(3, 1), fw.ones(1, 2)),
    "normal of transposed means": lambda fw: fw.normal(fw.arange(20.0).reshape(4, 5).t(), 1.0),
    "normal of a negative deviation": lambda fw: fw.normal(fw.zeros(3), -1.0),
    "normal of negative deviations": lambda fw: fw.normal(fw.zeros(3), -fw.ones(3)),
    "normal of a size and a dtype": lambda fw: fw.normal(0.0, 1.0, size=(2,), dtype=fw.float64),
    "normal of two numbers": lambda fw: fw.normal(0.0, 1.0),
    "ones of no size": lambda fw: fw.ones(),
    "poisson": lambda fw: fw.poisson(fw.tensor([0.0, 0.5, 3, 9.9, 10, 50, 1000])),
    "poisson of float64": lambda fw: fw.poisson(fw.tensor([0.5, 20], dtype=fw.float64)),
    "poisson of negative rates": lambda fw: fw.poisson(fw.tensor([-1.0])),
    "rand of a size": lambda fw: fw.rand(size=(2,)),
    "randint into out": lambda fw: fw.randint(0, 9, (3,), out=fw.zeros(3).long()),
    "randint of a size": lambda fw: fw.randint(5, size=(2,)),
    "randint of a high": lambda fw: fw.randint(high=5, size=(2,)),
    "randint of both": lambda fw: fw.randint(low=2, high=5, size=[2]),
    "randint of a number as size": lambda fw: fw.randint(5, 2),
    "randint of a half": lambda fw: fw.randint(0, 3000, (4,), dtype=fw.half),
    "randint_like of a high": lambda fw: fw.randint_like(fw.zeros(2, 3).t(), high=5),
    "randint_like": lambda fw: fw.randint_like(fw.zeros(2, 3).t(), 2, 9),
    "randn of a size": lambda fw: fw.randn(size=[2]),
    "zeros of a size": lambda fw: fw.zeros(size=(2,)),
    "zeros of two sizes": lambda fw: fw.zeros(2, size=(2,)),
    "zeros_like of the transposed": lambda fw: fw.zeros_like(fw.zeros(2, 3).t()).stride(),
    **{
        f"randperm({n}) of {dtype}": lambda fw, n=n, dtype=dtype: fw.randperm(n, dtype=getattr(fw, dtype))
        for n, dtype in [(256, "uint8"), (257, "uint8"), (129, "int8"), (2049, "half"), (2050, "half"), (2, "bool")]
    },
}

DRAWS = {
    "uniform_": (1000, 1001),
    "normal_": (0.5, 2.0),
    "log_normal_": (0.5, 0.3),
    "cauchy_": (1.0, 2.0),
    "exponential_": (2.0,),
    "geometric_": (0.3,),
    "bernoulli_": (0.3,),
    "random_": (3000,),
}

LAYOUTS = {
    "contiguous": lambda x: x,
    "transposed": lambda x: x.t(),
    "every second": lambda x: x[:, ::2],
    "every second of the transposed": lambda x: x.t()[::2],
    "a row": lambda x: x[1],
    "a column": lambda x: x[:, 1],
}


@pytest.mark.parametrize("name", CALLS)
def test_call(name, torch_too):
    def program(fw):
        fw.manual_seed(0)
        return CALLS[name](fw)

    torch_too(program)


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "half", "int64"])
def test_draws_in_place_follow_the_order_of_memory(name, layout, dtype, torch_too):
    def program(fw):
        fw.manual_seed(0)
        x = fw.zeros(8, 6, dtype=getattr(fw, dtype))
        getattr(LAYOUTS[layout](x), name)(*DRAWS[name])
        return x, fw.rand(1)

    torch_too(program, tolerance=2e-3 if dtype == "half" else 1e-6)


@pytest.mark.parametrize("dtype", ["half", "float32"])
def test_uniform_numbers_stay_below_their_upper_bound(dtype, torch_too):
    def program(fw):
        fw.manual_seed(0)
        x = fw.zeros(200_000, dtype=getattr(fw, dtype)).uniform_(1000, 1001)
        return x, bool((x < 1001).all()), fw.rand(20_000, dtype=fw.half)

    torch_too(program)


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("bad", [0, -1, 2, float("nan")])
def test_bad_options_of_draws(name, bad, torch_too):
    torch_too(lambda fw: getattr(fw.zeros(2), name)(*DRAWS[name][:-1], bad).shape)


def test_the_state_is_a_tensor(torch_too):
    def program(fw):
        fw.manual_seed(3)
        state = fw.get_rng_state().clone()
        first = fw.rand(3)
        fw.set_rng_state(state)
        return state.shape, state.dtype, bool((fw.rand(3) == first).all())

    torch_too(program)


@pytest.mark.parametrize("dtype", ["Float", "Double", "Half", "Long", "Int", "Short", "Char", "Byte", "Bool"])
def test_typed_constructors(dtype, torch_too):
    def program(fw):
        make = getattr(fw, f"{dtype}Tensor")
        made = make([0, 1]), make([[1]]), make(), make(fw.ones(2).type(make)), fw.ones(2).type(make)
        return (
            made,
            make(2, 3).shape,
            make(fw.Size([2])).shape,
            [isinstance(fw.ones(1), make), isinstance(made[0], make)],
        )

    torch_too(program)


@pytest.mark.parametrize("content", [3.0, "another dtype"])
def test_typed_constructors_refuse(content, torch_too):
    torch_too(lambda fw: fw.LongTensor(fw.ones(2) if content == "another dtype" else content))


@pytest.mark.parametrize(
    "build",
    [
        lambda fw: fw.tensor([fw.ones(1), fw.ones(1)]),
        lambda fw: fw.tensor([fw.ones(1, 1), 2.0]),
        lambda fw: fw.tensor([[fw.tensor(1), fw.tensor(2)]]),
        lambda fw: fw.tensor([fw.ones(2), fw.ones(2)]),
        lambda fw: fw.tensor([fw.ones(0)]),
    ],
)
def test_tensors_in_lists_are_numbers(build, torch_too):
    torch_too(build)


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        *((300, "uint8"), ([256], "uint8"), ([-1], "uint8"), (-255, "uint8"), (-256, "uint8"), ([2.7], "uint8")),
        *(
            ([-1.5], "uint8"),
            ([1e10], "int32"),
            (2**35, "int32"),
            (128, "int8"),
            (-129, "int8"),
            ([float("nan")], "int32"),
        ),
        *(([[1, 2], [3, 400]], "int8"), ([256], "bool"), ([7e4], "float16"), ([], "int8")),
    ],
)
def test_numbers_that_a_dtype_cannot_hold_are_refused(data, dtype, torch_too):
    torch_too(lambda fw: fw.tensor(data, dtype=getattr(fw, dtype)))


@pytest.mark.parametrize(
    "call",
    [
        *("fw.zeros(2.5)", "fw.randn(2.7)", "fw.zeros(2, 2.0)", "fw.zeros('a')", "fw.full((2.0,), 1.0)", "fw.eye(2.5)"),
        *("x.reshape(2.5, -1)", "x.view(2.0, 2)", "x.expand(2.0, 4)", "x.repeat(1.5)", "x.unflatten(0, (2.0, 2))"),
        *("fw.nn.Linear(2.9, 2)", "fw.nn.Embedding(3.5, 2)", "fw.nn.Conv2d(2.0, 4, 3)", "x.view(fw.tensor(2), 2)"),
        *("fw.zeros(fw.tensor(3))", "fw.zeros([2, fw.tensor(3)])", "fw.randint(0, 3, (2.5,))", "x.tile(2.0)"),
    ],
)
def test_sizes_are_integers(call, torch_too):
    def program(fw):
        try:
            made = eval(call, {"fw": fw, "x": fw.ones(4)})
        except TypeError:
            return "refused"
        return tuple(made.shape)

    torch_too(program)
