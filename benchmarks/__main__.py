"""`python -m benchmarks`."""

from experiments.entry import start

start("benchmarks.cli")
