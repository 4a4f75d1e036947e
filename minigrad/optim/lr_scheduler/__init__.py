"""Learning rate schedules, under torch.optim.lr_scheduler's names."""

from minigrad.names import explain
from minigrad.optim.lr_scheduler.base import *  # noqa: F403
from minigrad.optim.lr_scheduler.base import LRScheduler as _LRScheduler
from minigrad.optim.lr_scheduler.combine import *  # noqa: F403
from minigrad.optim.lr_scheduler.cosine import *  # noqa: F403
from minigrad.optim.lr_scheduler.cycle import *  # noqa: F403
from minigrad.optim.lr_scheduler.factor import *  # noqa: F403
from minigrad.optim.lr_scheduler.plateau import *  # noqa: F403

explain(__name__)
