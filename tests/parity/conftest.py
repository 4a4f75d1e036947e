import dataclasses
import functools
import json

import pytest
import torch

from experiments import registry
from experiments.runner.errors import UsageError
from experiments.runner.options import Options
from parity.measure import networks, training

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


@pytest.fixture
def in_this_process(monkeypatch):
    """Trains what is missing without processes of its own; lists what is trained: framework, seed, start; stages."""
    trained = []

    def process(self, group, stages):
        trained.append((group, stages))
        framework, seed, start = group
        given = dataclasses.replace(self.options, framework=framework, seed=seed)
        for found in training.train(self.name, given, start, {s: self.recipes[s] for s in stages}, self.final):
            self.keep(json.dumps(found) + "\n")

    monkeypatch.setattr(training.Kept, "_process", process)
    return trained


def pytest_generate_tests(metafunc):
    if "experiment" in metafunc.fixturenames:
        metafunc.parametrize("experiment", registry.names())


STAGES = ("final", "rate 0.05", "rate 0.1", "rate 0.2")
ABOUT = {"versions": {"python": "3", "numpy": "2", "torch": "2"}, "commit": "abc", "seconds": 3.0}


@pytest.fixture
def parts():
    """What the commands found of mnist_mlp, by their names."""
    entry = {"experiment": "mnist_mlp", "stage": "final", "data": "mnist", "alike": list(STAGES[1:]), "passed": True}
    views = [
        {"name": name, "dtype": name, "error": error, "skipped": "", "errors": {"loss": error}, "wrong": []}
        for name, error in (("float64", 1e-16), ("float32", 2e-7))
    ]
    epoch = {"optimizer": "SGD", "steps": 10, "furthest": 3e-16, "which": "0.weight", "itself": None}
    exam = {"family": "operators", "exam": "gradients", "asked": 3, "passed": 2, "failed": 1, "not supported": 0}
    outcome = {"family": "operators", "exam": "gradients", "subject": "add", "case": "7", "verdict": "failed"}
    conformance = {
        "passed": False,
        "rows": [{**exam, "met": False}],
        "outcomes": [{**outcome, "why": "a < b"}],
        "left_out": {"modules": {"LazyLinear": "not in scope"}},
    }
    return {
        "gradients": {**ABOUT, "command": "gradients", "networks": [{**entry, "views": views}]},
        "trajectory": {**ABOUT, "command": "trajectory", "epochs": [{**entry, **epoch}]},
        "conformance": {**ABOUT, "command": "conformance", **conformance},
    }


@pytest.fixture
def trainings():
    """Trainings of mnist_mlp: of each network from one seed, with moved starts; and of the final one from others."""

    def training(stage, framework, seed, start=0, shift=0.0, result=None):
        curves = {"test_accuracy": [0.9, 0.98 + shift]}
        task = {"stage": stage, "framework": framework, "seed": seed, "start": start, "recipe": "r", "data": "mnist"}
        return {**task, "seconds": 9, "commit": "abc", "result": result, "of": "test accuracy", "curves": curves}

    found = []
    for i, stage in enumerate(STAGES):
        result = 0.98 if stage == "final" else None
        found.append(training(stage, "minigrad", 0, shift=0.001 + i / 1e4, result=result))
        found.append(training(stage, "torch", 0, result=result))
        found += [training(stage, "torch", 0, start, shift=start / 2e3) for start in range(1, 6)]
    for framework, first in (("minigrad", 1), ("torch", 1001)):
        found += [training("final", framework, first + i, result=0.98 + i / 1e4) for i in range(12)]
    return {"mnist_mlp": found}
