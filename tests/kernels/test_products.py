"""Products in pieces are the products; and they are cut only where it pays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad
from minigrad import nn
from minigrad.kernels import blas, products, threads


@pytest.fixture
def small_pieces(monkeypatch):
    """A processor whose OpenBLAS leaves copies out, and limits that small matrices reach."""
    library = blas.Library(lambda: 1, lambda n: None, copies_all=False)
    monkeypatch.setattr(blas, "library", lambda: library)
    monkeypatch.setattr(threads._state, "count", 1)
    limits = {"SMALL": 200, "SMALL_DOTS": 40, "LONG": 4, "LONG_OF_FEW": 2, "SHORT": 4, "ROWS": 2, "LEAST": 0}
    for name, value in limits.items():
        monkeypatch.setattr(products, name, value)
    products._piece.cache_clear()
    yield monkeypatch
    products._piece.cache_clear()


def matrix(rng, rows, columns, turned):
    x = rng.standard_normal((columns, rows) if turned else (rows, columns)).astype(np.float32)
    return x.T if turned else x


@pytest.mark.parametrize("given_out", [None, "rows", "columns"])
@pytest.mark.parametrize("a_turned", [False, True])
@pytest.mark.parametrize("b_turned", [False, True])
def test_parts_make_the_product(small_pieces, a_turned, b_turned, given_out):
    rng = np.random.default_rng(0)
    pieces = 0
    for m in (1, 2, 5, 12, 31, 40):
        for k in (0, 1, 3, 7, 8, 20):
            for n in (0, 1, 2, 6, 7, 12, 24, 60):
                a, b = matrix(rng, m, k, a_turned), matrix(rng, k, n, b_turned)
                out = {None: None, "rows": np.full((m, n), 7, np.float32), "columns": np.full((n, m), 7, np.float32).T}
                result = products.product(a, b, out[given_out])
                assert given_out is None or result is out[given_out]
                exact = a.astype(np.float64) @ b.astype(np.float64)
                np.testing.assert_allclose(result, exact, rtol=0, atol=1e-5, err_msg=f"{m, k, n}")
                pieces += products.piece(a, b) is not None
    assert pieces > 20


def test_openblas_with_several_threads_gets_the_whole(small_pieces):
    a, b = np.ones((40, 8), np.float32), np.ones((8, 12), np.float32)
    assert products.piece(a, b)
    small_pieces.setattr(blas, "library", lambda: blas.Library(lambda: 2, lambda n: None, copies_all=False))
    assert products.piece(a, b) is None
    assert (products.product(a, b) == 8).all()


@given(m=st.integers(1, 3000), k=st.integers(1, 3000), n=st.integers(1, 3000), dots=st.booleans())
def test_pieces_are_small_and_about_as_large_as_each_other(m, k, n, dots):
    found = products._piece(m, k, n, dots)
    if found is None:
        return
    rows, columns = found
    assert n % columns == 0
    assert rows * k * columns <= products.SMALL
    assert not dots or rows * columns <= products.SMALL_DOTS
    assert 1 <= rows <= m
    assert (
        m * k * n > products.SMALL or m * n > products.SMALL_DOTS
    )  # else OpenBLAS makes no copies of the whole either
    assert -(-m // rows) * rows - m < rows


def test_a_product_is_whole_where_pieces_do_not_pay(small_pieces):
    a, b = np.ones((40, 8), np.float32), np.ones((8, 12), np.float32)
    assert products.piece(a, b)
    assert products.piece(a, b.astype(np.float64)) is None
    assert products.piece(a.astype(np.float64), b.astype(np.float64)) is None
    assert products.piece(a[:, ::2], b[::2]) is None  # gaps between the elements
    assert products.piece(a[None], b) is None
    small_pieces.setattr(blas, "library", lambda: blas.Library(lambda: 1, lambda n: None, copies_all=True))
    assert products.piece(a, b) is None
    small_pieces.setattr(blas, "library", lambda: None)
    assert products.piece(a, b) is None


@pytest.mark.parametrize("count", [1, 2])
def test_networks_in_pieces_learn_the_same(small_pieces, count):
    def losses(compiled):
        minigrad.manual_seed(0)
        model = nn.Sequential(
            *(nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(216, 24), nn.ReLU(), nn.Linear(24, 60), nn.ReLU(), nn.Linear(60, 4)),
        )
        optimizer = minigrad.optim.SGD(model.parameters(), lr=0.1)

        def step(x, y):
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        run = minigrad.compile(step) if compiled else step
        x, y = minigrad.randn(40, 64), minigrad.randint(0, 4, (40,))
        return [run(x, y).item() for _ in range(4)]

    small_pieces.setattr(threads._state, "count", count)
    eager = losses(compiled=False)
    assert losses(compiled=True) == eager
    assert products._piece.cache_info().hits > 0
    small_pieces.setattr(products, "piece", lambda a, b: None)
    np.testing.assert_allclose(losses(compiled=False), eager, rtol=1e-5)
