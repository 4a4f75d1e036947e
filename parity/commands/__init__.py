"""The commands of `python -m parity`, one module each.

A module has `HELP`; `add_arguments(parser)` for its own options; and `run(names, options, arguments)`, which prints
what it found and returns whether all is within the tolerances, and what to write as JSON.
"""
