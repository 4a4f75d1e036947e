"""The floor: a training step fused by hand in NumPy, for one network and one batch size.

Everything is written into buffers that exist before the first step: no graph, no dispatch, no allocation of large
arrays. What a framework takes beyond this is its own cost.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.floor_images import cnn, conv1d, normalized_cnn
from benchmarks.floor_mlp import mlp, products
from benchmarks.floor_parts import Step
from benchmarks.floor_sequences import gru, lstm
from benchmarks.networks import Network

__all__ = ["products", "step"]

BY_NAME: dict[str, Callable[[Network], Step]] = {
    "CNN": cnn,
    "CNN + batch norm": normalized_cnn,
    "Conv1d": conv1d,
    "LSTM": lstm,
    "GRU": gru,
}


def step(network: Network) -> Step:
    """The step on the network's own batch; a call returns the loss."""
    return (mlp if network.widths else BY_NAME[network.name])(network)
