"""`assert_close` judges as torch's does, in its words."""

import numpy as np
import pytest
import torch
from both import outcome

import minigrad

NAN, INF = float("nan"), float("inf")
CASES = {
    "equal": lambda t, fw: ((t([1.0, 2.0]), t([1.0, 2.0])), {}),
    "an element": lambda t, fw: ((t([1.0, 2.0, 3.0]), t([1.0, 2.5, 3.0])), {}),
    "no dimension": lambda t, fw: ((t(1.0), t(2.0)), {}),
    "zero": lambda t, fw: ((t([1.0, 2.0]), t([1.0, 0.0])), {}),
    "integers": lambda t, fw: ((t([1, 2]), t([1, 5])), {}),
    "shape": lambda t, fw: ((t([1.0, 2.0]), t([[1.0, 2.0]])), {}),
    "dtype": lambda t, fw: ((t([1.0]), t([1.0], dtype=fw.float64)), {}),
    "any dtype": lambda t, fw: ((t([1.0]), t([1.1], dtype=fw.float64)), {"check_dtype": False}),
    "half": lambda t, fw: ((t([1.0], dtype=fw.float16), t([1.01], dtype=fw.float16)), {}),
    "within float32": lambda t, fw: ((t([1.0]), t([1.000005])), {}),
    "beyond float64": lambda t, fw: ((t([1.0], dtype=fw.float64), t([1.000005], dtype=fw.float64)), {}),
    "nan": lambda t, fw: ((t([NAN]), t([NAN])), {}),
    "equal nan": lambda t, fw: ((t([NAN]), t([NAN])), {"equal_nan": True}),
    "infinity": lambda t, fw: ((t([INF, 1.0]), t([INF, 1.0])), {}),
    "one tolerance": lambda t, fw: ((t([1.0]), t([1.0])), {"rtol": 1e-3}),
    "no tolerance": lambda t, fw: ((t([1.0]), t([1.01])), {"rtol": 0.0, "atol": 0.0}),
    "tolerance": lambda t, fw: ((t([1.0]), t([1.01])), {"rtol": 0.1, "atol": 0.1}),
    "list": lambda t, fw: (([t([1.0]), t([2.0])], [t([1.0]), t([3.0])]), {}),
    "length": lambda t, fw: (([t([1.0])], [t([1.0]), t([3.0])]), {}),
    "keys": lambda t, fw: (({"a": 1}, {"b": 2}), {}),
    "nested": lambda t, fw: (({"a": [1.0, (2.0, 3.0)]}, {"a": [1.0, (2.0, 4.0)]}), {}),
    "numbers": lambda t, fw: ((1, 2), {}),
    "booleans": lambda t, fw: ((True, False), {}),
    "None": lambda t, fw: ((None, 1.0), {}),
    "text": lambda t, fw: (("a", "a"), {}),
    "message": lambda t, fw: ((1.0, 1.5), {"msg": "mine"}),
    "function of the message": lambda t, fw: ((1.0, 1.5), {"msg": lambda text: "mine: " + text}),
    "nothing": lambda t, fw: ((fw.zeros(0), fw.zeros(0)), {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_verdict_and_its_words_are_torchs(case):
    def program(fw):
        values, options = CASES[case](fw.tensor, fw)
        return fw.testing.assert_close(*values, **options)

    assert outcome(program, minigrad) == outcome(program, torch)


def test_tensors_of_two_frameworks_and_arrays_are_compared():
    minigrad.testing.assert_close(minigrad.ones(2), torch.ones(2))
    minigrad.testing.assert_close([minigrad.ones(2)], (np.ones(2, np.float32),))
    with pytest.raises(AssertionError, match="Mismatched elements: 1 / 2"):
        minigrad.testing.assert_close(minigrad.ones(2), torch.tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="No comparison pair"):
        minigrad.testing.assert_close(minigrad.ones(2), [1.0, 1.0])
