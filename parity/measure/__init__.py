"""What is measured, in both frameworks: gradients, trainings, PyTorch's own exams. Nothing is judged here."""
