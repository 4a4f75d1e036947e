"""hw3 2 A and 3: the training loop with its blanks filled, and the effect of each of its lines in numbers."""
