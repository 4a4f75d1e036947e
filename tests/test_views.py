"""Which tensors share memory, and what a write to one of them means for the others, as in torch."""

import copy

import numpy as np
import pytest

RESULTS = {
    "convolution": lambda fw, x: fw.nn.functional.conv2d(x, fw.ones(2, 2, 2, 2)),
    "one-dimensional convolution": lambda fw, x: fw.nn.functional.conv1d(x[:, :, 0], fw.ones(2, 2, 2)),
    "transposed convolution": lambda fw, x: fw.nn.functional.conv_transpose2d(x, fw.ones(2, 2, 2, 2)),
    "what follows a convolution": lambda fw, x: fw.nn.functional.conv2d(x, fw.ones(2, 2, 2, 2)).relu() * 2,
    "pooling": lambda fw, x: fw.nn.functional.max_pool2d(fw.nn.functional.conv2d(x, fw.ones(2, 2, 2, 2)), 2),
    "interpolation": lambda fw, x: fw.nn.functional.interpolate(x, scale_factor=2),
    "indexing": lambda fw, x: x[:, fw.tensor([1, 0])],
    "topk": lambda fw, x: x.topk(2, 1)[0],
}
ALIASES = {
    "detach": lambda y: y.detach(),
    "data": lambda y: y.data,
    "numpy": lambda y: y.numpy(),
    "row": lambda y: y[0],
    "flatten": lambda y: y.flatten(),
    "contiguous": lambda y: y.contiguous(),
}


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("result", RESULTS)
def test_a_result_shares_memory_whatever_is_made_of_it_first(result, alias, torch_too):
    def program(fw):
        y = RESULTS[result](fw, fw.arange(100.0).reshape(2, 2, 5, 5))
        first = ALIASES[alias](y)
        y.view(-1)[::2].fill_(-1)
        y.reshape(len(y), -1)[:, 0] = -2
        return y, np.asarray(first).tolist(), y.stride(), y.is_contiguous()

    torch_too(program)


def test_channels_last_arrays_of_users_stay_where_they_are(torch_too):
    def program(fw):
        a = np.zeros((2, 4, 4, 3), np.float32)
        x = fw.from_numpy(a.transpose(0, 3, 1, 2))
        x[0, 0].fill_(1)
        x.reshape(-1).fill_(2)
        x.detach().add_(1)
        return a.tolist(), x.stride(), fw.from_numpy(a.transpose(0, 3, 1, 2)).requires_grad_().is_leaf

    torch_too(program)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float64", "float32", "float16", "bool"])
@pytest.mark.parametrize(
    "part", [lambda x: x, lambda x: x[1:, :2], lambda x: x[:, 1:3], lambda x: x.t(), lambda x: x[0, 0], lambda x: x[0]]
)
def test_views_of_another_dtype(dtype, part, torch_too):
    def program(fw):
        x = fw.tensor([[1.0, 2.0, -1.0, 4.0], [0.5, 8.0, 0.0, 1.0]])
        v = part(x).view(getattr(fw, dtype))
        v.view(dtype=v.dtype).zero_()
        return v.shape, v.stride(), x, part(x.requires_grad_()).view(v.dtype).requires_grad

    torch_too(program)


def test_a_write_through_a_view_of_another_dtype_counts(torch_too):
    def program(fw):
        x = fw.ones(3, requires_grad=True) * 1
        y = x * x
        x.view(fw.int32).add_(1)
        y.sum().backward()

    torch_too(program)


@pytest.mark.parametrize("write", ["fill_", "copy_", "masked_fill_", "[]", "clamp_"])
def test_a_tracked_number_keeps_its_gradient(write, torch_too):
    def program(fw):
        s = fw.tensor(2.0, dtype=fw.float64, requires_grad=True)
        y = fw.zeros(2, 3)
        view = y[:, 1:]
        if write == "[]":
            view[0] = s
        else:
            more = [view == 0] if write == "masked_fill_" else []
            getattr(view, write)(*more, s)
        (y * y).sum().backward()
        return y.requires_grad, y, s.grad

    torch_too(program)


MADE = {
    "view": lambda y: y.view(-1),
    "slice": lambda y: y[:2],
    "view of a slice": lambda y: y[1:].view(-1),
    "expand": lambda y: y.expand(2, 3),
    "split": lambda y: y.split(2)[0],
    "unbind": lambda y: y.unbind()[1],
}
BASES = {
    "leaf": lambda fw, x: x,
    "result": lambda fw, x: x * 2,
    "constant": lambda fw, x: fw.zeros(3),
}
THEN = {
    "nothing": lambda fw, x, y, v: v.grad_fn is None,
    "used": lambda fw, x, y, v: ((v * 3).sum() + x.sum()).backward(),
    "its own gradient": lambda fw, x, y, v: ((v * v).sum() + x.sum()).backward() or v.grad,
    "written": lambda fw, x, y, v: v.add_(1),
    "written with a gradient": lambda fw, x, y, v: v.add_(x[0] * 1),
    "base written": lambda fw, x, y, v: (y.mul_(x), v * 1)[1],
    "base frozen": lambda fw, x, y, v: y.requires_grad_(False),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("then", THEN)
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("recording", [True, False])
def test_views_made_with_and_without_recording(recording, made, base, then, torch_too):
    def program(fw):
        x = fw.tensor([1.0, 2.0, 3.0], requires_grad=True)
        y = BASES[base](fw, x)
        with fw.set_grad_enabled(recording):
            v = MADE[made](y)
        result = THEN[then](fw, x, y, v)
        return v.requires_grad, v.is_leaf, result, x.grad

    torch_too(program)


def test_a_view_requires_a_gradient_as_soon_as_its_base_does(torch_too):
    def program(fw):
        x = fw.ones(3)
        v = x[:2]
        x.requires_grad_()
        w = fw.ones(3)[:2].requires_grad_()
        (w * 2).sum().backward()
        return v.requires_grad, (v * 2).requires_grad, w.grad, w.add_(1)

    torch_too(program)


@pytest.mark.parametrize(
    "split",
    [
        lambda x: x.tensor_split(3),
        lambda x: x.tensor_split((1, 3), dim=1),
        lambda x: x.tensor_split((3, 1)),
        lambda x: x.tensor_split((-1,), 1),
        lambda x: x.hsplit(2),
        lambda x: x.vsplit((1,)),
        lambda x: x.hsplit(3),
        lambda x: x.dsplit(2),
        lambda x: x[0].hsplit(2),
        lambda x: x[0].vsplit(2),
        lambda x: x.tensor_split(0),
    ],
)
def test_pieces_of_nearly_one_length(split, torch_too):
    def program(fw):
        x = fw.arange(8.0, requires_grad=True)
        y = x.reshape(2, 4) * 1
        pieces = split(y)
        for i, piece in enumerate(pieces):
            piece.mul_(i)
        (y * y).sum().backward()
        return [p.detach() for p in pieces], x.grad

    torch_too(program)


@pytest.mark.parametrize(
    "reshape",
    [
        lambda b: b.unsqueeze_(0),
        lambda b: b.unsqueeze_(-1).t_() if b.ndim == 1 else b.unsqueeze_(-1),
        lambda b: b.t_(),
        lambda b: b.squeeze_(),
        lambda b: b.transpose_(0, -1).unsqueeze_(1),
    ],
)
@pytest.mark.parametrize(
    "base",
    [
        lambda x: x * 2,
        lambda x: x.detach() * 2,
        lambda x: (x * 2)[:, 1:],
        lambda x: (x * 2)[:1],
        lambda x: x.roll(1),  # reshaped last
    ],
)
@pytest.mark.parametrize("written", range(5))
def test_views_keep_their_shape_when_the_base_gets_another_in_place(reshape, base, written, torch_too):
    def program(fw):
        x = fw.arange(6.0).reshape(2, 3).requires_grad_()
        b = base(x)
        row, whole = b[0], b.view_as(b)
        reshape(b)
        after = b.flatten()[1:]
        tensors = [b, row, whole, after, row[1:]]
        tensors[written].mul_(x[0, 1] * 3)
        again = b.clone().requires_grad_(False) if not b.requires_grad else b * b
        (again.sum() + (after * after).sum() + row.sum() * 3 + (whole * whole * whole).sum()).backward()
        return tensors, [t.requires_grad for t in tensors], [t.is_leaf for t in tensors], x.grad

    torch_too(program)


@pytest.mark.parametrize(
    "copy",
    [lambda x: x[x > 5], lambda x: x[:0].roll(1), lambda x: x[:0].roll(1, 0), lambda x: x[[]], lambda x: x[1:1]],
)
def test_what_is_empty_is_a_view_only_where_torch_has_one(copy, torch_too):
    def program(fw):
        x = fw.ones(3, requires_grad=True)
        with fw.no_grad():
            y = copy(x)
        return y.requires_grad, y.is_leaf

    torch_too(program)


WRITES = {
    "fill": lambda fw, y, other: y.fill_(3.0),
    "zero": lambda fw, y, other: y.zero_(),
    "copy of a constant": lambda fw, y, other: y.copy_(fw.ones(3)),
    "copy": lambda fw, y, other: y.copy_(other * 2),
    "copy of one number": lambda fw, y, other: y.copy_(other[0]),
    "draw": lambda fw, y, other: y.uniform_() and y.floor_(),
    "index": lambda fw, y, other: y.__setitem__(slice(None), 3.0),
    **{
        name: lambda fw, y, other, name=name: getattr(y, f"{name}_")(other)
        for name in ("eq", "lt", "ge", "logical_and", "logical_xor")
    },
    "equal to a number": lambda fw, y, other: y.eq_(2.0),
    "not": lambda fw, y, other: y.logical_not_(),
}


@pytest.mark.parametrize("written", [lambda x: x * 2, lambda x: (x * 2)[:], lambda x: x.detach() * 2, lambda x: x])
@pytest.mark.parametrize("write", WRITES)
def test_gradients_of_what_was_overwritten_are_zeros(write, written, torch_too):
    def program(fw):
        x, other = (fw.tensor([1.0, 2.0, 3.0], requires_grad=True) for _ in range(2))
        y = written(x)
        WRITES[write](fw, y, other)
        if y.requires_grad:
            (y * y).sum().backward()
        return y, y.requires_grad, y.is_leaf, x.grad, other.grad

    torch_too(program)


@pytest.mark.parametrize(
    "read",
    [
        lambda v: v.bool(),
        lambda v: v.long(),
        lambda v: v > 0,
        lambda v: v.isnan(),
        lambda v: v.argmax(),
        lambda v: v.float(),
        lambda v: v * 2,
        lambda v: v.double(),
        str,
    ],
)
def test_what_has_no_gradient_may_be_computed_from_views_that_have_lost_theirs(read, torch_too):
    def program(fw):
        y = fw.tensor([[1.0, -2.0]], requires_grad=True) * 2
        v = y.unbind()[0]
        y.mul_(2)
        return read(v) if read is str else read(v).tolist()

    torch_too(program)


def test_a_view_made_without_recording_may_be_read_once_its_base_is_detached(torch_too):
    def program(fw):
        y = fw.ones(3, requires_grad=True) * 2
        with fw.no_grad():
            v = y[:2]
        y.mul_(3)
        y.detach_()
        return v * 2, v.requires_grad

    torch_too(program)


@pytest.mark.parametrize("name", ["roll", "sort", "flip", "gather", "cumsum"])
def test_the_result_of_an_operation_is_no_view_even_if_a_view_of_it_exists(name, torch_too):
    def program(fw):
        with fw.no_grad():
            x = fw.tensor(-2.0)
            made = {
                "roll": lambda: x.roll(1),
                "sort": lambda: x.sort(-1)[0],
                "flip": lambda: x.flip(0),
                "gather": lambda: x.gather(0, fw.tensor(0)),
                "cumsum": lambda: x.cumsum(0),
            }[name]()
            v = made[..., None]
        made.requires_grad_()
        return v.requires_grad, (made * 1).add_(fw.ones((), requires_grad=True))

    torch_too(program)


def test_the_result_of_an_operation_under_no_grad_may_be_written_to_beside_a_view_of_it(torch_too):
    def program(fw):
        with fw.no_grad():
            x = fw.tensor(-2.0).roll(1)
            v = x[..., None]
        x.add_(fw.ones((), requires_grad=True))
        return x, x.requires_grad, v.requires_grad

    torch_too(program)


ORDERS = {3: [(0, 2, 1), (1, 2, 0), (2, 1, 0)], 4: [(0, 3, 1, 2), (0, 2, 1, 3), (3, 2, 1, 0)]}


@pytest.mark.parametrize("order", [order for orders in ORDERS.values() for order in orders], ids=str)
@pytest.mark.parametrize("share", ["detach", "data", "deepcopy", "numpy", "itself"])
def test_what_shares_the_memory_of_a_permuted_view_goes_on_sharing_it(order, share, torch_too):
    def program(fw):
        base = fw.arange(2.0 * 3 * 4 * (5 if len(order) == 4 else 1)).reshape(*(2, 3, 4, 5)[: len(order)])
        shown = base.permute(*order)
        if share == "deepcopy":
            base, shown = copy.deepcopy([base, shown])
        elif share == "numpy":
            shown = fw.from_numpy(shown.numpy())
        elif share == "detach":
            shown = shown.detach()
        elif share == "data":
            shown = shown.data
        shown[0].zero_()
        shown[..., 1].add_(1)
        return base, shown.stride(), shown.contiguous()[1:]

    torch_too(program)


@pytest.mark.parametrize("reshape", ["t_()", "unsqueeze_(0)", "squeeze_()", "transpose_(0, 1)"])
@pytest.mark.parametrize("made", ["detach()", "relu()", "mul(2)", "roll(1)"])
def test_another_shape_in_place_counts_as_a_write(reshape, made, torch_too):
    def program(fw):
        x = fw.arange(9.0).reshape(3, 3).requires_grad_()
        y = eval(f"x.{made}", {"x": x})
        z = y * x
        eval(f"y.{reshape}", {"y": y})
        (y * y).sum()
        z.sum().backward()

    torch_too(program)


@pytest.mark.parametrize(
    "write",
    [
        *(
            "y.zero_()",
            "y.fill_(2)",
            "y.fill_(s)",
            "y.copy_(w)",
            "y.lt_(w)",
            "y.eq_(2)",
            "y.eq_(y)",
            "y.logical_not_()",
        ),
        *("y.masked_fill_(y > 0, 1.0)", "y.floor_()", "y.mul_(0)", "y.relu_()", "y.view(-1).zero_()", "y.t().eq_(1)"),
        *("y[0] = 1", "y[0] = w[0]", "y[:] = 0", "y[...] = w", "y[0:2] = 0", "y.view(-1)[:] = 0", "y.ge_(w)"),
    ],
)
def test_a_gradient_requires_one_only_where_it_depends_on_something(write, torch_too):
    def program(fw):
        x, w, s = (fw.tensor(v, requires_grad=True) for v in ([[1.0, 2.0], [3.0, 4.0]], [[1.5, 1.0], [2.0, 5.0]], 2.0))
        found = []
        for loss in (lambda y: (y * y).sum(), lambda y: y.sum()):
            y = x * 2
            exec(write, {"x": x, "w": w, "y": y, "s": s, "fw": fw})
            if not y.requires_grad:
                return None
            found += fw.autograd.grad(loss(y), (x, w, s), create_graph=True, allow_unused=True)
        return [(g, g.requires_grad) for g in found if g is not None], [g is None for g in found]

    torch_too(program)
