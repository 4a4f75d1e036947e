import json
import math
import re

import pytest
import torch

import minigrad
from experiments.runner import files
from experiments.softmax_cross_entropy import train as softmax_cross_entropy
from experiments.softmax_cross_entropy.train import LOSSES, SQUARES, TWICE, Settings, gradient_checks

FRAMEWORKS = {"minigrad": minigrad, "torch": torch}


@pytest.fixture(scope="module")
def folders(run_on_digits):
    return run_on_digits("softmax_cross_entropy", epochs=1, limit=240)


@pytest.fixture(params=FRAMEWORKS)
def folder(request, folders):
    return folders[request.param]


@pytest.fixture(params=FRAMEWORKS)
def fw(request):
    framework = FRAMEWORKS[request.param]
    framework.manual_seed(3)
    return framework


def table(folder, name, key):
    return {row[key]: row for row in files.read_csv(folder / f"{name}.csv")}


def test_the_given_vector_is_the_printed_one_and_its_flaws_are_seen(folder):
    assert Settings().given == (0.1, 0.1, 0.0, 0.4, 0.05, 0.05, 0.05, 0.05, 0.05, 0.1, 0.1)
    rows = table(folder, "given", "reading")
    assert (rows["printed"]["entries"], rows["mended"]["entries"]) == (11, 10)
    assert rows["printed"]["sum"] == pytest.approx(1.05)
    assert rows["mended"]["sum"] == pytest.approx(1)
    losses = {name: row["loss"] for name, row in rows.items()}
    assert losses["printed"] == losses["mended"] == pytest.approx(-math.log(0.4))
    assert losses["normalised"] == pytest.approx(-math.log(0.4 / 1.05))
    assert losses["counted from 1"] == math.inf
    assert losses["printed y"] == pytest.approx(-0.1 * math.log(0.1))
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["given_loss"], metrics["uniform_loss"]) == pytest.approx((-math.log(0.4), math.log(10)))


def test_each_step_of_the_derivation_holds(folder):
    rows = files.read_csv(folder / "checks.csv")
    assert len(rows) == 10
    for row in rows:
        bound = 1e-6 if "numeric" in row["check"] else 1e-14
        for target in gradient_checks.TARGETS:
            assert row[target] < bound, (row["check"], target)


@pytest.mark.parametrize("wrong", ["step", "formula"])
def test_a_wrong_derivation_would_be_seen(fw, monkeypatch, wrong):
    if wrong == "step":
        monkeypatch.setattr(gradient_checks, "jacobian_product", lambda f, g: f * g)
    else:
        monkeypatch.setattr(gradient_checks, "loss_of", lambda f, y: ((f - y) ** 2).sum(1))
    rows = gradient_checks.checks(fw, cases=5, classes=4)
    assert max(row["one_hot"] for row in rows) > 0.01


def test_the_gradients_at_the_given_confidence(folder):
    rows = table(folder, "confident", "k")
    true, other = rows["true"], rows["other"]
    assert true["cross_entropy_by_f"] == pytest.approx(-1 / 0.9)
    assert true["squares_by_f"] == pytest.approx(-0.2)
    assert true["mean_square_by_f"] == pytest.approx(-0.02)
    assert (true["cross_entropy_by_z"], true["squares_by_z"]) == pytest.approx((-0.1, -0.02))
    assert other["cross_entropy_by_f"] == 0
    assert other["squares_by_f"] == pytest.approx(0.2 / 9)


def test_the_sweep_is_what_its_formulas_say(folder):
    for row in files.read_csv(folder / "sweep.csv"):
        p = row["probability"]
        assert row["cross_entropy_by_z"] == pytest.approx(p - 1)
        assert row["squares_by_z"] == pytest.approx(-20 / 9 * p * (1 - p) ** 2)
        assert row["cross_entropy_by_f"] / row["squares_by_f"] == pytest.approx(1 / (2 * p * (1 - p)))


def test_only_the_fused_loss_survives_large_scores(folder):
    rows = table(folder, "overflow", "size")
    for row in rows.values():
        assert row["fused"] == pytest.approx(row["exact"], rel=1e-6)
        assert -1 <= row["fused_gradient"] < -0.9
    assert rows[88]["naive"] == pytest.approx(88)
    assert rows[89]["naive"] == math.inf
    assert math.isnan(rows[89]["naive_gradient"])
    assert rows[104]["softmax_then_log"] == math.inf


@pytest.mark.parametrize("loss", LOSSES)
def test_the_first_gradient_is_that_of_the_loss(fw, loss):
    """The length of a sample's gradient by its scores: (f − y), and J (softmax(f) − y), J 2 (f − y) / 10 behind it."""
    settings = Settings()
    images, labels = fw.rand(6, 784), fw.randint(10, (6,))
    fw.manual_seed(5)
    model = softmax_cross_entropy.network(fw, settings, softmax_cross_entropy.CROSS_ENTROPY)
    f = model(images).detach().softmax(1)
    y = fw.eye(10)[labels]
    g = {SQUARES: (f - y) / 5, TWICE: f.softmax(1) - y}.get(loss)
    expected = f - y if g is None else f * (g - (f * g).sum(1, keepdim=True))
    fw.manual_seed(5)
    found = softmax_cross_entropy.first_gradient(fw, settings, loss, (images, labels))
    assert found == pytest.approx((expected**2).sum(1).sqrt().mean().item(), rel=1e-4)


def test_both_frameworks_give_the_same_run(folders):
    histories = [files.read_csv(path / "history.csv") for path in folders.values()]
    assert len(histories[0]) == len(LOSSES) * len(Settings().learning_rates)
    for theirs, ours in zip(*histories, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4), ours["stage"]


def test_the_report_is_whole(folder):
    text = (folder / "report.md").read_text()
    targets = set(re.findall(r"\]\(([^)#]+)", text))
    assert {target for target in targets if target.endswith(".png")} == {"gradients.png", "accuracy.png"}
    assert "−ln 0.4 = 0.9163" in text
    assert "11 entries, which sum to 1.05" in text
    assert not re.search(r"{{|{(settings|metrics)", text)
    for question in ("### A.", "### B.", "### C.", "### (a)", "### (b)", "### (c)"):
        assert question in text
