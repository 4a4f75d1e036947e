"""From stored samples to batches: datasets, samplers, collation and the loader.

The names, the order of the random draws, and so the batches, are those of
https://docs.pytorch.org/docs/stable/data.html.
"""

from minigrad.names import explain
from minigrad.utils.data.collate import *  # noqa: F403
from minigrad.utils.data.dataloader import *  # noqa: F403
from minigrad.utils.data.dataset import *  # noqa: F403
from minigrad.utils.data.sampler import *  # noqa: F403

explain(__name__)
