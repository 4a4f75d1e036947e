"""What is no tensor where one is asked for gets torch's error, which names the operation and the argument."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from drawing import HypothesisDraw, map_arrays, split_keywords
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
import minigrad.nn.functional as F
from minigrad import Tensor
from minigrad.ops.record import registry

WRONG = ("a", [1.0, 2.0], np.ones(2))
SEQUENCES = {"cat", "stack", "einsum", "lstm", "gru", "rnn_tanh"}  # these take several tensors in one argument
records = [r for r in registry.values() if r.torch and not r.name.startswith("_") and r.name not in SEQUENCES]


def called(function: Any, args: Any, keywords: Any) -> Exception | None:
    """The exception of a call."""
    try:
        function(*args, **keywords)
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("record", records, ids=lambda record: record.name)
@settings(max_examples=3)
@given(data=st.data())
def test_what_is_no_tensor(record, data):
    theirs: Any = torch
    for part in record.torch.split("."):
        theirs = getattr(theirs, part)
    args, keywords = split_keywords(record.sample(HypothesisDraw(data.draw, smooth=True)))
    names = list(inspect.signature(record.public).parameters)
    given = dict(zip(names, args, strict=False)) | keywords
    for name in [name for name, value in given.items() if isinstance(value, np.ndarray)]:
        for wrong in WRONG:
            errors = []
            for function, wrap in ((theirs, lambda a: torch.from_numpy(np.array(a))), (record.public, as_tensor)):
                values = [wrong if key == name else map_arrays(wrap, given[key]) for key in [*names[: len(args)]]]
                rest = {key: wrong if key == name else map_arrays(wrap, value) for key, value in keywords.items()}
                errors.append(called(function, values, rest))
            expected, error = errors
            if expected is None:
                continue
            assert isinstance(error, TypeError), (name, wrong, error)
            assert f"{record.name}(): argument '{name}' (position {names.index(name) + 1}) must be Tensor" in str(error)


def as_tensor(a: np.ndarray) -> Tensor:
    return Tensor.wrap(np.asarray(a))


x = minigrad.ones(1, 2)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (lambda: F.linear(x, [[1.0, 2.0]]), "linear(): argument 'weight' (position 2) must be Tensor, not list"),
        (lambda: F.linear(x, x, bias="b"), "linear(): argument 'bias' (position 3) must be Tensor, not str"),
        (lambda: minigrad.exp("a"), "exp(): argument 'input' (position 1) must be Tensor, not str"),
        (lambda: minigrad.exp(1.0), "exp(): argument 'input' (position 1) must be Tensor, not float"),
        (lambda: minigrad.exp(np.ones(2)), "exp(): argument 'input' (position 1) must be Tensor, not numpy.ndarray"),
        (lambda: minigrad.maximum(x, 1.0), "maximum(): argument 'other' (position 2) must be Tensor, not float"),
        (lambda: x.maximum(np.ones(2)), "maximum(): argument 'other' (position 1) must be Tensor, not numpy.ndarray"),
        (lambda: x.add_("a"), "add(): argument 'other' (position 1) must be Tensor, not str"),
        (lambda: F.mse_loss(x, 1.0), "mse_loss(): argument 'target' (position 2) must be Tensor, not float"),
        (lambda: F.relu([1.0], inplace=True), "relu(): argument 'input' (position 1) must be Tensor, not list"),
        (lambda: minigrad.cat("ab"), "cat(): argument 'tensors' (position 1) must be tuple of Tensors, not str"),
        (lambda: minigrad.stack(x), "stack(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor"),
        (lambda: minigrad.einsum("ij->i", "a"), "einsum(): expected Tensor as element 0 in argument 1, but got str"),
    ],
)
def test_messages(program, message):
    with pytest.raises(TypeError) as caught:
        program()
    assert str(caught.value) == message


def test_operators_take_arrays_as_in_torch():
    assert ((minigrad.ones(2) + np.ones(2)) * np.ones(2)).tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (4, 5)]),
        ("ij,jk->ik", [(2,), (4, 5)]),
        ("i", [(2,), (2,)]),
        ("i,i", [(2,)]),
        ("ii->i", [(2, 3)]),
        ("i,j->k", [(2,), (2,)]),
    ],
)
def test_einsum_speaks_of_its_operands(equation, shapes):
    messages = []
    for fw in (minigrad, torch):
        with pytest.raises(RuntimeError) as caught:
            fw.einsum(equation, *map(fw.ones, shapes))
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_einsum_stretches_a_length_of_1():
    for fw in (minigrad, torch):
        assert fw.einsum("ij,jk->ik", fw.ones(2, 1), fw.ones(3, 2)).tolist() == [[3.0, 3.0], [3.0, 3.0]]
        assert fw.einsum("bi,bi->b", fw.ones(1, 3), fw.ones(2, 1)).tolist() == [3.0, 3.0]
