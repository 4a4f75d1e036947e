"""Settings for all tests. Where torch is not installed, those that compare with it are left out: `make test-core`."""

import importlib.util
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from minigrad.kernels import blas

blas.one_thread.set_num_threads(1)  # other tests run at the same time; OpenBLAS's threads would wait for cores

quick = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}
settings.register_profile("dev", max_examples=10, **quick)
settings.register_profile("ci", max_examples=25, derandomize=True, **quick)
settings.register_profile("thorough", max_examples=500, phases=tuple(Phase), **quick)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

HERE = Path(__file__).parent
NEED_TORCH = ("torch_too", "same_run", "alike")  #: fixtures
WITHOUT_TORCH = "WITHOUT_TORCH" in os.environ or importlib.util.find_spec("torch") is None


def pytest_ignore_collect(collection_path):
    """Leave out what imports torch, examples in docstrings included, and packages that do."""
    if not WITHOUT_TORCH or collection_path.name == "conftest.py":
        return None
    folders = [HERE / "experiments", HERE / "parity", HERE.parent / "parity"]
    text = collection_path.read_text(encoding="utf-8") if collection_path.suffix == ".py" else ""
    inside = (
        r"^\s*(import|from) (torch|both|parity|jedi)\b" if HERE in collection_path.parents else r">>> import .*\btorch$"
    )
    return True if collection_path in folders or re.search(inside, text, re.MULTILINE) else None


def pytest_collection_modifyitems(config, items):
    """Deselect tests that run a program in torch too; the last line counts them."""
    if WITHOUT_TORCH:
        left_out = [item for item in items if needs_torch(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not needs_torch(item)]


def needs_torch(item):
    """Whether it has the mark, a fixture that runs torch, or torch among its parameters."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    named = any(value == "torch" for value in parameters if isinstance(value, str))
    return (
        named or item.get_closest_marker("torch") or not set(NEED_TORCH).isdisjoint(getattr(item, "fixturenames", ()))
    )


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
