"""Figures in one style, with the source of the data at the bottom of each."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from experiments.runner import files
from experiments.runner.errors import UsageError
from experiments.runner.record import Record

STYLE: dict[Any, Any] = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.3,
    "figure.dpi": 130,
}
FOOTER, LEGEND = 0.25, 0.3  #: heights in inches, of the source of the data and of a legend above it
TRAINING, VALIDATION, TEST, MARK = "#1f5fa8", "#d9641e", "#2a8a4a", "#777777"
CLASSES = ("#332288", "#CC6677", "#117733", "#AA4499", "#88CCEE", "#882255", "#44AA99", "#DDCC77", "#999933", "#555555")
"""Ten colours that the colour-blind can tell apart: Paul Tol's "muted" and a grey."""
COLOURS = {"training": TRAINING, "validation": VALIDATION, "test": TEST}  #: by the first word of a label


def check_installed() -> None:
    """Checks that the packages for drawing are installed.

    Raises:
        UsageError: if not, with the command that installs them.
    """
    for package in ("matplotlib", "seaborn"):  # not imported yet: they would take memory while networks are trained
        if importlib.util.find_spec(package) is None:
            raise UsageError(f"{package} is not installed: pip install -e '.[plots]'")


def canvas(rows: int = 1, columns: int = 1, size: tuple[float, float] = (7.0, 4.5), **options: Any) -> tuple[Any, Any]:
    """A figure and its axes, (rows, columns) of them or a single one; `size` is in inches."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        return figure, figure.subplots(rows, columns, **options)


def save(figure: Any, record: Record[Any], name: str, source: str = "") -> Path:
    """Writes the figure into the run's folder, with the source of its data underneath; returns the path.

    A figure that shows nothing of the run's data names its own `source`.
    """
    import matplotlib as mpl

    text = source or record.warning or f"Data: {record.config['data']['description']}"
    text += f" · {record.config['framework']}, seed {record.config['seed']}"
    with mpl.rc_context(STYLE):
        colour = "#b00020" if record.warning and not source else "#555555"
        height = figure.get_figheight()
        below = (FOOTER + (LEGEND if figure.legends else 0)) / height
        figure.get_layout_engine().set(rect=(0, below, 1, 1 - below))
        footer = figure.text(0.99, FOOTER / 2 / height, text, fontsize=8, color=colour, ha="right", va="center")
        while footer.get_window_extent().x0 < 0 and footer.get_fontsize() > 2:  # shrink it until it fits
            footer.set_fontsize(footer.get_fontsize() - 0.25)
        path = record.folder / f"{name}.png"
        with files.replacing(path) as file:  # no date or version inside: the same run gives the same file
            figure.savefig(file, format="png", metadata={"Software": None})
    return path


def accuracy_curves(axes: Any, curves: Mapping[str, Sequence[float]], rates: Sequence[float] = ()) -> None:
    """Accuracies in percent over the epochs, one curve each; a dashed line at each change of the learning rate."""
    _curves(axes, {label: [100 * value for value in values] for label, values in curves.items()})
    changes = [epoch for epoch in range(1, len(rates)) if rates[epoch] != rates[epoch - 1]]
    for i, epoch in enumerate(changes):  # at the end of this epoch, where its accuracy is drawn
        name = "learning rate halved" if i == 0 else None
        axes.axvline(epoch, color=MARK, linestyle="--", linewidth=1, label=name)
    for start, end in pairwise([1, *changes, len(rates)]):
        if end - start > 0.1 * len(rates):  # else it doesn't fit
            place = {"xy": ((start + end) / 2, 0.02), "xycoords": ("data", "axes fraction"), "ha": "center"}
            axes.annotate(f"rate {rates[end - 1]:g}", **place, fontsize=8, color=MARK)
    axes.set(xlabel="epoch", ylabel="accuracy (%)")


def loss_curves(axes: Any, curves: Mapping[str, Sequence[float]]) -> None:
    """Cross entropy over the epochs, one curve each."""
    _curves(axes, curves)
    axes.set(xlabel="epoch", ylabel="log-loss (nats per sample)")


def _curves(axes: Any, curves: Mapping[str, Sequence[float]]) -> None:
    for label, values in curves.items():
        colour, marker = COLOURS[label.split()[0]], "o" if len(values) <= 10 else ""
        axes.plot(range(1, len(values) + 1), values, color=colour, label=label, marker=marker, markersize=4)
    whole_numbers(axes)


def test_mark(axes: Any, epoch: int, value: float, label: str) -> None:
    """A star for a value on the test set, after the last epoch."""
    axes.plot([epoch], [value], "*", color=TEST, markersize=12, clip_on=False, label=label)


def whole_numbers(axes: Any) -> None:
    """Ticks at whole numbers on the x axis."""
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def legend(figure: Any, axes: Any) -> None:
    """One legend for the figure, below all axes."""
    handles, labels = axes.get_legend_handles_labels()
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 0.8 * FOOTER / figure.get_figheight())}
    figure.legend(handles, labels, **place, ncols=len(labels), frameon=False, fontsize=10).set_in_layout(False)


def percent_range(curves: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Limits of an axis in percent for all of these curves.

    >>> percent_range([[0.5, 0.93, 0.96, 0.97]])
    (47.5, 101.25)
    """
    lowest = 100 * min(map(min, curves))
    margin = 0.05 * (100 - lowest)
    return math.floor(2 * (lowest - margin)) / 2, 100 + max(margin / 2, 0.02 * (100 - lowest), 0.1)


def confusion_rates(axes: Any, rates: Sequence[Sequence[float]], classes: Sequence[str]) -> None:
    """Rates of decisions (columns) conditioned on the true class (rows) as a heat map, in percent."""
    import numpy as np
    import seaborn as sns
    from matplotlib.colors import PowerNorm

    table = 100 * np.asarray(rates)
    sns.heatmap(
        table,
        annot=np.array([[f"{rate:.1f}" if rate else "0" for rate in row] for row in table]),
        fmt="",
        annot_kws={"fontsize": 9},
        cmap="Blues",
        norm=PowerNorm(0.4, vmin=0, vmax=100),  # linear shades would show only the diagonal
        ax=axes,
        xticklabels=classes,
        yticklabels=classes,
        square=True,
        linewidths=0.5,
        cbar_kws={"label": "share of the true class (%)", "shrink": 0.8, "ticks": [0, 1, 5, 20, 50, 100]},
    )
    axes.set(xlabel="predicted class j", ylabel="true class i")
    axes.tick_params(length=0)
    axes.tick_params(axis="y", rotation=0)
    if max(map(len, classes)) > 2:
        axes.set_xticks(axes.get_xticks(), classes, rotation=45, ha="right", rotation_mode="anchor")


def weight_histograms(
    grid: Any, edges: Sequence[Sequence[float]], counts: Sequence[Sequence[Sequence[int]]], scale: str = "linear"
) -> None:
    """Histograms of weights, `counts[network][layer]` on `grid[network][layer]`; each layer in its own column.

    Shares instead of counts, so that layers of different size compare; a logarithmic `scale` shows their tails.
    """
    for layer, bins in enumerate(edges):
        shares = [[100 * n / sum(network[layer]) for n in network[layer]] for network in counts]
        lowest = min(100 / sum(network[layer]) for network in counts) / 2 if scale == "log" else 0
        highest = max(map(max, shares)) * (2 if scale == "log" else 1.05)
        for axes_row, share, colour in zip(grid, shares, (TRAINING, VALIDATION), strict=True):
            axes = axes_row[layer]
            axes.stairs(share, bins, fill=True, color=colour)
            axes.set(xlabel="weight", ylabel="share of the weights (%)", yscale=scale)
            axes.set(xlim=(bins[0], bins[-1]), ylim=(lowest, highest))


def tiles(
    axes: Any,
    images: Any,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    limits: tuple[float, float] = (0, 255),
    cmap: str = "gray_r",
    extent: Sequence[float] | None = None,
) -> Any:
    """Images (rows, columns, height, width) side by side, under the names of their rows and columns.

    With `extent` (left, right, bottom, top) they cover a plane without gaps instead, in its coordinates.
    Returns the image, for a colour bar.
    """
    import numpy as np

    gap = 0 if extent is not None else 2
    below, beside = (np.asarray(images).shape[i] + gap for i in (2, 3))
    framed = np.pad(np.asarray(images, float), [(0, 0), (0, 0), (0, gap), (0, gap)], constant_values=np.nan)
    n, m = framed.shape[:2]
    mosaic = framed.transpose(0, 2, 1, 3).reshape(n * below, m * beside)
    colours: dict[str, Any] = {"cmap": cmap, "vmin": limits[0], "vmax": limits[1]}
    drawn = axes.imshow(mosaic, extent=extent, aspect="equal" if extent is None else "auto", **colours)
    axes.grid(visible=False)
    if extent is None:
        axes.set_yticks([(i + 0.5) * below - gap / 2 for i in range(len(rows))], rows)
        axes.set_xticks([(i + 0.5) * beside - gap / 2 for i in range(len(columns))], columns)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return drawn


def latent_scatter(axes: Any, codes: Any, labels: Any, classes: Sequence[str]) -> None:
    """Codes (N, 2), each drawn as the name of its class, in its colour; a larger name near each class's median."""
    import numpy as np

    middles = {i: np.median(codes[labels == i], axis=0) for i in range(len(classes)) if (labels == i).any()}
    for i in middles:
        look = {"marker": f"${classes[i]}$", "s": 18, "linewidths": 0, "alpha": 0.7, "color": CLASSES[i]}
        axes.scatter(*codes[labels == i].T, **look, rasterized=True)
    low, high = (np.quantile(codes, q, axis=0) for q in (0.02, 0.98))  # some lie far out
    axes.set(
        xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="first latent number", ylabel="second latent number"
    )
    places = apart((np.array(list(middles.values())) - low) / (high - low))
    for i, place, middle in zip(middles, places, middles.values(), strict=True):
        box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": CLASSES[i], "linewidth": 1.5}
        line = {"arrowstyle": "-", "color": CLASSES[i], "shrinkA": 0}
        text = {"ha": "center", "va": "center", "fontsize": 12, "bbox": box, "textcoords": "axes fraction"}
        axes.annotate(classes[i], middle, place, **text, arrowprops=line, zorder=4)


def apart(places: Any, distance: float = 0.09) -> Any:
    """Points (N, 2) of the unit square, moved until any two of them are so far apart."""
    import numpy as np

    places = np.array(places, float) + 1e-3 * np.arange(len(places))[:, None] * [1, -1]  # no two are the same
    for _ in range(200):
        away = places[:, None] - places
        far = np.linalg.norm(away, axis=2) + np.eye(len(places)) * distance
        push = (np.maximum(distance - far, 0) / far)[..., None] * away / 2
        places = np.clip(places + push.sum(1), distance / 2, 1 - distance / 2)
    return places


def weight_matrix(axes: Any, weights: Any, label: str = "weight", bound: float | None = None) -> None:
    """A matrix of weights (to, from) as a heat map, neurons counted from 1.

    Red is above zero and blue below, darkest at `bound`, by default the largest magnitude.
    """
    import numpy as np
    import seaborn as sns

    table = np.asarray(weights)
    bound = bound or float(np.abs(table).max())
    ticks = [range(1, n + 1) for n in table.shape]
    sns.heatmap(
        table,
        cmap="RdBu_r",
        vmin=-bound,
        vmax=bound,
        ax=axes,
        square=True,
        xticklabels=ticks[1],
        yticklabels=ticks[0],
        cbar_kws={"label": label, "shrink": 0.8},
    )
    axes.tick_params(rotation=0, length=0)
