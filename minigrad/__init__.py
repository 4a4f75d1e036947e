"""minigrad: deep learning from scratch on NumPy, under PyTorch's names.

The names at the top level are torch's: ``minigrad.tensor``, ``minigrad.nn``, ``minigrad.optim`` …
Start reading at `minigrad.engine`.
"""

from minigrad import _requirements  # isort: skip (before what needs them)

# "name as name" tells type checkers that a name is meant to be imported from here
from minigrad import autograd as autograd
from minigrad import engine as engine
from minigrad import linalg as linalg
from minigrad import nn as nn
from minigrad import ops as ops
from minigrad import optim as optim
from minigrad import profiler as profiler
from minigrad import random as random
from minigrad import utils as utils
from minigrad.autograd import enable_grad as enable_grad
from minigrad.autograd import inference_mode as inference_mode
from minigrad.autograd import is_grad_enabled as is_grad_enabled
from minigrad.autograd import no_grad as no_grad
from minigrad.autograd import set_grad_enabled as set_grad_enabled
from minigrad.compiler import compile as compile
from minigrad.creation import *  # noqa: F403
from minigrad.drawing import *  # noqa: F403
from minigrad.dtypes import bool_ as bool
from minigrad.dtypes import double as double
from minigrad.dtypes import dtype as dtype
from minigrad.dtypes import float16 as float16
from minigrad.dtypes import float32 as float
from minigrad.dtypes import float32 as float32
from minigrad.dtypes import float64 as float64
from minigrad.dtypes import get_default_dtype as get_default_dtype
from minigrad.dtypes import half as half
from minigrad.dtypes import int8 as int8
from minigrad.dtypes import int16 as int16
from minigrad.dtypes import int32 as int
from minigrad.dtypes import int32 as int32
from minigrad.dtypes import int64 as int64
from minigrad.dtypes import long as long
from minigrad.dtypes import set_default_dtype as set_default_dtype
from minigrad.dtypes import short as short
from minigrad.dtypes import uint8 as uint8
from minigrad.kernels.threads import get_num_threads as get_num_threads
from minigrad.kernels.threads import set_num_threads as set_num_threads
from minigrad.names import explain
from minigrad.ops import *  # noqa: F403
from minigrad.random import Generator as Generator
from minigrad.random import default_generator as default_generator
from minigrad.random import get_rng_state as get_rng_state
from minigrad.random import initial_seed as initial_seed
from minigrad.random import manual_seed as manual_seed
from minigrad.random import seed as seed
from minigrad.random import set_rng_state as set_rng_state
from minigrad.tensor import Size as Size
from minigrad.tensor import Tensor as Tensor
from minigrad.tensor import device as device

explain(__name__, later=["testing"])
__version__ = "0.2.0"


def __dir__() -> list[str]:
    """torch's names only, without minigrad's internal modules."""
    modules = {"autograd", "engine", "linalg", "nn", "optim", "profiler", "random", "testing", "utils", "vision"}
    hidden = {name for name, value in globals().items() if type(value).__name__ == "module" and name not in modules}
    return sorted(name for name in globals().keys() - hidden - {"explain", "registry"} if not name.startswith("_"))
