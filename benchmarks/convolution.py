"""The rate at which convolutions compute, against that of matrix products.

Every figure is the best of many calls, in GFLOP/s, two operations for each multiplication. The machine's rate is
that of a product of two square matrices on one thread; it is measured again for each layer, in turn with the
convolution.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.worker import fastest
from minigrad import Tensor, autograd, from_numpy, nn

SQUARE = 1024
LAYERS: dict[str, tuple[int, int, nn.Conv2d]] = {
    "first layer of the CNN": (64, 28, nn.Conv2d(1, 20, 4, bias=False)),
    "second layer of the CNN": (64, 25, nn.Conv2d(20, 20, 4, stride=2, bias=False)),
    "3×3, 32 to 64 channels": (64, 26, nn.Conv2d(32, 64, 3, bias=False)),
    "3×3, 64 to 64 channels": (32, 32, nn.Conv2d(64, 64, 3, padding=1, bias=False)),
}
"""Number and size of the square images, and the layer."""


def flops(y: Tensor, weight: Tensor) -> int:
    """Operations of a convolution with result `y`, and of either gradient."""
    return 2 * y.numel() * weight[0].numel()


def rates(batch: int, size: int, layer: nn.Conv2d, seconds: float = 1.0) -> dict[str, float]:
    """GFLOP/s forward, for the gradient of the input and of the weight, and of a matrix product."""
    random = np.random.default_rng(0)
    images = random.standard_normal((batch, size, size, layer.in_channels), dtype=np.float32)
    x = from_numpy(images.transpose(0, 3, 1, 2)).requires_grad_()  # as it lies between layers
    y, square = layer(x), random.standard_normal((SQUARE, SQUARE), dtype=np.float32)
    gradient = partial(autograd.grad, y, grad_outputs=y.detach(), retain_graph=True)
    calls: dict[str, Callable[[], Any]] = {
        "forward": partial(layer, x),
        "input": partial(gradient, x),
        "weight": partial(gradient, layer.weight),
        "product": partial(np.matmul, square, square),
    }
    with threadpool_limits(1, "blas"):
        best = fastest(calls, seconds)
    work = dict.fromkeys(calls, flops(y, layer.weight)) | {"product": 2 * SQUARE**3}
    return {name: work[name] / best[name] / 1e9 for name in calls}
