"""Transforms against torchvision's, bit by bit, sample by sample and by the batch."""

import re

import numpy as np
import pytest
import torch

import minigrad
from minigrad.vision import transforms as ours
from minigrad.vision.transforms import batch_form
from parity._torchvision import import_torchvision


@pytest.fixture(scope="module")
def theirs():
    return import_torchvision().transforms


def images(shape, dtype=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.integers(0, 256, shape).astype(dtype)
        if np.dtype(dtype).kind == "u"
        else rng.normal(size=shape).astype(dtype)
    )


def same(tensor, expected):
    assert isinstance(tensor, minigrad.Tensor)
    assert tensor.array.flags.c_contiguous
    expected = expected.numpy()
    assert tensor.array.dtype == expected.dtype
    np.testing.assert_array_equal(tensor.array, expected)


class TestToTensor:
    def test_all_bytes(self, theirs):
        ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
        same(ours.ToTensor()(ramp), theirs.ToTensor()(ramp))

    @pytest.mark.parametrize("shape", [(28, 28), (5, 7), (5, 7, 1), (5, 7, 3), (1, 1, 4)])
    @pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
    def test_as_torchvision(self, theirs, shape, dtype):
        image = images(shape, dtype)
        before = image.copy()
        same(ours.ToTensor()(image), theirs.ToTensor()(image))
        np.testing.assert_array_equal(image, before)

    def test_the_result_is_a_copy(self):
        image = images((4, 4), np.float32)
        tensor = ours.ToTensor()(image)
        tensor.array[...] = 7
        assert not (image == 7).any()

    @pytest.mark.parametrize("shape", [(6, 28, 28), (6, 5, 7, 3)])
    def test_batches_equal_samples(self, shape):
        batch = images(shape)
        expected = np.stack([ours.ToTensor()(image).array for image in batch])
        np.testing.assert_array_equal(ours.ToTensor().batch(batch).array, expected)

    def test_errors(self, theirs):
        for transform in (ours.ToTensor(), theirs.ToTensor()):
            with pytest.raises(TypeError, match="pic should be"):
                transform([1, 2])
            with pytest.raises(ValueError, match=r"pic should be 2/3 dimensional\. Got 1 dimensions\."):
                transform(np.zeros(3))


class TestNormalize:
    @pytest.mark.parametrize(
        ("mean", "std"),
        [
            ((0.1307,), (0.3081,)),
            ((0.4914, 0.4822, 0.4465), (0.247, 0.243, 0.261)),
            (0.5, 0.25),
            ([0.1, 0.2, 0.3], 2.0),
        ],
    )
    @pytest.mark.parametrize("lead", [(), (4,), (2, 3)])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_as_torchvision(self, theirs, mean, std, lead, dtype):
        channels = 1 if mean == (0.1307,) else 3
        array = images((*lead, channels, 5, 6), dtype)
        tensor = minigrad.from_numpy(array.copy())
        same(ours.Normalize(mean, std)(tensor), theirs.Normalize(mean, std)(torch.from_numpy(array)))
        np.testing.assert_array_equal(tensor.array, array)

    def test_inplace(self):
        array = images((1, 5, 6), np.float32)
        tensor = minigrad.from_numpy(array.copy())
        result = ours.Normalize((0.5,), (0.5,), inplace=True)(tensor)
        assert result is tensor
        np.testing.assert_array_equal(tensor.array, ours.Normalize((0.5,), (0.5,))(minigrad.from_numpy(array)).array)

    def test_batches_equal_samples(self):
        batch = minigrad.from_numpy(images((6, 3, 5, 7), np.float32))
        transform = ours.Normalize((0.4, 0.5, 0.6), (0.2, 0.3, 0.4))
        expected = np.stack([transform(sample).array for sample in batch])
        np.testing.assert_array_equal(transform.batch(batch).array, expected)

    @pytest.mark.parametrize(
        ("arguments", "image", "error", "message"),
        [
            (
                ((0.5,), (0.5,)),
                np.zeros((1, 2, 2), np.uint8),
                TypeError,
                "Input tensor should be a float tensor. Got",
            ),
            (((0.5,), (0.5,)), np.zeros((2, 2)), ValueError, "Expected tensor to be a tensor image of size"),
            (((0.5,), (0.0,)), np.zeros((1, 2, 2)), ValueError, "std evaluated to zero after conversion to"),
        ],
    )
    def test_errors_are_torchvisions(self, theirs, arguments, image, error, message):
        for normalize, tensor in ((ours, minigrad.from_numpy(image)), (theirs, torch.from_numpy(image))):
            with pytest.raises(error) as caught:
                normalize.Normalize(*arguments)(tensor)
            assert message in str(caught.value)

    @pytest.mark.parametrize("channels", [1, 2])
    def test_channels_must_agree(self, theirs, channels):
        image = np.zeros((channels, 4, 4))
        message = f"3 values of mean and 3 of std for an image of {channels} channels, of shape [{channels}, 4, 4]"
        with pytest.raises(RuntimeError, match=re.escape(message)):
            ours.Normalize((0.5,) * 3, (0.5,) * 3)(minigrad.from_numpy(image))
        with pytest.raises(RuntimeError):
            theirs.Normalize((0.5,) * 3, (0.5,) * 3)(torch.from_numpy(image))

    def test_arrays_are_refused(self, theirs):
        for transforms in (ours, theirs):
            with pytest.raises(TypeError, match="img should be Tensor Image"):
                transforms.Normalize((0.5,), (0.5,))(np.zeros((1, 2, 2)))


class TestLambdaAndCompose:
    def test_as_torchvision(self, theirs):
        image = images((5, 6))
        results = [
            transforms.Compose(
                [transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,)), transforms.Lambda(lambda x: -x)]
            )(image)
            for transforms in (ours, theirs)
        ]
        same(*results)

    def test_lambda_needs_a_function(self, theirs):
        for transforms in (ours, theirs):
            with pytest.raises(TypeError, match="Argument lambd should be callable, got 'int'"):
                transforms.Lambda(3)

    def test_reprs(self, theirs):
        ours_repr, theirs_repr = (
            repr(t.Compose([t.ToTensor(), t.Normalize((0.5,), (0.25,)), t.Lambda(abs)])) for t in (ours, theirs)
        )
        assert ours_repr == theirs_repr

    def test_batch_forms(self):
        batch = images((6, 5, 7))
        assert batch_form(None)(batch) is batch
        assert batch_form(lambda image: image) is None
        assert batch_form(ours.Lambda(abs)) is None
        assert batch_form(ours.Compose([ours.ToTensor(), ours.Lambda(abs)])) is None
        assert batch_form(ours.Compose([]))(batch) is batch
        pipeline = ours.Compose([ours.Compose([ours.ToTensor()]), ours.Normalize((0.1307,), (0.3081,))])
        expected = np.stack([pipeline(image).array for image in batch])
        np.testing.assert_array_equal(batch_form(pipeline)(batch).array, expected)
