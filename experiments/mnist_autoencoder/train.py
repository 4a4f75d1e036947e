"""hw3 2: an autoencoder with a bottleneck of two numbers for MNIST digits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.data import Samples
from experiments.registry import Experiment
from experiments.runner.checkpoint import as_array
from experiments.runner.files import Row
from experiments.runner.run import Run
from experiments.training import classification
from experiments.training.classification import mlp
from experiments.training.trainer import EVALUATION_BATCH, batches, logits

STAGE = "autoencoder"
LATENT = 2
CHUNK = 500  #: codes whose distances are computed together
Array = NDArray[Any]  #: of floats


@dataclass(frozen=True)
class Settings:
    """All choices of this experiment."""

    hidden: tuple[int, ...] = (256, 64)  #: neurons of the encoder's hidden layers; the decoder's are these reversed
    learning_rate: float = 1e-3  #: of Adam
    epochs: int = 10
    batch_size: int = 100
    grid: int = 15  #: points a side of the grid that is decoded
    span: tuple[float, float] = (0.02, 0.98)  #: the quantiles of the training codes, on each axis, that it spans
    neighbours: int = 15  #: that vote for the digit of a code
    electorate: int = 10_000  #: neighbours are taken from the first so many training codes
    components: int = 30  #: principal components to compare with, at most


def autoencoder(fw: Any, *widths: int) -> Any:
    """An encoder of these widths, from the image to the code, and a decoder that is its mirror image.

    ReLU after each hidden layer, nothing after the code, and a sigmoid at the end, since pixels are from 0 to 1.
    """

    class Autoencoder(fw.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.encoder = mlp(fw, *widths)
            self.decoder = fw.nn.Sequential(mlp(fw, *reversed(widths)), fw.nn.Sigmoid())

        def forward(self, x: Any) -> Any:
            return self.decoder(self.encoder(x))

    return Autoencoder()


def train(run: Run[Settings]) -> None:
    """One training on all training images, then the evaluation on the test images."""
    fw, settings = run.fw, run.settings
    images, labels = run.training_data
    widths = (images.shape[1], *settings.hidden, LATENT)
    trainer = partial(
        classification.trainer,
        fw,
        partial(autoencoder, fw, *widths),
        (images, images),  # the image is its own target
        rate=settings.learning_rate,
        batch_size=settings.batch_size,
        optimizer="Adam",
        loss="mse_loss",
    )
    run.expect(epochs=settings.epochs)
    measure = partial(_mse, fw, images=images)
    model = run.fit(STAGE, trainer, settings.epochs, lambda model: {"train_mse": measure(model)})
    run.keep(
        training_samples=len(labels),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        widths=list(widths),
    )
    _evaluate(run, model, run.open_test(STAGE))


def _mse(fw: Any, model: Any, images: Any) -> float:
    """The mean squared error over all pixels of all images, a batch at a time to save memory."""
    mse_loss, total = fw.nn.functional.mse_loss, 0.0
    model.eval()
    with fw.no_grad():
        for (batch,) in batches(fw, images, size=EVALUATION_BATCH):
            total += len(batch) * mse_loss(model(batch), batch).item()
    return total / len(images)


def _evaluate(run: Run[Settings], model: Any, test: Samples) -> None:
    """Keeps the test errors, those of the baselines, and the data of the figures."""
    fw, settings = run.fw, run.settings
    (train_images, train_labels), (test_images, test_labels) = run.training_data, test
    train, images = as_array(train_images), as_array(test_images)
    known, digits = as_array(train_labels), as_array(test_labels)
    rebuilt = as_array(logits(fw, model, test_images))
    train_codes, codes = (as_array(logits(fw, model.encoder, part)) for part in (train_images, test_images))
    mean, axes = principal_axes(train)
    scores = (images - mean) @ axes
    by_components = np.square(images - mean).mean() - np.append(0, np.cumsum(np.square(scores).mean(0))) / len(axes)
    plane = axes[:, :LATENT]
    run.keep(
        test_mse=_mse(fw, model, test_images),
        mean_image_mse=float(by_components[0]),
        pca_mse=float(by_components[LATENT]),
        test_samples=len(digits),
        neighbour_accuracy=vote(train_codes, known, codes, digits, settings),
        pca_neighbour_accuracy=vote((train - mean) @ plane, known, scores[:, :LATENT], digits, settings),
    )
    shown_components = enumerate(by_components[: settings.components + 1])
    run.keep_table("components", [{"components": k, "test_mse": float(error)} for k, error in shown_components])
    errors = np.square(rebuilt - images).mean(1)
    present = np.unique(digits)
    run.keep_table("digits", [_about(run, digit, digits == digit, errors, codes) for digit in present])
    firsts = [np.flatnonzero(digits == digit)[0] for digit in present]
    worst = np.argsort(-errors, kind="stable")[: len(firsts)]
    shown = np.concatenate([firsts, worst])
    ends = np.quantile(train_codes, settings.span, axis=0).T
    sides = [np.linspace(low, high, settings.grid) for low, high in ends]
    points = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, LATENT).astype(np.float32)  # x runs fastest
    run.keep_arrays(
        codes=codes,
        pca_codes=scores[:, :LATENT],
        digits=digits.astype(np.uint8),
        shown_digits=digits[shown].astype(np.uint8),
        shown_errors=errors[shown],
        originals=_pixels(images[shown]),
        reconstructions=_pixels(rebuilt[shown]),
        linear=_pixels(mean + scores[shown, :LATENT] @ plane.T),
        grid_x=sides[0],
        grid_y=sides[1],
        grid=_pixels(as_array(logits(fw, model.decoder, fw.from_numpy(points)))),
    )


def _about(run: Run[Settings], digit: int, those: Any, errors: Array, codes: Array) -> Row:
    centre = np.median(codes[those], axis=0)
    return {
        "digit": run.source.classes[digit],
        "samples": int(those.sum()),
        "test_mse": float(errors[those].mean()),
        "x": float(centre[0]),
        "y": float(centre[1]),
    }


def principal_axes(samples: Array) -> tuple[Array, Array]:
    """The mean of samples (N, features), and the principal axes (features, features), a column each, the first first.

    >>> mean, axes = principal_axes(np.array([[0, 0], [2, 2], [4, 4]]))
    >>> mean.tolist(), abs(axes[:, 0]).round(3).tolist()
    ([2.0, 2.0], [0.707, 0.707])
    """
    mean = samples.mean(0)
    centred = samples - mean
    _, axes = np.linalg.eigh(centred.T @ centred)  # by rising variance
    return mean, axes[:, ::-1]


def vote(train_codes: Array, train_digits: Any, codes: Array, digits: Any, settings: Settings) -> float:
    """The accuracy of the nearest neighbours' vote for the digit of each code."""
    train_codes, train_digits = train_codes[: settings.electorate], train_digits[: settings.electorate]
    neighbours = min(settings.neighbours, len(train_codes))
    correct = 0
    for start in range(0, len(codes), CHUNK):
        part = codes[start : start + CHUNK]
        distances = sum(np.square(part[:, i, None] - train_codes[None, :, i]) for i in range(LATENT))
        nearest = np.argpartition(distances, neighbours - 1, axis=1)[:, :neighbours]
        votes = np.stack([(train_digits[nearest] == digit).sum(1) for digit in range(10)], axis=1)
        correct += int((votes.argmax(1) == digits[start : start + CHUNK]).sum())
    return correct / len(codes)


def _pixels(images: Array) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = np.rint(255 * images.clip(0, 1)).astype(np.uint8)
    return pixels


EXPERIMENT = Experiment(
    name="mnist_autoencoder",
    assignment="hw3 2",
    trains="an autoencoder, 784-256-64-2-64-256-784: reconstructions, the latent plane, a grid decoded from it",
    settings=Settings,
    train=train,
    headline=("test_mse",),
)
