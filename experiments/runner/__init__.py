"""Running an experiment: options, one run and its files, checkpoints, several runs at a time."""
