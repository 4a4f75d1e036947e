"""MNIST's training files laid out as torchvision looks for them."""

from __future__ import annotations

import struct
from pathlib import Path

from minigrad.vision.datasets import load_arrays


def write(root: Path) -> None:
    """Writes ROOT/MNIST/raw/train-*, plain IDX."""
    arrays = load_arrays("mnist", train=True)
    images, labels = arrays.images, arrays.labels
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    header = struct.pack(">4i", 2051, *images.reshape(-1, 28, 28).shape)
    (folder / "train-images-idx3-ubyte").write_bytes(header + images.astype("u1").tobytes())
    (folder / "train-labels-idx1-ubyte").write_bytes(
        struct.pack(">2i", 2049, len(labels)) + labels.astype("u1").tobytes()
    )
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (folder / name).write_bytes(b"")  # looked for, not read
