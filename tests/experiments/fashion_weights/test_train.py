import json
import re

import numpy as np
import pytest

from experiments.fashion_weights.train import LAYERS, Settings
from experiments.runner import files
from experiments.training import metrics
from experiments.training.sparsity import FORMS

NETWORKS = ["128 plain", "48 regularised", "128 regularised", "48 plain", "48 L2", "48 dropout"]
SWEEP = [f"L1 {value:g}, {form}" for form in FORMS for value in Settings().strengths]


@pytest.fixture(scope="module")
def folders(run_on_digits):
    return run_on_digits("fashion_weights", epochs=2, limit=300, seeds=2)


@pytest.fixture(params=["minigrad", "torch"])
def folder(request, folders):
    return folders[request.param]


def weights_of(folder):
    with np.load(folder / "weights.npz") as archive:
        return {
            (layer, name): next(archive[key] for key in order(archive, name, layer))
            for name in NETWORKS
            for layer in LAYERS
        }


def order(archive, name, layer):
    keys = [key for key in archive.files if key.startswith(f"{name}/") and archive[key].ndim == 2]
    return keys[:1] if layer == LAYERS[0] else keys[1:]


def test_the_networks_of_the_assignment_come_first(folder):
    assert list(Settings().networks) == NETWORKS
    assert (Settings().epochs, Settings().dropout, Settings().l2) == (40, 0.2, 1e-4)
    rows = files.read_csv(folder / "history.csv")
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    more = [f"{name}, seed 1" for name in NETWORKS[:2]]
    assert stages == [NETWORKS[0], more[0], NETWORKS[1], more[1], *NETWORKS[2:], *SWEEP]
    shapes = {key: array.shape for key, array in weights_of(folder).items()}
    for name in NETWORKS:
        width = int(name.split()[0])
        assert shapes[LAYERS[0], name] == (width, 784)
        assert shapes[LAYERS[1], name] == (10, width)


def test_the_measured_numbers_are_those_of_the_weights(folder):
    weights = weights_of(folder)
    rows = {(row["layer"], row["network"]): row for row in files.read_csv(folder / "weights.csv")}
    assert rows.keys() == weights.keys()
    for key, row in rows.items():
        values = weights[key].astype(np.float64)
        assert row["weights"] == values.size
        assert row["std"] == pytest.approx(values.std())
        assert row["norm"] == pytest.approx(np.sqrt((values**2).sum()))
        assert row["near_zero"] == np.mean(abs(values) < 0.01)
        assert row["kurtosis"] == pytest.approx(metrics.kurtosis(values))


def test_the_histograms_hold_every_weight_in_common_bins(folder):
    weights = weights_of(folder)
    rows = files.read_csv(folder / "histograms.csv")
    for layer in LAYERS:
        bins = [row for row in rows if row["layer"] == layer]
        assert len(bins) == Settings().bins
        for name in NETWORKS:
            values = weights[layer, name]
            assert sum(row[name] for row in bins) == values.size
            centre = bins[len(bins) // 2]
            inside = np.sum((values >= centre["from"]) & (values < centre["to"]))
            assert centre["from"] < 0 < centre["to"]
            assert centre[name] == inside


def test_only_the_regularised_networks_are(folders):
    """At two steps an epoch the decay is faint, but the dropout draws from the generator: other losses."""
    rows = files.read_csv(folders["minigrad"] / "history.csv")
    first = {row["stage"]: row["loss"] for row in rows if row["epoch"] == 1}
    assert first["128 plain"] != first["128 regularised"]
    assert first["48 plain"] != first["48 regularised"] == pytest.approx(first["48 dropout"], rel=1e-3)
    assert first["48 plain"] != first["48 L2"] == pytest.approx(first["48 plain"], rel=1e-3)


def test_both_frameworks_give_the_same_run(folders):
    histories = [files.read_csv(folder / "history.csv") for folder in folders.values()]
    for theirs, ours in zip(*histories, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4)


def test_the_report_is_whole(folder):
    text = (folder / "report.md").read_text()
    results = json.loads((folder / "metrics.json").read_text())
    for name in ("plain", "regularised"):
        assert "**{:.2f} %**".format(100 * results[f"{name}_test_accuracy"]) in text
    for row in files.read_csv(folder / "weights.csv"):
        assert f"{row['std']:.4f}" in text
    targets = set(re.findall(r"\]\(([^)#]+)", text))
    drawn = {"histograms.png", "tails.png", "controls.png", "accuracy.png", "sparsity.png"}
    assert {target for target in targets if target.endswith(".png")} == drawn
    assert [target for target in targets if not (folder / target).exists()] == []
    assert not re.search(r"[{}]", text)


def test_the_parts_of_the_output_weights(folder):
    """Where the two humps and the middle are, counted anew from the weights."""
    weights = weights_of(folder)
    rows = files.read_csv(folder / "parts.csv")
    for name in NETWORKS[:2]:
        below, within, above = (row for row in rows if row["network"] == name)
        values = weights[LAYERS[1], name]
        assert within["bound"] == pytest.approx(values.shape[1] ** -0.5)
        assert above["share"] == np.mean(values > within["bound"])
        assert below["share"] == np.mean(values < -within["bound"])
        assert sum(row["share"] for row in (below, within, above)) == pytest.approx(1)
        assert all(0 <= row["active"] <= 1 for row in (below, within, above))


def test_soft_thresholding_alone_makes_zeros(folder):
    rows = files.read_csv(folder / "sparsity.csv")
    zeros = {form: [row["zeros"] for row in rows if row["form"] == form] for form in FORMS}
    assert zeros["added to the loss"] == [0] * 5
    assert zeros["soft threshold"] == sorted(zeros["soft threshold"])
    assert zeros["soft threshold"][-1] > 0


def test_the_test_set_is_opened_for_all_at_once(folder):
    choice = json.loads((folder / "choice.json").read_text())
    assert choice["stage"] == ", ".join([*NETWORKS, *(f"{name}, seed 1" for name in NETWORKS[:2])])
    assert choice.keys() == {"stage", "weights_sha256"}


def test_kurtosis_of_known_distributions():
    rng = np.random.default_rng(0)
    assert metrics.kurtosis(rng.normal(size=200_000)) == pytest.approx(0, abs=0.05)
    assert metrics.kurtosis(rng.uniform(size=200_000)) == pytest.approx(-1.2, abs=0.02)
    assert metrics.kurtosis(rng.laplace(size=400_000)) == pytest.approx(3, abs=0.3)
