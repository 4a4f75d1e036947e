"""The rate at which convolutions compute, against that of matrix products: ``python -m benchmarks.convolution``.

Every figure is the best of many calls, in GFLOP/s, two operations for each multiplication. The machine's rate is
that of a product of two square matrices; it is measured again for each line, in turn with the convolution.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import minigrad
from minigrad.ops.record import registry

SQUARE = 1024


class Layer(NamedTuple):
    """A convolution of square images (N, channels, size, size)."""

    name: str
    batch: int
    channels: int
    size: int
    out: int
    kernel: int
    stride: int = 1
    padding: int = 0

    @property
    def result(self) -> int:
        """The size of the resulting images."""
        return (self.size + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def flops(self) -> int:
        """Operations of the convolution, and of either gradient."""
        return 2 * self.batch * self.out * self.result**2 * self.channels * self.kernel**2


LAYERS = (
    Layer("first layer of the CNN", 64, 1, 28, 20, 4),
    Layer("second layer of the CNN", 64, 20, 25, 20, 4, stride=2),
    Layer("3×3, 32 to 64 channels", 64, 32, 26, 64, 3),
    Layer("3×3, 64 to 64 channels", 32, 64, 32, 64, 3, padding=1),
)


def fastest(call: Callable[[], Any], seconds: float) -> float:
    """The shortest time of a call, repeated for some seconds."""
    best, end = float("inf"), time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        call()
        best = min(best, time.perf_counter() - now)
    return best


def rates(layer: Layer, seconds: float) -> dict[str, float]:
    """GFLOP/s forward, for the gradient of the input and of the weight, and of a matrix product."""
    random = np.random.default_rng(0)

    def images(channels: int, size: int) -> Any:
        return random.standard_normal((layer.batch, size, size, channels), dtype=np.float32).transpose(0, 3, 1, 2)

    x, g = images(layer.channels, layer.size), images(layer.out, layer.result)
    kernel = layer.kernel, layer.kernel
    weight = random.standard_normal((layer.out, layer.channels, *kernel), dtype=np.float32)
    square = random.standard_normal((SQUARE, SQUARE), dtype=np.float32)
    rest = (layer.stride,) * 2, (layer.padding,) * 2, (1, 1), 1
    forward, by_input, by_weight = (registry[f"_conv2d{part}"].forward for part in ("", "_input", "_weight"))
    calls: dict[str, tuple[Callable[[], Any], int]] = {
        "forward": (lambda: forward(x, weight, None, *rest), layer.flops),
        "input": (lambda: by_input(g, weight, x.shape[2:], *rest), layer.flops),
        "weight": (lambda: by_weight(g, x, kernel, *rest), layer.flops),
        "product": (lambda: square @ square, 2 * SQUARE**3),
    }
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(5):  # in turn, so that all see the same machine
        for name, (call, _) in calls.items():
            best[name] = min(best[name], fastest(call, seconds / 5))
    return {name: flops / best[name] / 1e9 for name, (_, flops) in calls.items()}


def main() -> None:
    """Print a line for each layer, or all as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convolution", description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure (default 1)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    options = parser.parse_args()
    minigrad.set_num_threads(options.threads)
    if options.json:
        print(json.dumps([{"what": layer.name, "rates": rates(layer, options.seconds)} for layer in LAYERS]))
        return
    print(f"{'GFLOP/s, share of the matrix product':40} {'forward':>14} {'input':>14} {'weight':>14} {'product':>8}")
    for layer in LAYERS:
        found = rates(layer, options.seconds)
        top = found.pop("product")
        shares = " ".join(f"{rate:8.1f} {rate / top:4.0%}" for rate in found.values())
        print(f"{layer.name:40} {shares} {top:8.1f}", flush=True)


if __name__ == "__main__":
    main()
