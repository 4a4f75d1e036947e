"""The embedded digits: complete, small, fixed, and like MNIST's in range and place."""

import numpy as np
import pytest

from minigrad.vision import digits
from minigrad.vision.digits import enlarge, load_digits


def test_the_file_is_small_and_credited():
    assert digits.FILE.stat().st_size < 100_000
    notice = digits.FILE.with_name("DIGITS_NOTICE.md").read_text(encoding="utf-8")
    for text in (digits.__doc__, notice):
        for part in (
            "E. Alpaydin",
            "C. Kaynak",
            "Optical Recognition of Handwritten Digits",
            "1998",
            "CC BY 4.0",
        ):
            assert part in " ".join(text.split())


def test_all_digits_are_there():
    images, labels = load_digits()
    assert images.shape == (1797, 28, 28)
    assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_the_split_is_fixed_and_balanced():
    (train, train_labels), (test, test_labels), (images, labels) = (load_digits(part) for part in (True, False, None))
    assert (len(train), len(test)) == (1500, 297)
    np.testing.assert_array_equal(np.concatenate([train, test]), images)
    np.testing.assert_array_equal(np.concatenate([train_labels, test_labels]), labels)
    counts = np.bincount(test_labels)
    assert (counts.min(), counts.max()) == (27, 33)


def test_the_file_equals_its_source():
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is no dependency")
    source = datasets.load_digits()
    with np.load(digits.FILE) as file:
        np.testing.assert_array_equal(file["images"], source.images)
        np.testing.assert_array_equal(file["labels"], source.target)


def test_digits_lie_as_in_mnist():
    images, _ = load_digits()
    assert (images.min(), images.max()) == (0, 255)
    margin = images.copy()
    margin[:, 4:24, 4:24] = 0
    assert not margin.any()
    # MNIST's mean is 0.1307 and its standard deviation 0.3081: what `Normalize` is usually given.
    assert abs(images.mean() / 255 - 0.1307) < 0.01
    assert abs(images.std() / 255 - 0.3081) < 0.03


def test_enlarging_is_linear_interpolation():
    """Against interpolation in floats, one pixel after the other."""
    image = np.random.default_rng(0).integers(0, 17, (8, 8)).astype(np.uint8)
    framed = np.pad(image / 16, 1)
    expected = np.zeros((28, 28))
    for i in range(20):
        for j in range(20):
            y, x = (i + 0.5) * 0.4 + 0.5, (j + 0.5) * 0.4 + 0.5
            a, b = int(y), int(x)
            v, u = y - a, x - b
            ink = (1 - v) * ((1 - u) * framed[a, b] + u * framed[a, b + 1])
            ink += v * ((1 - u) * framed[a + 1, b] + u * framed[a + 1, b + 1])
            expected[4 + i, 4 + j] = 255 * np.clip((ink - 0.3) / 0.5, 0, 1)
    assert np.abs(enlarge(image[None])[0] - expected).max() <= 1


def test_digits_can_be_learned():
    """Nearest mean of the class: far better than chance, so images and labels belong together."""
    (train, y), (test, z) = load_digits(True), load_digits(False)
    means = np.stack([train[y == k].mean(axis=0).ravel() for k in range(10)])
    distances = ((test.reshape(-1, 1, 784) - means) ** 2).sum(axis=-1)
    assert (distances.argmin(axis=1) == z).mean() > 0.75
