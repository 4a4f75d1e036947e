"""Layers, losses, and the functions that they use, under torch.nn's names."""

from minigrad.names import explain
from minigrad.nn import functional as functional
from minigrad.nn import init as init
from minigrad.nn import modules as modules
from minigrad.nn import parameter as parameter
from minigrad.nn import utils as utils
from minigrad.nn.activation import *  # noqa: F403
from minigrad.nn.attention import *  # noqa: F403
from minigrad.nn.containers import *  # noqa: F403
from minigrad.nn.conv import *  # noqa: F403
from minigrad.nn.dropout import *  # noqa: F403
from minigrad.nn.embedding import *  # noqa: F403
from minigrad.nn.linear import *  # noqa: F403
from minigrad.nn.loss import *  # noqa: F403
from minigrad.nn.module import Module as Module
from minigrad.nn.normalization import *  # noqa: F403
from minigrad.nn.parameter import Buffer as Buffer
from minigrad.nn.parameter import Parameter as Parameter
from minigrad.nn.pooling import *  # noqa: F403
from minigrad.nn.rnn import *  # noqa: F403

explain(__name__)
