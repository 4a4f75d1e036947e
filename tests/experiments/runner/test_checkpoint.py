import collections
from pathlib import Path

import numpy as np
import pytest
import torch

import minigrad
from experiments.runner import checkpoint
from experiments.runner.errors import UsageError
from minigrad import nn


def test_nested_state_comes_back_exactly(tmp_path):
    state = {
        "optimizer": {
            "state": {0: {"momentum_buffer": np.arange(6, dtype=np.float32).reshape(2, 3)}},
            "betas": (0.9, 0.999),
        },
        "scheduler": {"milestones": collections.Counter([20, 40]), "best": float("inf"), "rate": 0.1 + 0.2},
        "nothing": None,
        "rows": [{"epoch": 1, "done": True}, {}],
        "scalar": np.float32(0.1),
    }
    checkpoint.save(tmp_path / "c.npz", state)
    back = checkpoint.load(tmp_path / "c.npz")
    momentum = back["optimizer"]["state"][0].pop("momentum_buffer")
    expected = state["optimizer"]["state"][0].pop("momentum_buffer")
    assert momentum.dtype == expected.dtype
    assert (momentum == expected).all()
    assert back == state | {"scalar": float(np.float32(0.1))}
    assert isinstance(back["optimizer"]["betas"], tuple)
    assert back["scheduler"]["milestones"][3] == 0  # still a Counter


def test_frozen_state_does_not_move_on():
    weight = torch.nn.Parameter(torch.ones(2))
    phase = collections.namedtuple("Phase", "start end")(0, weight)
    state = checkpoint.frozen({"model": [weight], "scheduler": (phase, collections.Counter([3])), "epoch": 1})
    with torch.no_grad():
        weight.zero_()
    assert state["model"][0].tolist() == [1, 1]
    (start, end), counts = state["scheduler"]
    assert (start, end.tolist(), counts, state["epoch"]) == (0, [1, 1], collections.Counter([3]), 1)


def test_a_torch_optimizer_goes_on_from_it(tmp_path):
    weights = [torch.nn.Parameter(torch.ones(3)) for _ in range(2)]
    optimizers = [torch.optim.Adam([w], lr=0.1, betas=(0.8, 0.9)) for w in weights]

    def step(i):
        weights[i].grad = 2 * weights[i].detach()
        optimizers[i].step()

    step(0)
    checkpoint.save(tmp_path / "c.npz", {"w": weights[0], "o": optimizers[0].state_dict()})
    state = checkpoint.tensors(checkpoint.load(tmp_path / "c.npz"), torch)
    with torch.no_grad():
        weights[1].copy_(state["w"])
    optimizers[1].load_state_dict(state["o"])
    step(0)
    step(1)
    assert torch.equal(weights[0], weights[1])


def test_no_pickle_is_written_or_read(tmp_path):
    with pytest.raises(TypeError, match=r"state\.model: a checkpoint can't hold a object"):
        checkpoint.save(tmp_path / "c.npz", {"model": object()})
    assert list(tmp_path.iterdir()) == []
    np.savez(tmp_path / "evil.npz", structure=np.array({"a": 1}, dtype=object))
    with pytest.raises(UsageError, match="Object arrays cannot be loaded"):
        checkpoint.load(tmp_path / "evil.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not a zip at all"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "checkpoint.npz").write_bytes(content)
    with pytest.raises(UsageError, match=r"checkpoint\.npz can't be read .*run without --resume"):
        checkpoint.load(tmp_path / "checkpoint.npz")


def test_a_truncated_file_is_named(tmp_path):
    path = tmp_path / "checkpoint.npz"
    checkpoint.save(path, {"a": np.zeros(1000)})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UsageError, match="can't be read"):
        checkpoint.load(path)


def test_an_archive_of_something_else_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(UsageError, match=r"other\.npz isn't a checkpoint"):
        checkpoint.load(tmp_path / "other.npz")


@pytest.mark.parametrize("number", range(checkpoint.FORMAT + 1))
def test_files_of_every_earlier_format_open_and_training_goes_on_from_them(number):
    """A new format adds a file here, written by the version that brings it; none is ever written anew."""
    state = checkpoint.load(Path(__file__).parent / "checkpoints" / f"format-{number}.npz")
    assert state["config"] == {"experiment": "toy", "seed": 0}
    assert state["history"] == ['{"stage": "a", "epoch": 2}']
    assert (state["done"], state["complete"], state["choice"]) == ([], False, None)
    current = checkpoint.tensors(state["current"], minigrad)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
    optimizer = minigrad.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = minigrad.optim.lr_scheduler.MultiStepLR(optimizer, [1, 3], gamma=0.5)
    model.load_state_dict(current["model"])
    optimizer.load_state_dict(current["optimizer"])
    scheduler.load_state_dict(current["scheduler"])
    minigrad.set_rng_state(current["rng"])
    inputs = minigrad.arange(12.0).reshape(4, 3) / 12
    nn.functional.cross_entropy(model(inputs), minigrad.tensor([0, 1, 1, 0])).backward()
    optimizer.step()
    for name, parameter in model.state_dict().items():
        np.testing.assert_allclose(parameter.numpy(), state["afterwards"][name], rtol=1e-6)


def test_a_file_of_a_later_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "FORMAT", checkpoint.FORMAT + 1)
    checkpoint.save(tmp_path / "c.npz", {})
    monkeypatch.undo()
    with pytest.raises(UsageError, match="of format 2, written by a later version; this one reads up to 1"):
        checkpoint.load(tmp_path / "c.npz")
