import json
import re
from dataclasses import dataclass, replace

import h5py
import numpy as np
import pytest
import torch

from experiments.human_machine import train as human_machine
from experiments.human_machine.data import generate
from experiments.human_machine.report import neighbours, spectrum
from experiments.human_machine.train import EXPERIMENT, Recipe, Settings, fold, network
from experiments.runner import files
from experiments.runner.errors import UsageError
from experiments.runner.execute import execute
from experiments.runner.options import Options
from experiments.training import classification

LIMIT = 150
FIGURES = {"accuracy", "overfitting", "weights", "spectrum", "statistics", "judgement", "features"}


@dataclass(frozen=True)
class Small(Settings):
    """The experiment with fewer rates and seeds."""

    sgd_rates: tuple[float, ...] = (0.1,)
    momentum_rates: tuple[float, ...] = (0.03, 0.1)
    rmsprop_rates: tuple[float, ...] = (2e-3,)
    adam_rates: tuple[float, ...] = (4e-3,)
    epochs: int = 1
    seeds: int = 2


@dataclass(frozen=True)
class Smallest(Small):
    seeds: int = 1


def run(framework, data, out, settings=Small, limit=LIMIT):
    options = Options(framework, data_dir=str(data), limit=limit, out=str(out))
    return execute(replace(EXPERIMENT, settings=settings), options)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A small run on a file of zeros and ones in each framework, once for all tests here."""
    data = tmp_path_factory.mktemp("data")
    human, machine = generate(200, seed=5)
    with h5py.File(data / "binary_random_17.hdf5", "w") as file:
        file["human"], file["machine"] = human > 0, machine > 0
    return {name: run(name, data, tmp_path_factory.mktemp(name)) for name in ("torch", "minigrad")}


@pytest.fixture(params=["minigrad", "torch"])
def folder(request, folders):
    return folders[request.param]


def metrics_of(folder):
    return json.loads((folder / "metrics.json").read_text())


def test_the_assignment_is_kept():
    settings = Settings()
    assert (settings.hidden, settings.batch_size, settings.validation) == (20, 16, 0.2)
    assert list(settings.optimizers) == ["SGD", "SGD with momentum", "RMSprop", "Adam"]
    assert list(settings.regularizers) == ["none", "L1", "L2", "dropout"]
    model = network(torch, Recipe("Adam", 0.1, (20,), 16), 20)
    types = [type(layer).__name__ for layer in model]
    assert types == ["Linear", "ReLU", "Linear", "Sigmoid", "Flatten"]
    assert [tuple(p.shape) for p in model.parameters()] == [(20, 20), (20,), (1, 20), (1,)]
    probabilities = model(torch.ones(7, 20))
    assert probabilities.shape == (7,)
    assert ((probabilities > 0) & (probabilities < 1)).all()


def test_the_convolution_counts_wherever_it_is():
    torch.manual_seed(0)
    model = network(torch, Recipe("Adam", 0.1, (4,), 16, convolution=True), 20, window=3)
    x = -torch.ones(2, 20)
    x[0, 4], x[1, 11] = 1, 1
    first, second = model(x)
    torch.testing.assert_close(first, second)


def test_every_optimizer_meets_every_regularizer(folder):
    rows = [row for row in files.read_csv(folder / "search.csv") if row["part"] == "regularizer"]
    pairs = {(row["optimizer"], row["regularizer"]) for row in rows}
    assert len(pairs) == len(rows) == 16
    best = max(rows, key=lambda row: (row["validation_accuracy"], -row["validation_loss"]))
    metrics = metrics_of(folder)
    assert best["candidate"] == metrics["chosen"]
    assert (best["optimizer"], best["regularizer"]) == (metrics["chosen_optimizer"], metrics["chosen_regularizer"])


def test_the_table_sums_up_the_history(folder):
    last = {row["stage"]: row for row in files.read_csv(folder / "history.csv")}
    for row in files.read_csv(folder / "search.csv"):
        seeds = [last[f"{row['candidate']}, seed {i}"] for i in range(2)]
        for part in ("train", "validation"):
            values = [seed[f"{part}_accuracy"] for seed in seeds]
            assert row[f"{part}_accuracy"] == pytest.approx(np.mean(values))
            assert row[f"{part}_spread"] == pytest.approx(np.std(values, ddof=1))
    finals = [last[f"final, seed {i}"]["validation_accuracy"] for i in range(2)]
    assert metrics_of(folder)["validation_accuracy"] == pytest.approx(np.mean(finals))


def test_the_trainings_are_as_many_as_announced(folder):
    stages = {row["stage"] for row in files.read_csv(folder / "history.csv")}
    assert len(stages) == Small().trainings


def test_the_exploration_never_sees_the_validation_data(monkeypatch, tmp_path):
    """All but the final ones are trained and measured on the first 80 %; here on the stand-in, which says so."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    seen = []
    plain = human_machine.binary_measures

    def spy(fw, model, train, validation):
        seen.append((len(train[1]), len(validation[1])))
        return plain(fw, model, train=train, validation=validation)

    monkeypatch.setattr(human_machine, "binary_measures", spy)
    folder = run("torch", tmp_path, tmp_path / "out", Smallest, limit=50)
    assert seen == [(32, 8)] * (Smallest().trainings - 2) + [(40, 10)] * 2
    text = (folder / "report.md").read_text()
    assert "> **Not the data of the assignment: generated human-like sequences, a stand-in" in text


def test_folds_share_no_sample():
    samples = torch.arange(50.0).reshape(25, 2), torch.arange(25)
    held = []
    for i in range(5):
        (x, y), (xv, yv) = fold(torch, samples, 0.2, i)
        assert sorted([*y.tolist(), *yv.tolist()]) == list(range(25))
        assert (len(y), len(yv)) == (20, 5)
        assert torch.equal(x[:, 0], 2.0 * y)
        assert torch.equal(xv[:, 0], 2.0 * yv)
        held += yv.tolist()
    assert sorted(held) == list(range(25))


def test_the_printed_matrix_is_that_of_the_first_final_network(folder):
    text = (folder / "report.md").read_text()
    weights = files.read_npz(folder / "weights.npz")["final, seed 0/0.weight"]
    rows = files.read_csv(folder / "input_weights.csv")
    assert weights.shape == (20, 20)
    for i, (row, line) in enumerate(zip(rows, weights, strict=True), start=1):
        assert [row[str(j + 1)] for j in range(20)] == pytest.approx(line.tolist())
        assert f"    {i:>6}" + "".join(f"{value:6.2f}" for value in line) in text


def test_it_starts_from_the_untrained_matrix(folder):
    torch.manual_seed(0)
    expected = torch.nn.Linear(20, 20).weight.detach().numpy()
    np.testing.assert_array_equal(files.read_npz(folder / "arrays.npz")["untrained"], expected)


def test_the_judgement_adds_up(folder):
    metrics, rows = metrics_of(folder), files.read_csv(folder / "judgement.csv")
    assert sum(row["samples"] for row in rows) == metrics["validation_samples"] == 30
    assert sum(row["human"] for row in rows) == metrics["validation_humans"]
    last = {row["stage"]: row for row in files.read_csv(folder / "history.csv")}["final, seed 0"]
    assert metrics["copies_correct"] + metrics["others_correct"] == round(30 * last["validation_accuracy"])
    statistics = files.read_csv(folder / "statistics.csv")
    for column in ("alternations", "longest"):
        assert sum(row[f"{column}_human"] + row[f"{column}_machine"] for row in statistics) == 120


def test_both_frameworks_give_the_same_run(folders):
    histories = [files.read_csv(folder / "history.csv") for folder in folders.values()]
    for theirs, ours in zip(*histories, strict=True):
        assert ours["stage"] == theirs["stage"]
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-3), ours["stage"]


def test_the_report_is_whole(folder):
    text = (folder / "report.md").read_text()
    metrics = metrics_of(folder)
    assert f"**{100 * metrics['validation_accuracy']:.1f} ± {100 * metrics['validation_spread']:.1f} %**" in text
    assert f"**{100 * metrics['features_validation_accuracy']:.2f} %**" in text
    assert "no test set" in text
    targets = set(re.findall(r"\]\(([^)#]+)", text))
    assert {target for target in targets if target.endswith(".png")} == {f"{name}.png" for name in FIGURES}
    assert [target for target in targets if not (folder / target).exists()] == []
    assert not re.search(r"[{}]", text)
    assert "nan" not in text


def test_images_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--data digits: images, but human_machine is for sequences of 20 values"):
        execute(EXPERIMENT, Options("torch", data="digits", out=str(tmp_path)))


@pytest.mark.parametrize(("optimizer", "momentum"), [("SGD", 0.9), ("RMSprop", 0.0), ("Adam", 0.0)])
def test_any_optimizer_and_loss_can_train(optimizer, momentum):
    """One step is that of the optimizer on the loss and the penalties, written out."""
    torch.manual_seed(0)
    samples = torch.rand(6, 4), torch.tensor([0.0, 1, 1, 0, 1, 0])
    recipe = Recipe(optimizer, 0.1, (3,), 6)
    models = []
    for _ in range(2):
        torch.manual_seed(1)
        models.append(network(torch, recipe, 4))
    trainer = classification.trainer(
        torch,
        lambda: models[0],
        samples,
        rate=0.1,
        batch_size=6,
        momentum=momentum,
        l1=0.01,
        l2=0.02,
        optimizer=optimizer,
        loss="binary_cross_entropy",
    )
    trainer.epoch()
    parameters = list(models[1].parameters())
    loss = torch.nn.functional.binary_cross_entropy(models[1](samples[0]), samples[1])
    loss = loss + 0.01 * (parameters[0].abs().sum() + parameters[2].abs().sum())
    loss.backward()
    kwargs = {"momentum": momentum} if momentum else {}
    getattr(torch.optim, optimizer)(parameters, lr=0.1, weight_decay=0.02, **kwargs).step()
    for ours, expected in zip(models[0].parameters(), parameters, strict=True):
        torch.testing.assert_close(ours, expected)


def test_binary_measures_count_both_sides():
    model = torch.nn.Flatten(0)
    samples = torch.tensor([[0.9], [0.2], [0.4], [0.5]]), torch.tensor([1.0, 0, 1, 0])
    found = classification.binary_measures(torch, model, part=samples)
    assert found["part_accuracy"] == 0.75
    assert found["part_loss"] == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.5]).mean())


def test_rhythms_of_known_rows():
    alternating, alike = np.tile([1.0, -1.0], (3, 10)), np.ones((3, 20))
    assert spectrum(alternating)[10] == pytest.approx(1)
    assert spectrum(alike)[0] == pytest.approx(1)
    assert spectrum(np.concatenate([alternating, alike]))[[0, 10]] == pytest.approx([0.5, 0.5])
    noise = np.random.default_rng(0).normal(size=(20_000, 20))
    expected = np.array([1, *[2] * 9, 1]) / 20
    np.testing.assert_allclose(spectrum(noise), expected, atol=0.003)
    assert neighbours(alternating) == -1
    assert neighbours(alternating, 2) == neighbours(alike) == 1
    assert neighbours(noise) == pytest.approx(0, abs=0.01)


def test_what_a_linear_function_explains():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(500, 3))
    values = features @ [1.0, -2.0, 0.0] + 5
    assert human_machine.explained_share(features, values) == pytest.approx(1)
    noise = rng.normal(size=500) * np.sqrt(5)
    assert human_machine.explained_share(features, values + noise) == pytest.approx(0.5, abs=0.06)
