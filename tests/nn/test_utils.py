"""Clipping and flattening as torch does it."""

import math

import numpy as np
import pytest
import torch

import minigrad
from minigrad.nn import utils

NORMS = [2.0, 2, 1, 3, 0.5, 0, math.inf, -math.inf]


def parameters(fw, dtype="float32", seed=0, size=1.0):
    """Parameters with gradients, and one without."""
    rng = np.random.default_rng(seed)
    params = []
    for shape in ((3, 4), (), (50,), (2, 0)):
        p = fw.ones(shape, dtype=getattr(fw, dtype)).requires_grad_()
        p.grad = fw.from_numpy(np.asarray(rng.normal(size=shape) * size, dtype))
        params.append(p)
    return [*params, fw.ones(3).requires_grad_()]


def gradients(params):
    return [None if p.grad is None else p.grad.numpy().tolist() for p in params]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("norm_type", NORMS)
@pytest.mark.parametrize("max_norm", [0.1, 3, 1e6])
def test_clip_grad_norm_is_torchs(norm_type, max_norm, dtype):
    tolerance = {"float32": 1e-6, "float64": 1e-14}[dtype]
    drop = 4 if math.isinf(norm_type) else 5  # the empty one has no largest element
    ours, theirs = (parameters(fw, dtype) for fw in (minigrad, torch))
    del ours[drop - 1 : 4], theirs[drop - 1 : 4]
    total = utils.clip_grad_norm_(ours, max_norm, norm_type=norm_type)
    reference = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type=norm_type)
    assert total.shape == ()
    assert str(total.dtype).split(".")[1] == dtype
    np.testing.assert_allclose(total.item(), reference.item(), rtol=tolerance)
    for p, q in zip(ours, theirs, strict=True):
        assert (p.grad is None) == (q.grad is None)
        if q.grad is not None:
            assert p.grad.numpy().dtype == dtype
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=tolerance)


def test_what_is_small_enough_is_left_alone():
    params = parameters(minigrad)
    before = gradients(params)
    utils.clip_grad_norm_(params, 1e6)
    assert gradients(params) == before


def test_one_parameter_a_generator_and_none():
    for fw in (minigrad, torch):
        clip = fw.nn.utils.clip_grad_norm_
        w = fw.zeros(2).requires_grad_()
        assert clip(w, 1.0).item() == 0.0
        w.grad = fw.tensor([3.0, 4.0])
        assert clip((p for p in [w]), 2.5, foreach=True).item() == 5.0
        np.testing.assert_allclose(w.grad.numpy(), [1.5, 2.0], rtol=1e-6)
        assert clip([], 1.0).item() == 0.0
        with pytest.warns(UserWarning, match="`parameters` is an empty generator"):
            clip((p for p in ()), 1.0)


@pytest.mark.parametrize("norm_type", [2.0, 1.0, math.inf])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e30])
def test_gradients_that_are_not_finite(bad, norm_type):
    results = []
    for fw in (minigrad, torch):
        w, b = fw.zeros(3).requires_grad_(), fw.zeros(2).requires_grad_()
        w.grad, b.grad = fw.tensor([1.0, bad, 0.0]), fw.tensor([1.0, 2.0])
        if not math.isfinite(bad):
            with pytest.raises(RuntimeError, match=f"The total norm of order {float(norm_type)} .* is non-finite"):
                fw.nn.utils.clip_grad_norm_([w, b], 1.0, norm_type, error_if_nonfinite=True)
            assert b.grad.tolist() == [1.0, 2.0]
        total = fw.nn.utils.clip_grad_norm_([w, b], 1.0, norm_type)
        results.append([total.item(), *w.grad.tolist(), *b.grad.tolist()])
    np.testing.assert_allclose(*results, rtol=1e-6)


def test_gradients_of_several_dtypes():
    for order in ((0, 1), (1, 0)):
        results = []
        for fw in (minigrad, torch):
            params = [parameters(fw, "float32")[0], parameters(fw, "float64", seed=1)[0]]
            total = fw.nn.utils.clip_grad_norm_([params[i] for i in order], 0.5)
            assert str(total.dtype).endswith("float64")
            assert [str(p.grad.dtype).split(".")[1] for p in params] == ["float32", "float64"]
            results.append([total.item(), *np.ravel(gradients(params))])
        np.testing.assert_allclose(*results, rtol=1e-6)


def test_the_two_halves():
    ours, theirs = parameters(minigrad), parameters(torch)
    totals = []
    for fw, params in ((minigrad, ours), (torch, theirs)):
        u = fw.nn.utils
        total = u.get_total_norm([p.grad for p in params if p.grad is not None])
        totals.append(total.item())
        assert u.get_total_norm(params[0].grad, norm_type=1.0).item() > 0
        u.clip_grads_with_norm_(params, 1.0, total)
    np.testing.assert_allclose(*totals, rtol=1e-6)
    np.testing.assert_allclose(ours[2].grad.numpy(), theirs[2].grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize("bound", [0.5, 1])
def test_clip_grad_value_is_torchs(bound):
    ours, theirs = parameters(minigrad), parameters(torch)
    for fw, params in ((minigrad, ours), (torch, theirs)):
        params[2].grad[:2] = math.nan
        params[2].grad[2:4] = math.inf
        fw.nn.utils.clip_grad_value_(params, bound)
        fw.nn.utils.clip_grad_value_(params[0], bound, foreach=True)
    np.testing.assert_equal(gradients(ours), gradients(theirs))


def test_parameters_to_vector_and_back():
    for fw in (minigrad, torch):
        params = [fw.arange(6.0).reshape(2, 3).requires_grad_(), fw.tensor(9.0).requires_grad_()]
        vector = fw.nn.utils.parameters_to_vector(params)
        assert vector.tolist() == [0, 1, 2, 3, 4, 5, 9]
        (vector * vector).sum().backward()
        assert params[0].grad.tolist() == [[0, 2, 4], [6, 8, 10]]
        assert params[1].grad.item() == 18
        new = fw.arange(7.0) * 10
        fw.nn.utils.vector_to_parameters(new, params)
        assert params[0].tolist() == [[0, 10, 20], [30, 40, 50]]
        assert params[1].item() == 60
        assert params[0].requires_grad
        assert params[0].is_leaf
        new[0] = 7
        assert params[0][0, 0].item() == 7
        with pytest.raises(TypeError, match=r"expected .*Tensor, but got: .*list"):
            fw.nn.utils.vector_to_parameters([1.0], params)


@pytest.mark.parametrize("length", [6, 8])
def test_a_vector_of_another_length_is_refused(length):
    params = [minigrad.zeros(2, 3), minigrad.zeros(())]
    with pytest.raises(RuntimeError, match=f"vec has {length} elements, but the parameters have 7"):
        utils.vector_to_parameters(minigrad.zeros(length), params)
