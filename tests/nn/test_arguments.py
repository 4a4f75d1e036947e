"""What should have been a tensor and is not is named by the error, as in torch."""

import numpy as np
import pytest

import minigrad
import minigrad.nn.functional as F

IMAGE, MATRIX = minigrad.ones(1, 1, 3, 3), minigrad.ones(2, 2)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("conv2d.*'weight' .position 2.*not list", lambda: F.conv2d(IMAGE, [[1.0]])),
        ("conv2d.*'input' .position 1.*not numpy.ndarray", lambda: F.conv2d(IMAGE.numpy(), IMAGE)),
        ("conv2d.*'bias' .position 3.*not numpy.ndarray", lambda: F.conv2d(IMAGE, IMAGE, np.ones(1))),
        ("conv_transpose1d.*'weight' .position 2.*not int", lambda: F.conv_transpose1d(IMAGE[0], 3)),
        ("max_pool2d.*'input' .position 1.*not numpy.ndarray", lambda: F.max_pool2d(IMAGE.numpy(), 2)),
        ("avg_pool1d.*'input' .position 1.*not list", lambda: F.avg_pool1d([1.0], 2)),
        ("batch_norm.*'running_mean'.*not numpy.ndarray", lambda: F.batch_norm(MATRIX, np.ones(2), None)),
        ("group_norm.*'weight' .position 3.*not list", lambda: F.group_norm(MATRIX, 1, [1.0, 1.0])),
        ("dropout.*'input' .position 1.*not list", lambda: F.dropout([1.0])),
        ("embedding.*'weight'.*not numpy.ndarray", lambda: F.embedding(minigrad.tensor([1]), np.ones((2, 2)))),
        ("pad.*'input' .position 1.*not list", lambda: F.pad([1.0], (1, 1))),
        ("interpolate.*'input' .position 1.*not numpy.ndarray", lambda: F.interpolate(IMAGE.numpy(), 4)),
    ],
)
def test_the_wrong_argument_is_named(message, call):
    with pytest.raises(TypeError, match=f"{message}$"):
        call()
