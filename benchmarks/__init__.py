"""minigrad and PyTorch, timed side by side in one run: ``python -m benchmarks steps``."""
