"""Writes ``digits.npz`` from scikit-learn's copy of the UCI digits.

``python -m minigrad.vision._make_digits`` was run once, to make the file; nothing else needs scikit-learn.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np

from minigrad.vision.digits import FILE


def main() -> None:
    """Write the file: ``images`` ``(1797, 8, 8)`` with values 0 to 16, ``labels`` ``(1797,)``, both uint8."""
    digits = importlib.import_module("sklearn.datasets").load_digits()
    with Path(FILE).open("wb") as file:
        np.savez_compressed(file, images=digits.images.astype(np.uint8), labels=digits.target.astype(np.uint8))


if __name__ == "__main__":
    main()
