"""Tensors without dimensions, alone or beside one dimension: what torch computes, and the errors it raises."""

import warnings

import pytest

import minigrad

CALLS = [
    *("split(1)", "split([1])", "chunk(2)", "tensor_split(2)", "unbind()", "unflatten(0,(1,-1))", "mT", "T", "t()"),
    *("unfold(0,1,1)", "narrow(0,0,1)", "select(0,0)", "flatten()", "diagonal()", "movedim(0,0)", "topk(1)", "sort()"),
    *(
        "index_select(0,fw.tensor([0]))",
        "gather(0,fw.tensor(0))",
        "gather(0,fw.tensor([0]))",
        "scatter(0,fw.tensor(0),5.)",
    ),
    *("scatter(0,fw.tensor(0),fw.tensor(5.))", "scatter_add(0,fw.tensor(0),fw.tensor(5.))", "cumsum(0)", "flip(0)"),
    *("roll(1)", "tril()", "repeat(2)", "tile(2)", "softmax(0)", "max(0)", "argmax(0)", "squeeze(0)", "unsqueeze(2)"),
    *("swapaxes(0,1)", "permute(0)", "expand(2)", "median(0)", "norm(dim=0)", "logsumexp(0)", "outer(fw.tensor(1.))"),
    *(
        "dot(fw.tensor(1.))",
        "trace()",
        "diag()",
        "nonzero()",
        "take_along_dim(fw.tensor(0),0)",
        "argsort()",
        "view(1,2)",
    ),
    *("vsplit(1)", "hsplit(1)", "dsplit(1)", "matmul(fw.tensor(1.))", "reshape(2)"),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("content", [2.0, [3.0, 1.0, 2.0]])
def test_a_call_gives_what_it_gives_in_torch(call, content, torch_too):
    def program(fw):
        x = fw.tensor(content, requires_grad=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns once in a process
            try:
                result = eval(f"x.{call}", {"x": x, "fw": fw})
            except (RuntimeError, IndexError, ValueError) as error:
                return type(error).__name__
        parts = [y for y in (result if isinstance(result, tuple) else (result,)) if y.requires_grad]
        for part in parts:
            (part * part).sum().backward(retain_graph=True)
        return result, x.grad

    torch_too(program)


def test_transposing_what_is_no_matrix_warns():
    for name, shape, words in (
        ("T", (), "deprecated on 0-D"),
        ("mT", (), "deprecated on 0-D"),
        ("T", (3,), "other than 2"),
    ):
        with pytest.warns(UserWarning, match=words):
            getattr(minigrad.ones(shape), name)
