"""The experiments that choose on validation data and end in a confusion matrix or a table of epochs."""

import json
import re

import numpy as np
import pytest
import torch

from experiments import registry
from experiments.mnist_small_mlp import train as mnist_small_mlp
from experiments.reporting import report
from experiments.runner import files
from experiments.runner.execute import execute
from experiments.runner.options import Options
from experiments.training import classification
from minigrad.vision import arrays

NAMES = ["fashion_confusion", "mnist_logistic", "cifar_mlp", "mnist_small_mlp", "mnist_mlp"]
TEST_CURVES = {"mnist_logistic", "mnist_mlp"}
FIGURES = {"confusion.png", "accuracy.png", "loss.png"}
MORE = {"mnist_logistic": {"sparsity.png"}, "cifar_mlp": {"final.png"}}


@pytest.fixture(scope="module")
def folders(run_on_digits):
    return run_on_digits(*NAMES, epochs=2, limit=240, seeds=2)


@pytest.fixture(params=["minigrad", "torch"])
def folder(request, folders, name):
    return folders[request.param] / name


@pytest.mark.parametrize("name", NAMES)
def test_the_best_on_validation_data_is_trained_on_everything(folder):
    rows = files.read_csv(folder / "history.csv")
    last = {row["stage"]: row for row in rows}
    metrics = json.loads((folder / "metrics.json").read_text())
    candidates = [stage for stage, row in last.items() if "validation_accuracy" in row]
    best = max(last[stage]["validation_accuracy"] for stage in candidates)
    assert last[metrics["chosen"]]["validation_accuracy"] == best == metrics["validation_accuracy"]
    assert rows[-1]["stage"] == "final"
    assert "validation_accuracy" not in last["final"]
    assert (metrics["training_samples"], metrics["validation_samples"]) == (200, 40)
    tested = json.loads((folder / "choice.json").read_text())["stage"]
    assert tested == ("final" if folder.name in TEST_CURVES else "final, final, seed 1")
    table = files.read_csv(folder / "search.csv")
    assert [row["candidate"] for row in table] == candidates
    assert last["final, seed 1"]["loss"] != last["final"]["loss"]
    assert len(metrics["test_accuracies"]) == 2
    assert metrics["test_accuracies"][0] == metrics["test_accuracy"]


@pytest.mark.parametrize("name", NAMES)
def test_test_curves_only_where_the_assignment_asks_for_them(folder, name):
    rows = files.read_csv(folder / "history.csv")
    with_test = [(row["stage"], row["epoch"]) for row in rows if "test_accuracy" in row]
    assert with_test == ([("final", 1), ("final", 2)] if name in TEST_CURVES else [])
    assert registry.find(name).uses_test_each_epoch == (name in TEST_CURVES)
    if with_test:
        metrics = json.loads((folder / "metrics.json").read_text())
        assert rows[-1]["test_accuracy"] == metrics["test_accuracy"]
        assert rows[-1]["test_loss"] == metrics["test_loss"]


@pytest.mark.parametrize("name", NAMES)
def test_the_report_is_whole(folder, name):
    text = (folder / "report.md").read_text()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert "**{:.2f} %**".format(100 * metrics["test_accuracy"]) in text
    assert metrics["chosen"] in text
    targets = set(re.findall(r"\]\(([^)#]+)", text))
    figures = FIGURES | MORE.get(name, set())
    assert {target for target in targets if target.endswith(".png")} == figures
    assert {path.name for path in folder.glob("*.png")} == figures
    assert report.over_seeds(metrics["test_accuracies"]) in text
    assert [target for target in targets if not (folder / target).exists()] == []
    assert not re.search(r"[{}]", text.split("\n", 1)[1])
    assert "None" not in text


@pytest.mark.parametrize("name", NAMES)
def test_the_confusion_matrix_counts_the_test_set(folder):
    metrics = json.loads((folder / "metrics.json").read_text())
    rows = files.read_csv(folder / "confusion.csv")
    counts = np.array([[row[str(j)] for j in range(10)] for row in rows])
    assert counts.sum() == metrics["test_samples"]
    assert np.trace(counts) / counts.sum() == metrics["test_accuracy"]


@pytest.mark.parametrize("name", NAMES)
def test_both_frameworks_give_the_same_run(folders, name):
    histories = [files.read_csv(path / name / "history.csv") for path in folders.values()]
    for theirs, ours in zip(*histories, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4), (ours["stage"], ours["epoch"])


@pytest.mark.parametrize("name", NAMES)
def test_the_test_files_are_read_once_after_the_choice(tmp_path, monkeypatch, name):
    plain, seen = arrays.load_arrays, []
    out = tmp_path / name

    def spy(data, **arguments):
        if not arguments["train"]:
            seen.append(json.loads((out / "choice.json").read_text()))
        return plain(data, **arguments)

    monkeypatch.setattr(arrays, "load_arrays", spy)
    monkeypatch.setattr(registry, "report_of", lambda name: lambda record: "")
    execute(registry.find(name), Options("torch", epochs=1, data="digits", limit=60, out=str(tmp_path)))
    assert [choice["stage"] for choice in seen] == ["final"]
    assert seen[0]["chosen"] == json.loads((out / "metrics.json").read_text())["chosen"]


@pytest.mark.parametrize("l1", [0.0, 0.01])
def test_penalties_are_added_as_stated(l1):
    """One step of gradient descent against the derivative of loss + l2/2 ‖w‖² + l1 ‖W‖₁, written out."""
    torch.manual_seed(0)
    samples = torch.rand(6, 4), torch.randint(3, (6,))
    rate, l2 = 0.1, 0.02
    made = []

    def build():
        made.append(torch.nn.Sequential(torch.nn.Linear(4, 3)))
        return made[0]

    trainer = classification.trainer(torch, build, samples, rate=rate, batch_size=6, l2=l2, l1=l1)
    weight, bias = (p.detach().clone() for p in made[0].parameters())
    p = torch.softmax(samples[0] @ weight.T + bias, 1)
    error = (p - torch.nn.functional.one_hot(samples[1], 3)) / 6
    trainer.epoch()
    new_weight, new_bias = made[0].parameters()
    expected = weight - rate * (error.T @ samples[0] + l2 * weight + l1 * weight.sign())
    torch.testing.assert_close(new_weight.detach(), expected)
    torch.testing.assert_close(new_bias.detach(), bias - rate * (error.sum(0) + l2 * bias))


def test_the_assignments_are_kept():
    logistic, fashion = (registry.find(name).settings() for name in ("mnist_logistic", "fashion_confusion"))
    assert logistic.batch_size == 100
    assert len(set(logistic.learning_rates)) > 1
    assert all(logistic.l1 + logistic.l2)
    assert (fashion.hidden, fashion.dropout, fashion.l2) == (100, 0.3, 1e-4)
    assert registry.find("mnist_logistic").data == "mnist-hdf5"
    assert registry.find("fashion_confusion").data == "fashion-mnist"
    cifar = registry.find("cifar_mlp").settings()
    assert (cifar.hidden, cifar.dropout, cifar.l2) == ((256, 128), 0.3, 1e-4)
    assert registry.find("cifar_mlp").data == "cifar-10"
    assert registry.find("mnist_mlp").settings().hidden == (200, 200)
    assert str(mnist_small_mlp.network(torch)) == str(
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    )
    assert str(classification.mlp(torch, 784, 5, 4, 10, dropout=0.3)) == str(
        torch.nn.Sequential(
            torch.nn.Linear(784, 5),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.3),
            torch.nn.Linear(5, 4),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.3),
            torch.nn.Linear(4, 10),
        )
    )
