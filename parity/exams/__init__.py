"""The exams that the installed torch wheel carries, sat by minigrad; one file a family."""
