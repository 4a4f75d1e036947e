"""minigrad: deep learning from scratch on NumPy, under PyTorch's names.

The names at the top level are torch's: ``minigrad.tensor``, ``minigrad.nn``, ``minigrad.optim`` …
Start reading at `minigrad.engine`.
"""

from minigrad import autograd, engine, nn, ops, optim, random, utils
from minigrad.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from minigrad.creation import *  # noqa: F403
from minigrad.dtypes import bool_ as bool
from minigrad.dtypes import (
    double,
    dtype,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    long,
    short,
    uint8,
)
from minigrad.dtypes import float32 as float
from minigrad.dtypes import int32 as int
from minigrad.ops import *  # noqa: F403
from minigrad.random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from minigrad.tensor import Size, Tensor, device

__version__ = "0.1.0"
