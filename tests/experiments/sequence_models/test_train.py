import json
import re
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from experiments import registry
from experiments.reporting import report
from experiments.runner import files
from experiments.runner.errors import UsageError
from experiments.runner.execute import execute
from experiments.runner.options import Options
from experiments.sequence_models import data as sequence_data
from experiments.sequence_models import report as page
from experiments.sequence_models import train as sequence_models
from experiments.sequence_models.data import TASKS
from experiments.sequence_models.train import FAMILIES, Settings, network

FIGURES = {"examples.png", "accuracy.png", "curves.png", "distance.png", "influence.png"}


@dataclass(frozen=True)
class Few(Settings):
    learning_rates: tuple[float, ...] = (0.003, 0.01)
    seeds: int = 1
    hidden: int = 8


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A small run in each framework, once for all tests here."""
    experiment = replace(sequence_models.EXPERIMENT, settings=Few)
    patch = pytest.MonkeyPatch()
    patch.setattr(registry, "find", lambda name: experiment)
    out = {}
    for framework in ("torch", "minigrad"):
        arguments = Options(framework, epochs=1, limit=270, out=str(tmp_path_factory.mktemp(framework)))
        out[framework] = execute(experiment, arguments)
    patch.undo()
    return out


@pytest.fixture(params=["minigrad", "torch"])
def folder(request, folders):
    return folders[request.param]


# ---- the data --------------------------------------------------------------------------------------------


def test_the_parts_differ_and_are_the_same_every_time():
    inputs, labels = sequence_data.load(train=False)
    again, _ = sequence_data.load(train=False)
    np.testing.assert_array_equal(inputs, again)
    training, _ = sequence_data.load(train=True)
    assert not (training[: len(inputs)] == inputs).all((1, 2)).any()
    assert np.bincount(labels // 2).tolist() == [sequence_data.TEST] * 3
    assert abs(np.bincount(labels) / len(labels) - 1 / 6).max() < 0.02
    assert inputs.dtype == np.float32
    assert labels.dtype == np.int64


def test_the_motif_stands_everywhere_and_only_its_direction_tells():
    series, labels = sequence_data.generate("motif", 4000, seed=1)
    shape = sequence_data.motif()
    windows = np.lib.stride_tricks.sliding_window_view(series, len(shape), axis=1)
    forwards, backwards = (np.einsum("nsft,tf->ns", windows, m) for m in (shape, shape[::-1]))
    predicted = forwards.max(1) > backwards.max(1)
    assert (predicted == labels).mean() > 0.98
    places = np.where(labels == 1, forwards.argmax(1), backwards.argmax(1))
    assert np.bincount(places, minlength=46).min() > 40
    of_class = [series[labels == label] for label in (0, 1)]
    assert abs(np.mean(of_class[0] ** 2) - np.mean(of_class[1] ** 2)) < 0.01


def test_the_spikes_are_far_apart_and_away_from_the_ends():
    series, labels = sequence_data.generate("order", 4000, seed=2)
    where = abs(series[:, :, :2]).argmax(1)
    spikes = np.take_along_axis(series[:, :, :2], where[:, None], 1)[:, 0]
    clear = (abs(spikes) > 4.5).all(1)  # the noise may be larger in the others
    assert clear.mean() > 0.4
    first, second = where[clear, 0], where[clear, 1]
    np.testing.assert_array_equal(first < second, labels[clear] == 1)
    assert abs(first - second).min() == sequence_data.GAP
    assert where[clear].min() == sequence_data.MARGIN
    assert where[clear].max() == sequence_data.STEPS - 1 - sequence_data.MARGIN
    assert 0.45 < (spikes[clear] > 0).mean() < 0.55


def test_the_trend_is_hidden_by_levels_and_noise():
    series, labels = sequence_data.generate("trend", 4000, seed=3)
    ramp = np.linspace(-0.5, 0.5, sequence_data.STEPS)
    change = np.einsum("nsf,s->n", series, ramp)
    assert ((change > 0) == labels).mean() > 0.98
    level = series.mean((1, 2))
    assert abs(level[labels == 1].mean() - level[labels == 0].mean()) < 0.1
    assert ((change > 0) == labels).mean() > ((series[:, -1] > series[:, 0]).mean(1) > 0.5).mean() + 0.1


def test_an_unknown_task():
    with pytest.raises(KeyError, match="season"):
        sequence_data.generate("season", 2, 0)


# ---- the networks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "sees"), [("CNN", 9), ("dilated CNN", 45)])
def test_the_field_of_a_cnn(family, sees):
    """Which inputs the feature at the middle depends on, by its gradient."""
    torch.manual_seed(0)
    settings = Settings()
    model = network(torch, family, settings)
    for module in model.features:
        if isinstance(module, torch.nn.ReLU):
            module.forward = lambda x: x
    x = torch.randn(1, 8, 50, requires_grad=True)
    out = model.features(x)
    out[0, :, out.shape[2] // 2].sum().backward()
    touched = (x.grad[0].abs().sum(0) > 0).nonzero().ravel()
    assert int(touched[-1] - touched[0]) + 1 == sees == settings.field(family)


# ---- the run ---------------------------------------------------------------------------------------------


def test_every_family_meets_every_task(folder):
    rows = files.read_csv(folder / "results.csv")
    assert {(r["task"], r["family"]) for r in rows} == {(t, f) for t in TASKS for f in FAMILIES}
    assert {r["samples"] for r in rows} == {8, 80}
    assert len(rows) == 3 * len(FAMILIES) * 2
    assert all(0 <= r["test_accuracy"] <= 1 for r in rows)
    parameters = {r["family"]: r["parameters"] for r in files.read_csv(folder / "parameters.csv")}
    assert parameters["LSTM"] == 4 * (8 * 8 + 8 * 8 + 16) + 18
    assert parameters["MLP"] == 400 * 8 + 8 + 18


def test_the_rate_is_chosen_by_validation(folder):
    found = {
        (r["task"], r["family"], r["rate"]): r["validation_accuracy"] for r in files.read_csv(folder / "search.csv")
    }
    for row in files.read_csv(folder / "results.csv"):
        others = [rate for (task, family, _), rate in found.items() if (task, family) == (row["task"], row["family"])]
        assert found[row["task"], row["family"], row["rate"]] == max(others)
    rows = files.read_csv(folder / "history.csv")
    assert "test_accuracy" not in rows[0]
    choice = json.loads((folder / "choice.json").read_text())
    assert len(choice["stage"].split(", ")) == 3 * len(FAMILIES) * 2


def test_both_frameworks_give_the_same_run(folders):
    histories = [files.read_csv(folder / "history.csv") for folder in folders.values()]
    for theirs, ours in zip(*histories, strict=True):
        assert ours["stage"] == theirs["stage"]
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4), ours["stage"]


def test_the_influence_adds_up(folder):
    rows = files.read_csv(folder / "influence.csv")
    for family in FAMILIES:
        assert sum(r["share"] for r in rows if r["family"] == family) == pytest.approx(1, abs=1e-4)
    distances = files.read_csv(folder / "distances.csv")
    of = {family: sum(r["of"] for r in distances if r["family"] == family) for family in FAMILIES}
    assert 70 < of["MLP"] <= 90
    assert len(set(of.values())) == 1


def test_what_a_gradient_meets_in_a_recurrent_layer(folder):
    rows, shares = (files.read_csv(folder / f"{name}.csv") for name in ("saturation", "influence"))
    assert [row["seed"] for row in rows] == [0]
    assert rows[0]["share"] == next(r["share"] for r in shares if (r["family"], r["step"]) == ("RNN", 0))
    results = files.read_csv(folder / "results.csv")
    rate = next(r["rate"] for r in results if (r["task"], r["family"], r["samples"]) == ("order", "RNN", 80))
    with np.load(folder / "weights.npz") as archive:
        matrix = archive[f"order RNN 80 rate {rate:g} seed 0/memory.weight_hh_l0"]
    assert rows[0]["radius"] == pytest.approx(abs(np.linalg.eigvals(matrix)).max())
    assert 0 < rows[0]["later_slope"] < rows[0]["first_slope"] < 1  # the state starts at zero


@pytest.mark.parametrize(
    ("seen", "tested", "losses", "expected"),
    [
        (1.0, 0.55, (0.7, 2.3), "that is over-fitting"),
        (0.5, 0.5, (0.7, 0.7), "does not fit even the series that it sees"),
        (0.98, 0.97, (0.7, 0.1), ""),
    ],
)
def test_why_a_network_fails_is_read_off_its_own_numbers(seen, tested, losses, expected):
    row = {"task": "trend", "family": "LSTM", "rate": 0.01, "seed": 0, "train_accuracy": seen, "test_accuracy": tested}
    rates = page.Rates.__new__(page.Rates)
    rates.small, rates.large, rates.rows = 200, 2_000, [{**row, "samples": n} for n in (200, 2_000)]
    record = SimpleNamespace(curve=lambda stage, column: losses)
    text = page._failure(record, rates, "trend", "LSTM")
    assert text.endswith(f"{expected}." if expected else f"{report.percent(tested, 1)}.")
    assert f"from {min(losses):.2f} at best to {losses[-1]:.2f} in the end" in text


def test_the_report_is_whole(folder):
    text = (folder / "report.md").read_text()
    targets = set(re.findall(r"\]\(([^)#]+)", text))
    assert {target for target in targets if target.endswith(".png")} == FIGURES
    assert [t for t in targets if not t.startswith("..") and not (folder / t).exists()] == []
    assert not re.search(r"[{}]", text)
    for question in "ABC":
        assert f"## {question})" in text
    mean = np.mean([r["test_accuracy"] for r in files.read_csv(folder / "results.csv")
                    if (r["task"], r["family"], r["samples"]) == ("order", "GRU", 80)])  # fmt: skip
    assert f"{100 * mean:.1f} ± 0.0 %" in text


def test_other_data_is_refused(tmp_path):
    with pytest.raises(UsageError, match="images, but sequence_models is for series of 50 steps"):
        execute(sequence_models.EXPERIMENT, Options(data="digits", limit=60, out=str(tmp_path)))
    with pytest.raises(UsageError, match="series of 50 steps, but mnist_mlp is for images"):
        execute(registry.find("mnist_mlp"), Options(data="series", limit=60, out=str(tmp_path)))
