"""hw3 1 and ece559-hw6 1: softmax, cross entropy and their gradients; training with other losses on MNIST."""
