"""Matrix products whole and in pieces (`minigrad.kernels.products`), on one thread: ``python -m benchmarks.products``.

They are those of the assignments' networks that are cut into pieces there. Every figure is the best of many calls, in
GFLOP/s, two operations for each multiplication; both ways are measured in turn.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

import minigrad
from benchmarks.convolution import fastest
from benchmarks.networks import NETWORKS
from experiments.training.trainer import EVALUATION_BATCH
from minigrad.engine import Array
from minigrad.kernels.products import piece
from minigrad.kernels.products import product as multiply


class Product(NamedTuple):
    """(m, k) @ (k, n); a matrix that is turned lies in memory as its transpose."""

    what: str
    m: int
    k: int
    n: int
    turned: tuple[bool, bool] = (False, False)

    @property
    def size(self) -> str:
        """How it is written."""
        return f"({self.m}, {self.k}) @ ({self.k}, {self.n})"

    def matrices(self) -> tuple[Array, Array]:
        """Two matrices for it."""
        random = np.random.default_rng(0)
        shapes = (self.m, self.k), (self.k, self.n)
        found = (
            random.standard_normal(shape[::-1] if turned else shape, dtype=np.float32)
            for shape, turned in zip(shapes, self.turned, strict=True)
        )
        a, b = (x.T if turned else x for x, turned in zip(found, self.turned, strict=True))
        return a, b

    def rates(self, seconds: float) -> dict[str, float]:
        """GFLOP/s whole and in pieces."""
        a, b = self.matrices()
        out = np.empty((self.m, self.n), np.float32)
        calls = {"whole": lambda: np.matmul(a, b, out=out), "pieces": lambda: multiply(a, b, out)}
        best = dict.fromkeys(calls, float("inf"))
        for _ in range(5):
            for name, call in calls.items():
                best[name] = min(best[name], fastest(call, seconds / 5))
        return {name: 2 * self.m * self.k * self.n / best[name] / 1e9 for name in calls}


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


def main() -> None:
    """Print a line for each product that is cut, or all as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.products", description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each figure (default 0.5)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    options = parser.parse_args()
    minigrad.set_num_threads(1)
    found = []
    for product in dict.fromkeys(products()):
        size = piece(*product.matrices())
        if size is None:
            continue
        rates = product.rates(options.seconds)
        found.append({"what": product.what, "size": product.size, "piece": size, "rates": rates})
        if not options.json:
            told = f"{rates['whole']:6.1f} {rates['pieces']:6.1f} GFLOP/s  {rates['pieces'] / rates['whole']:.2f}"
            print(f"{product.what:34} {product.size:26} {size[0]:4} × {size[1]:<4} {told}", flush=True)
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
