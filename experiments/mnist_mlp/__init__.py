"""ece559-hw6 2: a 784-200-200-10 network for MNIST, as PyTorch's tutorial trains one."""
