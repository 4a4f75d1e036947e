"""A name that is not there: the error says where it is, what is near it, or that it was left out on purpose."""

import importlib
import pickle
import subprocess
import sys

import pytest

import minigrad


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("Linear", "there is nn.Linear"),
        ("backward", "there is autograd.backward and Tensor.backward"),
        ("nn.relu", "there is minigrad.relu and nn.functional.relu and Tensor.relu"),
        ("nn.functional.ReLU", "there is nn.ReLU"),
        ("optim.StepLR", "there is optim.lr_scheduler.StepLR"),
        ("nn.Conv3d", "Did you mean Conv2d or Conv1d?"),
        ("nn.functional.sotfmax", "Did you mean softmax?"),
        ("optim.lr_scheduler.StepLr", "Did you mean StepLR"),
        ("linalg.vecor_norm", "Did you mean vector_norm?"),
        ("utils.data.Dataloader", "Did you mean .*DataLoader"),
        ("complex", "minigrad leaves out complex numbers"),
        ("cuda", "minigrad leaves out devices other than the CPU"),
        ("sparse", "minigrad leaves out sparse tensors"),
        ("quantize_per_tensor", "minigrad leaves out quantized tensors"),
    ],
)
def test_a_module_says_more(path, words):
    module, _, name = f"minigrad.{path}".rpartition(".")
    module = importlib.import_module(module)
    assert not hasattr(module, name)
    with pytest.raises(AttributeError, match=rf"^module '{module.__name__}' has no attribute '{name}'.*{words}"):
        getattr(module, name)


@pytest.mark.parametrize(
    ("name", "words"), [("bakward", "Did you mean backward?"), ("to_sparse", "leaves out sparse tensors"), ("_foo", "")]
)
def test_a_tensor_says_more(name, words):
    with pytest.raises(AttributeError, match=rf"^'Tensor' object has no attribute '{name}'.*{words}"):
        getattr(minigrad.ones(2), name)


def test_tensors_can_still_have_attributes():
    x = minigrad.ones(2)
    x.note = "mine"
    assert pickle.loads(pickle.dumps(x)).note == "mine"


def test_nothing_is_imported_for_it_before_a_name_is_missing():
    program = "import sys, minigrad; assert 'difflib' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
