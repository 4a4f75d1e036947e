"""ee599-hw3 §1: a multilayer perceptron for MNIST, where every gradient is a formula written by hand."""
