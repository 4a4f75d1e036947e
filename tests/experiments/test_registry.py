"""An experiment is a folder: a new one is found, run and reported without an edit anywhere else."""

import pytest

import experiments
from experiments import cli, registry
from experiments.runner.errors import UsageError

TRAIN = """
from dataclasses import dataclass

import numpy as np

from experiments.data import DataSet, Source
from experiments.registry import Experiment


@dataclass(frozen=True)
class Settings:
    epochs: int = 1


def train(run):
    inputs, labels = run.training_data
    run.fit("mean", lambda: trainer(run.fw, inputs), run.settings.epochs, lambda model: {})
    run.keep(test_mean=inputs.mean().item())


def trainer(fw, inputs):
    from experiments.training.trainer import Trainer, batches

    model = fw.nn.Linear(3, 1)
    return Trainer(
        model, fw.optim.SGD(model.parameters(), lr=0.1), batches(fw, inputs, size=4), lambda model, x: model(x).mean()
    )


EXPERIMENT = Experiment("new_problem", "hw9 1", "a mean", Settings, train, ("test_mean",), data="triples")
"""
DATA = """
import numpy as np

from experiments.data import DataSet, Source


def read(root, train):
    return np.ones((12, 3), np.float32), np.zeros(12, np.int64), Source("triples", "made-up triples", False, 12)


DATA = DataSet("triples", "triples", read)
"""
REPORT = """
def write(record):
    return f"The mean is {record.metrics['test_mean']:g}."
"""


@pytest.fixture
def new_problem(tmp_path, monkeypatch):
    folder = tmp_path / "more" / "new_problem"
    folder.mkdir(parents=True)
    for name, text in {"__init__": "", "train": TRAIN, "data": DATA, "report": REPORT}.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(folder.parent)])


def test_a_new_folder_is_all_that_a_new_experiment_needs(new_problem, tmp_path, capsys):
    assert registry.names()[-1] == "new_problem"
    assert len(registry.names()) == 14
    out = tmp_path / "results"
    assert cli.main(["run", "new_problem", "--limit", "8", "--out", str(out)]) == 0
    assert "new_problem done in" in capsys.readouterr().err
    text = (out / "new_problem" / "report.md").read_text()
    assert "The mean is 1." in text
    assert "Data: made-up triples; only the first 8 samples" in text
    assert cli.main(["report", "--out", str(out)]) == 0
    assert (
        "| [new_problem](new_problem/report.md) | hw9 1 | a mean | test mean **1** |" in (out / "README.md").read_text()
    )


def test_its_data_is_for_it_alone(new_problem, tmp_path, capsys):
    assert cli.main(["run", "mnist_mlp", "--data", "triples", "--out", str(tmp_path)]) == 2
    assert "--data triples: triples, but mnist_mlp is for images" in capsys.readouterr().err


def test_an_unknown_name_is_an_error():
    with pytest.raises(UsageError, match="no experiment is called 'new_problem'"):
        registry.find("new_problem")


def test_the_order_is_that_of_the_assignments():
    assignments = [registry.find(name).assignment for name in registry.names()]
    assert assignments == sorted(assignments)
