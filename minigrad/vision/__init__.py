"""Images: data sets and transforms, under torchvision's names."""

from minigrad.vision import datasets, transforms

__all__ = ["datasets", "transforms"]
