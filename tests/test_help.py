"""What users see when they look around: names, texts, notebooks."""

import base64
import io
import re

import numpy as np
import pytest

import minigrad
from minigrad import nn, optim
from minigrad.utils.data import ConcatDataset, DataLoader, RandomSampler, Subset, TensorDataset

DATA = TensorDataset(minigrad.zeros(4, 2))


def test_dir_shows_names_for_users():
    names = dir(minigrad)
    assert {"Tensor", "nn", "optim", "relu", "compile", "no_grad", "utils"} <= set(names)
    assert not {"views", "watch", "conversions", "streams", "registry", "Options", "_format", "explain"} & set(names)
    assert all(hasattr(minigrad, name) for name in names)


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (DATA, "TensorDataset(4 samples)"),
        (Subset(DATA, [1]), "Subset(1 samples)"),
        (ConcatDataset([DATA, DATA]), "ConcatDataset(8 samples)"),
        (RandomSampler(DATA), "RandomSampler(4 samples)"),
        (
            DataLoader(DATA, 2),
            "DataLoader(TensorDataset(4 samples), batch_size=2, sampler=SequentialSampler(4 samples), drop_last=False)",
        ),
        (
            optim.lr_scheduler.StepLR(optim.SGD([minigrad.ones(1, requires_grad=True)], lr=0.5), 3),
            "StepLR(last_epoch=0, lr=[0.5])",
        ),
        (minigrad.compile(nn.ReLU()), "minigrad.compile(ReLU(); 0 recorded)"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_texts_say_what_it_is(thing, text):
    assert repr(thing) == text


@pytest.mark.parametrize("thing", [nn.Linear, minigrad.Tensor.sum, minigrad.compile, optim.Adam, nn.functional.relu])
def test_help_has_a_text(thing):
    assert len(thing.__doc__) > 20


def decoded(html):
    from matplotlib import image

    return image.imread(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", html)[1])))


@pytest.mark.parametrize("shape", [(9, 12), (1, 9, 12), (3, 9, 12)])
@pytest.mark.parametrize("dtype", [minigrad.float32, minigrad.uint8])
def test_images_show_as_they_look(shape, dtype):
    x = minigrad.rand(shape)
    x = x if dtype is minigrad.float32 else (x * 255).to(dtype)
    shown = decoded(x._repr_html_())
    expected = x.numpy() / (255 if dtype is minigrad.uint8 else 1)
    expected = expected.squeeze(0) if shape[0] == 1 else expected
    expected = np.moveaxis(expected, 0, -1) if expected.ndim == 3 else expected
    np.testing.assert_allclose(shown[..., : expected.shape[-1]] if expected.ndim == 3 else shown, expected, atol=0.003)


def test_small_matrices_show_as_tables_and_all_else_as_text():
    assert minigrad.eye(2)._repr_html_().count("<td>") == 4
    assert minigrad.randn(28, 28)._repr_html_().startswith("<pre>tensor(")  # values outside of [0, 1]
    assert minigrad.tensor(1.0)._repr_html_() == "<pre>tensor(1.)</pre>"
    assert "9 parameters" in nn.Linear(2, 3)._repr_html_()
    assert "&lt;" in minigrad.ones(1, requires_grad=True).exp()._repr_html_()
