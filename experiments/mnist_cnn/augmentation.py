"""Other images of the same things, for a network to learn from; drawn from the framework's generator."""

from __future__ import annotations

from typing import Any


def shifted(fw: Any, images: Any, most: int) -> Any:
    """Each image `(N, C, H, W)` moved by whole pixels, at random and at most so many along either axis.

    Zeros come in from the border. All (2 most + 1)² moves are equally likely.

    >>> import minigrad
    >>> shifted(minigrad, minigrad.ones(2, 1, 3, 3), 0).sum().item()
    18.0
    """
    n, channels, height, width = images.shape
    padded = fw.nn.functional.pad(images, (most, most, most, most))
    down, right = fw.randint(0, 2 * most + 1, (2, n, 1, 1, 1))
    return padded[
        fw.arange(n).reshape(n, 1, 1, 1),
        fw.arange(channels).reshape(channels, 1, 1),
        down + fw.arange(height).reshape(height, 1),
        right + fw.arange(width),
    ]
