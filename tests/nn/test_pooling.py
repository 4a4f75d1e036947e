"""Poolings against torch's: values, gradients, ties, errors."""

import numpy as np
import pytest
import torch

import minigrad
import minigrad.nn.functional as F
from minigrad import nn

LAYERS = [
    (lambda nn: nn.MaxPool2d(2), (2, 3, 8, 6)),
    (lambda nn: nn.MaxPool2d(2), (2, 3, 7, 5)),
    (lambda nn: nn.MaxPool2d(2), (3, 8, 6)),
    (lambda nn: nn.MaxPool2d((3, 2), stride=(2, 1), padding=1), (2, 3, 7, 5)),
    (lambda nn: nn.MaxPool2d(3, stride=1, dilation=2), (2, 1, 7, 6)),
    (lambda nn: nn.MaxPool2d(2, stride=3), (2, 1, 8, 9)),
    (lambda nn: nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True), (2, 3, 8, 6)),
    (lambda nn: nn.MaxPool2d(2, ceil_mode=True), (0, 3, 7, 5)),
    (lambda nn: nn.MaxPool1d(3, 2, 1), (2, 3, 9)),
    (lambda nn: nn.MaxPool1d(2, ceil_mode=True), (3, 9)),
    (lambda nn: nn.AvgPool2d(2), (2, 3, 8, 6)),
    (lambda nn: nn.AvgPool2d(3, stride=2, padding=1), (2, 3, 8, 6)),
    (lambda nn: nn.AvgPool2d(3, 2, 1, ceil_mode=True), (2, 3, 8, 6)),
    (lambda nn: nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), (3, 8, 6)),
    (lambda nn: nn.AvgPool2d((2, 3), (3, 1), (0, 1), divisor_override=5), (2, 3, 8, 6)),
    (lambda nn: nn.AvgPool1d(3, 2, 1, True, False), (2, 3, 8)),
    (lambda nn: nn.AvgPool1d(4), (3, 9)),
    (lambda nn: nn.AdaptiveAvgPool2d(1), (2, 3, 5, 7)),
    (lambda nn: nn.AdaptiveAvgPool2d((3, None)), (2, 3, 5, 7)),
    (lambda nn: nn.AdaptiveAvgPool2d((5, 2)), (3, 3, 4)),
    (lambda nn: nn.AdaptiveAvgPool1d(4), (2, 3, 10)),
    (lambda nn: nn.AdaptiveAvgPool1d(5), (3, 10)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_a_layer(same_run, make, shape, ties, dtype):
    rng = np.random.default_rng(6)
    ours, theirs = make(nn), make(torch.nn)
    assert repr(ours) == repr(theirs)
    x = rng.integers(0, 3, shape) if ties else rng.normal(size=shape)
    same_run(
        lambda fw, x: (ours if fw is minigrad else theirs)(x),
        [np.asarray(x, dtype)],
        rng,
        1e-6 if dtype == "float32" else 1e-14,
    )


LAYOUTS = {
    "transposed": lambda x: x.transpose(2, 3),
    "channels last": lambda x: x.permute(0, 3, 1, 2),
    "every second": lambda x: x[:, :, ::2, 1::2],
    "expanded": lambda x: x[:1].expand(3, -1, -1, -1),
}
FUNCTIONS = {
    "max": lambda fw, x: fw.nn.functional.max_pool2d(x, 2, 1, 1),
    "max halves": lambda fw, x: fw.nn.functional.max_pool2d(x, 2, ceil_mode=True),
    "avg": lambda fw, x: fw.nn.functional.avg_pool2d(x, 2, 1, 1),
    "adaptive": lambda fw, x: fw.nn.functional.adaptive_avg_pool2d(x, 3),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (1, 8, 1, 8), (2, 3, 8, 6)])
def test_any_memory_layout(same_run, layout, name, shape):
    rng = np.random.default_rng(7)
    same_run(lambda fw, x: FUNCTIONS[name](fw, LAYOUTS[layout](x)), [rng.normal(size=shape)], rng, 1e-13)


@pytest.mark.parametrize(
    "program",
    [
        lambda fw: fw.nn.functional.max_pool2d(fw.zeros(1, 2, 4, 4), 2, return_indices=True),
        lambda fw: fw.nn.functional.max_pool2d(fw.arange(24.0).reshape(1, 4, 6) % 7, 3, 2, 1, return_indices=True),
        lambda fw: fw.nn.functional.max_pool1d(fw.arange(12.0).reshape(2, 6) % 5, 2, return_indices=True),
        lambda fw: fw.nn.MaxPool2d(2, return_indices=True)(fw.arange(32.0).reshape(2, 4, 4) % 5),
        lambda fw: fw.nn.functional.max_pool2d(fw.arange(16).reshape(1, 4, 4), 3, 1, 1),
    ],
)
def test_indices_and_integers(alike, program):
    assert alike(program) == "result"


def test_the_first_of_equals_gets_the_gradient():
    x = minigrad.zeros(1, 1, 4, 4).requires_grad_()
    F.max_pool2d(x, 2).sum().backward()
    assert x.grad[0, 0].tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]


def test_overlapping_windows_add_their_gradients():
    x = minigrad.tensor([[[0.0, 5.0, 1.0, 2.0]]], requires_grad=True)
    F.max_pool1d(x, 3, 1).sum().backward()
    assert x.grad.tolist() == [[[0, 2, 0, 0]]]


def test_an_infinite_element_stays_in_its_window():
    x = minigrad.zeros(1, 4, 4)
    x[0, 0, 0] = float("inf")
    assert F.avg_pool2d(x, 2).tolist() == [[[float("inf"), 0], [0, 0]]]


@pytest.mark.parametrize(
    "program",
    [
        lambda fw: fw.nn.functional.max_pool2d(fw.ones(4, 4), 2),
        lambda fw: fw.nn.functional.max_pool2d(fw.ones(1, 4, 4), 5),
        lambda fw: fw.nn.functional.max_pool2d(fw.ones(1, 4, 4), 2, padding=2),
        lambda fw: fw.nn.functional.max_pool2d(fw.ones(1, 4, 4), 2, padding=-1),
        lambda fw: fw.nn.functional.max_pool2d(fw.ones(1, 4, 4), (2, 2, 2)),
        lambda fw: fw.nn.functional.avg_pool2d(fw.ones(1, 4, 4), 2, 0),
        lambda fw: fw.nn.functional.avg_pool2d(fw.ones(1, 4, 4), 2, divisor_override=0),
        lambda fw: fw.nn.functional.adaptive_avg_pool2d(fw.ones(4, 4), 2),
    ],
)
def test_errors(alike, program):
    assert alike(program, same_text=False) in ("RuntimeError", "ValueError")


def test_the_gradient_of_a_global_average_lies_as_convolutions_like_it():
    x = minigrad.rand(2, 3, 4, 5, requires_grad=True)
    nn.AdaptiveAvgPool2d(1)(x).sum().backward()
    assert x.grad.array.transpose(0, 2, 3, 1).flags.c_contiguous
    np.testing.assert_allclose(x.grad.numpy(), np.full((2, 3, 4, 5), 1 / 20), rtol=1e-6)
