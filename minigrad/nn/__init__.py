"""Layers, losses, and the functions that they are made of."""
