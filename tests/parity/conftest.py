import functools

import pytest
import torch

from experiments import registry
from experiments.runner.errors import UsageError
from experiments.runner.options import Options
from parity.measure import networks

torch.set_num_threads(1)


@functools.cache
def collected(name):
    try:
        return tuple(networks.pairs([name], Options(limit=200, data="digits")))  # which are quickly read
    except UsageError:
        return tuple(networks.pairs([name], Options(limit=200)))


@pytest.fixture(scope="session")
def pairs():
    """The networks of an experiment, on 200 samples: ``pairs(name)``."""
    return collected


@pytest.fixture(scope="session")
def final(pairs):
    """The network that an experiment tests in the end: ``final(name)``."""
    return lambda name: next(pair for pair in pairs(name) if pair.final)


def pytest_generate_tests(metafunc):
    if "experiment" in metafunc.fixturenames:
        metafunc.parametrize("experiment", registry.names())
