"""ece559-hw6 3: a convolutional network for MNIST; plain, regularised, and with batch norm and other tweaks."""
