"""What an operation's own text makes of it in a plan: the same bits, and no new arrays."""

import warnings

import numpy as np
import pytest
from drawing import HypothesisDraw, float_results, is_tracked, map_arrays, split_keywords
from hypothesis import given, note
from hypothesis import strategies as st

import minigrad
from minigrad import Tensor
from minigrad.ops.record import registry

differentiable = [r for r in registry.values() if r.differentiable]

#: What runs eagerly, always or with some arguments: it makes tables anew at each call, or goes on by values.
EAGERLY = {
    *("argsort", "median", "scatter", "sort", "topk"),
    *("diag", "diagonal", "trace", "tril", "triu", "unfold"),
    *("cosine_similarity", "cumprod", "logsumexp", "matrix_norm"),
    *("cosine_embedding_loss", "gaussian_nll_loss", "hinge_embedding_loss", "margin_ranking_loss"),
    *("multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss", "soft_margin_loss"),
    *("cross_entropy", "nll_loss", "batch_norm", "alpha_dropout", "scaled_dot_product_attention"),
    *("adaptive_avg_pool1d", "adaptive_avg_pool2d", "avg_pool1d", "avg_pool2d", "max_pool1d"),
    *("einsum", "interpolate", "pad"),
}


@pytest.mark.parametrize("record", differentiable, ids=lambda record: record.name)
@given(data=st.data())
def test_the_same_bits_as_eager(record, data):
    dtypes = ("float32", "float64") if record.torch else ("float64",)
    draw = HypothesisDraw(data.draw, smooth=False, dtypes=dtypes)
    args = record.sample(draw)
    note(f"seed {draw.seed}, {record.name}{args}")
    places = []
    map_arrays(lambda a: places.append(a) if is_tracked(a) else None, args)
    leaves = [Tensor.wrap(a) for a in places]
    args = map_arrays(lambda a: a.copy() if is_tracked(a) else a, args)  # the step reads it, so it has to stay

    def step(*xs):
        given = iter(xs)
        positional, keywords = split_keywords(
            map_arrays(lambda a: next(given) if is_tracked(a) else Tensor.wrap(np.asarray(a)), args)
        )
        outputs = float_results(record.call(*positional, **keywords))
        tracked = [out for out in outputs if out.requires_grad]
        if not tracked:
            return outputs
        return outputs, minigrad.autograd.grad([(out * out).sum() for out in tracked], xs, allow_unused=True)

    try:
        step(*[x.requires_grad_() for x in leaves])
    except (RuntimeError, IndexError, ValueError, TypeError):
        return  # (samples of bad arguments are for parity)
    compiled = minigrad.compile(step)
    for i in range(4):
        for x in leaves:
            x.array[...] = np.roll(x.array, i)
        expected = arrays(step(*leaves))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it runs eagerly
            found = arrays(compiled(*leaves))
        for x, y in zip(found, expected, strict=True):
            np.testing.assert_array_equal(x, y, strict=True)
    assert compiled.source if compiled.reason is None else record.name in EAGERLY


def arrays(results):
    found = []
    for r in results:
        found += arrays(r) if isinstance(r, (tuple, list)) else [] if r is None else [r.detach().numpy().copy()]
    return found
