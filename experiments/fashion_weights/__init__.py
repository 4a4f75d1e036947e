"""ee599-hw3 §3 and ee541-hw6 2: what regularisation does to the weights of an MLP on Fashion-MNIST."""
