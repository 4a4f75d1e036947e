"""The report of `mnist_autoencoder`: figures, tables, and the text beside this file."""

from __future__ import annotations

from itertools import combinations
from math import dist

import numpy as np

from experiments.mnist_autoencoder.train import LATENT, STAGE, Settings
from experiments.reporting import figures, report
from experiments.runner.files import Row
from experiments.runner.record import Record


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    settings, metrics = record.settings, record.metrics
    digits = record.table("digits")
    widths = metrics["widths"]
    errors = sorted(digits, key=lambda row: row["test_mse"])
    return report.fill(
        __file__,
        record,
        shape="-".join(map(str, [*widths, *widths[-2::-1]])),
        encoder=" → ".join(map(str, widths)),
        decoder=" → ".join(map(str, widths[::-1])),
        steps=-(-metrics["training_samples"] // settings.batch_size),
        squeeze=widths[0] // LATENT,
        train_mse=record.curve(STAGE, "train_mse")[-1],
        first_mse=record.curve(STAGE, "train_mse")[0],
        root=metrics["test_mse"] ** 0.5,
        explained=1 - metrics["test_mse"] / metrics["mean_image_mse"],
        pca_explained=1 - metrics["pca_mse"] / metrics["mean_image_mse"],
        components=_components(record),
        electorate=min(settings.electorate, metrics["training_samples"]),
        easiest=errors[0],
        hardest=errors[-1],
        closest=_closest(digits),
        ink=_ink(record),
        span=" to ".join(f"{100 * end:g} %" for end in settings.span),
        curve=_curve(record),
        reconstructions=_rows(record, 0, "reconstructions", "The first test image of each digit, reconstructed"),
        worst=_rows(record, 1, "worst", "The test images that are reconstructed worst"),
        plane=_plane(record),
        grid=_grid(record),
    )


def _components(record: Record[Settings]) -> str:
    """How many principal components it takes to do as well."""
    table, error = record.table("components"), record.metrics["test_mse"]
    enough = next((row for row in table if row["test_mse"] <= error), None)
    if enough is None:
        last = table[-1]
        return f"even {last['components']} components, at {last['test_mse']:.4f}, do not reach the autoencoder's error"
    return f"it takes {enough['components']} components to get below the autoencoder's error ({enough['test_mse']:.4f})"


def _closest(digits: list[Row]) -> str:
    """The three pairs of digits whose codes' medians are the closest."""
    pairs = sorted(combinations(digits, 2), key=lambda pair: dist(*((row["x"], row["y"]) for row in pair)))
    words = [f"{first['digit']} and {second['digit']}" for first, second in pairs[:3]]
    return f"{'; '.join(words)}" if words else "none, with a single digit"


def _ink(record: Record[Settings]) -> tuple[float, ...]:
    """The mean grey of the originals that are shown: the first of each digit, the worst."""
    originals = record.arrays["originals"] / 255
    return tuple(float(part.mean()) for part in np.split(originals, 2))


def _curve(record: Record[Settings]) -> str:
    metrics = record.metrics
    figure, axes = figures.canvas(size=(7.5, 4.5))
    curve = record.curve(STAGE, "train_mse")
    epochs = range(1, len(curve) + 1)
    axes.plot(epochs, curve, "o-", color=figures.TRAINING, markersize=4, label="training")
    figures.test_mark(axes, len(curve), metrics["test_mse"], "test, once")
    axes.axhline(metrics["mean_image_mse"], color=figures.MARK, linestyle=":", label="mean image (test)")
    axes.axhline(metrics["pca_mse"], color=figures.MARK, linestyle="--", label="2-component PCA (test)")
    figures.whole_numbers(axes)
    title = "Mean squared error after each epoch"
    axes.set(xlabel="epoch", ylabel="mean squared error per pixel (0 to 1)", title=title, ylim=(0, None))
    figures.legend(figure, axes)
    return report.image(figures.save(figure, record, "loss"), title)


def _rows(record: Record[Settings], block: int, file: str, title: str) -> str:
    """Originals above reconstructions, those of the autoencoder and the linear ones; `block` 0 or 1 of the arrays."""
    arrays = record.arrays
    n = len(arrays["originals"]) // 2
    part = slice(block * n, (block + 1) * n)
    images = np.stack([arrays[name][part] for name in ("originals", "reconstructions", "linear")])
    shown = zip(arrays["shown_digits"][part], arrays["shown_errors"][part], strict=True)
    names = [f"{digit}\n{error:.3f}" for digit, error in shown]
    figure, axes = figures.canvas(size=(9.5, 3.9))
    figures.tiles(axes, images.reshape(3, n, 28, 28), ["original", "autoencoder", "2-component PCA"], names)
    axes.set(title=title, xlabel="digit, and the autoencoder's mean squared error for this image")
    return report.image(figures.save(figure, record, file), title)


def _plane(record: Record[Settings]) -> str:
    arrays, metrics = record.arrays, record.metrics
    shown = slice(None, None, max(1, metrics["test_samples"] // 2_500))
    figure, (ours, linear) = figures.canvas(2, 1, size=(8.5, 11.0))
    shares = [report.percent(metrics[f"{name}neighbour_accuracy"], 1) for name in ("", "pca_")]
    for axes, codes in ((ours, "codes"), (linear, "pca_codes")):
        figures.latent_scatter(axes, arrays[codes][shown], arrays["digits"][shown], [str(digit) for digit in range(10)])
    ours.set(title=f"autoencoder: the nearest neighbours give {shares[0]} of the digits")
    linear.set(title=f"2-component PCA: the nearest neighbours give {shares[1]}")
    linear.set(xlabel="first component", ylabel="second component")
    title = f"{len(arrays['digits'][shown]):,} test images in the plane, each drawn as its digit"
    figure.suptitle(title)
    return report.image(figures.save(figure, record, "plane"), title)


def _grid(record: Record[Settings]) -> str:
    arrays = record.arrays
    x, y = arrays["grid_x"], arrays["grid_y"]
    images = arrays["grid"].reshape(len(y), len(x), 28, 28)[::-1]  # the highest row on top
    half = [(side[-1] - side[0]) / (len(side) - 1) / 2 for side in (x, y)]
    figure, axes = figures.canvas(size=(8.5, 8.5))
    extent = (x[0] - half[0], x[-1] + half[0], y[0] - half[1], y[-1] + half[1])
    figures.tiles(axes, images, extent=extent)
    title = f"What the decoder makes of {len(y)} × {len(x)} points of the plane"
    axes.set(title=title, xlabel="first latent number", ylabel="second latent number")
    return report.image(figures.save(figure, record, "grid"), title)
