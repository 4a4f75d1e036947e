"""A small experiment of two trainings, dropout and a schedule, on which the frame is tested."""

import re
import signal
from dataclasses import dataclass, make_dataclass, replace
from functools import partial

import pytest
import torch

from experiments import cli, registry
from experiments.data import split
from experiments.registry import Experiment
from experiments.runner.execute import execute
from experiments.runner.options import Options
from experiments.runner.progress import Progress
from experiments.training.trainer import Trainer, accuracy, batches, logits

torch.set_num_threads(1)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with Ctrl-C ignored


@dataclass(frozen=True)
class Settings:
    epochs: int = 3
    rates: tuple[float, ...] = (0.1, 0.05)
    optimizer: str = "SGD"


def build(run, rate, samples):
    fw = run.fw
    model = fw.nn.Sequential(fw.nn.Linear(784, 12), fw.nn.ReLU(), fw.nn.Dropout(0.3), fw.nn.Linear(12, 10))
    momentum = {"momentum": 0.9} if run.settings.optimizer == "SGD" else {}
    optimizer = getattr(fw.optim, run.settings.optimizer)(model.parameters(), lr=rate, **momentum)
    return Trainer(
        model,
        optimizer,
        batches(fw, *samples, size=50, shuffle=True),
        lambda model, inputs, labels: fw.nn.functional.cross_entropy(model(inputs), labels),
        fw.optim.lr_scheduler.MultiStepLR(optimizer, [1], gamma=0.5),
    )


def train(run):
    training, validation = split(run.training_data, 0.2)
    run.expect(len(run.settings.rates) * run.settings.epochs)
    for rate in run.settings.rates:
        measure = {"validation_accuracy": validation}
        model = run.fit(
            f"rate {rate:g}",
            partial(build, run, rate, training),
            run.settings.epochs,
            lambda model, measure=measure: {k: accuracy(run.fw, model, *v) for k, v in measure.items()},
        )
    inputs, labels = run.open_test(f"rate {rate:g}", rate=rate)
    correct = (logits(run.fw, model, inputs).argmax(1) == labels).sum().item()
    run.keep(test_accuracy=correct / len(labels))
    run.keep_table("counts", [{"correct": correct, "of": len(labels)}])


TOY = Experiment(
    name="toy",
    assignment="none",
    trains="a toy",
    settings=Settings,
    train=train,
    headline=("test_accuracy",),
    data="digits",
)


@pytest.fixture
def toy(monkeypatch):
    """The toy, known to the command line as the only experiment."""
    monkeypatch.setattr(registry, "names", lambda: ("toy",))
    monkeypatch.setattr(registry, "find", lambda name: TOY)
    monkeypatch.setattr(registry, "report_of", lambda name: lambda record: f"accuracy {record.metrics}")
    return TOY


@pytest.fixture(scope="module")
def run_on_digits(tmp_path_factory):
    """Run experiments on the embedded digits in each framework; returns the folder by framework.

    ``run_on_digits("mnist_mlp", epochs=2, limit=240)`` gives the folders of that one, several names those around all.
    """

    def run(*names, **options):
        out = {framework: tmp_path_factory.mktemp(framework) for framework in ("torch", "minigrad")}
        for framework, path in out.items():
            given = {"data": "digits", "framework": framework, "out": path, **options}
            assert cli.main(["run", *names, *(f"--{name}={value}" for name, value in given.items())]) == 0
        return {framework: path / names[0] if len(names) == 1 else path for framework, path in out.items()}

    return run


@pytest.fixture
def options(tmp_path):
    return partial(Options, out=str(tmp_path / "results"), limit=200)


class Impatient(Progress):
    """Presses Ctrl-C, a real signal, at one batch of one epoch of the whole run; or calls what else is given."""

    def __init__(self, epoch, batch, then=None):
        super().__init__()
        self.epoch, self.batch, self.then = epoch, batch, then or partial(signal.raise_signal, signal.SIGINT)
        self.seen = [0, 0]

    def epoch_of(self, batches):
        self.seen = [self.seen[0] + 1, 0]

        def tell(loss):
            self.seen[1] += 1
            if self.seen == [self.epoch, self.batch]:
                self.then()

        return tell


@pytest.fixture
def impatient():
    return Impatient


def results(folder):
    """All that must be the same in two equal runs, byte for byte; that steps are compiled must change nothing."""
    files = {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.suffix in {".csv", ".json", ".npz"} and path.name not in {"timings.csv", "checkpoint.npz"}
    }
    return files | {"config.json": re.sub(rb'\n  "compile": \w+,', b"", files["config.json"])}


@pytest.fixture
def compare():
    """Asserts that two folders hold the same results."""

    def same(first, second):
        left, right = results(first), results(second)
        assert (
            {"config.json", "history.csv", "metrics.json", "weights.npz", "choice.json"} <= left.keys() == right.keys()
        )
        assert [name for name in left if left[name] != right[name]] == []

    return same


@pytest.fixture
def run_toy(toy, options):
    """Runs the toy into NAME/toy below the results; options and settings by name."""

    def run(name, progress=None, rates=Settings.rates, optimizer=Settings.optimizer, **arguments):
        chosen = options(**arguments)
        fields = [("rates", tuple, rates), ("optimizer", str, optimizer)]
        experiment = replace(toy, settings=make_dataclass("Settings", fields, bases=(Settings,), frozen=True))
        return execute(experiment, replace(chosen, out=f"{chosen.out}/{name}"), progress)

    return run
