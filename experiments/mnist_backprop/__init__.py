"""ee599-hw3 §1: a multilayer perceptron for MNIST, in NumPy only."""
