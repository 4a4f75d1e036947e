"""The assignments: one file a problem, run by minigrad or PyTorch (`python -m experiments`)."""
