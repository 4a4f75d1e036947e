"""A problem as one file that runs by itself, and as a notebook."""
