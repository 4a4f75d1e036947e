"""MNIST, its relatives and CIFAR-10 as `Dataset`, under torchvision's names."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from minigrad.tensor import Tensor
from minigrad.utils.data import Dataset
from minigrad.vision import cifar
from minigrad.vision.arrays import DIGIT_CLASSES, FASHION_CLASSES, Arrays, load_arrays
from minigrad.vision.readers import COURSE_SCALE, PathLike
from minigrad.vision.transforms import batch_form

__all__ = ["CIFAR10", "MNIST", "Arrays", "CourseMNIST", "Digits", "FashionMNIST", "from_arrays", "load_arrays"]

Transform = Callable[[Any], Any]


class _Images(Dataset[tuple[Any, Any]]):
    """Base of the image data sets; subclasses define how images and labels are stored."""

    name: ClassVar[str]
    classes: ClassVar[Sequence[str]]
    white: ClassVar[float] = 255  #: the largest value that a pixel can have
    data: Any
    targets: Any

    def __init__(
        self,
        root: PathLike | None = None,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        self._fill(load_arrays(self.name, root, train, download, fallback=False), root, train)
        self.transform, self.target_transform = transform, target_transform

    def _fill(self, arrays: Arrays, root: PathLike | None, train: bool) -> None:
        self.root, self.train = root, train
        self.transform = self.target_transform = None
        self.source = arrays.source
        self._hold(arrays)

    def _hold(self, arrays: Arrays) -> None:
        """Set `data` and `targets`."""
        raise NotImplementedError

    def _chosen(self, indices: NDArray[np.intp]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Copies of the images and labels at `indices`."""
        raise NotImplementedError

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class name."""
        return {name: label for label, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: SupportsIndex) -> tuple[Any, Any]:
        """The sample at `index`, transformed."""
        images, labels = self._chosen(np.array([operator.index(index)], dtype=np.intp))
        image, label = images[0], int(labels[0])
        return (
            image if self.transform is None else self.transform(image),
            label if self.target_transform is None else self.target_transform(label),
        )

    def __getbatch__(self, indices: Sequence[int] | NDArray[Any]) -> list[Tensor] | None:
        """The samples at `indices`, transformed and collated at once.

        Returns:
            Images ``(B, ...)`` and labels ``(B,)``; None if a transform has no `batch`.
        """
        transform, target_transform = batch_form(self.transform), batch_form(self.target_transform)
        if transform is None or target_transform is None:
            return None
        images, labels = self._chosen(np.asarray(indices, dtype=np.intp))
        return [_as_tensor(transform(images)), _as_tensor(target_transform(labels.astype(np.int64, copy=False)))]

    def __repr__(self) -> str:
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body.append(f"Split: {'Train' if self.train else 'Test'}")
        lines = [f"Dataset {type(self).__name__}", *(f"    {line}" for line in body)]
        named = [("Transform: ", self.transform), ("Target transform: ", self.target_transform)]
        if any(transform is not None for _, transform in named):
            lines.append("    StandardTransform")
        for head, transform in named:
            if transform is not None:
                lines.append(head + repr(transform).replace("\n", "\n" + " " * len(head)))
        return "\n".join(lines)


class MNIST(_Images):
    """The handwritten digits of http://yann.lecun.com/exdb/mnist/: 60,000 for training, 10,000 for testing.

    A sample is ``(image, label)``: an array ``(28, 28)`` of bytes, for `ToTensor` to convert, and an int.

    Args:
        root: the data folder. Default: ``MINIGRAD_DATA_DIR``, else ``./data``; then the user's cache.
        train: the training part, or the test part.
        transform: a function that is applied to each image.
        target_transform: a function that is applied to each label.
        download: get missing files from the public mirrors.

    Attributes:
        data: all images, a tensor of bytes ``(N, 28, 28)``.
        targets: all labels, an int64 tensor ``(N,)``.
        source: where the data came from, in words.

    Raises:
        DatasetNotFoundError: if files are missing; a RuntimeError, as torchvision's.
        DataFileError: if a file is damaged, truncated or not the published one; a ValueError.
        ImportError: if h5py is needed and not installed.
    """

    name = "mnist"
    classes: ClassVar[Sequence[str]] = list(DIGIT_CLASSES)

    def _hold(self, arrays: Arrays) -> None:
        self.data, self.targets = Tensor.wrap(self._samples(arrays.images)), Tensor.wrap(arrays.labels)

    def _chosen(self, indices: NDArray[np.intp]) -> tuple[NDArray[Any], NDArray[Any]]:
        return self.data.array[indices], self.targets.array[indices]

    @staticmethod
    def _samples(images: NDArray[np.uint8]) -> NDArray[Any]:
        return images


class FashionMNIST(MNIST):
    """Zalando's images of clothes, in MNIST's format: https://github.com/zalandoresearch/fashion-mnist."""

    name = "fashion-mnist"
    classes: ClassVar[Sequence[str]] = list(FASHION_CLASSES)


class CourseMNIST(MNIST):
    """MNIST from the course's HDF5 files: a sample is an array ``(784,)`` of pixel/256, and an int.

    `data` is ``(N, 784)`` float32. Where the files are missing, the same images are taken from MNIST itself.
    """

    name = "mnist-hdf5"
    white = 255 / COURSE_SCALE

    @staticmethod
    def _samples(images: NDArray[np.uint8]) -> NDArray[Any]:
        return images.reshape(len(images), -1) / np.float32(COURSE_SCALE)


class Digits(MNIST):
    """The embedded digits of `minigrad.vision.digits`: 1,500 for training, 297 for testing.

    >>> dataset = Digits(train=False)
    >>> image, label = dataset[0]
    >>> image.shape, image.dtype, label
    ((28, 28), dtype('uint8'), 1)
    >>> dataset
    Dataset Digits
        Number of datapoints: 297
        Split: Test
    """

    name = "digits"


class CIFAR10(_Images):
    """Small colour photographs of ten classes, https://www.cs.toronto.edu/~kriz/cifar.html: 50,000 and 10,000.

    A sample is ``(image, label)``: an array ``(32, 32, 3)`` of bytes, for `ToTensor` to convert, and an int.
    The arguments are those of `MNIST`. As in torchvision, the images are an array here, and the labels a list.

    Attributes:
        data: all images, an array of bytes ``(N, 32, 32, 3)``.
        targets: all labels, a list of ints.
        source: where the data came from, in words.

    Raises:
        DatasetNotFoundError: if neither an archive nor a folder is found; a RuntimeError, as torchvision's.
        DataFileError: if it is damaged, truncated or not CIFAR-10; a ValueError.
    """

    name = "cifar-10"
    classes: ClassVar[Sequence[str]] = list(cifar.CLASSES)
    data: NDArray[np.uint8]
    targets: list[int]

    def _hold(self, arrays: Arrays) -> None:
        self.data, self.targets = arrays.images, arrays.labels.tolist()

    def _chosen(self, indices: NDArray[np.intp]) -> tuple[NDArray[Any], NDArray[Any]]:
        return self.data[indices], np.array([self.targets[i] for i in indices], dtype=np.int64)


def from_arrays(arrays: Arrays, train: bool = True) -> MNIST | CIFAR10:
    """The dataset for the result of `load_arrays`, of the class for its name.

    >>> dataset = from_arrays(load_arrays("digits", train=False), train=False)
    >>> type(dataset).__name__, len(dataset)
    ('Digits', 297)
    """
    classes: tuple[type[MNIST | CIFAR10], ...] = (MNIST, FashionMNIST, CourseMNIST, Digits, CIFAR10)
    cls = next(cls for cls in classes if cls.name == arrays.name)
    dataset = cls.__new__(cls)
    dataset._fill(arrays, None, train)
    return dataset


def _as_tensor(values: Any) -> Tensor:
    return values if isinstance(values, Tensor) else Tensor.wrap(np.asarray(values))
