"""Products whole and in pieces: those of the networks, and a table of them."""

from __future__ import annotations

import numpy as np

from benchmarks import products, report


def test_matrices_lie_as_they_do_in_the_networks():
    forward, _, weight, back = list(products.products())[:4]
    x, turned = forward.matrices()
    assert (forward.m, forward.k, forward.n) == (100, 784, 10)
    assert x.flags.c_contiguous
    assert turned.T.flags.c_contiguous
    g, _ = weight.matrices()
    assert g.shape == (10, 100)
    assert g.T.flags.c_contiguous
    assert [x.shape for x in back.matrices()] == [(100, 10), (10, 784)]


def test_both_ways_are_measured():
    found = products.Product("small", 8, 4, 6).rates(seconds=0.02)
    assert found.keys() == {"whole", "pieces"}
    assert all(np.isfinite(rate) and rate > 0 for rate in found.values())


def test_the_products_that_are_cut_are_measured(monkeypatch):
    monkeypatch.setattr(products, "piece", lambda a, b: (50, 20) if a.shape == (100, 784) else None)
    monkeypatch.setattr(products.Product, "rates", lambda self: {})
    sizes = [(found["size"], found["piece"]) for found in products.measured()]
    assert sizes[0] == ("(100, 784) @ (784, 10)", (50, 20))
    assert all(size.startswith("(100, 784) @") for size, _ in sizes)


def test_the_page_shows_them():
    found = {"what": "a product", "size": "(100, 784) @ (784, 200)", "piece": [50, 20]}
    table = report.products_table([{**found, "rates": {"whole": 80.0, "pieces": 100.0}}])
    assert "| a product | (100, 784) @ (784, 200) | 50 × 20 | 80 | 100 | 1.25 |" in table
    assert report.products_table(()) == ""
