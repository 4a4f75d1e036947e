"""What all figures have in common."""

from types import SimpleNamespace

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
