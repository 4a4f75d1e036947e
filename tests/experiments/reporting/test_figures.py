"""What all figures have in common."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.reporting import figures


@pytest.mark.parametrize("words", [3, 20])
@pytest.mark.parametrize("width", [5.0, 14.0])
def test_the_source_of_the_data_is_never_cut_off(tmp_path, words, width):
    config = {"data": {"description": ""}, "framework": "minigrad", "seed": 0}
    record = SimpleNamespace(config=config, folder=tmp_path, warning="stand-in " * words)
    figure, _ = figures.canvas(size=(width, 4.0))
    figures.save(figure, record, "toy")
    (footer,) = figure.texts
    box = footer.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
    assert footer.get_fontsize() <= 8


@pytest.mark.parametrize("epochs", [1, 2, 3, 50])
def test_epochs_are_whole_numbers(epochs):
    _, axes = figures.canvas()
    figures.accuracy_curves(axes, {"training": [0.9] * epochs})
    low, high = axes.get_xlim()
    shown = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert shown
    assert all(tick == round(tick) for tick in shown)


@pytest.mark.parametrize("epochs", [1, 2, 8, 50])
def test_all_of_a_curve_is_in_the_range_shown(epochs):
    curves = [[0.1, *[0.9 + i / 1000 for i in range(epochs)]], [0.5, *[1.0] * epochs]]
    low, high = figures.percent_range(curves)
    assert all(low < 100 * value < high for curve in curves for value in curve)


def test_a_figure_without_data_names_its_own_source(tmp_path):
    config = {"data": {"description": "digits"}, "framework": "minigrad", "seed": 0}
    record = SimpleNamespace(config=config, folder=tmp_path, warning="stand-in")
    figure, _ = figures.canvas()
    figures.save(figure, record, "toy", "formulas")
    assert figure.texts[0].get_text() == "formulas · minigrad, seed 0"


@pytest.mark.parametrize("seed", range(3))
def test_labels_are_moved_apart_and_stay_inside(seed):
    rng = np.random.default_rng(seed)
    places = 0.5 + rng.normal(0, 0.01, (10, 2))
    places[:3] = places[3]
    moved = figures.apart(places)
    distances = [np.linalg.norm(a - b) for a, b in combinations(moved, 2)]
    assert min(distances) > 0.08
    assert ((moved > 0) & (moved < 1)).all()
    far = np.array([[0.1, 0.1], [0.9, 0.9]])
    np.testing.assert_allclose(figures.apart(far), far, atol=0.002)
