"""Shifted images."""

import numpy as np
import pytest
import torch

import minigrad
from experiments.mnist_cnn.augmentation import shifted


@pytest.mark.parametrize("fw", [minigrad, torch], ids=["minigrad", "torch"])
def test_every_image_is_moved_as_a_whole(fw):
    """A field that zeros surround tells where it went; each image has its own values."""
    fw.manual_seed(0)
    n, most = 500, 2
    images = np.zeros((n, 3, 9, 7), np.float32)
    images[:, :, 2:-2, 2:-2] = np.random.default_rng(0).random((n, 3, 5, 3)) + 1
    moved = shifted(fw, fw.from_numpy(images), most).numpy()
    assert moved.shape == images.shape
    seen = set()
    for before, after in zip(images, moved, strict=True):
        down, right = np.argwhere(after[0])[0] - 2
        np.testing.assert_array_equal(after, np.roll(before, (down, right), (1, 2)))
        seen.add((int(down), int(right)))
    assert seen == {(i, j) for i in range(-most, most + 1) for j in range(-most, most + 1)}


def test_what_leaves_the_image_is_gone():
    minigrad.manual_seed(0)
    moved = shifted(minigrad, minigrad.ones(200, 1, 4, 4), 1).numpy().sum((1, 2, 3))
    assert set(moved.tolist()) == {16, 12, 9}


def test_both_frameworks_draw_the_same():
    images = np.random.default_rng(0).random((20, 1, 6, 6), np.float32)
    drawn = []
    for fw in (minigrad, torch):
        fw.manual_seed(3)
        drawn.append(shifted(fw, fw.from_numpy(images), 2).numpy())
    np.testing.assert_array_equal(*drawn)
