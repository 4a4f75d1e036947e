"""ee541-hw6 1: logistic regression on MNIST, with L1, L2 and several learning rates."""
