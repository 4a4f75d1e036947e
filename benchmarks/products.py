"""The matrix products in the networks of the assignments that minigrad computes in pieces, timed both ways."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from benchmarks.networks import NETWORKS
from benchmarks.worker import fastest
from experiments.training.trainer import EVALUATION_BATCH
from minigrad.kernels.products import piece, product


class Product(NamedTuple):
    """(m, k) @ (k, n); a matrix that is transposed lies in memory as (k, m), or (n, k)."""

    what: str
    m: int
    k: int
    n: int
    transposed: tuple[bool, bool] = (False, False)

    def matrices(self) -> list[Any]:
        """Two matrices for it."""
        random, shapes = np.random.default_rng(0), ((self.m, self.k), (self.k, self.n))
        return [
            random.standard_normal(shape[::-1], dtype=np.float32).T
            if transposed
            else random.standard_normal(shape, dtype=np.float32)
            for shape, transposed in zip(shapes, self.transposed, strict=True)
        ]

    def rates(self, seconds: float = 0.5) -> dict[str, float]:
        """GFLOP/s whole and in pieces, two operations for each multiplication."""
        a, b = self.matrices()
        out = np.empty((self.m, self.n), np.float32)
        best = fastest({"whole": partial(np.matmul, a, b, out=out), "pieces": partial(product, a, b, out)}, seconds)
        return {way: 2 * self.m * self.k * self.n / taken / 1e9 for way, taken in best.items()}


def products() -> Iterator[Product]:
    """The products of linear layers in training and evaluation, and those of the second convolution of the CNN."""
    for network in NETWORKS.values():
        for n, m in pairwise(network.widths):
            for batch in (network.batch, EVALUATION_BATCH):
                yield Product("linear, forward", batch, n, m, (False, True))
            yield Product("linear, gradient of the weight", m, network.batch, n, (True, False))
            yield Product("linear, gradient of the input", network.batch, m, n)
    yield Product("6 images, convolution 20-20, 4×4", 6 * 11 * 11, 20 * 4 * 4, 20)
    yield Product("16 images, gradient of its input", 16 * 13 * 13, 20 * 2 * 2, 40)


def measured() -> Iterator[dict[str, Any]]:
    """Those that are cut on this machine, the size of the pieces, and the rates."""
    for found in dict.fromkeys(products()):
        if size := piece(*found.matrices()):
            what = {"what": found.what, "size": f"({found.m}, {found.k}) @ ({found.k}, {found.n})"}
            yield {**what, "piece": size, "rates": found.rates()}
