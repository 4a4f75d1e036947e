"""ee541-hw6 3: what an MLP with dropout and L2 confuses on CIFAR-10."""
