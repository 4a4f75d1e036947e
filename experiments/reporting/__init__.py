"""Reports, figures and generated tables."""
