"""The rate of convolutions, beside that of matrix products."""

from __future__ import annotations

from benchmarks import convolution, suite


def test_a_rate_is_measured_for_each_direction():
    layer = convolution.Layer("small", 2, 3, 8, 4, 3)
    assert layer.result == 6
    assert layer.flops == 2 * (2 * 4 * 36) * (3 * 9)
    found = convolution.rates(layer, seconds=0.02)
    assert found.keys() == {*suite.PARTS, "product"}
    assert all(rate > 0 for rate in found.values())


def test_the_page_shows_the_share_of_a_matrix_product():
    rates = {"forward": 50.0, "input": 25.0, "weight": 75.0, "product": 100.0}
    lines = suite._convolution([{"what": "a layer", "threads": 2, "rates": rates}])
    assert lines[0] == "## Convolution"
    assert "| a layer | 2 | 50 (50%) | 25 (25%) | 75 (75%) | 100 |" in lines[-1]
    assert suite._convolution(()) == []
