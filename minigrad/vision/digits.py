"""The embedded data: 1,797 real handwritten digits, for machines without data or network.

The test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak, UCI Machine
Learning Repository, 1998, https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits,
under CC BY 4.0 (see ``DIGITS_NOTICE.md`` beside this file). Thirteen people wrote them; each image counts
the inked pixels in an 8×8 grid of cells, 0 to 16 a cell.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name("digits.npz")
TRAIN = 1500  #: this many, the first in the published order, are for training


def load_digits(train: bool | None = None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The digits, enlarged so that they look like MNIST's: ``(N, 28, 28)`` uint8, and their labels ``(N,)``.

    The first 1,500 in the published order are for training, the last 297 for testing; every class has between
    27 and 33 of those. They are not shuffled, which makes the test harder, presumably because digits of the same
    writer are then less often in both parts.

    Args:
        train: the training part, the test part, or (None) both.

    >>> images, labels = load_digits(train=False)
    >>> images.shape, labels[:5]
    ((297, 28, 28), array([1, 7, 4, 6, 3]))
    """
    with np.load(FILE) as file:
        images, labels = file["images"], file["labels"]
    part = slice(None) if train is None else slice(TRAIN) if train else slice(TRAIN, None)
    return enlarge(images[part]), labels[part].astype(np.int64)


def enlarge(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Make MNIST-like images ``(N, 28, 28)`` from 8×8 ones with values from 0 to 16.

    As in MNIST the digit fills the 20×20 pixels in the middle and its strokes are saturated: linear
    interpolation, then the range from 30 % to 80 % of full ink is scaled to 0 to 255. It computes with integers,
    so the result is the same on every machine.

    >>> enlarge(np.full((1, 8, 8), 16, np.uint8))[0, 14, ::4]
    array([  0, 204, 255, 255, 255, 255,   0], dtype=uint8)
    """
    # Pixel i of 20 lies at (i + 1/2) · 8/20 - 1/2 of the 8; ten times that is an integer. Outside there is no ink.
    place = 4 * np.arange(20) - 3
    weights = np.maximum(10 - abs(place[:, None] - 10 * np.arange(8)), 0)
    full = 16 * 10 * 10
    ink = weights @ images.astype(np.int64) @ weights.T
    black, white = 3 * full // 10, 8 * full // 10
    grey = (np.clip(ink, black, white) - black) * 255 // (white - black)
    return np.pad(grey.astype(np.uint8), ((0, 0), (4, 4), (4, 4)))
