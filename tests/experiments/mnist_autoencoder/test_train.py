import json
import re

import numpy as np
import pytest
import torch

from experiments.mnist_autoencoder.train import Settings, autoencoder, principal_axes, vote
from experiments.runner import files


@pytest.fixture(scope="module")
def folders(run_on_digits):
    return run_on_digits("mnist_autoencoder", epochs=2, limit=200)


@pytest.fixture(params=["minigrad", "torch"])
def folder(request, folders):
    return folders[request.param]


def arrays_of(folder):
    return files.read_npz(folder / "arrays.npz")


def test_the_assignment_is_kept():
    assert (Settings().epochs, Settings().learning_rate) == (10, 1e-3)
    model = autoencoder(torch, 784, 256, 64, 2)
    linear = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == [
        *[(784, 256), (256, 64), (64, 2)],
        *[(2, 64), (64, 256), (256, 784)],
    ]
    assert [str(layer) for layer in model.encoder][1::2] == ["ReLU()"] * 2
    assert str(model.decoder[1]) == "Sigmoid()"
    x = torch.rand(3, 784)
    torch.testing.assert_close(model(x), model.decoder(model.encoder(x)))


def test_the_errors_are_those_of_the_images(folder):
    """The kept images are rounded to 256 shades."""
    arrays = arrays_of(folder)
    assert len(arrays["originals"]) == 2 * len(np.unique(arrays["digits"]))
    difference = (arrays["originals"].astype(float) - arrays["reconstructions"]) / 255
    np.testing.assert_allclose((difference**2).mean(1), arrays["shown_errors"], atol=1e-3)
    half = len(arrays["shown_errors"]) // 2
    firsts = arrays["shown_digits"][:half]
    assert (np.diff(firsts.astype(int)) > 0).all()
    worst = arrays["shown_errors"][half:]
    assert (np.diff(worst) <= 0).all()
    assert worst[0] >= arrays["shown_errors"].max()
    rows = files.read_csv(folder / "digits.csv")
    metrics = json.loads((folder / "metrics.json").read_text())
    assert sum(row["samples"] for row in rows) == metrics["test_samples"] == len(arrays["codes"])
    mean = sum(row["samples"] * row["test_mse"] for row in rows) / metrics["test_samples"]
    assert mean == pytest.approx(metrics["test_mse"], rel=1e-5)


def test_the_yardsticks_fall_with_every_component(folder):
    metrics = json.loads((folder / "metrics.json").read_text())
    errors = [row["test_mse"] for row in files.read_csv(folder / "components.csv")]
    assert (errors[0], errors[2]) == (metrics["mean_image_mse"], metrics["pca_mse"])
    assert (np.diff(errors) < 0).all()
    arrays = arrays_of(folder)
    half = len(arrays["originals"]) // 2
    linear = ((arrays["originals"].astype(float) - arrays["linear"]) ** 2).mean() / 255**2
    assert 0 < linear < 3 * errors[0]
    assert arrays["linear"][:half].std() > 0


def test_the_grid_spans_the_plane(folder):
    arrays, n = arrays_of(folder), Settings().grid
    assert arrays["grid"].shape == (n * n, 784)
    for side in ("grid_x", "grid_y"):
        assert len(arrays[side]) == n
        np.testing.assert_allclose(np.diff(arrays[side], 2), 0, atol=1e-6)


def test_each_point_of_the_grid_is_what_the_decoder_makes_of_it(folders):
    folder = folders["torch"]
    arrays, weights = arrays_of(folder), files.read_npz(folder / "weights.npz")
    model = autoencoder(torch, 784, 256, 64, 2)
    model.load_state_dict({name.split("/")[1]: torch.from_numpy(array) for name, array in weights.items()})
    for row, column in [(0, 3), (7, 1), (14, 14)]:
        point = torch.tensor([[arrays["grid_x"][column], arrays["grid_y"][row]]], dtype=torch.float32)
        image = model.decoder(point).detach().numpy()[0]
        np.testing.assert_allclose(arrays["grid"][row * 15 + column] / 255, image, atol=0.003)


def test_both_frameworks_give_the_same_run(folders):
    theirs, ours = (files.read_csv(folder / "history.csv") for folder in folders.values())
    assert [row["loss"] for row in ours] == pytest.approx([row["loss"] for row in theirs], rel=1e-4)
    theirs, ours = (json.loads((folder / "metrics.json").read_text()) for folder in folders.values())
    assert ours["test_mse"] == pytest.approx(theirs["test_mse"], rel=1e-4)


def test_the_report_is_whole(folder):
    text = (folder / "report.md").read_text()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert f"**{metrics['test_mse']:.4f}**" in text
    assert all(f"| ({letter}) |" in text for letter in "abcdefg")
    assert "## B. " in text
    drawn = {"loss.png", "reconstructions.png", "worst.png", "plane.png", "grid.png"}
    targets = set(re.findall(r"\]\(([^)#]+)", text))
    assert {target for target in targets if target.endswith(".png")} == drawn
    assert [target for target in targets if "/" not in target and not (folder / target).exists()] == []
    assert not re.search(r"[{}]", text)


def test_principal_axes_are_those_of_the_covariance():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(500, 4)) * [1, 5, 2, 3] + 7
    mean, axes = principal_axes(samples)
    np.testing.assert_allclose(mean, samples.mean(0))
    np.testing.assert_allclose(axes.T @ axes, np.eye(4), atol=1e-12)
    variances = ((samples - mean) @ axes).var(0)
    assert (np.diff(variances) < 0).all()
    np.testing.assert_allclose(variances, np.linalg.eigvalsh(np.cov(samples.T, bias=True))[::-1])


def test_the_vote_is_that_of_the_nearest():
    settings = Settings(neighbours=3, electorate=6)
    known = np.array([[0, 0], [0, 1], [1, 0], [9, 9], [9, 8], [8, 9], [0, 0]], np.float32)
    digits = np.array([4, 4, 4, 7, 7, 7, 9])  # the last has no vote
    asked = np.array([[0.2, 0.2], [8, 8], [9, 9]], np.float32)
    assert vote(known, digits, asked, np.array([4, 7, 4]), settings) == pytest.approx(2 / 3)
