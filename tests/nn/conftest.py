"""What the tests of `minigrad.nn` share: programs that run in both frameworks, and comparisons of their results."""

import numpy as np
import pytest

import minigrad


@pytest.fixture
def alike():
    """Assert that a program does the same in both frameworks: ``alike(lambda fw: …)``.

    Errors and warnings must be of the same type; our message may go on after torch's.
    """

    def check(program, same_text=True):
        import torch
        from both import comparable, outcome

        (ended, ours), warned = outcome(program, minigrad)
        (torch_ended, theirs), torch_warned = outcome(program, torch)
        assert ended == torch_ended, (ended, ours, torch_ended, theirs)
        if ended == "result":
            assert comparable(ours) == comparable(theirs)
        elif same_text:
            assert ours.startswith(theirs.rstrip(".")), (ours, theirs)
        assert [c for c, _ in warned] == [c for c, _ in torch_warned], (warned, torch_warned)
        for (_, text), (_, torch_text) in zip(warned, torch_warned, strict=True):
            assert text[:60] == torch_text[:60] or not same_text
        return ended

    return check


def tensors(array, requires_grad=False):
    """The same tensor in both frameworks."""
    import torch

    return (
        minigrad.from_numpy(np.array(array)).requires_grad_(requires_grad),
        torch.from_numpy(np.array(array)).requires_grad_(requires_grad),
    )


def assert_close(ours, theirs, tolerance, what=""):
    """The same shape and dtype, and values that differ by `tolerance` at most, relative and absolute."""
    assert tuple(ours.shape) == tuple(theirs.shape), what
    assert str(theirs.dtype).replace("torch", "minigrad") == str(ours.dtype), what
    np.testing.assert_allclose(
        ours.detach().numpy(), theirs.detach().numpy(), rtol=tolerance, atol=tolerance, err_msg=str(what)
    )


@pytest.fixture
def same_run():
    """Assert that a function gives the same value and gradients in both frameworks.

    ``same_run(function, arrays, rng, tolerance)``: ``function(fw, *tensors)``; floats among the arrays require grad
    unless `fixed` names their place. The cotangent is random.
    """

    def check(function, arrays, rng, tolerance, fixed=(), what=""):
        import torch

        pairs = [tensors(a, a.dtype.kind == "f" and i not in fixed) for i, a in enumerate(arrays)]
        ours = function(minigrad, *(p[0] for p in pairs))
        theirs = function(torch, *(p[1] for p in pairs))
        assert_close(ours, theirs, tolerance, what)
        if not theirs.requires_grad:
            assert not ours.requires_grad
            return
        g = tensors(np.asarray(rng.normal(size=tuple(theirs.shape)), dtype=theirs.detach().numpy().dtype))
        ours.backward(g[0])
        theirs.backward(g[1])
        for i, (a, b) in enumerate(pairs):
            if b.grad is None:
                assert a.grad is None or not a.grad.numpy().any(), f"{what}: gradient {i}"
            else:
                assert_close(a.grad, b.grad, tolerance, f"{what}: gradient {i}")

    return check
