"""How results lie in memory where an operand is permuted, expanded or a slice: as in torch, for views and draws."""

import pytest

OPERANDS = {
    "transposed": "fw.arange(12.0).reshape(3, 4).t()",
    "slice": "fw.arange(24.0).reshape(4, 6)[:, ::2].t()",
    "channels last": "fw.arange(24.0).reshape(2, 3, 4).permute(0, 2, 1)",
    "images": "fw.arange(48.0).reshape(2, 2, 3, 4).permute(0, 3, 1, 2)",
    "permuted": "fw.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)",
    "expanded": "fw.arange(9.0).reshape(3, 3).expand(2, 3, 3)",
    "expanded inside": "fw.arange(6.0).reshape(2, 1, 3).expand(2, 4, 3)",
}
RESULTS = [
    *(
        "x.exp()",
        "x * 2",
        "x + x",
        "x > 1",
        "x.sigmoid()",
        "F.gelu(x)",
        "F.silu(x)",
        "x.erf()",
        "x.clamp(0, 1)",
        "x ** 2",
        "2**x",
    ),
    *("x.clone()", "x.double()", "x.long()", "fw.zeros_like(x)", "fw.rand_like(x)", "x.sort(-1)[0]"),
    *(
        "x.softmax(-1)",
        "x.log_softmax(0)",
        "x.cumsum(0)",
        "x.masked_fill(x > 1, 0.0)",
        "x.gather(0, fw.zeros_like(x).long())",
    ),
    *(
        "x.argsort(-1)",
        "x.tril()",
        "x.mean(1)",
        "x.var(-1)",
        "x.logsumexp(-1)",
        "x.amax(0)",
        "F.layer_norm(x, x.shape[-1:])",
    ),
    *("fw.where(x > 1, x, x * 2)", "F.mse_loss(x, x * 1, reduction='none')", "x.index_select(0, fw.tensor([0, 1]))"),
    *("fw.cat([x, x])", "x.roll(1, 0)", "F.linear(x, fw.ones(5, x.shape[-1]))"),
]
BATCHES = [
    *("F.batch_norm(x, None, None, training=True)", "F.conv1d(x, fw.ones(2, x.shape[1], 1)).relu()"),
    *("F.max_pool1d(x, 1)", "F.group_norm(x, 1)"),
]


def given(fw, operand, result):
    x = eval(OPERANDS[operand], {"fw": fw})
    fw.manual_seed(0)
    y = eval(result, {"x": x, "fw": fw, "F": fw.nn.functional})
    drawn = fw.nn.functional.dropout(y.float() * 0 + 1)
    return [n for n, length in zip(y.stride(), y.shape, strict=True) if length > 1], drawn


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("operand", OPERANDS)
def test_a_result_lies_as_in_torch(operand, result, torch_too):
    torch_too(lambda fw: given(fw, operand, result))


@pytest.mark.parametrize("result", BATCHES)
@pytest.mark.parametrize("operand", ["channels last", "permuted", "expanded"])
def test_results_of_layers_lie_row_major(operand, result, torch_too):
    torch_too(lambda fw: given(fw, operand, result))


@pytest.mark.parametrize(
    "result", ["x + c", "c + x", "x * c", "x > c", "fw.maximum(x, c)", "x / c", "F.mse_loss(x, c, reduction='none')"]
)
@pytest.mark.parametrize("operand", ["transposed", "slice", "channels last", "images", "permuted"])
def test_the_first_of_two_operands_decides(operand, result, torch_too):
    torch_too(lambda fw: given(fw, operand, result.replace("c", "fw.ones(x.shape)")))


@pytest.mark.parametrize(
    "layer",
    [
        "F.interpolate(x, size=(5, 5), mode='bilinear')",
        "F.adaptive_avg_pool2d(x, (2, 3))",
        "F.interpolate(x, size=(5, 5), mode='area')",
    ],
)
def test_resized_images_can_be_viewed_as_vectors(layer, torch_too):
    def program(fw):
        x = fw.arange(24.0).reshape(1, 2, 3, 4)
        return eval(layer, {"x": x, "F": fw.nn.functional}).view(1, -1)

    torch_too(program, 1e-5)


@pytest.mark.parametrize("operand", ["transposed", "slice", "channels last", "permuted", "expanded"])
def test_what_is_flipped_lies_as_it_did(operand, torch_too):
    torch_too(lambda fw: given(fw, operand, "x.flip(0)"))


def test_gradients_of_contiguous_leaves_are_contiguous(torch_too):
    def program(fw):
        w, x = fw.ones(3, 4, requires_grad=True), fw.arange(8.0).reshape(2, 4)
        (x @ w.t()).pow(2).sum().backward()
        return w.grad.view(-1)

    torch_too(program)
