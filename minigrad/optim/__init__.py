"""Optimizers, under torch.optim's names.

`minigrad.optim.lr_scheduler` changes their learning rates; `minigrad.optim.penalty` has L1, and L2 for some parameters.
"""

from minigrad.names import explain
from minigrad.optim import lr_scheduler, penalty
from minigrad.optim.adadelta import Adadelta
from minigrad.optim.adagrad import Adagrad
from minigrad.optim.adam import Adam, AdamW
from minigrad.optim.lbfgs import LBFGS
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.rmsprop import RMSprop
from minigrad.optim.sgd import SGD

explain(__name__)
__all__ = ["LBFGS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler", "penalty"]
