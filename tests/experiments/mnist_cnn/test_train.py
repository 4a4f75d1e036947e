"""The convolutional network: its layers, its recipes, and a run in both frameworks."""

import json
import re
import shutil
from dataclasses import asdict, dataclass, replace

import numpy as np
import pytest
import scipy.stats
import torch

import minigrad
from experiments import registry
from experiments.mnist_cnn import report as page
from experiments.mnist_cnn import train as mnist_cnn
from experiments.mnist_cnn.train import EXPERIMENT, NORMALISED, PLAIN, REGULARISED, Recipe, Trial, compared
from experiments.mnist_mlp import train as mnist_mlp
from experiments.reporting import report
from experiments.runner import files
from experiments.runner.execute import execute
from experiments.runner.options import Options
from experiments.runner.record import Record
from experiments.training.classification import rate_name

FRAMEWORKS = pytest.mark.parametrize("fw", [minigrad, torch], ids=["minigrad", "torch"])
ALL = Recipe(0.1, 0.5, 20, 1e-3, 0.1, 0.25, 0.5, batch_norm=True, nesterov=True, one_cycle=True, shift=2)


@dataclass(frozen=True)
class Settings(mnist_cnn.Settings):
    """The same, with less to try out."""

    epochs: int = 2
    search_samples: int = 100
    regularisers: tuple = (("none", ()), ("some", (("max_pooling", 0.1),)), ("more", (("last_relu", 0.9),)))
    decays: tuple[float, ...] = (0.0, 1.0)
    tweaks: tuple = (
        ("nothing new", (("batch_norm", True),)),
        ("one cycle", (("rate", 0.1), ("one_cycle", True), ("nesterov", True))),
        ("far too high a rate", (("rate", 50.0),)),
        ("shifts", (("shift", 1),)),
    )


SMALL = replace(EXPERIMENT, settings=Settings)


def options(framework, out):
    return Options(framework, data="digits", limit=150, out=str(out), seeds=2)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A small run in each framework."""
    out = {framework: tmp_path_factory.mktemp(framework) for framework in ("torch", "minigrad")}
    return {framework: execute(SMALL, options(framework, path)) for framework, path in out.items()}


@pytest.fixture(params=["minigrad", "torch"])
def folder(request, folders):
    return folders[request.param]


@FRAMEWORKS
def test_the_architecture_is_the_assignments(fw):
    model = mnist_cnn.architecture(fw)
    shapes, values = [], fw.zeros(2, 1, 28, 28)
    for layer in model:
        values = layer(values)
        shapes.append((type(layer).__name__, *values.shape[1:]))
    assert shapes == [
        ("Conv2d", 20, 25, 25),
        ("ReLU", 20, 25, 25),
        ("Conv2d", 20, 11, 11),
        ("ReLU", 20, 11, 11),
        ("MaxPool2d", 20, 5, 5),
        ("Flatten", 500),
        ("Linear", 250),
        ("ReLU", 250),
        ("Linear", 10),
    ]
    assert [tuple(p.shape) for p in model.parameters() if p.dim() == 4] == [(20, 1, 4, 4), (20, 20, 4, 4)]


@FRAMEWORKS
def test_a_recipe_adds_to_the_architecture(fw):
    assert str(Recipe(0.1, 0.5, 64).network(fw)) == str(mnist_cnn.architecture(fw))
    layers = [type(layer).__name__ for layer in ALL.network(fw)]
    assert " ".join(layers) == (
        "Conv2d ReLU BatchNorm2d Dropout Conv2d ReLU BatchNorm2d MaxPool2d Flatten Dropout Linear ReLU BatchNorm1d"
        " Dropout Linear"
    )
    assert [layer.p for layer in ALL.network(fw) if isinstance(layer, fw.nn.Dropout)] == [0.1, 0.25, 0.5]


def test_b_is_trained_as_the_fully_connected_network_is():
    ours, theirs = mnist_cnn.Settings(), mnist_mlp.Settings()
    assert isinstance(ours, mnist_mlp.Tutorial)
    for name in asdict(mnist_mlp.Tutorial()):
        assert getattr(ours, name) == getattr(theirs, name)
    assert Recipe(0.1, ours.momentum, ours.batch_size) == Recipe(0.1, 0.5, 64)
    samples = torch.rand(130, 784), torch.zeros(130, dtype=torch.int64)
    candidates = theirs.candidates(torch, lambda _: torch.nn.Linear(784, 10))
    left = candidates[rate_name(ours.learning_rate)](ours.epochs, samples)
    right = Recipe(ours.learning_rate, ours.momentum, ours.batch_size).trainer(torch, ours.epochs, samples)
    left_group, right_group = (
        {name: value for name, value in trainer.optimizer.param_groups[0].items() if name != "params"}
        for trainer in (left, right)
    )
    assert left_group == right_group
    assert left.scheduler.state_dict() == right.scheduler.state_dict()
    assert (len(left.loader), left.each_batch) == (len(right.loader), right.each_batch) == (3, False)


def test_the_schedule_of_one_cycle_ends_with_the_training():
    samples = minigrad.rand(50, 1, 28, 28), minigrad.zeros(50, dtype=minigrad.int64)
    trainer = ALL.trainer(minigrad, 2, samples)
    rates = [trainer.learning_rate]
    for _ in range(2):
        trainer.epoch(lambda loss: rates.append(trainer.learning_rate))
    used = rates[:-1]
    assert len(used) == 2 * 3
    assert used[0] == pytest.approx(0.1 / 25)
    assert max(used) == pytest.approx(0.1, rel=0.1)
    assert used[-1] < 1e-5


def test_all_tweaks_together_give_the_same_run_in_double_precision():
    """Batch norm at a high rate magnifies rounding; without rounding to speak of, the frameworks agree."""
    generator = np.random.default_rng(0)
    images, labels = generator.random((60, 1, 28, 28)), generator.integers(0, 10, 60)
    losses = {}
    for fw in (minigrad, torch):
        fw.manual_seed(0)
        trainer = ALL.trainer(fw, 2, (fw.from_numpy(images), fw.from_numpy(labels)))
        trainer.model.double()
        losses[fw.__name__] = [trainer.epoch(), trainer.epoch()]
    np.testing.assert_allclose(losses["minigrad"], losses["torch"], rtol=1e-8)


def test_both_frameworks_give_the_same_run(folders):
    """(b) and (c), that is; see above."""
    histories = [files.read_csv(folder / "history.csv") for folder in folders.values()]
    compared = 0
    for theirs, ours in zip(*histories, strict=True):
        assert ours["stage"] == theirs["stage"]
        if not ours["stage"].startswith(("(d)", NORMALISED)):
            compared += 1
            assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4), (ours["stage"], ours["epoch"])
    assert compared >= 2 * (2 * 3 + 2 * 2)


@FRAMEWORKS
@pytest.mark.parametrize(("fall", "kept"), [(-0.04, 0), (0.019, 0), (0.026, 1)])
def test_a_change_is_kept_if_the_paired_test_shows_a_gain(fw, fall, kept):
    """The error of the paired difference is 0.01 here; taken apart, the losses' own spread would hide any such gain."""
    n, level = 2_500, 0.05 / 4  # a gain of 2.5 standard errors
    before = np.random.default_rng(0).exponential(size=n)
    noise = np.where(np.arange(n) % 2, 0.5, -0.5) * np.sqrt((n - 1) / n)  # deviates by 0.5 = 0.01 √n
    trials = [
        Trial("it", ALL, {"candidate": "it"}, fw.from_numpy(losses)) for losses in (before, before - fall + noise)
    ]
    row = compared(*trials, level)
    gains = {"gain": pytest.approx(fall), "standard_error": pytest.approx(0.01)}
    p = scipy.stats.norm.sf(abs(fall) / 0.01) * 2
    assert row == {"candidate": "it", **gains, "p": pytest.approx(p), "kept": kept}
    assert compared(*trials, level, asked_for=True) == {**row, "kept": 1}


def test_a_change_that_changes_nothing_is_not_kept():
    trial = Trial("it", ALL, {}, minigrad.rand(10))
    assert compared(trial, trial, 0.05) == {"gain": 0, "standard_error": 0, "p": 1, "kept": 0}


def test_all_is_chosen_by_the_loss_on_validation_data(folder):
    choice = json.loads((folder / "choice.json").read_text())
    plain, both, normalised = (choice[name] for name in (PLAIN, REGULARISED, NORMALISED))
    assert plain == asdict(Recipe(Settings().learning_rate, 0.5, 64))
    grid = files.read_csv(folder / "regularisers.csv")
    tried = [
        asdict(replace(Recipe(**plain), l2=decay, **dict(change)))
        for _, change in Settings().regularisers
        for decay in Settings().decays
    ]
    losses = [row["validation_loss"] for row in grid]
    assert len(tried) == len(grid) == 6
    assert [row["has"] for row in grid] == [PLAIN, "weight decay", *["dropout", REGULARISED] * 2]
    with_both = [i for i, recipe in enumerate(tried) if recipe["l2"] and (recipe["max_pooling"] or recipe["last_relu"])]
    assert both == tried[min(with_both, key=lambda i: losses[i])]
    best = min(range(6), key=lambda i: losses[i])
    assert choice[grid[best]["has"]] == tried[best]
    recipe, loss = tried[best], losses[best]
    norm = ("batch norm after every ReLU", (("batch_norm", True),))
    steps, changes = files.read_csv(folder / "tweaks.csv"), (norm, *Settings.tweaks)
    assert (steps[0]["candidate"], steps[0]["validation_loss"]) == ("none", loss)
    assert [step["candidate"] for step in steps[1:]] == [name for name, _ in changes if name != "nothing new"]
    for step in steps[1:]:
        assert step["gain"] == pytest.approx(loss - step["validation_loss"], rel=1e-5, abs=1e-5)
        significant = step["gain"] > 0 and step["p"] < 0.05 / len(Settings.tweaks)
        assert step["kept"] == (significant or step["candidate"] == norm[0])
        if step["kept"]:
            loss, recipe = step["validation_loss"], recipe | dict(dict(changes)[step["candidate"]])
    assert recipe == normalised
    assert {step["candidate"]: step["kept"] for step in steps[1:]}["far too high a rate"] == 0


def test_searches_see_a_part_of_the_data_and_the_final_networks_all(folder):
    rows = {row["stage"]: row for row in files.read_csv(folder / "history.csv")}
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["search_samples"], metrics["validation_samples"], metrics["training_samples"]) == (100, 25, 150)
    final = [name for name, row in rows.items() if "train_accuracy" in row]
    assert final == [row["network"] for row in files.read_csv(folder / "networks.csv")]
    assert not any("test_loss" in row for row in rows.values())
    assert all(("validation_accuracy" in row) == name.startswith("(") for name, row in rows.items())
    epochs = {name: rows[name]["epoch"] for name in rows if not name.startswith("(")}
    assert epochs == {
        stage: 4 if stage.startswith(NORMALISED) else 2 for name in final for stage in (name, f"{name}, seed 1")
    }


def test_networks_are_compared_on_the_same_images(folder):
    networks = {row["network"]: row["test_accuracy"] for row in files.read_csv(folder / "networks.csv")}
    pairs = files.read_csv(folder / "pairs.csv")
    assert len(pairs) == len(networks) * (len(networks) - 1) / 2
    for pair in pairs:
        gain = networks[pair["after"]] - networks[pair["before"]]
        assert (pair["gained"] - pair["lost"]) / pair["samples"] == pytest.approx(gain)


def test_the_report_is_whole(folder):
    text = (folder / "report.md").read_text()
    networks = files.read_csv(folder / "networks.csv")
    metrics = json.loads((folder / "metrics.json").read_text())
    assert {PLAIN, REGULARISED, NORMALISED} <= {row["network"] for row in networks}
    for row in networks:
        assert f"**{report.percent(row['test_accuracy'])}**" in text
        name = mnist_cnn.prefix(row["network"])
        assert row["test_accuracy"] == metrics[f"{name}test_accuracy"] == metrics[f"{name}test_accuracies"][0]
        assert report.over_seeds(metrics[f"{name}test_accuracies"]) in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## (a) The architecture",
        "## (b) Trained the same way",
        "## (c) Weight decay and dropout",
        "## (d) Batch normalization, and what else helps",
        "## The same in PyTorch",
        "## This run",
    ]
    assert "        nn.Conv2d(20, 20, 4, stride=2),\n" in text
    none, *steps = files.read_csv(folder / "tweaks.csv")
    assert f"| none | {none['validation_loss']:.4f} |  |" in text
    for step in steps:
        start = f"| {step['candidate']} | {step['validation_loss']:.4f} | "
        line = next(line for line in text.splitlines() if line.startswith(start))
        gain, error = map(float, line.removeprefix(start).split(" |")[0].split(" ± "))
        assert gain == pytest.approx(step["gain"], rel=1e-5, abs=1e-4)
        assert error == pytest.approx(step["standard_error"], abs=1e-4)
    images = re.findall(r"!\[[^]]+\]\((\S+)\)", text)
    assert images == ["curves.png", "confusion.png"]
    assert all((folder / image).exists() for image in images)
    assert "None" not in text


@pytest.mark.parametrize("best", [PLAIN, "weight decay", "dropout", REGULARISED])
def test_the_report_names_the_best_by_what_it_has(folders, tmp_path, best):
    """Whichever it is: a run in which another was the best would have trained that too."""
    folder = shutil.copytree(folders["minigrad"], tmp_path / "run")
    grid = files.read_csv(folder / "regularisers.csv")
    files.write_csv(folder / "regularisers.csv", [{**row, "validation_loss": int(row["has"] != best)} for row in grid])
    networks, pairs = (files.read_csv(folder / f"{name}.csv") for name in ("networks", "pairs"))
    metrics = json.loads((folder / "metrics.json").read_text())
    if best not in {row["network"] for row in networks}:
        files.write_csv(folder / "networks.csv", [*networks, {**networks[0], "network": best}])
        row = {"before": REGULARISED, "after": best, "gained": 3, "lost": 1, "samples": 150}
        files.write_csv(folder / "pairs.csv", [*pairs, row])
        metrics[f"{best.replace(' ', '_')}_test_accuracies"] = metrics["plain_test_accuracies"]
        (folder / "metrics.json").write_text(json.dumps(metrics))
        history = files.read_csv(folder / "history.csv")
        copied = [{**row, "stage": best} for row in history if row["stage"] == PLAIN]
        files.write_csv(folder / "history.csv", [*history, *copied])
    text = page.write(Record.read(folder, SMALL))
    sentence = {
        PLAIN: "is the network of (b), without both, and",
        REGULARISED: "It is the best of all that were tried, and",
    }.get(best, f"has {best} alone (arrow), and")
    assert sentence in text


def test_the_report_says_where_the_other_network_chose_another_rate(folders, tmp_path):
    folder = shutil.copytree(folders["minigrad"], tmp_path / "mnist_cnn")
    (tmp_path / "mnist_mlp").mkdir()
    for chosen, expected in (("rate 0.2", "the learning rate 0.2, which it chose"), ("rate 0.7", "it chose rate 0.7)")):
        (tmp_path / "mnist_mlp" / "metrics.json").write_text(json.dumps({"chosen": chosen}))
        assert expected in page.write(Record.read(folder, SMALL))


def test_interrupted_and_resumed_is_as_if_nothing_had_happened(folders, tmp_path, compare, impatient):
    """In the middle of the training with one cycle, whose schedule steps with every batch."""
    from experiments.runner.errors import Interrupted

    stages = [row["stage"] for row in files.read_csv(folders["minigrad"] / "history.csv")]
    epoch = stages.index("(d) one cycle") + 2
    with pytest.raises(Interrupted):
        execute(SMALL, options("minigrad", tmp_path), impatient(epoch, 2))
    execute(SMALL, replace(options("minigrad", tmp_path), resume=True))
    compare(folders["minigrad"], tmp_path / "mnist_cnn")


def test_it_is_registered():
    assert registry.find("mnist_cnn") is EXPERIMENT
