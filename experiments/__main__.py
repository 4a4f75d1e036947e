"""`python -m experiments`."""

from experiments.entry import start

start("experiments.cli")
