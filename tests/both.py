"""Programs that run in both frameworks, and what they give in a form that can be compared."""

import re
import warnings

import numpy as np
import torch

import minigrad


def torch_function(name):
    """What torch calls ``"nn.functional.relu"``."""
    found = torch
    for part in name.split("."):
        found = getattr(found, part)
    return found


def in_our_words(text):
    text = text.replace("torch.", "minigrad.").replace("torch", "minigrad").replace(".nn.modules.", ".nn.")
    return re.sub(r"minigrad\.\w+Tensor", "minigrad.Tensor", text)


def outcome(program, fw):
    """What a program gives: its result, or the error that it raised; and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = "result", program(fw)
        except Exception as error:
            message = error.args[0] if error.args else ""
            result = type(error).__name__, in_our_words(str(message))
    return result, [(w.category, in_our_words(str(w.message))) for w in caught]


def comparable(value):
    """A result in a form that is equal in both frameworks if the results are."""
    if isinstance(value, (minigrad.Tensor, torch.Tensor)):
        return in_our_words(str(value.dtype)), tuple(value.shape), value.detach().numpy().tolist()
    if isinstance(value, dict):
        return [(k, comparable(v)) for k, v in value.items()]
    if isinstance(value, (list, tuple)):
        return [comparable(v) for v in value]
    if isinstance(value, (str, int, float, type(None))):
        return in_our_words(value) if isinstance(value, str) else value
    return in_our_words(repr(value))


def assert_alike(ours, theirs, tolerance=1e-6):
    """The same structure, dtypes and shapes, and numbers that differ by rounding at most."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, minigrad.Tensor), ours
        assert in_our_words(str(theirs.dtype)) == str(ours.dtype)
        assert tuple(ours.shape) == tuple(theirs.shape)
        np.testing.assert_allclose(
            ours.detach().numpy(), theirs.detach().numpy(), rtol=10 * tolerance, atol=tolerance, equal_nan=True
        )
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs), (ours, theirs)
        for x, y in zip(ours, theirs, strict=True):
            assert_alike(x, y, tolerance)
    elif isinstance(theirs, float):
        np.testing.assert_allclose(ours, theirs, rtol=10 * tolerance, atol=tolerance, equal_nan=True)
    else:
        assert comparable(ours) == comparable(theirs)
