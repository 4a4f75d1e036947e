"""ee599-hw3 §2: what an MLP with dropout and L2 confuses on Fashion-MNIST."""
