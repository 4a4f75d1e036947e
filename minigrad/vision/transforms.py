"""Transforms of samples, under torchvision's names.

A transform with a method ``batch`` can transform many samples at once, with exactly the same numbers; the `DataLoader`
then need not process them one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from minigrad.tensor import Tensor

Batch: TypeAlias = Callable[[Any], Any]


def batch_form(transform: Callable[[Any], Any] | None) -> Batch | None:
    """The function that transforms a batch as `transform` does a sample; None if there is none.

    Without a transform it returns the batch unchanged.
    """
    if transform is None:
        return lambda samples: samples
    return getattr(transform, "batch", None)


class Compose:
    """Several transforms, one after the other.

    >>> Compose([ToTensor(), Normalize((0.5,), (0.5,))])
    Compose(
        ToTensor()
        Normalize(mean=(0.5,), std=(0.5,))
    )
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        """Apply all to one sample."""
        for transform in self.transforms:
            img = transform(img)
        return img

    @property
    def batch(self) -> Batch | None:
        """Apply all to a batch; None if one of them can't."""
        forms = [form for transform in self.transforms if (form := batch_form(transform))]
        return Compose(forms) if len(forms) == len(self.transforms) else None

    def __repr__(self) -> str:
        return "\n".join([f"{type(self).__name__}(", *(f"    {transform}" for transform in self.transforms), ")"])


class ToTensor:
    """An image ``(H, W)`` or ``(H, W, C)`` as a tensor ``(C, H, W)``; bytes become float32 from 0 to 1.

    Arrays of another dtype keep it and are not scaled.

    Raises:
        TypeError: if it is not an array.
        ValueError: if it does not have 2 or 3 dimensions.

    >>> ToTensor()(np.full((28, 28), 255, np.uint8)).shape
    minigrad.Size([1, 28, 28])
    """

    def __call__(self, pic: NDArray[Any]) -> Tensor:
        """Convert one image."""
        if not isinstance(pic, np.ndarray):
            raise TypeError(f"pic should be ndarray. Got {type(pic)}")
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        return Tensor.wrap(self.batch(pic[None]).array[0])

    def batch(self, pics: NDArray[Any]) -> Tensor:
        """Convert images ``(N, H, W)`` or ``(N, H, W, C)`` into a tensor ``(N, C, H, W)``."""
        planes = pics[:, None] if pics.ndim == 3 else pics.transpose(0, 3, 1, 2)
        if planes.dtype != np.uint8:
            return Tensor.wrap(planes.copy(order="C"))
        return Tensor.wrap(np.divide(planes, 255, dtype=np.float32, order="C"))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Normalize:
    """``(image - mean) / std``, channel by channel, for float images ``(..., C, H, W)``.

    Args:
        mean: one number for each channel.
        std: one number for each channel.
        inplace: write into the given tensor.

    Raises:
        TypeError: if the image is not a tensor of floats.
        ValueError: if it has fewer than 3 dimensions, or a `std` is 0.
        RuntimeError: if the number of channels differs.

    >>> import minigrad
    >>> Normalize((0.5,), (0.25,))(minigrad.ones(1, 1, 2))
    tensor([[[2., 2.]]])
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        self.mean, self.std, self.inplace = mean, std, inplace

    def __call__(self, tensor: Tensor) -> Tensor:
        """Normalise one image, or a batch."""
        if not isinstance(tensor, Tensor):
            raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
        if not tensor.is_floating_point():
            raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
        if tensor.ndim < 3:
            raise ValueError(
                f"Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = {list(tensor.shape)}"
            )
        mean, std = (np.asarray(values, tensor.array.dtype).reshape(-1, 1, 1) for values in (self.mean, self.std))
        if not std.all():
            raise ValueError(f"std evaluated to zero after conversion to {tensor.dtype}, leading to division by zero")
        if not {mean.size, std.size} <= {1, tensor.shape[-3]}:
            raise RuntimeError(
                f"Normalize got {mean.size} values of mean and {std.size} of std "
                f"for an image of {tensor.shape[-3]} channels, of shape {list(tensor.shape)}"
            )
        if self.inplace:
            tensor -= Tensor.wrap(mean)
            tensor /= Tensor.wrap(std)
            return tensor
        return (tensor - Tensor.wrap(mean)) / Tensor.wrap(std)

    batch = __call__

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class Lambda:
    """Any function as a transform of single samples.

    Raises:
        TypeError: if `lambd` can't be called.
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        """Apply the function."""
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
