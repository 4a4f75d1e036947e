"""The rate of convolutions, beside that of matrix products."""

from __future__ import annotations

from benchmarks import convolution, report
from minigrad import nn, zeros


def test_a_rate_is_measured_for_each_direction():
    layer = nn.Conv2d(3, 4, 3, bias=False)
    assert convolution.flops(layer(zeros(2, 3, 8, 8)), layer.weight) == 2 * (2 * 4 * 36) * (3 * 9)
    found = convolution.rates(2, 8, layer, seconds=0.02)
    assert found.keys() == {*report.PARTS, "product"}
    assert all(rate > 0 for rate in found.values())


def test_the_page_shows_the_share_of_a_matrix_product():
    rates = {"forward": 50.0, "input": 25.0, "weight": 75.0, "product": 100.0}
    table = report.convolution_table([{"what": "a layer", "threads": 2, "rates": rates}])
    assert "| a layer | 2 | 50 (50%) | 25 (25%) | 75 (75%) | 100 |" in table
    assert report.convolution_table(()) == ""
