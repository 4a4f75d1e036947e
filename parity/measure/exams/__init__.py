"""PyTorch's own exams, which its installed wheel brings, taken by minigrad; one module for each family."""

from unittest import mock

# the import forbids settings such as `torch.backends.mkldnn.enabled = False` to the whole process; not here
with mock.patch("torch.backends.disable_global_flags"):
    from torch.testing._internal import common_utils as common_utils
