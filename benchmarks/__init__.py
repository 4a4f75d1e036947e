"""minigrad and its peers, timed side by side in one run: ``python -m benchmarks``."""
