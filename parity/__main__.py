"""`python -m parity`."""

from experiments.entry import start

start("parity.cli")
