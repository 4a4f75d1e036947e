"""The rates of convolutions and of products in pieces, and a table of them."""

from __future__ import annotations

import numpy as np

from benchmarks import rates, report
from minigrad import nn


def test_operations_count_two_for_each_multiplication(monkeypatch):
    monkeypatch.setattr(rates, "measured", lambda calls, seconds: {name: n for name, (_, n) in calls.items()})
    found = rates.convolution(2, 8, nn.Conv2d(3, 4, 3, bias=False))
    assert found == {
        **dict.fromkeys(("forward", "input", "weight"), 2 * (2 * 4 * 36) * (3 * 9)),
        "product": 2 * 1024**3,
    }
    assert rates.Product("small", 8, 4, 6).rates() == {"pieces": 2 * 8 * 4 * 6, "whole": 2 * 8 * 4 * 6}


def test_a_rate_is_measured_for_each_direction():
    found = rates.convolution(2, 8, nn.Conv2d(3, 4, 3, bias=False), seconds=0.02)
    assert [*found] == ["forward", "input", "weight", "product"]
    assert all(rate > 0 for rate in found.values())


def test_matrices_lie_as_they_do_in_the_networks():
    forward, _, weight, back = list(rates.products())[:4]
    x, turned = forward.matrices()
    assert (forward.m, forward.k, forward.n) == (100, 784, 10)
    assert x.flags.c_contiguous
    assert turned.T.flags.c_contiguous
    g, _ = weight.matrices()
    assert g.shape == (10, 100)
    assert g.T.flags.c_contiguous
    assert [x.shape for x in back.matrices()] == [(100, 10), (10, 784)]


def test_products_are_measured_both_ways():
    found = rates.Product("small", 8, 4, 6).rates(seconds=0.02)
    assert [*found] == ["pieces", "whole"]
    assert all(np.isfinite(rate) and rate > 0 for rate in found.values())


def test_the_products_that_are_cut_are_measured(monkeypatch):
    monkeypatch.setattr(rates, "piece", lambda a, b: (50, 20) if a.shape == (100, 784) else None)
    monkeypatch.setattr(rates.Product, "rates", lambda self: {})
    names = [found["what"] for found in rates.table("products")]
    assert names[0] == "linear, forward: (100, 784) @ (784, 10), 50 × 20"
    assert all("(100, 784) @" in name for name in names)


def test_the_page_shows_the_share_of_a_matrix_product():
    found = {"forward": 50.0, "input": 25.0, "weight": 75.0, "product": 100.0}
    table = report.rates_table([{"what": "a layer", "threads": 2, "rates": found}])
    assert "| a layer | 2 | 50 (50%) | 25 (25%) | 75 (75%) | 100 |" in table
    assert report.rates_table(()) == ""


def test_the_page_shows_products_in_pieces():
    table = report.rates_table([{"what": "a product", "threads": 1, "rates": {"pieces": 100.0, "whole": 80.0}}])
    assert "| a product | 1 | 100 (125%) | 80 |" in table
