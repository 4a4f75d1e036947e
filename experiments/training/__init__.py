"""The training loop and the training of classifiers, which several experiments share."""
