"""hw3 1: the printed network, `Flatten, Linear(784, 64), ReLU, Linear(64, 10)` with `CrossEntropyLoss`."""
