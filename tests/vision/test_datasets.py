"""Data sets against torchvision's on the same small files, and batches against samples."""

import numpy as np
import pytest
import torch

import minigrad
from minigrad.utils.data import DataLoader, Dataset, default_collate
from minigrad.vision import datasets as ours
from minigrad.vision import transforms
from minigrad.vision.files import DatasetNotFoundError
from parity._torchvision import import_torchvision

NAMES = ["MNIST", "FashionMNIST"]


@pytest.fixture(scope="module")
def torchvision():
    return import_torchvision()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("train", [True, False])
class TestAsTorchvision:
    @pytest.fixture
    def pair(self, folder, torchvision, name, train):
        return getattr(ours, name)(folder, train), getattr(torchvision.datasets, name)(folder, train)

    def test_attributes(self, pair):
        our, their = pair
        assert isinstance(our, Dataset)
        assert len(our) == len(their)
        for tensor, expected in ((our.data, their.data), (our.targets, their.targets)):
            assert isinstance(tensor, minigrad.Tensor)
            assert str(tensor.dtype).split(".")[1] == str(expected.dtype).split(".")[1]
            np.testing.assert_array_equal(tensor.numpy(), expected.numpy())
        assert our.classes == their.classes
        assert our.class_to_idx == their.class_to_idx

    def test_samples(self, pair):
        our, their = pair
        for (image, label), (expected, expected_label) in zip(
            (our[i] for i in (0, 3, -1)), (their[i] for i in (0, 3, -1)), strict=True
        ):
            assert (image.dtype, image.shape) == (np.uint8, (28, 28))
            np.testing.assert_array_equal(image, np.asarray(expected))
            assert (type(label), label) == (int, expected_label)

    def test_transformed_samples_and_repr(self, folder, torchvision, name, train):
        def pipeline(t):
            steps = t.Compose([t.ToTensor(), t.Normalize((0.1307,), (0.3081,))])
            return {"transform": steps, "target_transform": t.Lambda(lambda label: label + 100)}

        our = getattr(ours, name)(folder, train, **pipeline(transforms))
        their = getattr(torchvision.datasets, name)(folder, train, **pipeline(torchvision.transforms))
        image, label = our[5]
        expected, expected_label = their[5]
        np.testing.assert_array_equal(image.numpy(), expected.numpy())
        assert label == expected_label
        assert repr(our) == repr(their)

    def test_plain_repr(self, pair):
        our, their = pair
        assert repr(our) == repr(their)


def test_missing_files_raise_torchvisions_type(home, torchvision):
    for name, datasets in ((name, datasets) for name in NAMES for datasets in (ours, torchvision.datasets)):
        with pytest.raises(RuntimeError, match="Dataset not found"):
            getattr(datasets, name)(home / "nowhere")
    with pytest.raises(DatasetNotFoundError, match="Error downloading"):
        ours.MNIST(home / "nowhere", download=True)


def test_samples_do_not_share_memory_with_the_data(folder):
    dataset = ours.MNIST(folder)
    image, _ = dataset[0]
    image += 1
    assert (dataset.data.numpy()[0] != image).all()


def test_bad_indices(folder):
    dataset = ours.MNIST(folder)
    with pytest.raises(IndexError, match="index 30 is out of bounds"):
        dataset[30]
    with pytest.raises(IndexError, match="index 30 is out of bounds"):
        dataset.__getbatch__([0, 30])
    with pytest.raises(TypeError):
        dataset[1.5]
    assert dataset[minigrad.tensor(3)][1] == dataset[np.int64(3)][1] == dataset[3][1]


class Double:
    """A target transform with a form for batches."""

    def __call__(self, label):
        return 2 * label

    batch = __call__


@pytest.mark.parametrize("name", ["MNIST", "CourseMNIST", "Digits"])
@pytest.mark.parametrize(
    ("transform", "target_transform"),
    [
        (None, None),
        (transforms.ToTensor(), None),
        (transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]), Double()),
        (transforms.Compose([]), Double()),
    ],
    ids=["plain", "tensor", "normalized", "targets"],
)
@pytest.mark.parametrize("indices", [[0], [5, 2, 2, -1], np.array([7, 3])], ids=["one", "some", "array"])
def test_batches_equal_collated_samples(folder, name, transform, target_transform, indices):
    if name == "CourseMNIST" and isinstance(transform, transforms.ToTensor | transforms.Compose):
        transform = None  # vectors, not images
    dataset = getattr(ours, name)(folder, transform=transform, target_transform=target_transform)
    batch = dataset.__getbatch__(indices)
    expected = default_collate([dataset[i] for i in indices])
    assert len(batch) == len(expected) == 2
    for tensor, reference in zip(batch, expected, strict=True):
        assert isinstance(tensor, minigrad.Tensor)
        assert tensor.dtype == reference.dtype
        np.testing.assert_array_equal(tensor.numpy(), reference.numpy())


def test_transforms_without_a_batch_form_have_no_batches(folder):
    flatten = transforms.Lambda(lambda image: image.reshape(-1))
    assert ours.MNIST(folder, transform=flatten).__getbatch__([0]) is None
    assert ours.MNIST(folder, target_transform=lambda label: label % 2).__getbatch__([0]) is None


def test_batches_are_copies(folder):
    dataset = ours.MNIST(folder)
    images, labels = dataset.__getbatch__([0, 1])
    images.numpy()[...] = 7
    labels.numpy()[...] = 7
    assert not (dataset.data.numpy()[:2] == 7).all()
    assert not (dataset.targets.numpy()[:2] == 7).all()


@pytest.mark.parametrize("batched", [True, False])
def test_a_loader_gives_what_torchs_gives(folder, torchvision, batched, monkeypatch):
    if not batched:
        monkeypatch.setattr(ours.MNIST, "__getbatch__", lambda self, indices: None)
    our = ours.MNIST(folder, transform=transforms.ToTensor())
    their = torchvision.datasets.MNIST(folder, transform=torchvision.transforms.ToTensor())
    minigrad.manual_seed(5)
    torch.manual_seed(5)
    batches = list(DataLoader(our, batch_size=8, shuffle=True))
    expected = list(torch.utils.data.DataLoader(their, batch_size=8, shuffle=True))
    assert len(batches) == len(expected) == 4
    for batch, reference in zip(batches, expected, strict=True):
        for tensor, wanted in zip(batch, reference, strict=True):
            np.testing.assert_array_equal(tensor.numpy(), wanted.numpy())


def test_a_changed_dataset_is_respected(folder):
    """Programs cut a data set down by assigning to its `data` and `targets`."""
    dataset = ours.MNIST(folder)
    dataset.data, dataset.targets = dataset.data[:3], dataset.targets[:3]
    assert len(dataset) == 3
    assert dataset.__getbatch__([2])[1].tolist() == [dataset[2][1]]


def test_course_vectors_are_pixel_over_256(folder, parts):
    dataset = ours.CourseMNIST(folder, train=False)
    images, labels = parts["t10k"]
    vector, label = dataset[4]
    assert (vector.dtype, vector.shape) == (np.float32, (784,))
    np.testing.assert_array_equal(vector, images[4].ravel() / 256)
    assert label == labels[4]
    assert "missing HDF5" in dataset.source


def test_the_real_course_file_is_kept_bit_for_bit(real_data):
    from minigrad.vision.readers import read_hdf5

    dataset = ours.CourseMNIST(real_data, train=False)
    file = read_hdf5(real_data / "course/mnist_testdata.hdf5", ["xdata", "ydata"])
    np.testing.assert_array_equal(dataset.data.numpy(), file["xdata"])
    np.testing.assert_array_equal(dataset.targets.numpy(), file["ydata"].argmax(axis=1))
    assert dataset.source == "MNIST (the course's HDF5 files)"


def test_real_mnist(real_data):
    dataset = ours.MNIST(real_data, train=False)
    assert len(dataset) == 10_000
    assert [dataset[i][1] for i in range(5)] == [7, 2, 1, 0, 4]


def test_digits():
    train, test = ours.Digits(), ours.Digits(train=False)
    assert (len(train), len(test)) == (1500, 297)
    assert repr(test) == "Dataset Digits\n    Number of datapoints: 297\n    Split: Test"
    assert "UCI digits" in test.source
