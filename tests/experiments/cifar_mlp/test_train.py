"""Images in colour: normalised by what is learnt from, and a report that knows animals from vehicles."""

import json
import tarfile

import numpy as np
import pytest
import torch

import minigrad
from experiments import cli
from experiments.cifar_mlp import train as cifar_mlp
from minigrad.vision.cifar import CLASSES

FRAMEWORKS = pytest.mark.parametrize("fw", [minigrad, torch], ids=["minigrad", "torch"])


@FRAMEWORKS
@pytest.mark.parametrize("channels", [1, 3])
def test_statistics_are_those_of_each_channel(fw, channels):
    images = np.random.default_rng(0).random((1_100, 5, channels), np.float32)  # more than one batch
    mean, std = cifar_mlp.statistics(fw, fw.from_numpy(images.reshape(1_100, -1)), channels)
    np.testing.assert_allclose(mean.numpy(), images.mean((0, 1), np.float64), rtol=1e-6)
    np.testing.assert_allclose(std.numpy(), images.std((0, 1), np.float64), rtol=1e-5)


@FRAMEWORKS
def test_the_network_is_the_assignments_behind_a_normalization_by_its_own_samples(fw):
    fw.manual_seed(0)
    learnt = fw.rand(50, 3072) * fw.tensor([0.2, 0.5, 1.0]).repeat(1024)
    model = cifar_mlp.network(fw, cifar_mlp.Settings(), 3, (learnt, None))
    assert [tuple(p.shape) for p in model.parameters() if p.dim() > 1] == [(256, 3072), (128, 256), (10, 128)]
    assert [layer.p for layer in model if isinstance(layer, fw.nn.Dropout)] == [0.3, 0.3]
    pixels = model[0](learnt).reshape(-1, 3)
    np.testing.assert_allclose(pixels.mean(0).numpy(), 0, atol=1e-5)
    np.testing.assert_allclose(pixels.numpy().std(0), 1, rtol=1e-4)
    other = model[0](learnt + 1).reshape(-1, 3) - pixels
    np.testing.assert_allclose(other.numpy().mean(0, np.float64), 1 / model[0].std[:3].numpy(), rtol=1e-4)
    assert {"0.mean", "0.std"} <= set(model.state_dict())


@pytest.fixture
def colours(tmp_path):
    """A folder with an archive in CIFAR-10's binary layout: noise around a colour for each class."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "unpacked" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    (folder / "batches.meta.txt").write_text("\n".join(CLASSES) + "\n")
    for name in [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]:
        labels = rng.permutation(20).astype(np.uint8) % 10
        colours = np.stack([labels * 20, 200 - labels * 20, np.full(20, 90)], 1)
        pixels = (colours[..., None] + rng.integers(0, 30, (20, 3, 1024))).astype(np.uint8).reshape(20, -1)
        (folder / name).write_bytes(np.concatenate([labels[:, None], pixels], 1).tobytes())
    (tmp_path / "data").mkdir()
    with tarfile.open(tmp_path / "data" / "cifar-10-binary.tar.xz", "w:xz", preset=0) as archive:
        archive.add(folder, "cifar-10-batches-bin")
    return tmp_path / "data"


def test_it_runs_on_images_in_colour(colours, tmp_path):
    assert cli.main(["run", "cifar_mlp", "--epochs", "1", "--data-dir", str(colours), "--out", str(tmp_path)]) == 0
    metrics = json.loads((tmp_path / "cifar_mlp" / "metrics.json").read_text())
    assert metrics["inputs"] == 3072
    assert metrics["means"][2] == pytest.approx(104.5 / 255, abs=0.01)
    text = (tmp_path / "cifar_mlp" / "report.md").read_text()
    assert "3072-256-128-10" in text
    assert "820,874" in text  # 3073 · 256 + 257 · 128 + 129 · 10
    assert all(name in text for name in CLASSES)
    assert "one animal for another" in text
    assert "Not the data of the assignment" not in text
