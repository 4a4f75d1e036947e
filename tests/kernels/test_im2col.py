"""Windows of images as matrices: which copies are made, and which are not."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.kernels import im2col
from minigrad.kernels.im2col import Windows, padded


@pytest.mark.parametrize("channels_last", [True, False])
def test_rows_are_cropped_without_a_copy(channels_last):
    """The gradient of a strided convolution's weight leaves out the last row and column of 25."""
    shape, order = ((2, 25, 25, 3), (0, 3, 1, 2)) if channels_last else ((2, 3, 25, 25), (0, 1, 2, 3))
    image = np.arange(np.prod(shape), dtype=np.float32).reshape(shape).transpose(order)
    cropped = padded(image, (0, -1), (0, -1 if channels_last else 0), channels_last)
    assert np.shares_memory(cropped, image)
    assert np.array_equal(cropped, image[:, :, :24, : 24 if channels_last else None])


def test_windows_of_a_cropped_image_are_those_of_its_copy():
    image = np.random.default_rng(0).random((2, 7, 7, 3), np.float32).transpose(0, 3, 1, 2)
    copy = np.ascontiguousarray(image[:, :, :6, :6])
    (_, rows), (_, same) = (
        next(iter(Windows(x, frame, (2, 2), (2, 2), (1, 1), 1)([slice(0, 2)])))
        for x, frame in ((image, ((0, -1), (0, -1))), (copy, ((0, 0), (0, 0))))
    )
    assert np.array_equal(rows, same)


@pytest.mark.parametrize(("images", "shared"), [(32, False), (64, False), (65, True)])
def test_only_many_windows_are_shared(monkeypatch, images, shared):
    monkeypatch.setattr(im2col, "parallel", lambda work, items: [work([item]) for item in items])
    windows = Windows(np.zeros((images, 32, 1, 50), np.float32), ((0, 0), (2, 2)), (1, 5), (1, 1), (1, 1), 1)
    seen = []
    windows.parallel(seen.append, windows.chunks)
    assert (len(seen) > 1) is shared
    assert sum(part.stop - part.start for chunks in seen for part in chunks) == images
