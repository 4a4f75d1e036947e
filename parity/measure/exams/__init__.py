"""The exams that the installed torch wheel carries, sat by minigrad; one file a family."""

from unittest import mock

# the import forbids settings such as `torch.backends.mkldnn.enabled = False` to the whole process; not here
with mock.patch("torch.backends.disable_global_flags"):
    from torch.testing._internal import common_utils as common_utils
