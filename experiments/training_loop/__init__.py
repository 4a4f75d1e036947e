"""hw3 2 A and 3: the training loop with its blanks filled, and what each of its lines is for, shown by numbers."""
