"""minigrad and PyTorch, side by side."""
