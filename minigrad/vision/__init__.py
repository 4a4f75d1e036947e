"""Images: data sets and transforms, under torchvision's names."""

from minigrad.vision import datasets as datasets
from minigrad.vision import transforms as transforms

__all__ = ["datasets", "transforms"]
