import collections

import numpy as np
import pytest
import torch

from experiments.runner import checkpoint
from experiments.runner.errors import UsageError


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
