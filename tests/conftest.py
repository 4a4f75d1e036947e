"""Settings for all tests."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

from minigrad.kernels import blas

blas.one_thread.set_num_threads(1)  # other tests run at the same time; OpenBLAS's threads would wait for cores

quick = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}
settings.register_profile("dev", max_examples=10, **quick)
settings.register_profile("ci", max_examples=25, derandomize=True, **quick)
settings.register_profile("thorough", max_examples=500, phases=tuple(Phase), **quick)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def torch_too():
    """Run a program in both frameworks: ``torch_too(lambda fw: …)``. Results, or types of errors, must be the same.

    What the program gives in minigrad is returned.
    """

    def check(program, tolerance=1e-6):
        import torch
        from both import assert_alike, outcome

        import minigrad

        (ended, ours), warned = outcome(program, minigrad)
        (wanted, theirs), torch_warned = outcome(program, torch)
        assert ended == wanted, (ended, ours, wanted, theirs)
        if ended == "result":
            assert_alike(ours, theirs, tolerance)
        assert [category for category, _ in warned] == [category for category, _ in torch_warned], (
            warned,
            torch_warned,
        )
        return ours

    return check
