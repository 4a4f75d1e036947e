"""hw3 2: an autoencoder that squeezes each MNIST digit through two numbers."""
