import json
import re

import pytest
import torch

import minigrad
from experiments.mnist_autoencoder import train as mnist_autoencoder
from experiments.runner import files
from experiments.training_loop import loop_listing
from experiments.training_loop import train as training_loop
from experiments.training_loop.train import COMPLETE, LOOPS, NO_BACKWARD, NO_ZERO_GRAD, TOO_EARLY, modes

FRAMEWORKS = {"minigrad": minigrad, "torch": torch}


@pytest.fixture(scope="module")
def folders(run_on_digits):
    return run_on_digits("training_loop", epochs=2, limit=300)


@pytest.fixture(params=FRAMEWORKS)
def folder(request, folders):
    return folders[request.param]


@pytest.fixture
def metrics(folder):
    return json.loads((folder / "metrics.json").read_text())


@pytest.fixture(params=FRAMEWORKS)
def fw(request):
    framework = FRAMEWORKS[request.param]
    framework.manual_seed(3)
    return framework


def table(folder, name, *keys):
    return {tuple(row[key] for key in keys): row for row in files.read_csv(folder / f"{name}.csv")}


def test_the_listing_learns_and_its_zero_grad_may_stand_at_the_end(metrics):
    assert metrics["listing_last_loss"] < metrics["listing_first_loss"]
    assert metrics["listing_moved"] > 0.001
    assert metrics["listing_difference"] == 0


def test_the_autoencoder_is_that_of_the_other_experiment(fw):
    ours = loop_listing.listing(fw, [], epochs=0)
    settings = mnist_autoencoder.Settings()
    assert str(ours) == str(mnist_autoencoder.autoencoder(fw, 784, *settings.hidden, mnist_autoencoder.LATENT))
    assert "-".join(map(str, loop_listing.WIDTHS)) in mnist_autoencoder.EXPERIMENT.trains


def test_the_report_shows_the_listing_that_ran(folder):
    text = (folder / "report.md").read_text()
    code = re.search(r"```python\n(def autoencoder.*?)```", text, re.DOTALL)[1]
    assert [re.search(rf"\S.*# \({mark}\)", code)[0].strip() for mark in "abcdefg"] == [
        "loss_fn = nn.MSELoss()  # (a)",
        "model.train()  # (b)",
        "x = images.flatten(1)  # (c)",
        "loss = loss_fn(x_hat, x)  # (d)",
        "loss.backward()  # (e)",
        "optimizer.step()  # (f)",
        "optimizer.zero_grad()  # (g)",
    ]


def test_without_backward_nothing_changes(folder):
    steps, loops = table(folder, "steps", "way"), table(folder, "loops", "loop")
    for way in (NO_BACKWARD, TOO_EARLY):
        assert (steps[way,]["gradient"], steps[way,]["moved"]) == ("None", 0)
        assert steps[way,]["before"] == steps[way,]["after"]
        assert loops[way,]["moved"] == 0
    assert steps[COMPLETE,]["after"] < steps[COMPLETE,]["before"]
    assert loops[COMPLETE,]["moved"] > 0.01
    decayed = steps["gradients of 0, weight decay 0.1",]
    assert decayed["gradient"] == 0
    assert decayed["moved"] > 0


def test_without_zero_grad_gradients_add_up(folder, metrics):
    rows = list(table(folder, "accumulated", "calls").values())
    for row in rows:
        assert row["norm"] == pytest.approx(row["calls"] * rows[0]["norm"], rel=1e-5)
        assert row["error"] < 1e-6
    assert metrics["cleared_to_none"]
    assert metrics["pieces_error"] < 1e-6
    loops = table(folder, "loops", "loop")
    assert loops[NO_ZERO_GRAD,]["moved"] > 2 * loops[COMPLETE,]["moved"]


def test_eval_mode_is_deterministic_and_knows_no_batches(folder, metrics):
    repeats = table(folder, "repeats", "mode")
    assert (repeats[modes.EVAL,]["scores_differ"], repeats[modes.EVAL,]["decisions_differ"]) == (0, 0)
    assert repeats[modes.TRAIN,]["scores_differ"] > 0.1
    assert repeats[modes.TRAIN,]["decisions_differ"] > 0
    rows = table(folder, "modes", "mode", "order", "batch")
    assert {row["accuracy"] for row in rows.values() if row["mode"] == modes.EVAL} == {metrics["test_accuracy"]}
    assert rows[modes.TRAIN, modes.SORTED, 10]["accuracy"] < metrics["test_accuracy"] - 0.2
    assert rows[modes.NORM, modes.SORTED, 10]["accuracy"] < rows[modes.DROPOUT, modes.SORTED, 10]["accuracy"] - 0.2


def test_modes_do_what_their_names_say(fw):
    model = training_loop.normed_network(fw, training_loop.Settings(normed=4))
    on = {}
    for mode in modes.MODES:
        modes.set_mode(fw, model, mode)
        on[mode] = {type(layer).__name__ for layer in model if layer.training}
    assert on[modes.EVAL] == set()
    assert on[modes.DROPOUT] == {"Dropout"}
    assert on[modes.NORM] == {"BatchNorm1d"}
    assert on[modes.TRAIN] == {"Linear", "BatchNorm1d", "ReLU", "Dropout"}


def test_a_pass_without_eval_leaves_no_trace_in_the_measured_network(fw):
    model = training_loop.normed_network(fw, training_loop.Settings(normed=4))
    samples = fw.rand(40, 784), fw.randint(10, (40,))
    state = {name: value.clone() for name, value in model.state_dict().items()}
    modes.mode_table(fw, model, samples, (10,))
    modes.repeat_table(fw, model, samples, 10, 2)
    found = modes.aftermath(fw, model, samples, 10)
    assert found["running_statistics_moved"] > 0
    assert "ValueError: Expected more than 1 value per channel" in modes.single_sample(fw, model, samples[0])
    for name, value in model.state_dict().items():
        assert (value == state[name]).all(), name


def test_layers_keep_to_their_formulas(folder):
    dropout, norm = table(folder, "dropout", "mode"), table(folder, "batch_norm", "batches")
    assert dropout["train()",]["zeros"] == pytest.approx(0.5, abs=0.02)
    assert (dropout["train()",]["largest"], dropout["eval()",]["mean"], dropout["eval()",]["zeros"]) == (2, 1, 0)
    for row in norm.values():
        assert row["formula_error"] < 1e-5
        assert row["moved_by_eval"] == 0
        assert row["train_mean"] == pytest.approx(0, abs=1e-5)
    assert norm[0,]["eval_mean"] == pytest.approx(3, abs=0.5)
    assert norm[100,]["eval_mean"] == pytest.approx(0, abs=0.3)


def test_eval_is_not_no_grad(metrics):
    assert (metrics["eval_records"], metrics["no_grad_records"]) == (True, False)


def test_the_loader_gives_each_sample_once_in_a_new_order(folder):
    epochs = {}
    for row in files.read_csv(folder / "batches.csv"):
        epochs.setdefault(row["epoch"], []).extend(str(row["samples"]).split())
    assert all(sorted(order) == list("0123456789") for order in epochs.values())
    assert len({tuple(order) for order in epochs.values()}) == len(epochs) == 3


def test_the_imports_lead_to_the_classes():
    rows = {row["question"]: row for row in training_loop.imports()}
    assert list(rows) == ["A", "B", "C"]
    assert rows["A"]["says"].startswith("The handwritten digits")
    assert {row["executed"] for row in rows.values()} == {"minigrad"}


def test_both_frameworks_give_the_same_run(folders):
    histories = [files.read_csv(path / "history.csv") for path in folders.values()]
    assert {row["stage"] for row in histories[0]} == {"autoencoder", *LOOPS, "final"}
    for theirs, ours in zip(*histories, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-3), (ours["stage"], ours["epoch"])


def test_the_report_is_whole(folder, metrics):
    text = (folder / "report.md").read_text()
    figures = {target for target in re.findall(r"\]\(([^)#]+)", text) if target.endswith(".png")}
    assert figures == {path.name for path in folder.glob("*.png")} == {"loops.png", "modes.png"}
    assert "**{:.2f} %** with `model.eval()`".format(100 * metrics["test_accuracy"]) in text
    assert not re.search(r"[{}]", text)
    for question in ("## Problem 2 A", "Problem 3 A, B, C", *(f"## Problem 3 {letter}" for letter in "DEFG")):
        assert question in text
