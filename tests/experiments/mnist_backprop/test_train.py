import json
import re
import struct

import h5py
import numpy as np
import pytest

from experiments import cli, registry
from experiments.mnist_backprop.train import EXPERIMENT, Settings
from experiments.runner import files
from experiments.runner.execute import execute
from experiments.runner.options import Options
from experiments.runner.run import Run
from minigrad.vision import arrays

CONFIGURATIONS = [(a, r) for a in Settings.activations for r in Settings.learning_rates]


@pytest.fixture(scope="module")
def folders(run_on_digits):
    return run_on_digits("mnist_backprop", epochs=2, limit=300)


@pytest.fixture(params=["minigrad", "torch"])
def folder(request, folders):
    return folders[request.param]


def test_six_configurations_then_the_best_on_everything(folder):
    rows = files.read_csv(folder / "history.csv")
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    assert stages == [*(f"{a} {r:g}" for a, r in CONFIGURATIONS), "final"]
    last = {row["stage"]: row for row in rows}  # the last epoch of each
    best = max(stages[:-1], key=lambda stage: last[stage]["validation_accuracy"])
    metrics = json.loads((folder / "metrics.json").read_text())
    assert f"{metrics['activation']} {metrics['learning_rate']:g}" == best
    assert metrics["validation_accuracy"] == last[best]["validation_accuracy"]
    assert (metrics["training_samples"], metrics["validation_samples"]) == (250, 50)
    assert "validation_accuracy" not in last["final"]
    confusion = files.read_csv(folder / "confusion.csv")
    assert sum(row[str(row["true"])] for row in confusion) == metrics["test_samples"] - metrics["test_errors"]
    assert metrics["test_accuracy"] == 1 - metrics["test_errors"] / metrics["test_samples"]
    assert metrics["test_accuracy"] > 0.5  # it has learned, even this little


def test_it_is_the_same_run_in_both_frameworks(folders):
    histories = [files.read_csv(folder / "history.csv") for folder in folders.values()]
    for theirs, ours in zip(*histories, strict=True):
        assert ours.pop("loss") == pytest.approx(theirs.pop("loss"), rel=1e-4)
        for column in ("train_accuracy", "validation_accuracy"):  # a decision on the edge may fall to either side
            assert ours.pop(column, 0) == pytest.approx(theirs.pop(column, 0), abs=0.026)
        assert ours == theirs


def test_the_report_answers_with_the_runs_own_numbers(folder):
    text = (folder / "report.md").read_text()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert "784-200-100-10" in text
    assert "in batches of **100**: 3 updates" in text
    assert "**0.02, 0.05, 0.1**, each halved after epochs 1 and 2" in text
    assert "Test accuracy of the best network: **{:.2f} %**".format(100 * metrics["test_accuracy"]) in text
    assert f"{metrics['test_errors']} are wrong" in " ".join(text.split())
    for row in files.read_csv(folder / "history.csv"):
        if row["epoch"] == 2 and row["stage"] != "final":
            assert f"{100 * row['train_accuracy']:.2f} %" in text
    assert not re.search(r"[{}]", text.replace("{ReLU, tanh}", ""))


def test_every_link_and_figure_exists(folder):
    text = (folder / "report.md").read_text()
    targets = re.findall(r"\]\(([^)#]+)(?:#L(\d+))?\)", text)
    figures = [target for target, _ in targets if target.endswith(".png")]
    assert sorted(figures) == sorted(path.name for path in folder.glob("*.png"))
    assert len(figures) == 6 + 4
    for target, line in targets:
        assert (folder / target).exists(), target
        assert not line or len((folder / target).read_text().splitlines()) >= int(line)
    records = [target for target, line in targets if line]
    assert len(records) == 9
    for path in folder.glob("*.png"):
        width, height = struct.unpack(">II", path.read_bytes()[16:24])
        assert width >= 700, path
        assert height >= 450, path


def test_reports_can_be_made_again_without_training(folder, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in ("report.md", "overview.png"):
        (folder / name).unlink()
    monkeypatch.setattr(Run, "fit", lambda *_: pytest.fail("it trains"))
    assert cli.main(["report", "--out", str(folder.parent)]) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_test_files_are_read_once_after_all_training(tmp_path, monkeypatch):
    plain, reads = arrays.load_arrays, []
    out = tmp_path / "mnist_backprop"

    def spy(name, **arguments):
        if not arguments["train"]:
            reads.append(json.loads((out / "choice.json").read_text()))
            assert not (out / "metrics.json").exists()
        return plain(name, **arguments)

    fitted = []
    fit = Run.fit

    def watch(self, stage, build, *rest):
        fitted.append((stage, len(build().loader.dataset), len(reads)))
        return fit(self, stage, build, *rest)

    monkeypatch.setattr(arrays, "load_arrays", spy)
    monkeypatch.setattr(Run, "fit", watch)
    monkeypatch.setattr(registry, "report_of", lambda name: lambda record: "")
    execute(EXPERIMENT, Options("torch", epochs=1, data="digits", limit=120, out=str(tmp_path)))
    assert len(reads) == 1
    assert fitted == [(f"{a} {r:g}", 100, 0) for a, r in CONFIGURATIONS] + [("final", 120, 0)]


@pytest.mark.parametrize(("epochs", "halvings"), [(50, [20, 40]), (10, [4, 8]), (3, [1, 2]), (1, [1, 1])])
def test_rates_are_halved_at_the_same_shares_of_any_length(epochs, halvings):
    assert Settings(epochs=epochs).halvings == halvings


def test_the_assignment_is_kept():
    settings = Settings()
    assert settings.activations == ("relu", "tanh")
    assert len(set(settings.learning_rates)) == 3
    assert (settings.epochs, settings.halvings) == (50, [20, 40])
    assert 50_000 % settings.batch_size == 0
    assert 50 <= settings.batch_size <= 1000
    assert round(60_000 * settings.validation) == 10_000
    assert registry.find("mnist_backprop") is EXPERIMENT


def test_the_courses_file_and_mnists_own_give_the_same_pixels_and_the_same_history(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "course").mkdir()
    (tmp_path / "mnist").mkdir()
    for part, idx, n in (("train", "train", 300), ("test", "t10k", 100)):
        images, labels = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n)
        with h5py.File(tmp_path / f"course/mnist_{part}data.hdf5", "w") as file:
            file["xdata"], file["ydata"] = images.reshape(-1, 784).astype(np.float32) / 256, np.eye(10)[labels]
        header = struct.pack(">4i", 0x803, n, 28, 28), struct.pack(">2i", 0x801, n)
        contents = header[0] + images.tobytes(), header[1] + labels.astype(np.uint8).tobytes()
        for name, content in zip(("images-idx3", "labels-idx1"), contents, strict=True):
            (tmp_path / f"mnist/{idx}-{name}-ubyte").write_bytes(content)
    found = {}
    for name in (None, "mnist"):  # the experiment's own, and MNIST's
        options = Options(data=name, data_dir=str(tmp_path), epochs=2, out=str(tmp_path / f"out {name}"))
        pixels, labels = Run(EXPERIMENT, options).training_data
        folder = execute(EXPERIMENT, options)
        description = json.loads((folder / "config.json").read_text())["data"]["description"]
        history = (folder / "history.csv").read_bytes()
        found[description] = pixels.numpy().tobytes(), labels.tolist(), history, (folder / "metrics.json").read_bytes()
    (course, theirs), (idx, ours) = found.items()
    assert "HDF5" in course
    assert "IDX" in idx
    assert theirs == ours
