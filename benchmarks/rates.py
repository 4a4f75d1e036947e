"""The rate at which convolutions compute, against that of a matrix product; and of products in pieces, against whole.

In GFLOP/s, two operations for each multiplication, by the best of many calls that take turns. The matrix product of
convolutions is that of two square matrices on one thread. Products are those of the assignments' networks that
`minigrad.kernels.products` cuts into pieces on this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.networks import NETWORKS
from benchmarks.worker import times
from experiments.training.trainer import EVALUATION_BATCH
from minigrad import autograd, from_numpy, nn
from minigrad.kernels.products import piece, product

SQUARE = 1024
LAYERS: dict[str, tuple[int, int, nn.Conv2d]] = {
    "first layer of the CNN": (64, 28, nn.Conv2d(1, 20, 4, bias=False)),
    "second layer of the CNN": (64, 25, nn.Conv2d(20, 20, 4, stride=2, bias=False)),
    "3×3, 32 to 64 channels": (64, 26, nn.Conv2d(32, 64, 3, bias=False)),
    "3×3, 64 to 64 channels": (32, 32, nn.Conv2d(64, 64, 3, padding=1, bias=False)),
}
"""Number and size of the square images, and the layer."""


def measured(calls: dict[str, tuple[Callable[[], Any], int]], seconds: float) -> dict[str, float]:
    """GFLOP/s of calls that take so many operations each."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(5):
        for name, (call, _) in calls.items():
            best[name] = min(best[name], min(times(call, seconds / 5, 0)))
    return {name: operations / best[name] / 1e9 for name, (_, operations) in calls.items()}


def convolution(batch: int, size: int, layer: nn.Conv2d, seconds: float = 1.0) -> dict[str, float]:
    """Forward, gradient of the input and of the weight, and a matrix product."""
    random = np.random.default_rng(0)
    images = random.standard_normal((batch, size, size, layer.in_channels), dtype=np.float32)
    x = from_numpy(images.transpose(0, 3, 1, 2)).requires_grad_()  # as it lies between layers
    y, square = layer(x), random.standard_normal((SQUARE, SQUARE), dtype=np.float32)
    gradient = partial(autograd.grad, y, grad_outputs=y.detach(), retain_graph=True)
    operations = 2 * y.numel() * layer.weight[0].numel()
    ways = {"forward": partial(layer, x), "input": partial(gradient, x), "weight": partial(gradient, layer.weight)}
    calls = {name: (call, operations) for name, call in ways.items()}
    with threadpool_limits(1, "blas"):
        return measured({**calls, "product": (partial(np.matmul, square, square), 2 * SQUARE**3)}, seconds)


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
        found = [random.standard_normal(shape, dtype=np.float32) for shape in shapes]
        return [x.T.copy().T if transposed else x for x, transposed in zip(found, self.transposed, strict=True)]

    def rates(self, seconds: float = 0.5) -> dict[str, float]:
        """In pieces and whole."""
        a, b = self.matrices()
        out, operations = np.empty((self.m, self.n), np.float32), 2 * self.m * self.k * self.n
        ways = {"pieces": partial(product, a, b, out), "whole": partial(np.matmul, a, b, out=out)}
        return measured({way: (call, operations) for way, call in ways.items()}, seconds)


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


def table(task: str) -> Iterator[dict[str, Any]]:
    """What is measured, and the rates: of each layer, or of each product that is cut on this machine."""
    if task == "convolution":
        for what, layer in LAYERS.items():
            yield {"what": what, "rates": convolution(*layer)}
        return
    for found in dict.fromkeys(products()):
        if size := piece(*found.matrices()):
            what = f"{found.what}: ({found.m}, {found.k}) @ ({found.k}, {found.n}), {size[0]} × {size[1]}"
            yield {"what": what, "rates": found.rates()}
