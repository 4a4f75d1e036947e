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


@pytest.mark.parametrize("wrong", ["a", [1.0], None, np.ones((1, 2)), 3.0])
@pytest.mark.parametrize(
    "layer",
    [
        minigrad.nn.Linear(2, 1),
        minigrad.nn.ReLU(),
        minigrad.nn.Conv2d(1, 1, 1),
        minigrad.nn.MaxPool2d(2),
        minigrad.nn.Dropout(),
        minigrad.nn.Embedding(2, 1),
        minigrad.nn.BatchNorm1d(2),
        minigrad.nn.LSTM(2, 1),
        minigrad.nn.Flatten(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_layer_names_what_is_no_tensor(layer, wrong):
    name = type(layer).__name__
    with pytest.raises(
        TypeError, match=rf"^{name}\(\): argument 'input' \(position 1\) must be Tensor, not .* in {name}"
    ):
        layer(wrong)


def test_a_loss_names_its_target():
    with pytest.raises(TypeError, match=r"^MSELoss\(\): argument 'target' \(position 2\) must be Tensor, not list"):
        minigrad.nn.MSELoss()(MATRIX, [1.0])


def test_a_users_layer_takes_what_it_likes():
    class Doubled(minigrad.nn.Linear):
        def forward(self, numbers: list[float]) -> minigrad.Tensor:
            return super().forward(minigrad.tensor(numbers))

    assert Doubled(2, 1)([1.0, 2.0]).shape == (1,)
    assert minigrad.nn.Identity()("a") == "a"
