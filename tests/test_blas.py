"""Products in pieces are the products, for all shapes and layouts; and they are made only where they pay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad
from minigrad import blas, nn


@pytest.fixture
def small_pieces(monkeypatch):
    """One thread, a processor whose OpenBLAS leaves copies out, and limits that small matrices reach."""
    monkeypatch.setattr(blas, "library", lambda: blas.Library(lambda: 1, lambda n: None, copies_all=False))
    for name, value in {"SMALL": 200, "SMALL_DOTS": 40, "LONG": 4, "LONG_OF_FEW": 2, "ROWS": 2, "LEAST": 0}.items():
        monkeypatch.setattr(blas, name, value)
    blas._piece.cache_clear()
    yield
    blas._piece.cache_clear()


def matrix(rng, rows, columns, turned):
    x = rng.standard_normal((columns, rows) if turned else (rows, columns)).astype(np.float32)
    return x.T if turned else x


@pytest.mark.parametrize("given_out", [None, "rows", "columns"])
@pytest.mark.parametrize("a_turned", [False, True])
@pytest.mark.parametrize("b_turned", [False, True])
def test_pieces_make_the_product(small_pieces, a_turned, b_turned, given_out):
    rng = np.random.default_rng(0)
    pieces = 0
    for m in (1, 2, 5, 12, 31, 40):
        for k in (0, 1, 3, 7, 8, 20):
            for n in (0, 1, 2, 6, 7, 12, 24, 60):
                a, b = matrix(rng, m, k, a_turned), matrix(rng, k, n, b_turned)
                out = {None: None, "rows": np.full((m, n), 7, np.float32), "columns": np.full((n, m), 7, np.float32).T}
                result = blas.product(a, b, out[given_out])
                assert given_out is None or result is out[given_out]
                exact = a.astype(np.float64) @ b.astype(np.float64)
                np.testing.assert_allclose(result, exact, rtol=0, atol=1e-5, err_msg=f"{m, k, n}")
                pieces += blas.piece(a, b) is not None
    assert pieces > 20


@given(m=st.integers(1, 3000), k=st.integers(1, 3000), n=st.integers(1, 3000), dots=st.booleans())
def test_pieces_are_small_and_about_as_large_as_each_other(m, k, n, dots):
    found = blas._piece(m, k, n, dots)
    if found is None:
        return
    rows, columns = found
    assert n % columns == 0
    assert rows * k * columns <= blas.SMALL
    assert not dots or rows * columns <= blas.SMALL_DOTS
    assert 1 <= rows <= m
    assert m * k * n > blas.SMALL or m * n > blas.SMALL_DOTS  # else OpenBLAS makes no copies of the whole either
    assert -(-m // rows) * rows - m < rows


def test_a_product_is_whole_where_pieces_do_not_pay(small_pieces, monkeypatch):
    a, b = np.ones((40, 8), np.float32), np.ones((8, 12), np.float32)
    assert blas.in_pieces(a, b)
    assert blas.in_pieces(a, b.astype(np.float64)) is None
    assert blas.in_pieces(a.astype(np.float64), b.astype(np.float64)) is None
    assert blas.in_pieces(a[:, ::2], b[::2]) is None  # gaps between the elements
    assert blas.in_pieces(a[None], b) is None
    monkeypatch.setattr(blas, "library", lambda: blas.Library(lambda: 2, lambda n: None, copies_all=False))
    assert blas.piece(a, b)
    assert blas.in_pieces(a, b) is None  # OpenBLAS shares it
    monkeypatch.setattr(blas, "library", lambda: blas.Library(lambda: 1, lambda n: None, copies_all=True))
    assert blas.in_pieces(a, b) is None
    monkeypatch.setattr(blas, "library", lambda: None)
    assert blas.in_pieces(a, b) is None


def test_networks_in_pieces_learn_the_same(small_pieces):
    def run(compiled):
        minigrad.manual_seed(0)
        model = nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, 24), nn.ReLU(),
            nn.Linear(24, 4),
        )  # fmt: skip
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

    eager = run(False)
    assert run(True) == eager
    assert blas._piece.cache_info().hits > 0
    blas.SMALL = 10**9  # (put back by the fixture) so that nothing is cut
    blas._piece.cache_clear()
    np.testing.assert_allclose(run(False), eager, rtol=1e-5)
