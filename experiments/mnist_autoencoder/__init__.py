"""hw3 2: an autoencoder with a bottleneck of two numbers for MNIST digits."""
